"""Training rows weighed and drawn so that an attribute's transition says nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.data.balanced_rows import (
    WeightedRows,
    balancing_weights,
    effective_share,
)
from recbole_invariant.errors import InputError
from tests.contracts import ModelContract
from tests.sequences import SMALL, prepared
from tests.sequences import options as sequence_options

N_VALUES = 3


def write_repeating(folder: Path, n_users: int = 300, n_items: int = 30, seed: int = 0) -> None:
    """Write a toy whose next item mostly has the attribute of the one before; i0 has none."""
    rng = np.random.default_rng(seed)
    lines = ["user_id:token\titem_id:token\ttimestamp:float"]
    for user in range(n_users):
        item = int(rng.integers(n_items))
        for time in range(8):
            lines.append(f"u{user}\ti{item}\t{time}")
            repeat = rng.random() < 0.6
            step = N_VALUES * int(rng.integers(n_items)) if repeat else int(rng.integers(n_items))
            item = (item + step) % n_items
    (folder / "toy").mkdir(exist_ok=True)
    (folder / "toy" / "toy.inter").write_text("\n".join(lines) + "\n")
    items = ["item_id:token\tcolour:token\tprice:float\ttags:token_seq"]
    items += [f"i{i}\t{f'c{i % N_VALUES}' if i else ''}\t{i}\ta b" for i in range(n_items)]
    (folder / "toy" / "toy.item").write_text("\n".join(items) + "\n")


COLUMNS = {
    "inter": ["user_id", "item_id", "timestamp"],
    "item": ["item_id", "colour", "price", "tags"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("repeating")
    write_repeating(made)
    return made


def prepare(folder: Path, model: str = "GRU4Rec", **changes: Any) -> tuple[Any, Any, Any, Any]:
    values = {**SMALL.get(model, {}), "load_col": COLUMNS, "balanced_attribute": "colour"}
    return prepared(folder, model, **{**values, **changes})


def repeats(loader: Any) -> tuple[float, int]:
    """Return how often a drawn target repeats the attribute, among rows that have both; rows."""
    colours = torch.as_tensor(loader._dataset.item_feat["colour"])
    same, n = [], 0
    for rows in loader:
        last = rows["item_id_list"].gather(1, rows["item_length"][:, None] - 1)[:, 0]
        before, after = colours[last], colours[rows["item_id"]]
        same.append((before == after)[(before > 0) & (after > 0)])
        n += len(rows)
    return float(torch.cat(same).float().mean()), n


def by_hand(before: list[int], after: list[int], smoothing: float) -> list[float]:
    known = [(b, a) for b, a in zip(before, after, strict=True) if b and a]
    weights = []
    for b, a in zip(before, after, strict=True):
        if not (b and a):
            weights.append(1.0)
            continue
        marginal = sum(y == a for _, y in known) / len(known)
        n_before = sum(x == b for x, _ in known)
        joint = known.count((b, a))
        weights.append(marginal * (n_before + smoothing) / (joint + smoothing * marginal))
    return weights


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30),
    st.floats(0.1, 20),
)
def test_weights_are_marginal_by_conditional(pairs: list[Any], smoothing: float) -> None:
    before, after = ([pair[k] for pair in pairs] for k in (0, 1))
    found = balancing_weights(torch.tensor(before), torch.tensor(after), smoothing)
    np.testing.assert_allclose(found.numpy(), by_hand(before, after, smoothing), rtol=1e-5)


def test_weighed_rows_have_independent_attributes() -> None:
    rng = np.random.default_rng(0)
    before = rng.integers(1, 4, 4000)
    after = np.where(rng.random(4000) < 0.5, before, rng.choice([1, 2, 3], 4000, p=[0.6, 0.3, 0.1]))
    weights = balancing_weights(torch.from_numpy(before), torch.from_numpy(after), 1e-6).numpy()
    joint = np.zeros((3, 3))
    np.add.at(joint, (before - 1, after - 1), weights)
    marginals = np.bincount(before)[1:, None] * np.bincount(after)[None, 1:] / 4000
    np.testing.assert_allclose(joint, marginals, rtol=1e-4)


def test_equal_weights_are_worth_all_rows_and_one_row_is_worth_one() -> None:
    assert effective_share(torch.full((7,), 0.3)) == pytest.approx(1)
    assert effective_share(torch.tensor([1.0, 0, 0, 0])) == pytest.approx(0.25)


def test_rows_are_drawn_by_their_weights_and_anew_every_time() -> None:
    weights = torch.tensor([0.0, 1.0, 3.0, 0.0]).repeat(5000)
    sampler = WeightedRows(weights, torch.Generator().manual_seed(1))
    first, second = list(sampler), list(sampler)
    assert len(first) == len(sampler) == 20000
    assert first != second
    kind = np.bincount(np.array(first) % 4, minlength=4) / 20000
    np.testing.assert_allclose(kind, [0, 0.25, 0.75, 0], atol=0.015)
    assert first == list(WeightedRows(weights, torch.Generator().manual_seed(1)))


def test_the_attribute_before_says_nothing_of_the_rows_drawn(folder: Path) -> None:
    plain = prepare(folder, balanced_attribute=None)[1].loaders.train
    balanced = prepare(folder)[1].loaders.train
    assert repeats(plain)[0] > 0.65
    shares, sizes = zip(*(repeats(balanced) for _ in range(4)), strict=True)
    assert np.mean(shares) == pytest.approx(1 / N_VALUES, abs=0.03)
    assert set(sizes) == {len(plain._dataset)}
    assert len(balanced) == len(plain)


def test_a_protocols_histories_are_balanced_too(folder: Path) -> None:
    loader = prepare(folder, ood="random", eval_args={"mode": "full"})[1].loaders.train
    assert np.mean([repeats(loader)[0] for _ in range(4)]) == pytest.approx(1 / N_VALUES, abs=0.04)


def test_the_loaders_generator_says_what_an_epoch_draws(folder: Path) -> None:
    loader = prepare(folder)[1].loaders.train
    state = loader.generator.get_state()
    first = torch.cat([rows["item_id"] for rows in loader])
    other = torch.cat([rows["item_id"] for rows in loader])
    loader.generator.set_state(state)
    assert torch.equal(first, torch.cat([rows["item_id"] for rows in loader]))
    assert not torch.equal(first, other)


class Peer(ModelContract):
    """Borrowed for its interrupted training."""

    name = "GRU4Rec"


def test_a_killed_training_goes_on_to_the_same_bits(folder: Path, tmp_path: Path) -> None:
    given = {**SMALL["GRU4Rec"], "load_col": COLUMNS, "balanced_attribute": "colour", "epochs": 3}
    Peer.options = sequence_options(folder, **given)
    whole, trainer, _ = Peer().trained(folder)
    resumed, again = Peer().interrupted(folder, tmp_path / "run", 2)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    assert trainer.best_valid_result == again.best_valid_result


@pytest.mark.parametrize("model", ["GRU4Rec", "SASRec"])
def test_models_with_sampled_negatives_train_on_them(folder: Path, model: str) -> None:
    loader = prepare(folder, model, loss_type="BPR")[1].loaders.train
    rows = next(iter(loader))
    assert "neg_item_id" in rows
    assert bool((rows["neg_item_id"] != rows["item_id"]).all())


def test_a_model_around_another_draws_them_too(folder: Path) -> None:
    loader = prepare(folder, "IDEA", backbone="GRU4Rec", **SMALL["GRU4Rec"])[1].loaders.train
    assert np.mean([repeats(loader)[0] for _ in range(4)]) == pytest.approx(1 / N_VALUES, abs=0.03)


def test_masked_targets_are_refused(folder: Path) -> None:
    for model, more in (("BERT4Rec", {}), ("IDEA", {"backbone": "BERT4Rec"})):
        with pytest.raises(InputError, match=r"balanced_attribute: .*mask_itemseq"):
            prepare(folder, model, **{**SMALL["BERT4Rec"], **more})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"balanced_attribute": "color"}, "'color'.*Did you mean 'colour'"),
        ({"balanced_attribute": "price"}, "'price.*one token"),
        ({"balanced_attribute": "tags"}, "'tags.*one token"),
        ({"load_col": {**COLUMNS, "item": ["item_id"]}}, "'colour'.*load_col"),
    ],
)
def test_a_column_that_cannot_serve_is_one_error(
    folder: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=f"balanced_attribute: .*{said}") as caught:
        prepare(folder, **changes)
    assert len(caught.value.problems) == 1


def test_other_kinds_of_models_refuse_it(folder: Path) -> None:
    with pytest.raises(InputError, match="'balanced_attribute' is for datasets of sequential"):
        prepare(folder, "BPR")
