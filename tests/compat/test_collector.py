"""Metrics that need counts, through RecBole's own collector and evaluator."""

import pytest
import torch
from recbole.data import create_dataset, data_preparation
from recbole.evaluator import Collector, Evaluator

from recbole_invariant.compat.collector import mend_collector

from .conftest import INTERACTIONS, MakeConfig


@pytest.fixture
def metrics(make_config: MakeConfig) -> list[dict[str, float]]:
    """Return the metrics of two evaluations by one collector, from hand-made scores."""
    config = make_config(metrics=["ItemCoverage", "TailPercentage", "Recall"], tail_ratio=0.5)
    train, _, _ = data_preparation(config, create_dataset(config))
    collector, evaluator = Collector(config), Evaluator(config)
    collector.data_collect(train)
    # Three users over [padding, four items]; the two best columns are the lists below.
    first = [[0, 9, 8, 1, 1], [0, 9, 8, 1, 1], [0, 9, 8, 1, 1]]
    second = [[0, 9, 8, 1, 1], [0, 1, 1, 9, 8], [0, 9, 8, 1, 1]]
    found = []
    for scores in (first, second):
        users, positives = torch.tensor([0, 1, 2]), torch.tensor([1, 1, 4])
        collector.eval_batch_collect(torch.tensor(scores).float(), None, users, positives)
        found.append(dict(evaluator.evaluate(collector.get_data_struct())))
    return found


def test_item_coverage_counts_the_different_items(metrics: list[dict[str, float]]) -> None:
    n_items = len({item for _, item in INTERACTIONS}) + 1
    assert metrics[0]["itemcoverage@2"] == 2 / n_items
    assert metrics[1]["itemcoverage@2"] == 4 / n_items


def test_counts_and_tensors_both_survive(metrics: list[dict[str, float]]) -> None:
    assert metrics[0]["recall@2"] == pytest.approx(2 / 3, abs=1e-4)
    assert metrics[1]["recall@2"] == pytest.approx(1 / 3, abs=1e-4)
    assert all(0 <= found["tailpercentage@2"] <= 1 for found in metrics)


def test_mending_twice_changes_nothing() -> None:
    mended = Collector.get_data_struct
    mend_collector()
    assert Collector.get_data_struct is mended
