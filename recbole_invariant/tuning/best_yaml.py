"""The best options of a search as a file for `--config_files`."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from recbole_invariant.errors import InputError
from recbole_invariant.tuning.objectives import selecting_options
from recbole_invariant.tuning.summary import objectives_of, trial_of

BEST_FILE = "best.yaml"
OF_THE_PLACE = ("model", "dataset", "data_path", "output_dir", "run_name", "config_files")
"""What says where a run happens, or stands in its command; not part of its options."""


def best_yaml(summary: Mapping[str, Any], folder: Path | None = None) -> str:
    """Write the best trial's options, those that the search was given, and what selected, as YAML.

    Comment lines above them name the search, what it reached on validation, and the command that
    runs these options.

    Args:
        summary: of the search.
        folder: of the search, for the command; without it the command says where it works.

    Raises:
        InputError: no trial reached its final stage.
    """
    best = trial_of(summary, summary["best"])
    if best is None:
        raise InputError(
            "No trial of this search came to a validation of its final stage, so there are no best "
            "options to write; the trials' problems stand in its table.md."
        )
    search = summary["search"]
    given = {**(search.get("options") or {}), **selecting_options(objectives_of(search))}
    left_out = {*OF_THE_PLACE, *best["options"]}
    given = {key: value for key, value in given.items() if key not in left_out}
    lines = [_comment(line) for line in (*_origin(summary, best), *command_lines(search, folder))]
    own = _dumped(best["options"]).rstrip() or "# none of the space: the model's defaults"
    parts = ["\n".join(lines), own]
    parts.append("# the same in every trial\n" + _dumped(given).rstrip())
    return "\n\n".join(part for part in parts if part) + "\n"


def command_lines(search: Mapping[str, Any], folder: Path | None = None) -> list[str]:
    """Say how a run gets these options, and where if the search's folder is not known."""
    words = ["recbole-inv", "--model", str(search["model"]), "--dataset", str(search["dataset"])]
    if search.get("data_path"):
        words += ["--data_path", str(search["data_path"])]
    if search.get("protocol") and "ood" not in (search.get("options") or {}):
        words.append(f"--ood={search['protocol']}")
    words += ["--config_files", BEST_FILE if folder is None else str(folder / BEST_FILE)]
    where = " in this file's folder" if folder is None else ""
    return [f"Run{where} with:", f"  {shlex.join(words)}"]


def _origin(summary: Mapping[str, Any], best: Mapping[str, Any]) -> list[str]:
    search = summary["search"]
    n = len(summary["trials"])
    lines = [
        f"The best of {n} trial{'s' if n != 1 else ''} of {search['model']} on "
        f"{search['dataset']}, protocol {search.get('protocol') or 'none'}: trial "
        f"{best['number']} ({search.get('searcher')}, {search.get('scheduler')}, search_seed "
        f"{search.get('search_seed')}, seed {search.get('seed')})."
    ]
    for one in objectives_of(search):
        default = summary["gain"][one.name]["default"]
        beside = "unknown" if default is None else f"{default:.6g}"
        lines.append(f"{one.name} {best['values'][one.name]:.6g}; with the defaults {beside}.")
    return lines


def _comment(line: str) -> str:
    """Make one comment line, whatever stands in a name."""
    return "# " + " ".join(line.splitlines())


def _dumped(options: Mapping[str, Any]) -> str:
    if not options:
        return ""
    dumped: str = yaml.safe_dump(dict(options), sort_keys=False, allow_unicode=True)
    return dumped
