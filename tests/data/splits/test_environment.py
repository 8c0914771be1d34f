"""The environment split: two parts by inferred labels, the smaller held out."""

from typing import Any

import numpy as np
import pytest
import torch

from recbole_invariant.data.splits import Interactions, make_split
from recbole_invariant.data.splits import environment as protocol
from recbole_invariant.data.splits.environment import popularity_divergence
from recbole_invariant.errors import InputError

OPTIONS: dict[str, Any] = {
    "environment_epochs": 1,
    "environment_rounds": 2,
    "environment_frozen": False,
    "environment_batch_size": 128,
    "pool_ratio": [0.8, 0.1, 0.1],
}


@pytest.fixture
def interactions() -> Interactions:
    rng = np.random.default_rng(0)
    return Interactions(rng.integers(1, 30, 900), rng.integers(1, 40, 900))


@pytest.mark.parametrize("frozen", [False, True])
def test_the_smaller_environment_is_the_test(interactions: Interactions, frozen: bool) -> None:
    features = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    options = {**OPTIONS, "environment_frozen": frozen}
    split = make_split("environment", interactions, options, 0, features)
    assert set(split.parts) == {"train", "valid", "iid", "ood_environment", "dropped"}
    assert split.notes["larger"] + split.notes["smaller"] == 900
    assert len(split.parts["ood_environment"]) <= split.notes["smaller"] <= 450
    pool = sum(len(split.parts[part]) for part in ("train", "valid", "iid"))
    assert 0.75 < len(split.parts["train"]) / pool < 0.9


def test_the_seed_decides_and_results_are_kept(
    interactions: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_split("environment", interactions, OPTIONS, 0)
    calls: list[int] = []
    original = protocol._labels

    def counted(*arguments: Any) -> Any:
        calls.append(1)
        return original(*arguments)

    monkeypatch.setattr(protocol, "_labels", counted)
    again = make_split("environment", interactions, OPTIONS, 0)
    assert not calls
    assert all(np.array_equal(first.parts[k], again.parts[k]) for k in first.parts)
    protocol._found.clear()
    repeated = make_split("environment", interactions, OPTIONS, 0)
    assert all(np.array_equal(first.parts[k], repeated.parts[k]) for k in first.parts)
    other = make_split("environment", interactions, OPTIONS, 1)
    assert not np.array_equal(first.parts["ood_environment"], other.parts["ood_environment"])
    assert len(calls) == 2


def test_every_round_is_logged(
    interactions: Interactions, caplog: pytest.LogCaptureFixture
) -> None:
    protocol._found.clear()
    caplog.set_level("INFO")
    split = make_split("environment", interactions, OPTIONS, 3)
    said = [record.message for record in caplog.records if "environments:" in record.message]
    changed = split.notes["labels_changed"]
    assert "900 rows" in said[0]
    assert len(said) == 1 + len(changed)
    for k, (line, number) in enumerate(zip(said[1:], changed, strict=True)):
        assert f"round {k + 1} of at most 2" in line
        assert f" {number} labels changed" in line


def test_frozen_without_features_is_refused(interactions: Interactions) -> None:
    options = {**OPTIONS, "environment_frozen": True}
    with pytest.raises(InputError, match="environment_frozen"):
        make_split("environment", interactions, options, 0)


def test_divergence_is_zero_for_equal_popularity_and_grows_with_difference() -> None:
    same, other = np.repeat([1, 2, 3], 100), np.repeat([1, 2, 3], [10, 10, 280])
    assert popularity_divergence(same, same) == pytest.approx(0)
    p, q = np.array([11, 11, 281]) / 303, np.array([101, 101, 101]) / 303
    assert popularity_divergence(other, same) == pytest.approx(float((p * np.log(p / q)).sum()))
