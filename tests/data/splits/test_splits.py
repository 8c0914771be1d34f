"""What holds for every protocol."""

from typing import Any

import numpy as np
import pytest
import torch

from recbole_invariant.data.splits import PROTOCOLS, Interactions, make_split, protocol
from recbole_invariant.errors import InputError
from tests.data.splits.strategies import OPTIONS, dressed, long_tailed, same

CHEAP = [name for name in PROTOCOLS if name != "environment"]
NESTED = [name for name in CHEAP if name != "exposure"]
DATA = dressed(long_tailed(150, 100))
FEATURES = torch.randn(101, 4, generator=torch.Generator().manual_seed(0))


def cut(name: str, seed: int = 0, data: Interactions = DATA, **options: Any) -> Any:
    return make_split(name, data, {**OPTIONS, **options}, seed, FEATURES)


def test_an_unknown_protocol_gets_the_nearest_names() -> None:
    with pytest.raises(InputError, match="Did you mean 'popularity'"):
        protocol("populrity")


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_has_a_function_split(name: str) -> None:
    assert callable(protocol(name))


@pytest.mark.parametrize("name", CHEAP)
def test_a_split_follows_its_seed_and_counts_its_rows(name: str) -> None:
    first = cut(name)
    assert same(first, cut(name))
    assert not np.array_equal(first.parts["train"], cut(name, seed=1).parts["train"])
    sizes = first.notes["sizes"]
    assert sizes == {part: len(rows) for part, rows in first.parts.items()}
    assert sum(sizes.values()) == len(DATA)
    assert sum(first.notes["dropped"].values()) == sizes["dropped"]
    assert first.tests == ["iid", f"ood_{name}"]


@pytest.mark.parametrize("name", CHEAP)
def test_iid_is_as_train_while_train_is_the_asked_share_of_the_pool(name: str) -> None:
    sizes = cut(name).notes["sizes"]
    in_pool = sizes["train"] + sizes["valid"] + sizes["iid"]
    assert sizes["train"] / in_pool == pytest.approx(0.8, abs=0.02)
    assert sizes["iid"] / in_pool == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("name", NESTED)
def test_ood_valid_is_cut_from_the_training_side_by_the_same_protocol(name: str) -> None:
    plain, nested = cut(name), cut(name, selection="ood_valid")
    nested.check(len(DATA))
    side = np.concatenate([plain.parts[part] for part in ("train", "valid", "iid", "dropped")])
    assert np.isin(nested.parts["ood_valid"], side).all()
    test = f"ood_{name}"
    assert nested.tests == ["iid", test]
    assert np.isin(nested.parts[test], plain.parts[test]).all()
    assert not np.isin(nested.parts["train"], plain.parts[test]).any()
    sizes = nested.notes["sizes"]
    rows = sum(sizes[part] for part in ("train", "valid", "iid", "ood_valid"))
    if name in ("popularity", "temporal", "random"):  # the others hold out whole groups of rows
        assert sizes["ood_valid"] / rows == pytest.approx(0.1, abs=0.02)
    assert same(nested, cut(name, selection="ood_valid"))


def test_the_shifts_of_ood_valid_are_those_of_their_tests() -> None:
    def times(part: np.ndarray) -> np.ndarray:
        assert DATA.times is not None
        return DATA.times[part]

    temporal = cut("temporal", selection="ood_valid").parts
    for part in ("train", "valid", "iid"):
        assert times(temporal[part]).max() < times(temporal["ood_valid"]).min()
    assert times(temporal["ood_valid"]).max() < times(temporal["ood_temporal"]).min()
    cold = cut("cold", selection="ood_valid").parts
    known = DATA.items[cold["train"]]
    for part in ("ood_valid", "ood_cold"):
        assert len(cold[part])
        assert not np.isin(DATA.items[cold[part]], known).any()
    column = cut("column", selection="ood_valid").parts
    places = [set(DATA.columns["place"][column[p]]) for p in ("train", "ood_valid", "ood_column")]
    assert not places[0] & places[1]
    assert not places[1] & places[2]


def test_ood_valid_is_refused_where_it_cannot_be_cut() -> None:
    labelled = {"environment_epochs": 1, "environment_rounds": 1, "environment_frozen": False}
    small = long_tailed(10, 20)
    with pytest.raises(InputError, match="not offered under the protocol 'environment'"):
        cut("environment", 0, small, selection="ood_valid", environment_batch_size=64, **labelled)
    with pytest.raises(InputError, match="no share for validation"):
        cut("random", selection="ood_valid", pool_ratio=[0.9, 0.0, 0.1])
    two = Interactions(DATA.users, DATA.items, columns={"place": np.resize(["a", "b"], len(DATA))})
    with pytest.raises(InputError, match=r"ood_valid.*cannot cut a second time.*1 value"):
        cut("column", 0, two, selection="ood_valid")


def test_an_empty_part_names_the_part_the_protocol_and_a_remedy() -> None:
    ids = np.arange(1, 6)
    with pytest.raises(InputError, match=r"popularity.*ood_popularity") as caught:
        make_split("popularity", Interactions(ids, ids), OPTIONS, seed=0)
    assert "positive_threshold" in str(caught.value)
