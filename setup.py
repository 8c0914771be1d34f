"""Package metadata; tool settings are in pyproject.toml.

RecBole itself is not listed: its own requirement `ray <= 2.6.3` cannot be met beside a Ray
without known remote-code holes, so it is installed with `pip install --no-deps recbole==1.2.1`
and what it needs is listed here.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

# Package name -> folder. Each folder has an __init__.py: without one, an editable install
# does not find it.
YAML_FOLDERS = {
    "recbole_invariant.properties": "properties",
    "recbole_invariant.properties.model": "properties/model",
    "recbole_invariant.properties.schedule": "properties/schedule",
    "recbole_invariant.properties.tune": "properties/tune",
    "recbole_invariant.dataset_configs": "dataset_configs",
}

NEEDED_BY_RECBOLE = [
    "colorama>=0.4.4",
    "colorlog>=4.7.2",
    "plotly>=4.0.0",
    "psutil>=5.9.0",
    "pyyaml>=5.1",
    "scikit-learn>=1.5",
    "setuptools",  # thop imports distutils, which Python 3.12 has no more.
    "tabulate>=0.8.10",
    "tensorboard>=2.5.0",
    "texttable>=0.9.0",
    "thop>=0.1.1.post2207130030",
    "tqdm>=4.48.2",
]
NEEDED_BY_US = [
    "jinja2>=3.1",
    "markupsafe>=2.1",
    "matplotlib>=3.8",
    "numpy>=2",
    "pandas>=3",
    "pyarrow>=17",
    "safetensors>=0.4",
    "scipy>=1.13",
    "torch>=2.6",
]
# ray[tune] brings fsspec. Each searcher of another library is an extra of its own.
TUNE = ["ray[tune]>=2.54"]
OPTUNA = ["optuna>=4"]
HYPEROPT = ["hyperopt>=0.3"]
DEV = [
    *TUNE,
    *OPTUNA,
    *HYPEROPT,
    "hypothesis>=6.100",
    "ir-measures>=0.3.7",
    "mypy>=2.4",
    "pandas-stubs>=2.2",
    "pytest>=8.2",
    "pytest-cov>=5",
    "pytest-timeout>=2.3",
    "pytest-xdist>=3.6",
    "ruff>=0.6",
    "types-PyYAML>=6",
]


def read_version() -> str:
    """Return `__version__` without importing the package, which needs its dependencies."""
    text = (HERE / "recbole_invariant" / "__init__.py").read_text(encoding="utf-8")
    match = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if match is None:
        raise RuntimeError("recbole_invariant/__init__.py sets no __version__")
    return match.group(1)


def read_description() -> str:
    """Return the README, or nothing in a checkout without one."""
    readme = HERE / "README.md"
    return readme.read_text(encoding="utf-8") if readme.exists() else ""


setup(
    name="recbole_invariant",
    version=read_version(),
    description="Invariant-learning recommenders and out-of-distribution evaluation for RecBole",
    long_description=read_description(),
    long_description_content_type="text/markdown",
    author="the recbole_invariant authors",
    license="MIT",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=[*find_packages(include=["recbole_invariant", "recbole_invariant.*"]), *YAML_FOLDERS],
    py_modules=["run_recbole_inv"],
    package_dir=YAML_FOLDERS,
    package_data={
        **{name: ["*.yaml"] for name in YAML_FOLDERS},
        "recbole_invariant": ["py.typed"],
        "recbole_invariant.report": ["templates/*", "templates/panels/*"],
    },
    include_package_data=False,
    zip_safe=False,
    install_requires=sorted(NEEDED_BY_RECBOLE + NEEDED_BY_US),
    extras_require={
        "tune": TUNE,
        "optuna": TUNE + OPTUNA,
        "hyperopt": TUNE + HYPEROPT,
        "dev": DEV,
    },
    entry_points={"console_scripts": ["recbole-inv = run_recbole_inv:main"]},
    classifiers=[
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
)
