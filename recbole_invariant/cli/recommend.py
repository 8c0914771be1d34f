"""`recommend --run DIR`: top items for users or histories, from a run folder alone."""

import re
import sys
from collections.abc import Container, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbole_invariant.cli.arguments import TRUE, Arguments
from recbole_invariant.errors import InputError, suggest

if TYPE_CHECKING:
    import pandas as pd

USAGE = """\
usage: recbole-inv recommend --run DIR (--users A B ... | --users_file F | --all |
                             --histories_file F) [-k N] [--out FILE]

Ranks items by the model of a finished run. The run folder suffices; the data is not read.

  --users A B ...          raw user ids
  --users_file FILE        one raw user id a line
  --all                    every user of the training data
  --histories_file FILE    for sequential models: a line a history, raw item ids with tabs between
                           them, oldest first; user_id is then the line's number, from 0
  -k N                     items a user, default 10
  --candidates_file FILE   rank these items only, one raw item id a line
  --include_seen           rank what the user has in training and validation, too
  --unknown popularity     rank items by their clicks for users that the model does not know;
                           default error
  --unknown_items drop     leave items out that the model does not know; default error
  --out FILE.parquet       or FILE.csv; without it a table is printed
  --device NAME            where the model computes, default cpu
exit codes: 0 done, 1 it failed, 2 wrong input"""

DEFAULT_K = 10
WHOM = ("users", "users_file", "all", "histories_file")
RANKING = ("k", "candidates_file", "include_seen", "unknown", "unknown_items")
OPTIONS = ("run", *WHOM, *RANKING, "out", "device")


def recommend(arguments: Arguments) -> int:
    """Print or write the top items.

    Raises:
        InputError: something the user gave is wrong.
    """
    _check(arguments)
    options = arguments.options
    from recbole_invariant.inference.export import read_lines, require_suffix, text_of, write_table
    from recbole_invariant.inference.load import load

    out = Path(options["out"]) if "out" in options else None
    if out is not None:
        require_suffix(out)
    given: dict[str, Any] = {"k": _k(options), "exclude_seen": "include_seen" not in options}
    given |= {name: options[name] for name in ("unknown", "unknown_items") if name in options}
    if "candidates_file" in options:
        given["candidates"] = read_lines(options["candidates_file"], "candidates_file")
    if "histories_file" in options:
        lines = read_lines(options["histories_file"], "histories_file", empty=True)
        given["histories"] = [line.split("\t") if line else [] for line in lines]
    if "users_file" in options:
        given["users"] = read_lines(options["users_file"], "users_file")
    if "users" in arguments.lists:
        given["users"] = arguments.lists["users"]
    model = load(options["run"], options.get("device", "cpu"))
    if "all" in options:
        given["users"] = model.users
    if "histories_file" in options:
        _require_tabs(lines, set(model.items))
    table = model.recommend(**given)
    if out is None:
        print(text_of(table))
    else:
        write_table(out, table)
        print(f"{table['user_id'].nunique()} users, {len(table)} rows: {out}")
    n_asked = len(dict.fromkeys(given["users"]) if "users" in given else given["histories"])
    if said := _fewer_items(table, n_asked, given):
        print(said, file=sys.stderr)
    return 0


def _require_tabs(lines: Sequence[str], items: Container[str]) -> None:
    """Refuse histories whose items something else than tabs separates.

    Raises:
        InputError: a line is no item, but begins with one.
    """
    for number, line in enumerate(lines):
        first = re.split(r"[\s,;]+", line)[0]
        if "\t" not in line and line not in items and first != line and first in items:
            raise InputError(
                f"histories_file: line {number + 1}, '{line}', begins with the item '{first}': "
                "items stand with tabs between them, not blanks or commas."
            )


def _fewer_items(table: "pd.DataFrame", n_asked: int, given: dict[str, Any]) -> str | None:
    """Say how many users got a shorter ranking than was asked for, and why."""
    whole = int((table.groupby("user_id").size() >= given["k"]).sum())
    if whole == n_asked:
        return None
    why = "the catalogue" if "candidates" not in given else "the candidates"
    seen = ", less what a user has seen (--include_seen ranks it too)"
    return (
        f"note: {n_asked - whole} of {n_asked} got fewer than {given['k']} items: there are no "
        f"more in {why}{seen if given['exclude_seen'] else ''}."
    )


def _check(arguments: Arguments) -> None:
    """Refuse what is missing, contradictory or unknown.

    Raises:
        InputError: all of it at once.
    """
    given = {**arguments.options, **arguments.lists}
    misspelt = [
        f"recommend knows no --{name}.{suggest(name, OPTIONS)} `recommend --help` lists all."
        for name in given
        if name not in OPTIONS
    ]
    problems = list(misspelt)
    if arguments.config_files:
        problems.append("recommend takes no --config_files: a run's options are in its folder.")
    if "run" not in given:
        problems.append("recommend needs --run DIR, the folder of a finished run.")
    chosen = [name for name in WHOM if name in given]
    if len(chosen) != 1 and not misspelt:
        whom = ", ".join(f"--{name}" for name in WHOM)
        named = " and ".join(f"--{name}" for name in chosen) or "none"
        problems.append(f"recommend needs one of {whom}; given: {named}.")
    if not arguments.lists.get("users", ["one"]):
        problems.append("--users names no user.")
    problems += [
        f"--{name} is a flag and takes no value, not '{given[name]}'."
        for name in ("all", "include_seen")
        if given.get(name, TRUE) != TRUE
    ]
    if problems:
        raise InputError(problems)


def _k(options: dict[str, str]) -> int:
    """Return the length of a ranking.

    Raises:
        InputError: it is no whole number.
    """
    text = options.get("k", str(DEFAULT_K))
    if not text.isascii() or not text.isdigit():
        raise InputError(f"-k: expected a whole number from 1 on, not '{text}'.")
    return int(text)
