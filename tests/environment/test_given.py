"""Environments that are given: random ones, and how the option is read."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from recbole_invariant.environment.given import environment_source, given_environments
from recbole_invariant.errors import InputError


def test_yaml_makes_a_boolean_of_true() -> None:
    assert environment_source(True) == environment_source("true") == "true"
    assert environment_source("random") == "random"
    with pytest.raises(InputError, match="expected inferred, true or random, not false"):
        environment_source(False)


def test_random_environments_are_of_equal_size_and_repeat() -> None:
    dataset = cast(Any, SimpleNamespace(inter_feat=range(9000)))
    one, again, other = (
        given_environments("random", dataset, 3, torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    )
    counts = torch.bincount(one, minlength=3)
    assert counts.sum() == 9000
    assert (counts - 3000).abs().max() < 5 * (9000 * 2 / 9) ** 0.5
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
