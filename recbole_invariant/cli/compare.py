"""`compare`: models by seeds on one dataset, as a table with paired tests."""

import shlex
import sys
from collections.abc import Mapping
from typing import Any

from recbole_invariant.cli.arguments import DEFAULT_DATASET, TRUE, Arguments
from recbole_invariant.cli.tune import NUMBERS, WORDS, take_own
from recbole_invariant.errors import InputError
from recbole_invariant.options import parse_value


def compare(arguments: Arguments) -> int:
    """Run what is missing and print the table.

    Returns:
        0 done, 1 where a run failed, 130 where it was interrupted.

    Raises:
        InputError: something the user gave is wrong; nothing was run then.
    """
    models = arguments.take("models")
    if models is None and "model" in arguments.options:
        raise InputError("compare takes its models by --models A,B,..., not by --model.")
    if models is None:
        raise InputError("compare needs --models, e.g. --models PaInvRL,UltraGCN,LightGCN,BPR,Pop.")
    jobs = parse_value(arguments.take("jobs", "1") or "")
    if not isinstance(jobs, int) or isinstance(jobs, bool) or jobs < 1:
        raise InputError(f"jobs: expected an integer >= 1, not '{jobs}'.")
    dry_run = parse_value(arguments.take("dry_run", "false") or "")
    if not isinstance(dry_run, bool):
        raise InputError(f"dry_run: expected true or false, not '{dry_run}'.")
    given: dict[str, Any] = {
        "models": models,
        "dataset": arguments.take("dataset") or DEFAULT_DATASET,
        "seeds": arguments.take("seeds", "5") or "",
        "first_seed": arguments.take("first_seed"),
        "jobs": jobs,
        "baseline": _named(arguments, "baseline", "model"),
        "oracle": _named(arguments, "oracle", "model"),
        "out": _named(arguments, "out", "folder"),
    }
    markdown = _named(arguments, "markdown", "file")
    given |= _searching(arguments)
    given |= {"config_files": arguments.config_files, "command_line": arguments.options}
    from recbole_invariant.cli.main import INTERRUPTED
    from recbole_invariant.comparison.compare import compare as run_comparison
    from recbole_invariant.comparison.compare import describe

    if dry_run:
        print(describe(**given))
        return 0
    try:
        comparison = run_comparison(
            **given, markdown=markdown, command=command_of(given, markdown), report=_report
        )
    except KeyboardInterrupt as stop:
        print(stop if stop.args else "interrupted", file=sys.stderr)
        return INTERRUPTED
    print(comparison)
    return 1 if comparison.failures else 0


def _searching(arguments: Arguments) -> dict[str, Any]:
    """Take what says how each model's options are searched; nothing where they are not.

    Raises:
        InputError: a value cannot be read.
    """
    from recbole_invariant.comparison.searches import PASSED_ON

    text = arguments.take("tune")
    if text is None:
        early = [name for name in ("trials", *PASSED_ON) if name in arguments.options]
        if early:
            raise InputError(f"{', '.join(early)}: of a search; give how many trials by --tune=N.")
        return {}
    trials = parse_value(text)
    if not isinstance(trials, int) or isinstance(trials, bool) or trials < 1:
        raise InputError(f"tune: expected how many trials each model gets, >= 1, not '{text}'.")
    words, numbers = ([name for name in all_ if name in PASSED_ON] for all_ in (WORDS, NUMBERS))
    options = take_own(arguments, words, numbers)
    if "objective" in arguments.options:
        raise InputError(
            "objective: compare searches by what selects the epochs of its runs; set --selection "
            "and --valid_metric."
        )
    return {"tune": trials, "tune_options": options}


def _named(arguments: Arguments, option: str, what: str) -> str | None:
    """Take an option whose value is a name.

    Raises:
        InputError: the option stands there without a value.
    """
    text = arguments.take(option)
    if text in ("", TRUE):
        raise InputError(f"--{option} names no {what}.")
    return text


def command_of(given: Mapping[str, Any], markdown: str | None = None) -> str:
    """Write the command that a page names: without what is of this machine only."""
    words = ["python", "run_recbole_inv.py", "compare"]
    words += ["--models", given["models"], "--dataset", given["dataset"], "--seeds", given["seeds"]]
    for name in ("first_seed", "baseline", "oracle"):
        words += [f"--{name}", given[name]] if given[name] is not None else []
    if given.get("tune"):
        words.append(f"--tune={given['tune']}")
        for key, value in given["tune_options"].items():
            words += [f"--{key}={value}"] if key != "address" else []
    if given["config_files"]:
        words += ["--config_files", *given["config_files"]]
    for key, text in given["command_line"].items():
        words.append(f"--{key}={'DIR' if key == 'data_path' else text}")
    words += ["--markdown", markdown] if markdown else []
    return shlex.join(words)


def _report(line: str) -> None:
    print(line, flush=True)
