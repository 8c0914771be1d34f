"""What a run would find here: host, libraries, mends, devices, data, models."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from recbole_invariant import compat
from recbole_invariant.compat.host import found_versions, host_problems

OTHER_LIBRARIES = (
    "scikit-learn",
    "pyarrow",
    "safetensors",
    "tensorboard",
    "ray",
    "optuna",
    "hyperopt",
)
"""Reported beside python, recbole and the libraries with a floor; the last three are optional and
for searches (`tune`)."""


@dataclass(frozen=True)
class DoctorReport:
    """The state of this environment.

    Attributes:
        platform: operating system and processor.
        versions: library -> version, None where it is missing.
        problems: what is missing or too old, each with the command that mends it; empty if fine.
        mends: names of the compat mends in force.
        devices: `cpu` and each CUDA device by name.
        threads: processors seen, threads torch uses, `OMP_NUM_THREADS` (None if not set).
        datasets: data set name -> its folder.
        models: names of our models.
        yaml_folder: where the option files are, None if they were not installed.
    """

    platform: str
    versions: dict[str, str | None]
    problems: list[str]
    mends: list[str]
    devices: list[str]
    threads: dict[str, int | str | None]
    datasets: dict[str, str]
    models: list[str]
    yaml_folder: str | None

    @property
    def healthy(self) -> bool:
        """Whether a run can start: host and libraries are fine and the YAML files are there."""
        return not self.problems and self.yaml_folder is not None


def report(
    data_path: str | os.PathLike[str] | None = None,
    found: Mapping[str, str | None] | None = None,
) -> DoctorReport:
    """Gather the report; reads versions and folder names only.

    Args:
        data_path: a folder with one sub-folder a data set, as RecBole's `data_path`.
        found: versions of python, recbole and the libraries with a floor; by default those of
            this environment.
    """
    versions = dict(found_versions() if found is None else found)
    problems = host_problems(versions)
    versions["recbole_invariant"] = _own_version()
    versions.update({library: _installed(library) for library in OTHER_LIBRARIES})
    return DoctorReport(
        platform=f"{platform.system()} {platform.machine()}",
        versions=versions,
        problems=problems,
        mends=compat.mends_in_force(),
        devices=_devices(),
        threads=_threads(),
        datasets=_shipped_dataset() | datasets_in(data_path),
        models=_models(),
        yaml_folder=_yaml_folder(),
    )


def datasets_in(data_path: str | os.PathLike[str] | None) -> dict[str, str]:
    """Return name -> folder of the data sets under a folder: `NAME/NAME.inter` or its parts.

    Benchmark files (`NAME.train.inter` and so on) count too. None or a folder that is not there
    holds none.
    """
    if data_path is None or not Path(data_path).is_dir():
        return {}
    return {
        folder.name: str(folder)
        for folder in sorted(Path(data_path).iterdir())
        if folder.is_dir() and any(folder.glob(f"{_literal(folder.name)}.*inter"))
    }


def format_report(found: DoctorReport) -> str:
    """Return the report as text, problems last."""
    threads = ", ".join(f"{name} {value}" for name, value in found.threads.items())
    lines = ["platform: " + found.platform, "versions:"]
    lines += [f"  {name}: {number or 'missing'}" for name, number in found.versions.items()]
    lines += ["mends in force: " + (", ".join(found.mends) or "none")]
    lines += ["devices: " + ", ".join(found.devices), "threads: " + threads]
    lines += ["models: " + (", ".join(found.models) or "none registered"), "data sets:"]
    lines += [f"  {name}: {folder}" for name, folder in found.datasets.items()]
    lines += ["options: " + (found.yaml_folder or "missing; install again with pip install .")]
    if found.problems:
        lines += ["problems:"] + [f"  {problem}" for problem in found.problems]
    else:
        lines += ["host and libraries: fine"]
    return "\n".join(lines)


def _installed(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _own_version() -> str:
    """Return this package's version; a checkout runs without being installed."""
    from recbole_invariant import __version__

    installed = _installed("recbole_invariant")
    return installed or f"{__version__} (not installed; that of {Path(__file__).parent} is used)"


def _literal(name: str) -> str:
    """Return a glob pattern that matches the name itself, whatever characters it has."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _devices() -> list[str]:
    import torch

    names = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
    return ["cpu", *(f"cuda:{n} {name}" for n, name in enumerate(names))]


def _threads() -> dict[str, int | str | None]:
    import torch

    return {
        "processors": os.cpu_count(),
        "torch": torch.get_num_threads(),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
    }


def _shipped_dataset() -> dict[str, str]:
    """Return RecBole's own ml-100k, found without importing RecBole."""
    spec = find_spec("recbole")
    for root in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(root) / "dataset_example" / "ml-100k"
        if (folder / "ml-100k.inter").is_file():
            return {"ml-100k": str(folder)}
    return {}


def _models() -> list[str]:
    from recbole_invariant import registry

    return list(registry.MODELS)


def _yaml_folder() -> str | None:
    from recbole_invariant.configuration.folders import properties_folder

    folder = properties_folder()
    return str(folder) if (folder / "overall.yaml").is_file() else None
