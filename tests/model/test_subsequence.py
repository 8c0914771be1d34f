"""The batched extractors against K separate networks of torch."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from recbole_invariant.model.subsequence import SubsequenceExtractors

sizes = st.tuples(st.integers(2, 4), st.integers(1, 6), st.integers(1, 8))
seeds = st.integers(0, 1_000)


def separate(n_extractors: int, length: int, hidden: int, seed: int) -> list[nn.Module]:
    """Make K networks of torch's own layers, initialised by torch under a seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return [
            nn.Sequential(nn.Linear(length, hidden), nn.ReLU(), nn.Linear(hidden, length))
            for _ in range(n_extractors)
        ]


def made(n_extractors: int, length: int, hidden: int, seed: int) -> SubsequenceExtractors:
    generator = torch.Generator().manual_seed(seed)
    return SubsequenceExtractors(n_extractors, length, hidden, generator)


@settings(deadline=None)
@given(sizes, st.integers(1, 5), seeds)
def test_equals_separate_networks_of_torch_value_and_gradient(
    size: tuple[int, int, int], batch: int, seed: int
) -> None:
    extractors, networks = made(*size, seed), separate(*size, seed)
    descriptor = torch.randn(batch, size[1], generator=torch.Generator().manual_seed(seed))
    logits = extractors(descriptor)
    expected = torch.stack([network(descriptor) for network in networks])
    torch.testing.assert_close(logits, expected)
    logits.square().sum().backward()
    expected.square().sum().backward()
    names = ["hidden_weight", "hidden_bias", "gate_weight", "gate_bias"]
    for name, *theirs in zip(names, *(network.parameters() for network in networks), strict=True):
        ours = extractors.get_parameter(name)
        assert torch.equal(ours, torch.stack([one.detach() for one in theirs]))
        gradients = [one.grad for one in theirs if one.grad is not None]
        torch.testing.assert_close(ours.grad, torch.stack(gradients))


def test_only_four_parameters_hold_all_extractors() -> None:
    shapes = {name: tuple(value.shape) for name, value in made(3, 5, 7, 0).named_parameters()}
    assert shapes == {
        "hidden_weight": (3, 7, 5),
        "hidden_bias": (3, 7),
        "gate_weight": (3, 5, 7),
        "gate_bias": (3, 5),
    }


def test_a_row_and_an_extractor_depend_on_nothing_else() -> None:
    extractors, descriptor = made(3, 4, 6, 1), torch.randn(5, 4)
    before = extractors(descriptor)
    with torch.no_grad():
        extractors.hidden_weight[1] += 1
    changed = descriptor.clone()
    changed[2] += 1
    after = extractors(changed)
    same = torch.isclose(before, after).all(dim=-1)
    kept = torch.ones(3, 5, dtype=torch.bool)
    kept[1], kept[:, 2] = False, False
    assert bool(same[kept].all())
    assert not bool(same[0, 2])


def test_the_global_random_state_is_left_alone() -> None:
    before = torch.get_rng_state()
    made(3, 4, 6, 1)
    assert torch.equal(torch.get_rng_state(), before)
