"""RecBole's Pop counts what is there, whatever the batch size and the negatives."""

import numpy as np
import pytest
from recbole.data import create_dataset, data_preparation
from recbole.model.general_recommender.pop import Pop
from recbole.trainer import TraditionalTrainer

from recbole_invariant.compat.popularity import mend_popularity

from .conftest import MakeConfig


@pytest.mark.parametrize("batch_size", [1, 3, 2048])
@pytest.mark.parametrize("sampled", [True, False])
def test_counts_are_those_of_the_training_rows(
    make_config: MakeConfig, batch_size: int, sampled: bool
) -> None:
    negatives = {"distribution": "uniform", "sample_num": 1, "dynamic": False}
    config = make_config(
        model="Pop",
        train_batch_size=batch_size,
        train_neg_sample_args=negatives if sampled else None,
    )
    train, _, _ = data_preparation(config, create_dataset(config))
    model = Pop(config, train._dataset)
    TraditionalTrainer(config, model).fit(train, None, verbose=False, saved=False)
    items = train._dataset.inter_feat["item_id"].numpy()
    expected = np.bincount(items, minlength=train._dataset.item_num)
    assert model.item_cnt.squeeze(-1).tolist() == expected.tolist()


def test_putting_the_mend_in_place_twice_changes_nothing() -> None:
    before = Pop.__init__
    mend_popularity()
    assert Pop.__init__ is before
