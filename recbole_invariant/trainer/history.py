"""The training history: one JSON line an epoch, and the same numbers for TensorBoard."""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any, Protocol

from recbole_invariant.files import append, write_atomically


class ScalarWriter(Protocol):
    """The part of TensorBoard's writer that is used here."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
        """Record one number."""


class History:
    """Collects the epochs of a run.

    Args:
        path: `history.jsonl`, or None to keep the lines in memory only.
        writer: TensorBoard's writer, or None.
    """

    def __init__(self, path: Path | None, writer: ScalarWriter | None = None) -> None:
        self.path = path
        self.writer = writer
        self.lines: list[dict[str, Any]] = []

    def restart(self, lines: list[dict[str, Any]]) -> None:
        """Begin with these lines, replacing what a killed run wrote beyond its checkpoint."""
        self.lines = list(lines)
        if self.path is not None:
            write_atomically(self.path, "".join(json.dumps(line) + "\n" for line in self.lines))
        seen: Counter[str] = Counter()
        for line in self.lines:
            self._write_scalars(line, seen[line["stage"]])
            seen[line["stage"]] += 1

    def append(self, line: dict[str, Any]) -> None:
        """Add the line of an epoch."""
        self.lines.append(line)
        if self.path is not None:
            append(self.path, json.dumps(line) + "\n")
        step = sum(other["stage"] == line["stage"] for other in self.lines) - 1
        self._write_scalars(line, step)

    def _write_scalars(self, line: dict[str, Any], step: int) -> None:
        """Give TensorBoard the numbers of an epoch; `step` counts the epochs of its stage."""
        if self.writer is not None:
            for tag, value in _scalars(line):
                self.writer.add_scalar(f"{line['stage']}/{tag}", value, step)


def forget_events(folder: Path | None) -> None:
    """Delete what a killed part of a run told TensorBoard; `History.restart` tells it again."""
    for path in folder.glob("events.out.tfevents.*") if folder is not None else ():
        path.unlink()


def _scalars(line: dict[str, Any]) -> list[tuple[str, float]]:
    """List the finite numbers of a history line with their tags."""
    found: list[tuple[str, float]] = []
    for key, value in line.items():
        if isinstance(value, dict):
            found += [(f"{key}/{tag}", number) for tag, number in _scalars(value)]
        elif key != "epoch" and isinstance(value, float) and math.isfinite(value):
            found.append((key, value))
    return found


def describe_line(line: dict[str, Any], values: dict[str, Any]) -> str:
    """Put a history line into words for the log; `values` are those of the stage's own."""
    losses = ", ".join(f"{name} {value:.4f}" for name, value in line["losses"].items())
    own = ", ".join(f"{name} {value}" for name, value in values.items())
    extra = f"; {own}" if own else ""
    return f"{line['stage']} epoch {line['epoch']}: {losses}{extra} [{line['seconds']:.2f}s]"
