"""Atomic files with mistakes: read as they stand, or refused with file and line."""

from dataclasses import replace

import pytest

from recbole_invariant.errors import InputError
from tests.fuzz.atomic_cases import NAME, WHOLE, kinds, prepare_toy, write
from tests.fuzz.tables import FORMS, Table
from tests.fuzz.trials import faults, try_cases

EXAMPLES = 4


@pytest.mark.parametrize("kind", kinds())
def test_no_mistake_in_a_file_is_a_fault(kind):
    tried = try_cases(kinds()[kind], EXAMPLES)

    assert not faults(tried)


def loaded(folder, table: Table, **options):
    """Load interactions that stand alone; return the dataset."""
    write(folder, {"inter": table.data()})
    return prepare_toy(folder, "BPR", {"ood": None, **options}).dataset


def refusal(folder, table: Table, **options) -> str:
    """Return the one message with which the table is refused."""
    with pytest.raises(InputError) as caught:
        loaded(folder, table, **options)
    (problem,) = caught.value.problems
    return problem


def with_cell(row: int, column: int, text: str) -> Table:
    """Change one cell of the interactions."""
    table = WHOLE["inter"]
    cells = [list(cells) for cells in table.rows]
    cells[row][column] = text
    return replace(table, rows=tuple(map(tuple, cells)))


@pytest.mark.parametrize(
    "form",
    [
        "Windows newlines",
        "a byte order mark",
        "Windows newlines and a byte order mark",
        "no last newline",
        "blank lines at the end",
        "quoted everywhere",
    ],
)
def test_the_same_rows_in_another_form_are_the_same_data(tmp_path, form):
    plain = loaded(tmp_path, WHOLE["inter"])
    other = loaded(tmp_path, FORMS[form](WHOLE["inter"]))

    for field in (plain.uid_field, plain.iid_field):
        assert list(other.field2id_token[field]) == list(plain.field2id_token[field])
        assert other.inter_feat[field].tolist() == plain.inter_feat[field].tolist()


@pytest.mark.parametrize(
    ("row", "column", "text", "said"),
    [
        (4, 0, "", "line 6 has '' as 'user_id'"),
        (4, 1, "NA", "line 6 has 'NA' as 'item_id'"),
        (9, 1, "[PAD]", "line 11 has '[PAD]' as 'item_id'"),
        (2, 2, "four", "line 4 has 'four' in the column 'rating:float'"),
        (2, 2, "inf", "line 4 has 'inf' as 'rating'"),
        (7, 1, '"i3', "line 9 opens a quotation mark in 'item_id:token'"),
        (4, 0, "u\0", "line 6 holds a zero byte"),
        (7, 2, "4\t5", "line 9 has 5 cells where the first line names 4"),
    ],
)
def test_a_cell_is_refused_with_its_line(tmp_path, row, column, text, said):
    problem = refusal(tmp_path, with_cell(row, column, text))

    assert problem.startswith(f"{tmp_path / NAME / NAME}.inter: ")
    assert said in problem


def test_a_row_without_its_last_cell_is_not_filled_up(tmp_path):
    table = WHOLE["inter"]
    short = replace(table, rows=(table.rows[0][:-1], *table.rows[1:]))

    assert "line 2 has 3 cells" in refusal(tmp_path, short)


def test_bytes_that_are_no_text_are_named_by_line(tmp_path):
    data = WHOLE["inter"].data().replace(b"\n", b"\n", 1).split(b"\n")
    data[3] = b"\xe9" + data[3]
    write(tmp_path, {"inter": b"\n".join(data)})

    with pytest.raises(InputError, match=r"toy\.inter: line 4 is not utf-8 text"):
        prepare_toy(tmp_path, "BPR", {"ood": None})


def test_ids_of_ten_kilobytes_are_ids(tmp_path):
    long = "x" * 10_000

    assert long in loaded(tmp_path, with_cell(0, 1, long)).field2token_id["item_id"]


def test_lines_that_only_the_encoding_tells_apart_stay_one(tmp_path):
    text = "a\u2028b\x0bc\x85"

    assert text in loaded(tmp_path, with_cell(0, 0, text)).field2token_id["user_id"]


def test_a_sequence_needs_every_time(tmp_path):
    write(tmp_path, {"inter": with_cell(5, 3, "").data()})

    with pytest.raises(InputError, match="line 7 has '' as 'timestamp'"):
        prepare_toy(tmp_path, "SASRec", {"ood": None, "eval_args": {"order": "TO"}})


def test_a_user_with_every_item_leaves_no_negatives(tmp_path):
    rows = tuple((f"u{a}", f"i{b}") for a in range(20) for b in range(2))
    write(tmp_path, {"inter": Table(("user_id:token", "item_id:token"), rows).data()})
    short = {"topk": [1], "metrics": ["Recall"], "valid_metric": "Recall@1"}

    with pytest.raises(InputError, match="a user has interactions with all 2 items"):
        prepare_toy(tmp_path, "BPR", {"ood": "random", **short})


def test_files_of_one_split_agree_on_the_types(tmp_path):
    whole = WHOLE["inter"]
    other = replace(whole, header=(*whole.header[:2], "rating:token", whole.header[3]))
    parts = {"train": whole, "valid": other, "iid": whole}
    write(tmp_path, {f"{name}.inter": table.data() for name, table in parts.items()})

    with pytest.raises(InputError, match=r"toy\.valid\.inter: line 1 has 'rating:token'"):
        prepare_toy(tmp_path, "BPR", {"ood": None, "benchmark_filename": list(parts)})
