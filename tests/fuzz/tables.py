"""Atomic files as rows of text, and what can be wrong with them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from hypothesis import strategies as st

USERS, ITEMS = 20, 30
INTER = ("user_id:token", "item_id:token", "rating:float", "timestamp:float")
ITEM = ("item_id:token", "title:token_seq", "price:float", "size:float_seq")
USER = ("user_id:token", "age:token")

CELLS = (
    "", " ", "nan", "NaN", "NA", "null", "None", "inf", "-inf", "1e400", "abc", "1,5", "1 000",
    "0x10", "\u0661", "-1", "-1e30", "1e18", "9" * 400, "x" * 10_000, '"', '"a', 'a"b', '"a"', "'",
    " a ", "\u2028", "\x0b", "\x1c", "\x85", "\xa0", "[PAD]", "\u00e9", "e\u0301", "\u65e5\u672c",
    "\U0001f600", "#", "\\", "\\t", "\x00", "a,b", ";", "True", "0", "00", "1.0", "-", "\ufeff",
)  # fmt: skip
"""Texts of a cell that some reader takes for something else."""


@dataclass(frozen=True)
class Table:
    """One file: a header and rows of text, and how they become bytes.

    Attributes:
        header, rows: the cells.
        end: of a line.
        encoding: of the text.
        last_end: whether the last line has an end.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    end: str = "\n"
    encoding: str = "utf-8"
    last_end: bool = True

    def data(self) -> bytes:
        """Return the bytes of the file."""
        lines = ["\t".join(cells) for cells in (self.header, *self.rows)]
        return (self.end.join(lines) + self.end * self.last_end).encode(self.encoding)


def interactions(seed: int = 0) -> Table:
    """Make `USERS` times 8 interactions, each user's items distinct, times ascending."""
    rng, rows = Random(seed), []
    for user in range(USERS):
        for item in rng.sample(range(ITEMS), 8):
            rows.append((f"u{user}", f"i{item}", str(rng.randint(1, 5))))
    rng.shuffle(rows)
    return Table(INTER, tuple((*row, str(1_000_000 + k)) for k, row in enumerate(rows)))


def items() -> Table:
    """Make a row for every item."""
    return Table(
        ITEM, tuple((f"i{k}", f"t{k} t{k % 3}", f"{k / 2}", f"{k} 0.5") for k in range(ITEMS))
    )


def users() -> Table:
    """Make a row for every user."""
    return Table(USER, tuple((f"u{k}", str(20 + k % 3)) for k in range(USERS)))


Change = Callable[[Table], Table]


def _with_cell(table: Table, row: int, column: int, text: str) -> Table:
    rows = [list(cells) for cells in table.rows]
    rows[row % len(rows)][column % len(table.header)] = text
    return replace(table, rows=tuple(map(tuple, rows)))


def _with_row(
    table: Table, row: int, change: Callable[[tuple[str, ...]], tuple[str, ...]]
) -> Table:
    rows = list(table.rows)
    rows[row % len(rows)] = change(rows[row % len(rows)])
    return replace(table, rows=tuple(rows))


def _with_header(table: Table, column: int, text: str) -> Table:
    header = list(table.header)
    header[column % len(header)] = text
    return replace(table, header=tuple(header))


def _filled(table: Table, column: int, text: str) -> Table:
    k = column
    return replace(table, rows=tuple((*r[:k], text, *r[k + 1 :]) for r in table.rows))


def _without_column(table: Table, column: int) -> Table:
    k = column % len(table.header)

    def cut(cells: tuple[str, ...]) -> tuple[str, ...]:
        return cells[:k] + cells[k + 1 :]

    return replace(table, header=cut(table.header), rows=tuple(map(cut, table.rows)))


def cell_changes(table: Table) -> st.SearchStrategy[tuple[str, Change]]:
    """Put an odd text into a cell."""
    return st.builds(
        lambda row, column, text: (
            f"row {row}, column {table.header[column]}: {text[:20]!r}",
            lambda made: _with_cell(made, row, column, text),
        ),
        st.integers(0, len(table.rows) - 1),
        st.integers(0, len(table.header) - 1),
        st.sampled_from(CELLS)
        | st.text(
            st.characters(exclude_characters="\t\r\n", exclude_categories=["Cs"]), max_size=4
        ),
    )


