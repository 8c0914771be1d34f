"""With a sampled catalogue scores stay N(0, 1), and the samples are the same at every pass."""

import os
import subprocess
import sys
from pathlib import Path

import torch
from torch import Tensor

from recbole_invariant.stability.gate import GateOptions, assess, make_reference
from recbole_invariant.stability.reference import FoldTables, HeldOutReference
from tests.stability.held_out import draw_world, generator

N_SAMPLE = 400
OPTIONS = GateOptions(smoothing=False, level=0.05, share=0.25, floor=0.0)


def right_reference(seed: int) -> HeldOutReference:
    """Make models that know the law of the clicks exactly; 12 independent dimensions all act.

    Clicks are independent draws, an item may be clicked again: held-out ones on items that the
    other fold has not follow the reference's law to the letter.
    """
    g, n_users, n_items, n_clicks, d = generator(seed), 480, 801, 8, 12
    features = torch.randn(n_items, d, generator=g)
    taste = torch.randn(n_users, d, generator=g) / 3
    law = (taste @ features[1:].T).softmax(1)
    items = 1 + torch.multinomial(law, n_clicks, replacement=True, generator=g).flatten()
    tables = FoldTables(
        taste.expand(2, -1, -1),
        torch.zeros(2, n_users, 1),
        features.expand(2, -1, -1),
        torch.zeros(2, 1, d),
        torch.zeros(2, 1),
    )
    users = torch.arange(n_users).repeat_interleave(n_clicks)
    folds = torch.arange(len(users)) % 2
    return make_reference(tables, features, (users, items, folds), N_SAMPLE, seed)


def scores_and_flags(shared: bool) -> tuple[Tensor, int]:
    """Scores of 16 worlds, and in how many anything is flagged."""
    scores, flagged = [], 0
    for seed in range(16):
        reference = right_reference(seed)
        if shared:
            one = reference.sample(0, 0)
            reference.sample = lambda fold, first, one=one: one  # type: ignore[misc]
        found = assess(reference, OPTIONS)
        scores.append(found.score)
        flagged += bool(found.flagged.any())
    return torch.stack(scores), flagged


def test_scores_are_standard_normal_with_a_sample_for_every_few_users() -> None:
    scores, flagged = scores_and_flags(shared=False)
    # 192 scores: deviation of their mean .07, of their deviation .05; half of the catalogue
    # for each 8 users adds about a hundredth to the latter
    assert abs(float(scores.mean())) < 0.3
    assert 0.85 < float(scores.std()) < 1.2
    assert flagged <= 4  # at level .05, 5 of 16: 1 in 1000


def test_one_sample_for_all_users_would_not_do() -> None:
    scores, flagged = scores_and_flags(shared=True)
    assert float(scores.std()) > 1.8
    assert flagged > 8


def drawn() -> str:
    """Describe a sampled reference: its samples, preferences and temperature."""
    world = draw_world(3, n_users=70, n_items=40, n_clicks=300)
    rows = (world.users, world.items, world.folds)
    reference = make_reference(world.tables, world.features, rows, 10, 7)
    parts = [str(reference.temperature)]
    for block in reference.blocks():
        parts.append(f"{block.fold} {block.first} {block.sample.items.tolist()}")
        parts.append(str([round(value, 4) for value in block.preference[0].tolist()]))
    return "\n".join(parts)


def test_a_block_has_the_same_sample_at_every_pass_and_another_one_its_own() -> None:
    reference = right_reference(0)
    passes = [list(reference.blocks()), list(reference.blocks()), list(reference.blocks(every=3))]
    samples = [{(b.fold, b.first): b.sample for b in blocks} for blocks in passes]
    assert set(samples[2]) < set(samples[0])
    for other in samples[1:]:
        for place, sample in other.items():
            assert torch.equal(sample.items, samples[0][place].items)
            assert torch.equal(sample.log_weights, samples[0][place].log_weights)
    assert len({tuple(s.items.tolist()) for s in samples[0].values()}) == len(samples[0]) == 120
    for one, again in zip(passes[0], passes[1], strict=True):
        assert torch.equal(one.preference, again.preference)


def test_the_seed_draws_the_samples() -> None:
    world = draw_world(3, n_users=70, n_items=40, n_clicks=300)
    rows = (world.users, world.items, world.folds)
    one, same, new = (
        make_reference(world.tables, world.features, rows, 10, seed).sample(1, 32)
        for seed in (0, 0, 1)
    )
    assert torch.equal(one.items, same.items)
    assert not torch.equal(one.items, new.items)


def test_another_process_draws_the_same_samples() -> None:
    # a run that is resumed must find the reference that it was interrupted with
    code = "from tests.stability.test_sampled_gate import drawn; print(drawn())"
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": str(root)}
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True
    )
    assert answer.stdout.strip() == drawn(), answer.stderr
