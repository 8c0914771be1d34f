from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.model.general_recommender import BPR
from recbole.trainer import Trainer
from recbole.utils import init_seed

from recbole_invariant.data.splits.parts import Parts
from recbole_invariant.evaluation.protocol import (
    SealedError,
    SealedTests,
    make_loaders,
    set_eval_batch,
)
from tests.host import cut_toy, host_config, pairs, write_toy


@pytest.fixture
def config(tmp_path: Path) -> Any:
    write_toy(tmp_path)
    return host_config("BPR", tmp_path, popularity_gamma=[1, 10])


@pytest.fixture
def loaded(config: Any) -> tuple[Any, Parts]:
    return cut_toy(config)


def test_tests_are_sealed_until_opened(config: Any, loaded: tuple[Any, Parts]) -> None:
    made: list[str] = []

    def maker(name: str) -> Any:
        def make() -> str:
            made.append(name)
            return name

        return make

    tests = SealedTests({name: maker(name) for name in ("iid", "ood_x")})
    assert tests.names == ["iid", "ood_x"]
    touches: list[Any] = [lambda: tests["iid"], lambda: list(tests), lambda: len(tests)]
    for touch in touches:
        with pytest.raises(SealedError, match="sealed until training and selection"):
            touch()
    assert made == []
    assert tests.open() == {"iid": "iid", "ood_x": "ood_x"}
    tests.open()
    assert made == ["iid", "ood_x"]
    assert tests["ood_x"] == "ood_x"
    assert list(tests) == ["iid", "ood_x"]


def test_a_history_is_training_and_validation_only(config: Any, loaded: tuple[Any, Parts]) -> None:
    whole, parts = loaded
    tests = make_loaders(config, whole, parts).tests
    seen = pairs(parts.train) | pairs(parts.valid)
    for name, loader in tests.open().items():
        positives = pairs(parts.tests[name])
        for user in loader.uid_list.tolist():
            history = {(user, item) for item in loader.uid2history_item[user].tolist()}
            relevant = {(user, item) for item in loader.uid2positive_item[user].tolist()}
            assert history == {pair for pair in seen if pair[0] == user}
            assert relevant == {pair for pair in positives if pair[0] == user}


def test_training_and_validation_never_meet_a_test_row(
    config: Any, loaded: tuple[Any, Parts]
) -> None:
    whole, parts = loaded
    loaders = make_loaders(config, whole, parts)
    tested = set().union(*(pairs(test) for test in parts.tests.values()))
    used = loaders.train._sampler.used_ids
    known = {(user, item) for user, items in enumerate(used) for item in items}
    assert known
    assert not known & tested
    for table in (loaders.valid.uid2history_item, loaders.valid.uid2positive_item):
        known = {
            (user, int(item))
            for user, items in enumerate(table)
            if items is not None
            for item in items
        }
        assert known
        assert not known & tested


def test_popularity_weighted_negatives_count_no_test_row(tmp_path: Path) -> None:
    write_toy(tmp_path)
    sampling = {"distribution": "popularity", "sample_num": 1, "alpha": 1.0}
    config = host_config("BPR", tmp_path, train_neg_sample_args=sampling)
    whole, parts = cut_toy(config)
    counted = make_loaders(config, whole, parts).train._sampler._get_candidates_list()
    assert len(counted) == len(parts.train)


