from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from recbole.data.utils import create_dataset, data_preparation
from recbole.evaluator.collector import Collector
from recbole.utils import get_model, get_trainer

from recbole_invariant.compat.libraries import set_missing_numpy_aliases
from recbole_invariant.evaluation.collector import TopKCollector
from recbole_invariant.evaluation.tiles import quicken
from tests.host import host_config

set_missing_numpy_aliases()
METRICS = ["Recall", "MRR", "NDCG", "Hit", "Precision", "MAP"]


class Options(dict[str, Any]):
    """A config as far as RecBole's collector reads one."""

    def __missing__(self, key: str) -> None:
        return None


def options(topk: list[int], metrics: list[str]) -> Options:
    return Options(metrics=metrics, topk=topk, eval_args={"mode": "full"}, device="cpu")


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n_levels=st.sampled_from([1, 3, 10**6]),
    n_items=st.sampled_from([12, 70, 900]),
    keep=st.sampled_from([0, 4, 9, 50]),
)
def test_batches_are_recboles(seed: int, n_levels: int, n_items: int, keep: int) -> None:
    """Equal scores, masked items and repeated positives included."""
    generator = np.random.default_rng(seed)
    chosen = options([2, 7], ["Recall", "ItemCoverage"])
    theirs, ours = Collector(chosen), TopKCollector(chosen, keep)
    all_scores, all_positives = [], []
    for n_rows in (3, 1, 4):
        scores = torch.from_numpy(generator.integers(0, n_levels, (n_rows, n_items))).float()
        masked = torch.from_numpy(generator.random((n_rows, n_items)) < 0.2)
        masked[:, 0] = True
        n = 2 * n_rows
        rows = torch.from_numpy(np.sort(np.r_[np.arange(n_rows), generator.integers(0, n_rows, n)]))
        items = torch.from_numpy(generator.integers(1, n_items, rows.numel()))
        masked[rows, items] = False
        scores[masked] = -torch.inf
        all_scores.append(scores.clone())
        all_positives.append({(int(r), int(i)) for r, i in zip(rows, items, strict=True)})
        theirs.eval_batch_collect(scores.clone(), None, rows, items)
        ours.eval_batch_collect(scores, None, rows, items)
    expected, found = theirs.get_data_struct(), ours.get_data_struct()
    for name in ("rec.topk", "rec.items"):
        assert torch.equal(found[name], expected[name])
        assert found[name].dtype == expected[name].dtype
    ranked = ours.ranked(np.arange(8))
    assert (ranked is None) == (keep == 0)
    if ranked is None:
        return
    length = min(max(keep, 7), n_items)
    assert ranked.top_items.shape == ranked.hits.shape == (8, length)
    assert np.array_equal(ranked.top_items[:, :7], expected["rec.items"].numpy())
    assert np.array_equal(ranked.n_positives, expected["rec.topk"][:, -1].numpy())
    flat = [(row, batch, k) for batch, s in enumerate(all_scores) for k, row in enumerate(s)]
    for place, (row, batch, k) in enumerate(flat):
        items = ranked.top_items[place]
        own = {i for r, i in all_positives[batch] if r == k}
        assert ranked.hits[place].tolist() == [int(i) in own for i in items]
        mine = ranked.positive_items[ranked.positive_rows == place]
        assert mine.tolist() == sorted(own)
        ranks = items[row[items].numpy() > -np.inf]
        assert len(set(ranks.tolist())) == len(ranks) == min(length, int((row > -torch.inf).sum()))
        # no item that was left out stands above one that was not
        assert row[ranks].tolist() == row.sort(descending=True).values[: len(ranks)].tolist()
    assert ours.ranked(np.arange(8)) is None


def write_timed_toy(folder: Path) -> None:
    """Write a `toy` of long-tailed items, with times and an item feature."""
    generator = np.random.default_rng(0)
    weight = 1.0 / np.arange(1, 31)
    lines = ["user_id:token\titem_id:token\ttimestamp:float\tlabel:float"]
    for user in range(40):
        for item in generator.choice(30, generator.integers(8, 20), False, weight / weight.sum()):
            lines.append(f"u{user}\ti{item}\t{generator.integers(0, 1000)}\t1")
    (folder / "toy").mkdir()
    (folder / "toy" / "toy.inter").write_text("\n".join(lines) + "\n")
    items = [f"i{item}\tc{item % 4}" for item in range(30)]
    (folder / "toy" / "toy.item").write_text(
        "\n".join(["item_id:token\tkind:token", *items]) + "\n"
    )


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("Pop", {}),
        ("ItemKNN", {"metrics": [*METRICS, "ItemCoverage", "GiniIndex"]}),
        ("BPR", {"metrics": ["Recall", "GAUC"]}),
        ("BPR", {"eval_args": {"mode": "uni10"}}),
        ("NeuMF", {"eval_memory_mb": 1, "embedding_size": 3000}),
        ("FM", {"eval_args": {"mode": "full"}, "eval_memory_mb": 16}),
        (
            "SASRec",
            {"train_neg_sample_args": None, "eval_args": {"order": "TO"}},
        ),
    ],
)
def test_metrics_are_recboles_to_all_digits(
    tmp_path: Path, name: str, changes: dict[str, Any]
) -> None:
    write_timed_toy(tmp_path)
    host = {"metrics": METRICS, "eval_batch_size": 31 * 5, "metric_decimal_place": 15, **changes}
    columns = {"inter": ["user_id", "item_id", "timestamp", "label"], "item": ["item_id", "kind"]}
    config = host_config(name, tmp_path, load_col=columns, valid_metric="Recall@10", **host)
    dataset = create_dataset(config)
    train, valid, test = data_preparation(config, dataset)
    torch.manual_seed(1)
    model = get_model(name)(config, train._dataset).to("cpu")
    trainer = get_trainer(config["MODEL_TYPE"], name)(config, model)
    trainer.eval_collector.data_collect(train)
    if name == "Pop":
        for batch in train:
            model.calculate_loss(batch)
    for loader in (valid, test):
        np.random.seed(0)  # of sampled candidates
        expected = trainer.evaluate(loader, load_best_model=False)
        assert len(expected) >= 3
        other = get_trainer(config["MODEL_TYPE"], name)(config, model)
        quicken(other).eval_collector.data_collect(train)
        np.random.seed(0)
        assert dict(other.evaluate(loader, load_best_model=False)) == dict(expected)
