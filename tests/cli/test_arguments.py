"""Reading the command line: nothing is dropped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.cli.arguments import parse_arguments
from recbole_invariant.errors import InputError

KEYS = st.from_regex(r"[A-Za-z_]\w{0,8}", fullmatch=True).filter(
    lambda key: key not in ("help", "config_files")
)
VALUES = st.text(min_size=1, max_size=12).filter(
    lambda text: not text.startswith("--") and text not in ("-h",)
)


@given(st.dictionaries(KEYS, VALUES, max_size=5), st.data())
def test_both_spellings_give_the_text_that_was_typed(options, data):
    words = []
    for key, value in options.items():
        one_word = data.draw(st.booleans())
        words += [f"--{key}={value}"] if one_word else [f"--{key}", value]

    assert parse_arguments(words).options == options


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["--use_gpu"], {"use_gpu": "true"}),
        (["--use_gpu", "--seed", "7"], {"use_gpu": "true", "seed": "7"}),
        (["--low", "-1"], {"low": "-1"}),
        (["--empty="], {"empty": ""}),
        (["--url=a=b"], {"url": "a=b"}),
        (["--seed=7", "--seed", "7"], {"seed": "7"}),
    ],
)
def test_options(words, options):
    assert parse_arguments(words).options == options


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (["--config_files", "a.yaml", "b.yaml", "--seed", "1"], ["a.yaml", "b.yaml"]),
        (["--config_files=a.yaml", "--config_files", "b.yaml"], ["a.yaml", "b.yaml"]),
    ],
)
def test_config_files(words, files):
    assert parse_arguments(words).config_files == files


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["stray"], ["'stray'"]),
        (["-x"], ["'-x'"]),
        (["--"], ["'--'"]),
        (["--=3"], ["'--=3'"]),
        (["--topk", "5", "10"], ["'10'"]),
        (["--seed=1", "--seed=2"], ["--seed is given twice, as '1' and as '2'"]),
        (["--config_files"], ["--config_files"]),
        (["--config_files="], ["--config_files"]),
        (["a", "--seed=1", "--seed=2", "b"], ["'a'", "--seed", "'b'"]),
    ],
)
def test_what_is_wrong_is_said_all_at_once(words, wrong):
    with pytest.raises(InputError) as caught:
        parse_arguments(words)

    assert len(caught.value.problems) == len(wrong)
    for part in wrong:
        assert sum(part in problem for problem in caught.value.problems) == 1


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help(word):
    arguments = parse_arguments(["--model", word])

    assert arguments.wants_help
    assert "help" not in arguments.options