def test_recbole_gets_the_same_numbers_on_the_same_split(
    config: Any, loaded: tuple[Any, Parts], tmp_path: Path
) -> None:
    """The peer is RecBole's own path: files of the three parts, loaded and prepared by it."""
    from recbole.data.utils import create_dataset, data_preparation

    whole, parts = loaded
    init_seed(3, True)
    model = BPR(config, parts.train)
    trainer = Trainer(config, model)
    tests = make_loaders(config, whole, parts).tests
    for name, loader in tests.open().items():
        ours = trainer.evaluate(loader, load_best_model=False)
        for file, part in (
            ("train", parts.train),
            ("valid", parts.valid),
            ("test", parts.tests[name]),
        ):
            rows = [
                f"{whole.id2token('user_id', u)}\t{whole.id2token('item_id', i)}"
                for u, i in sorted(pairs(part))
            ]
            text = "\n".join(["user_id:token\titem_id:token", *rows])
            (tmp_path / "toy" / f"toy.{file}.inter").write_text(text + "\n")
        # an item that stands in none of the three files is a candidate all the same
        items = "\n".join(["item_id:token", *whole.field2id_token["item_id"][1:]])
        (tmp_path / "toy" / "toy.item").write_text(items + "\n")
        files = host_config(
            "BPR",
            tmp_path,
            benchmark_filename=["train", "valid", "test"],
            load_col={"inter": ["user_id", "item_id"], "item": ["item_id"]},
        )
        dataset = create_dataset(files)
        theirs = data_preparation(files, dataset)[2]
        peer = Trainer(files, _renumbered(model, whole, dataset, files))
        assert dict(peer.evaluate(theirs, load_best_model=False)) == pytest.approx(dict(ours))


def _renumbered(model: Any, ours: Any, theirs: Any, config: Any) -> Any:
    """The same model over another dataset's internal ids."""
    other = BPR(config, theirs)
    for field, ours_table, table in (
        ("user_id", model.user_embedding, other.user_embedding),
        ("item_id", model.item_embedding, other.item_embedding),
    ):
        for token, number in theirs.field2token_id[field].items():
            table.weight.data[number] = ours_table.weight.data[ours.field2token_id[field][token]]
    return other


@pytest.mark.parametrize(
    ("options", "layer", "model", "expected"),
    [
        ({}, "RecBole overall.yaml", "BPR", 64 * 31),
        ({}, "command line", "BPR", 4096),
        ({"eval_users_per_batch": None}, "RecBole overall.yaml", "BPR", 4096),
        # what is asked pair by pair is asked in tiles
        ({}, "RecBole overall.yaml", "NeuMF", 64 * 31),
        # RecBole reads the users themselves
        ({"train_neg_sample_args": None}, "RecBole overall.yaml", "SASRec", 64),
        ({"eval_args": {"mode": "uni100"}}, "RecBole overall.yaml", "BPR", 4096),
        ({"eval_memory_mb": 1024}, "RecBole overall.yaml", "BPR", 64 * 31),
    ],
)
def test_users_a_batch(
    tmp_path: Path, options: dict[str, Any], layer: str, model: str, expected: int
) -> None:
    write_toy(tmp_path)
    config = host_config(model, tmp_path, **options)
    set_eval_batch(config, layer, n_items=31)
    assert config["eval_batch_size"] == expected


@pytest.mark.parametrize(("n_items", "users"), [(31, 64), (30_000, 46), (10**7, 1)])
def test_users_a_batch_fit_into_memory(tmp_path: Path, n_items: int, users: int) -> None:
    write_toy(tmp_path)
    config = host_config("BPR", tmp_path, eval_memory_mb=16)
    set_eval_batch(config, "RecBole overall.yaml", n_items)
    assert config["eval_batch_size"] == users * n_items
    assert users == 1 or users * n_items * 12 <= 16 * 2**20


def test_users_a_batch_are_what_recbole_then_ranks(config: Any, loaded: tuple[Any, Parts]) -> None:
    whole, parts = loaded
    config["eval_users_per_batch"] = 7
    set_eval_batch(config, "RecBole overall.yaml", whole.item_num)
    valid = make_loaders(config, whole, parts).valid
    assert isinstance(valid, FullSortEvalDataLoader)
    assert parts.valid is not None
    sizes = [len(users) for users, _, _, _ in valid]
    assert sizes[:-1] == [7] * (len(sizes) - 1)
    assert sum(sizes) == len(np.unique(parts.valid.inter_feat["user_id"]))
