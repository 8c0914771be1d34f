"""From fold models to the gate: what acts in one environment only is turned down."""

from dataclasses import replace
from unittest.mock import patch

import pytest
import torch
from torch import Tensor

from recbole_invariant.stability import gate
from recbole_invariant.stability.gate import GateOptions, assess, make_reference
from recbole_invariant.stability.reference import TEMPERATURES, FoldTables, HeldOutReference
from tests.stability.held_out import draw_features, draw_world, generator

OPTIONS = GateOptions(smoothing=True, level=0.1, share=0.0, floor=0.3)


def planted(
    seed: int, tilt: float, n_sample: int = 0, scale: float = 1.0
) -> tuple[HeldOutReference, Tensor]:
    """Fold models that know the users' taste for causes 0 and 1; cause 3 follows environments.

    The models' scores are `scale` times too large.

    Returns:
        The reference, and features `(n_items, 12)`: 3 of each cause in turn.
    """
    g, n_users, n_items, n_clicks = generator(seed), 200, 300, 12
    causes, features = draw_features(n_items, 4, 3, g)
    taste = torch.randn(n_users, 2, generator=g)
    environment = torch.randint(2, (n_users, n_clicks, 1), generator=g) * 2.0 - 1
    logits = (taste @ causes[1:, :2].T).unsqueeze(1) + tilt * environment * causes[1:, 3]
    # distinct items in turn: every click is the largest of what is left with Gumbel noise
    noisy = logits - torch.empty_like(logits).exponential_(generator=g).log()
    items = torch.zeros(n_users, n_clicks, dtype=torch.int64)
    for click in range(n_clicks):
        items[:, click] = 1 + noisy[:, click].argmax(dim=1)
        noisy.scatter_(2, (items[:, click] - 1).view(-1, 1, 1).expand(-1, n_clicks, 1), -torch.inf)
    tables = FoldTables(
        (scale * taste).expand(3, -1, -1),
        torch.zeros(3, n_users, 1),
        causes[:, :2].expand(3, -1, -1),
        torch.zeros(3, 1, 12),
        torch.zeros(3, 1),
    )
    users = torch.arange(n_users).repeat_interleave(n_clicks)
    folds = torch.arange(len(users)) % 3
    rows = (users, items.flatten(), folds)
    return make_reference(tables, features, rows, n_sample, seed), features


def test_a_cause_of_some_environments_is_turned_down_and_nothing_else() -> None:
    flagged = torch.zeros(12)
    for seed in range(5):
        reference, _ = planted(seed, 0.7)
        found = assess(reference, OPTIONS)
        assert found.gate.tolist() == pytest.approx([0.3 if f else 1 for f in found.flagged])
        assert float(found.excess[9:].min()) > 0.15
        flagged += found.flagged / 5
    assert float(flagged[9:].min()) == 1
    # by chance the squares of causes correlate a little over so few items
    assert float(flagged[:9].mean()) < 0.25


def test_without_environments_little_is_flagged() -> None:
    flagged = [assess(planted(seed, 0.0)[0], OPTIONS).flagged for seed in range(10)]
    assert sum(bool(f.any()) for f in flagged) <= 4  # at level .1, 5 of 10: 1 in 600


def test_smoothing_is_an_option() -> None:
    reference, _ = planted(0, 0.5)
    smooth, plain = (
        assess(reference, replace(OPTIONS, smoothing=choice)) for choice in (True, False)
    )
    assert torch.equal(smooth.excess, plain.excess)
    assert not torch.allclose(smooth.score, plain.score)
    # copies of one cause have more alike scores once smoothed
    spreads = [found.score.view(4, 3).std(dim=1).mean() for found in (smooth, plain)]
    assert float(spreads[0]) < 0.5 * float(spreads[1])


def test_the_reference_has_the_best_temperature_and_a_sample_of_the_asked_size() -> None:
    for scale in (1.0, 2.0):
        reference, _ = planted(1, 0.0, scale=scale)
        assert scale * reference.temperature == pytest.approx(1, abs=0.21)
    assert len(reference.sample(0, 0).items) == 299
    sampled, _ = planted(1, 0.0, n_sample=60)
    assert sampled.temperature in TEMPERATURES
    for block in sampled.blocks():
        assert len(block.sample.items) == 60
        assert float(block.sample.log_weights.std()) > 0


@pytest.mark.parametrize(("n_sample", "n_blocks"), [(0, 2), (299, 2), (298, 13), (60, 13)], ids=str)
def test_blocks_are_small_where_items_are_sampled_and_else_bounded_by_memory(
    n_sample: int, n_blocks: int
) -> None:
    world = draw_world(1, n_users=100, n_items=300, n_clicks=200)
    rows = (world.users, world.items, world.folds)
    with patch.object(gate, "CELLS_AT_A_TIME", 64 * 300):
        reference = make_reference(world.tables, world.features, rows, n_sample, 0)
    blocks = list(reference.blocks())
    assert len(blocks) == 3 * n_blocks
    assert max(len(block.preference) for block in blocks) == (8 if n_blocks == 13 else 64)


def test_the_options_are_those_of_the_config() -> None:
    config = {"gate_smoothing": False, "gate_level": 0.2, "gate_share": 0.3, "gate_floor": 0.4}
    found = GateOptions.from_config(config)  # type: ignore[arg-type]
    assert found == GateOptions(smoothing=False, level=0.2, share=0.3, floor=0.4)


def test_the_share_of_the_largest_score_and_the_floor_are_options() -> None:
    reference, _ = planted(0, 0.7)
    found = assess(reference, OPTIONS)
    strict = assess(reference, GateOptions(smoothing=True, level=0.1, share=1.0, floor=0.0))
    assert torch.equal(found.score, strict.score)
    assert int(found.flagged.sum()) >= 3
    assert strict.flagged.tolist() == (found.score == found.score.max()).tolist()
    assert strict.gate.tolist() == [0.0 if f else 1.0 for f in strict.flagged]


def test_features_are_standardised_before_they_are_assessed() -> None:
    world = draw_world(5, n_users=30, n_items=20, n_clicks=200)
    rows = (world.users, world.items, world.folds)
    plain, scaled = (make_reference(world.tables, world.features, rows, 0, 0) for _ in range(2))
    scaled.features = world.features * torch.tensor([1.0, 10, 0.1, 3, 100]) + 2
    # the models see features of their own: only what is assessed differs
    blocks = list(plain.blocks())
    scaled.blocks = lambda every=1: iter(blocks)  # type: ignore[method-assign]
    one, other = (assess(reference, OPTIONS) for reference in (plain, scaled))
    torch.testing.assert_close(one.score, other.score, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(one.excess, other.excess, rtol=1e-3, atol=1e-3)
