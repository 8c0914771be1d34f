"""The YAML files travel with the package, in a normal and in an editable installation."""

import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
YAML_PACKAGES = {
    "recbole_invariant.properties": "properties",
    "recbole_invariant.properties.model": "properties/model",
    "recbole_invariant.properties.schedule": "properties/schedule",
    "recbole_invariant.properties.tune": "properties/tune",
    "recbole_invariant.dataset_configs": "dataset_configs",
}
LIST_YAML = """
import json, sys
from importlib.resources import files
import recbole_invariant
found = {p: sorted(f.name for f in files(p).iterdir() if f.name.endswith(".yaml"))
         for p in sys.argv[1:]}
print(json.dumps({"where": recbole_invariant.__file__, "yaml": found}))
"""


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def yaml_in_repository() -> dict[str, list[str]]:
    return {
        package: sorted(file.name for file in (ROOT / folder).glob("*.yaml"))
        for package, folder in YAML_PACKAGES.items()
    }


def templates_below(folder: Path) -> list[str]:
    templates = folder / "recbole_invariant" / "report" / "templates"
    files = (path for path in templates.rglob("*") if path.is_file())
    found = sorted(str(path.relative_to(templates)) for path in files)
    assert "page.html" in found
    return found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a copy of what setup.py needs: building leaves files behind in its folder."""
    copy = tmp_path / "source"
    copy.mkdir()
    for folder in ("recbole_invariant", "properties", "dataset_configs"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("setup.py", "run_recbole_inv.py", "pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / file, copy / file)
    return copy


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """Return the python of an empty environment that borrows this one's libraries."""
    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=tmp_path)
    python = venv / "bin" / "python"
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path)
    # A line of a .pth file adds the folder but does not follow the .pth files inside it, so an
    # editable installation of the repository itself stays out of sight.
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(site.strip()) / "borrowed.pth").write_text("\n".join(sorted(borrowed)) + "\n")
    return python


def test_a_wheel_carries_the_yaml_files(source: Path, environment: Path, tmp_path: Path) -> None:
    pip = (sys.executable, "-m", "pip", "--no-input")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path, source, cwd=tmp_path)
    (wheel,) = tmp_path.glob("recbole_invariant-*.whl")
    installed, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    assert (installed / "recbole_invariant" / "py.typed").exists()
    assert (next(installed.glob("*.dist-info")) / "licenses" / "LICENSE").exists()
    assert templates_below(installed) == templates_below(ROOT)

    lines = f"import sys; sys.path.insert(0, {str(installed)!r})\n" + LIST_YAML
    found = json.loads(run(environment, "-c", lines, *YAML_PACKAGES, cwd=elsewhere))
    assert found["where"].startswith(str(installed))
    assert found["yaml"] == yaml_in_repository()


def test_an_editable_installation_finds_the_yaml_files(
    source: Path, environment: Path, tmp_path: Path
) -> None:
    pip = (sys.executable, "-m", "pip", "--no-input", "--python", environment)
    run(*pip, "install", "--no-deps", "--no-build-isolation", "-e", source, cwd=tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    found = json.loads(run(environment, "-c", LIST_YAML, *YAML_PACKAGES, cwd=elsewhere))
    assert found["where"].startswith(str(source))
    assert found["yaml"] == yaml_in_repository()
    assert (environment.parent / "recbole-inv").exists()


def test_the_yaml_folders_hold_what_a_run_needs() -> None:
    files = yaml_in_repository()
    assert "overall.yaml" in files["recbole_invariant.properties"]
    assert "PaInvRL.yaml" in files["recbole_invariant.properties.model"]
    assert "ml-100k.yaml" in files["recbole_invariant.dataset_configs"]
