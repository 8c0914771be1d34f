import numpy as np
import pytest

from recbole_invariant.data.splits import LATER, Interactions, make_split, protocol
from recbole_invariant.errors import InputError


def test_an_unknown_protocol_gets_the_nearest_names() -> None:
    with pytest.raises(InputError, match="Did you mean 'popularity'"):
        protocol("populrity")


@pytest.mark.parametrize("name", LATER)
def test_a_protocol_of_a_later_version_says_so(name: str) -> None:
    with pytest.raises(InputError, match=f"'{name}' is not in this version yet"):
        protocol(name)


def test_an_empty_part_names_the_part_the_protocol_and_a_remedy() -> None:
    ids = np.arange(1, 6)
    options = {
        "popularity_gamma": [1.0],
        "popularity_n_max": 12,
        "pool_ratio": [0.8, 0.1, 0.1],
    }
    with pytest.raises(InputError, match=r"popularity.*ood_popularity") as caught:
        make_split("popularity", Interactions(ids, ids), options, seed=0)
    assert "positive_threshold" in str(caught.value)