def header_changes(table: Table) -> st.SearchStrategy[tuple[str, Change]]:
    """Change the name or the type of a column, or take it away."""
    columns = st.integers(0, len(table.header) - 1)
    kinds = st.sampled_from(
        ("", ":", ":token", ":float", ":token_seq", ":float_seq", ":int", ":a:b")
    )

    def retyped(column: int, kind: str) -> tuple[str, Change]:
        text = table.header[column].partition(":")[0] + kind
        return f"header {text!r}", lambda made: _with_header(made, column, text)

    def renamed(column: int, name: str) -> tuple[str, Change]:
        return f"header {column}: {name!r}", lambda made: _with_header(made, column, name)

    def dropped(column: int) -> tuple[str, Change]:
        name = table.header[column]
        return f"no column {name}", lambda made: _without_column(made, column)

    names = st.sampled_from((*table.header, "", " ", ":token", "user id:token", '"user_id":token'))
    return (
        st.builds(retyped, columns, kinds)
        | st.builds(renamed, columns, names)
        | st.builds(dropped, columns)
    )


def row_changes(table: Table) -> st.SearchStrategy[tuple[str, Change]]:
    """Give a row, or all, too few or too many cells; repeat or reorder rows."""
    rows = st.integers(0, len(table.rows) - 1)
    named: dict[str, Change] = {
        "trailing tab in every row": lambda t: replace(
            t, rows=tuple((*cells, "") for cells in t.rows)
        ),
        "trailing tab everywhere": lambda t: replace(
            t, header=(*t.header, ""), rows=tuple((*cells, "") for cells in t.rows)
        ),
        "trailing tab in the header": lambda t: replace(t, header=(*t.header, "")),
        "every row twice": lambda t: replace(t, rows=t.rows * 2),
        "backwards": lambda t: replace(t, rows=t.rows[::-1]),
        "no row": lambda t: replace(t, rows=()),
        "one row": lambda t: replace(t, rows=t.rows[:1]),
        "two rows": lambda t: replace(t, rows=t.rows[:2]),
        "an extra column": lambda t: replace(
            t, header=(*t.header, "more:token"), rows=tuple((*cells, "m") for cells in t.rows)
        ),
    }
    for column, name in enumerate(table.header):
        named[f"one value of {name}"] = partial(_filled, column=column, text=table.rows[0][column])
        named[f"no value of {name}"] = partial(_filled, column=column, text="")

    def single(row: int, what: str) -> tuple[str, Change]:
        change = {
            "a cell short": lambda cells: cells[:-1],
            "one cell only": lambda cells: cells[:1],
            "a cell more": lambda cells: (*cells, "7"),
            "a trailing tab": lambda cells: (*cells, ""),
            "blank": lambda cells: ("",),
            "a blank": lambda cells: (" ",),
        }[what]
        return f"row {row} {what}", lambda made: _with_row(made, row, change)

    odd = ("a cell short", "one cell only", "a cell more", "a trailing tab", "blank", "a blank")
    return st.sampled_from(sorted(named.items())) | st.builds(single, rows, st.sampled_from(odd))


FORMS: dict[str, Change] = {
    "Windows newlines": lambda t: replace(t, end="\r\n"),
    "old Mac newlines": lambda t: replace(t, end="\r"),
    "a byte order mark": lambda t: replace(t, encoding="utf-8-sig"),
    "UTF-16": lambda t: replace(t, encoding="utf-16"),
    "no last newline": lambda t: replace(t, last_end=False),
    "header only, no newline": lambda t: replace(t, rows=(), last_end=False),
    "Windows newlines and a byte order mark": lambda t: replace(
        t, end="\r\n", encoding="utf-8-sig"
    ),
    "blank lines at the end": lambda t: replace(t, end="\n", rows=(*t.rows, ("",), ("",))),
    "quoted everywhere": lambda t: replace(
        t, rows=tuple(tuple(f'"{cell}"' for cell in cells) for cells in t.rows)
    ),
    "semicolons": lambda t: replace(
        t, header=(";".join(t.header),), rows=tuple((";".join(cells),) for cells in t.rows)
    ),
}
"""Ways of writing the same rows."""


def byte_changes() -> st.SearchStrategy[tuple[str, Callable[[bytes], bytes]]]:
    """Change the bytes of a file without regard to what they mean."""

    def cut(at: float) -> tuple[str, Callable[[bytes], bytes]]:
        return f"cut at {at:.2f}", lambda data: data[: int(at * len(data))]

    def put(at: float, byte: int) -> tuple[str, Callable[[bytes], bytes]]:
        def change(data: bytes) -> bytes:
            k = int(at * (len(data) - 1))
            return data[:k] + bytes([byte]) + data[k + 1 :]

        return f"byte {byte:#x} at {at:.3f}", change

    place = st.floats(0, 1, allow_nan=False)
    fixed = {"empty": b"", "a newline": b"\n", "zeros": bytes(100), "binary": bytes(range(256)) * 4}
    return (
        st.builds(cut, place)
        | st.builds(put, place, st.integers(0, 255))
        | st.sampled_from([(name, lambda _, new=new: new) for name, new in fixed.items()])
    )
