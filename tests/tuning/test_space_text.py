"""RecBole's text format: the same draws as its own reader, and errors with a line."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.errors import InputError
from recbole_invariant.tuning.dimension import Dimension
from recbole_invariant.tuning.space_text import parse_text

HYPER_TEST = """\
# what RecBole's own examples hold
learning_rate loguniform -8,0
embedding_size choice [64,96 , 128]

mlp_hidden_size choice ['[64,64,64]','[128,128]']
train_batch_size choice [512, 1024, 2048]
dropout_prob uniform 0.0, 0.5
drop_ratio quniform 0,0.5,0.1
n_layers quniform 1,5,2
train choice [True, None, 'abc', 1e-3]
"""


def test_recboles_examples_read() -> None:
    assert parse_text(HYPER_TEST, "hyper.test") == (
        Dimension("learning_rate", "loguniform", low=math.exp(-8), high=1.0),
        Dimension("embedding_size", "choice", (64, 96, 128)),
        Dimension("mlp_hidden_size", "choice", ([64, 64, 64], [128, 128])),
        Dimension("train_batch_size", "choice", (512, 1024, 2048)),
        Dimension("dropout_prob", "uniform", low=0.0, high=0.5),
        Dimension("drop_ratio", "uniform", low=0, high=0.5, step=0.1),
        Dimension("n_layers", "int", low=1, high=5, step=2),
        Dimension("train", "choice", (True, None, "abc", 1e-3)),
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("lr choice", r"f line 2: expected `option type values`.*it is 'lr choice'"),
        ("lr uniforn 0,1", "there is no type 'uniforn'. Did you mean 'uniform'?"),
        ("lr uniform 0", "uniform needs numbers low,high; it is '0'"),
        ("lr quniform 0,1", "quniform needs numbers low,high,step"),
        ("lr quniform 0,1,0", "quniform needs a step > 0"),
        ("lr uniform a,b", "uniform needs numbers"),
        ("lr loguniform 1,inf", "loguniform needs numbers"),
        ("lr loguniform 0,1000", "natural logarithms"),
        ("lr choice 0.1", "a choice needs a list"),
        ("lr choice []", "a choice needs a list"),
        ("lr choice [0.1", "a choice needs a list"),
        ("a choice [1]", "'a' stands in it twice"),
    ],
)
def test_a_line_that_does_not_read_is_named(line: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_text(f"a choice [1]\n{line}", "f")


def test_all_lines_are_said_at_once_and_nothing_is_evaluated() -> None:
    text = "a choice [__import__('os').abort()]\nb loguni 1,2\nc x\n"
    with pytest.raises(InputError) as caught:
        parse_text(text, "f")
    said = [problem.split(":")[0] for problem in caught.value.problems]
    assert said[-2:] == ["f line 2", "f line 3"]


@given(text=st.text(alphabet="ab choice[1,2]uniform\n'{}:#-&*!", max_size=60))
def test_any_text_reads_or_is_wrong_input(text: str) -> None:
    problems: list[str] = []
    found: tuple[Dimension, ...] = ()
    try:
        found = parse_text(text, "f")
    except InputError as error:
        problems = error.problems
    assert all(problem.startswith("f line ") for problem in problems)
    assert all(isinstance(one, Dimension) for one in found)
