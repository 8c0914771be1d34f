"""Check that the host, RecBole 1.2.1, and the libraries under it are there and new enough."""

import re
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

RECBOLE_VERSION = "1.2.1"
INSTALL_RECBOLE = f"pip install --no-deps recbole=={RECBOLE_VERSION}"
FLOORS = {"numpy": "2", "pandas": "3", "scipy": "1.13", "torch": "2.6"}
"""Library -> the lowest version that is supported."""
PYTHON_FLOOR = "3.11"


class HostError(ImportError):
    """RecBole or a library is missing or of the wrong version; the command line exits with 2."""

    exit_code = 2


def release(text: str) -> tuple[int, ...]:
    """Return the numbers of a version for comparing, e.g. `2.13.0+cpu` -> `(2, 13, 0)`."""
    match = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in match.group().split(".")) if match else ()


def found_versions() -> dict[str, str | None]:
    """Return the version of python, recbole and each library with a floor; None is missing."""
    versions: dict[str, str | None] = {"python": ".".join(map(str, sys.version_info[:3]))}
    try:
        versions["recbole"] = str(import_module("recbole").__version__)
    except ImportError:
        versions["recbole"] = None
    for library in FLOORS:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            versions[library] = None
    return versions


def host_problems(found: Mapping[str, str | None]) -> list[str]:
    """Say what is missing or too old, one message a package, each with the command that mends it.

    Args:
        found: version of `python`, `recbole` and each of `FLOORS`; None where it is missing.
    """
    problems = []
    python = found["python"]
    if python is not None and release(python) < release(PYTHON_FLOOR):
        problems.append(
            f"python: found {python}, needed >= {PYTHON_FLOOR}. "
            f"Make the environment with Python {PYTHON_FLOOR} or newer."
        )
    for library, floor in FLOORS.items():
        if (installed := found[library]) is None or release(installed) < release(floor):
            problems.append(
                f"{library}: found {installed or 'nothing'}, needed >= {floor}. "
                f'Run: pip install "{library}>={floor}"'
            )
    # Last, since RecBole goes in without its dependencies, after ours.
    if (recbole := found["recbole"]) != RECBOLE_VERSION:
        problems.append(
            f"recbole: found {recbole or 'nothing'}, needed == {RECBOLE_VERSION}. "
            f"Run: {INSTALL_RECBOLE}"
        )
    return problems


def check_host() -> None:
    """Check this environment.

    Raises:
        HostError: an ImportError that lists everything missing or too old, with the commands.
    """
    problems = host_problems(found_versions())
    if problems:
        raise HostError(
            "recbole_invariant cannot run in this environment:\n  " + "\n  ".join(problems)
        )
