"""Names near a wrong one."""

from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.spelling import nearest, one_edit_apart
from tests.fuzz.edits import edits, every_edit

WORDS = st.text("abcAB_", min_size=1, max_size=6)


def distance(first: str, second: str) -> int:
    """Compute the optimal string alignment distance by its recurrence."""
    table = {(i, 0): i for i in range(len(first) + 1)}
    table |= {(0, j): j for j in range(len(second) + 1)}
    for i, a in enumerate(first, start=1):
        for j, b in enumerate(second, start=1):
            steps = [table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (a != b)]
            if i > 1 and j > 1 and a == second[j - 2] and first[i - 2] == b:
                steps.append(table[i - 2, j - 2] + 1)
            table[i, j] = min(steps)
    return table[len(first), len(second)]


@given(WORDS, WORDS)
def test_one_edit_is_a_distance_of_one(first, second):
    assert one_edit_apart(first, second) == (distance(first, second) == 1)
    assert one_edit_apart(first, second, or_equal=True) == (distance(first, second) <= 1)


@given(st.data())
def test_every_edit_is_one_edit_apart(data):
    word = data.draw(WORDS)
    wrong = data.draw(edits(word))

    assert wrong in ("", word) or wrong in every_edit(word)
    assert one_edit_apart(word, wrong, or_equal=True)


def test_names_that_differ_in_case_only_are_both_there():
    assert nearest("kk", ["K", "k"]) == ["k", "K"]


def test_all_names_a_single_edit_away_are_given_however_many():
    assert nearest("n", ["q", "nh", "k", "nv", "learning_rate"]) == ["q", "nh", "k", "nv"]


def test_less_likely_names_count_where_a_single_edit_leads_to_them():
    assert nearest("epohs", ["epochs_max"], others=["epochs"]) == ["epochs"]
    assert nearest("epochs_mix_x", ["epochs_max"], others=["epochs_mix_y_z"]) == ["epochs_max"]
