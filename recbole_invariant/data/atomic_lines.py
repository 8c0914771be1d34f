"""The lines of an atomic file, looked at before RecBole reads it.

RecBole takes a short row for one with missing values, a row too long for one whose first cell is no
column, and lets a quotation mark that is never closed swallow the lines behind it: data that is
not what the file says. It names neither file nor line. Here a file is one header `name:type` and
rows of as many cells, each on a line of its own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recbole.utils.enum_type import FeatureType

from recbole_invariant.errors import InputError, suggest

SHOWN = 60
"""Characters of a file's text that a message quotes at most."""

_QUOTED = re.compile(r'"(?:[^"]|"")*"')
"""A quoted cell as the csv format has it, from its first mark to the one that closes it."""


@dataclass(frozen=True)
class AtomicFile:
    """A file and how its text is to be read.

    Attributes:
        path: the file.
        separator: of cells; of several characters it is a pattern, and cells are not counted.
        encoding: of the text.
    """

    path: Path
    separator: str = "\t"
    encoding: str = "utf-8-sig"

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield every line that holds something, with its number from 1, without its end.

        Raises:
            InputError: a line is no text in this encoding.
        """
        try:
            with self.path.open(encoding=self.encoding, newline="") as file:
                for number, line in enumerate(file, start=1):
                    text = line.rstrip("\r\n")
                    if text.strip() or self.separator in text:
                        yield number, text
        except UnicodeError as error:
            raise InputError(f"{self.path}{self._undecodable()}: {error}.") from error
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror}.") from error

    def _undecodable(self) -> str:
        """Say which line cannot be read."""
        said = f" is not {self.encoding.removesuffix('-sig')} text; save it as UTF-8"
        for number, line in enumerate(self.path.read_bytes().split(b"\n"), start=1):
            try:
                line.decode(self.encoding)
            except UnicodeError:
                return f": line {number}{said}"
        return said

    def fail(self, number: int, problem: str) -> InputError:
        """Build the error for a line; the caller raises it."""
        return InputError(f"{self.path}: line {number} {problem}")

    def row(self, number: int) -> tuple[int, list[str]]:
        """Return the line number of a row, counted from 0, and its cells."""
        for k, (line, text) in enumerate(self.lines()):
            if k == number + 1:
                return line, text.split(self.separator)
        raise IndexError(number)


def check_lines(file: AtomicFile) -> int:
    """Check header and rows.

    Returns:
        The number of rows.

    Raises:
        InputError: what is wrong, with its line.
    """
    lines = file.lines()
    first = next(lines, None)
    if first is None:
        raise InputError(
            f"{file.path} is empty; its first line must name the columns with their types, e.g. "
            "user_id:token<tab>item_id:token."
        )
    number, header = first
    columns = header.split(file.separator)
    _check_header(file, number, columns)
    several, rows = len(file.separator) > 1, 0
    for number, line in lines:
        rows += 1
        if "\0" in line:
            raise file.fail(number, "holds a zero byte, at which its reader may cut a cell short.")
        if not several and line.count(file.separator) != len(columns) - 1:
            raise file.fail(number, _other_length(line.split(file.separator), columns))
        if '"' in line:
            _check_quotes(file, number, line.split(file.separator), columns)
    if rows == 0:
        raise InputError(f"{file.path} has a first line only, and no row below it.")
    return rows


def _check_header(file: AtomicFile, number: int, columns: list[str]) -> None:
    """Refuse columns without a name or a type that RecBole knows.

    Raises:
        InputError: says what the column should look like.
    """
    types = [kind.value for kind in FeatureType]
    expected = f"columns are written name:type, the type one of {', '.join(types)}"
    names = [column.partition(":")[0] for column in columns]
    for k, (column, name) in enumerate(zip(columns, names, strict=True), start=1):
        kind = column.partition(":")[2]
        shown = f"column {k}, '{_short(column)}'"
        if not column.strip():
            raise file.fail(number, f"has no name for column {k} of {len(columns)}; {expected}.")
        if not name.strip():
            raise file.fail(number, f"has no name in {shown}; {expected}.")
        if not kind:
            raise file.fail(number, f"has no type in {shown}; {expected}.")
        if kind not in types:
            raise file.fail(number, f"has {shown}: {expected}.{suggest(kind, types)}")
        if names.index(name) != k - 1:
            raise file.fail(number, f"names the column '{_short(name)}' twice.")


def _other_length(cells: list[str], columns: list[str]) -> str:
    """Say that a row is shorter or longer than the first line."""
    return (
        f"has {len(cells)} cells where the first line names {len(columns)} columns: "
        f"{_short(' | '.join(cells))!r}. Write every cell, an empty one too, and no separator "
        "behind the last."
    )


def _check_quotes(file: AtomicFile, number: int, cells: list[str], columns: list[str]) -> None:
    """Refuse a cell that opens a quotation mark and does not close it.

    Raises:
        InputError: names line and column.
    """
    for k, cell in enumerate(cells):
        if cell.startswith('"') and _QUOTED.match(cell) is None:
            raise file.fail(
                number,
                f"opens a quotation mark in '{_short(columns[k])}' that this cell does not close: "
                f"{_short(cell)!r}. What follows would be read as part of it; close it, double "
                "it inside a quoted cell, or take it out.",
            )


def _short(text: str) -> str:
    """Cut text to what a message may quote."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
