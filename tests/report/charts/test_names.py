"""Short names of long labels stay apart."""

from hypothesis import example, given
from hypothesis import strategies as st

from recbole_invariant.report.charts.names import fitting_names

ENCODER = "Irl4Rec[encoder=GRU4Rec,loss_type=CE"
LONG = [
    f"{ENCODER},variant=attribute]",
    f"{ENCODER},variant=attribute,adaptive_weights=uncertainty]",
    f"{ENCODER},variant=attribute,adaptive_weights=min_norm]",
    f"{ENCODER},s_input=attribute,independence=club,independence_weight=0.1]",
    f"{ENCODER},s_input=attribute,independence=hsic,independence_weight=0.1]",
    "GRU4Rec",
]
PARTS = st.sampled_from(["a=1", "a=2", "key=[1,2]", "variant=attribute", "s_input=attribute", "…"])
LABELS = st.builds(
    lambda model, options: f"{model}[{','.join(options)}]" if options else model,
    st.sampled_from(["A", "GRU4Rec", "x.y.Model"]),
    st.lists(PARTS, max_size=6),
)


def test_what_fits_stays_as_it_is() -> None:
    labels = ["GRU4Rec", "PaInvRL[n_environments=5]", "PaInvRL[n_environments=6]"]
    assert fitting_names(labels, 25) == {label: label for label in labels}


def test_options_that_tell_nothing_go_first() -> None:
    names = fitting_names(LONG, 42)
    assert list(names.values()) == [
        "Irl4Rec[…,variant=attribute]",
        "Irl4Rec[…,adaptive_weights=uncertainty]",
        "Irl4Rec[…,adaptive_weights=min_norm]",
        "Irl4Rec[…,independence=club]",
        "Irl4Rec[…,independence=hsic]",
        "GRU4Rec",
    ]


def test_as_many_options_stay_as_there_is_room_for() -> None:
    assert fitting_names(LONG, 46)[LONG[3]] == "Irl4Rec[…,s_input=attribute,independence=club]"
    whole = ["GRU4Rec[one=1]", f"GRU4Rec[two={'x' * 20}]"]
    assert fitting_names(whole, 25)[whole[1]].startswith("GRU4Rec[two")


def test_the_rest_is_cut_in_the_middle_where_no_other_name_has_these_ends() -> None:
    names = fitting_names(LONG, 27)
    assert names[LONG[1]] == "Irl4Rec[…,ada…=uncertainty]"
    assert names[LONG[2]] == "Irl4Rec[…,ada…hts=min_norm]"
    middle = [f"Model{'x' * 20}{letter}{'y' * 20}" for letter in "abc"]
    for name in (found := fitting_names(middle, 24)).values():
        start, _, end = name.partition("…")
        fits = [other for other in middle if other.startswith(start) and other.endswith(end)]
        assert [found[other] for other in fits] == [name]


@example(["A" * 40 + f"{k:02}" + "B" * 40 for k in range(12)], 12)
@given(st.lists(LABELS, max_size=9), st.integers(5, 40))
def test_names_are_never_the_same_and_never_too_long(labels: list[str], longest: int) -> None:
    names = fitting_names(labels, longest)
    assert list(names) == list(dict.fromkeys(labels))
    assert len(set(names.values())) == len(names)
    assert all(len(name) <= longest for name in names.values())
