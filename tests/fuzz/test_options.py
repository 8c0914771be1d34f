"""Options, files of options and command lines with mistakes, up to where data would be loaded."""

import pytest

from recbole_invariant.configuration.known_keys import known_keys
from recbole_invariant.spelling import nearest
from tests.fuzz import option_cases, text_cases
from tests.fuzz.attempts import attempt
from tests.fuzz.edits import every_edit
from tests.fuzz.trials import faults, try_cases
from tests.fuzz.wrong_files import FILES

EXAMPLES = {
    "misspelt options": 120,
    "values of options": 25,
    "files of options": 30,
    "command lines": 30,
    "values inside of values": 15,
}
KINDS = {**option_cases.kinds(), **text_cases.kinds()}


@pytest.mark.parametrize("kind", KINDS)
def test_no_mistake_is_a_fault(kind):
    assert not faults(try_cases(KINDS[kind], EXAMPLES[kind]))


def test_every_edit_of_a_short_name_finds_it_again():
    known = sorted(known_keys())
    for key in ("k", "eta"):
        for wrong in every_edit(key) - set(known):
            assert key in nearest(wrong, known), (key, wrong)


@pytest.mark.parametrize(
    "name", ["a section is misspelt", "models is misspelt", "base", "deep", "laughs as a value"]
)
def test_a_file_of_options_is_refused(tmp_path, name):
    outcome = attempt(text_cases.file_case(name), tmp_path)

    assert name in FILES
    assert outcome.kind == "refused"
