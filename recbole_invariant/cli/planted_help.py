"""The text of `planted --help`: the options of each kind, from their data classes."""

import inspect
import re
from dataclasses import fields
from typing import Any

from recbole_invariant.data.planted.options import PlantedOptions
from recbole_invariant.data.planted.sequence_options import PRESETS, SequenceOptions

USAGE = """\
usage: recbole-inv planted --out DIR [--kind items|sequences] [--seed N] [--KEY=VALUE]

Writes a dataset whose shift and whose truth are known; docs/data.md has its law.

  --out DIR        folder to write; its last part names the dataset
  --kind KIND      items (default): for models of items and their features;
                   sequences: for models of sequences
  --seed N         default 0; the same seed and options give the same bytes"""


def planted_usage(kind: str) -> str:
    """Return the usage with the options of a kind, `items` or `sequences`."""
    lines = [USAGE]
    if kind == "sequences":
        lines.append(
            f"  --preset NAME    {', '.join(PRESETS)}; default M, whose values stand below"
        )
    lines.append(f"\noptions of --kind {kind}, with their defaults:")
    lines += option_lines(SequenceOptions if kind == "sequences" else PlantedOptions)
    other = "items" if kind == "sequences" else "sequences"
    lines.append(f"\nThose of the other kind: planted --kind {other} --help")
    return "\n".join([*lines, "exit codes: 0 done, 1 it failed, 2 wrong input"])


def option_lines(kind: type[Any]) -> list[str]:
    """List the fields of a data class of options, each with its default and its description."""
    described = descriptions(kind)
    return [
        f"  --{field.name}={_text(field.default)}\n      {described[field.name]}"
        for field in fields(kind)
    ]


def descriptions(kind: type[Any]) -> dict[str, str]:
    """Read what the section `Attributes` of a docstring says of each attribute."""
    section = inspect.getdoc(kind).partition("Attributes:\n")[2]  # type: ignore[union-attr]
    found = re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", section, re.MULTILINE)
    return {name: " ".join(text.split()).replace("`", "") for name, text in found}


def _text(value: Any) -> str:
    """Write a default as it is given on the command line."""
    return f"[{','.join(map(str, value))}]" if isinstance(value, tuple) else str(value)
