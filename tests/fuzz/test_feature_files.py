"""Item features with mistakes: read as they stand, or refused with modality and file."""

import pytest

from tests.fuzz.attempts import ACCEPTED, REFUSED, attempt
from tests.fuzz.feature_cases import kinds, matrix_case
from tests.fuzz.trials import faults, try_cases

EXAMPLES = 6
FINE = "as it should be"


@pytest.mark.parametrize("kind", kinds())
def test_no_mistake_in_features_is_a_fault(kind):
    assert not faults(try_cases(kinds()[kind], EXAMPLES))


@pytest.mark.parametrize(
    ("matrix", "tokens", "outcome", "said"),
    [
        ("float16", FINE, ACCEPTED, ""),
        (FINE, "Windows newlines", ACCEPTED, ""),
        (FINE, "half of them", ACCEPTED, ""),
        ("objects", FINE, REFUSED, "not a readable .npy matrix"),
        ("nan", FINE, REFUSED, "item 'i3' has the feature value nan"),
        ("inf", FINE, REFUSED, "item 'i3' has the feature value inf"),
        ("a row short", FINE, REFUSED, "29 feature rows but 30 item tokens"),
        (FINE, "twice the same", REFUSED, "item 'i0' has two rows"),
        ("no column", FINE, REFUSED, "empty"),
    ],
)
def test_features_and_their_items(tmp_path, matrix, tokens, outcome, said):
    found = attempt(matrix_case(matrix, tokens), tmp_path)

    assert found.kind == outcome
    assert said in found.said
