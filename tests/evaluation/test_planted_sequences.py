"""Planted sequences through the harness: histories, targets, rankings and the truth."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recbole_invariant.config import build_config
from recbole_invariant.data.item_attribute import item_attribute
from recbole_invariant.data.planted.sequence_files import write_sequences
from recbole_invariant.data.planted.sequence_law import TESTS, generate_sequences
from recbole_invariant.data.planted.sequence_options import preset
from recbole_invariant.data.planted.truth import true_cue_strength, true_environments
from recbole_invariant.errors import InputError
from recbole_invariant.evaluation.measurement import measure_tests
from recbole_invariant.evaluation.truth import test_environments, truth_diagnostics
from recbole_invariant.preparation import Prepared, prepare
from recbole_invariant.registry import resolve
from recbole_invariant.training import build
from tests import sequences

NAME = "planted-sequences"
SIZES = {"users": 50, "items": 30, "groups": 5, "attributes": 2}
DATA = {
    "M": generate_sequences(preset("M", **SIZES), 0),
    "Q": generate_sequences(preset("Q", **SIZES, training_cue="none"), 0),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sequences")
    for name, data in DATA.items():
        write_sequences(data, path / name / NAME)
    return path


def prepared(folder: Path, name: str = "M", model: str = "GRU4Rec", **options: Any) -> Prepared:
    values = {"data_path": str(folder / name), "use_gpu": False, **options}
    if name == "Q" and model == "GRU4Rec":
        values.setdefault("MAX_ITEM_LIST_LENGTH", 23)
    config = build_config(model, NAME, values)
    config["checkpoint_dir"] = str(folder / "saved")
    return prepare(config, resolve(model))


def sequence_of(name: str, user: int) -> list[str]:
    """All that a user saw before the test, from the drawn arrays."""
    data = DATA[name]
    items = [f"i{item}" for item in data.history[user]]
    if not data.options.banners:
        return items
    shown = [f"b{banner}" for banner in data.banners[user]]
    return [token for pair in zip(shown, items, strict=False) for token in pair] + shown[-1:]


def rows_of(dataset: Any, table: Any) -> list[tuple[int, list[str], int]]:
    """User number, tokens of the history and their number, of every row."""
    items = dataset.field2id_token["item_id"]
    users = dataset.id2token("user_id", table["user_id"].numpy())
    lists, lengths = table["item_id_list"].numpy(), table["item_length"].tolist()
    assert all((row[n:] == 0).all() for row, n in zip(lists, lengths, strict=True))
    return [
        (int(user[1:]), [str(token) for token in items[row[:n]]], n)
        for user, row, n in zip(users, lists, lengths, strict=True)
    ]


@pytest.mark.parametrize("name", ["M", "Q"])
def test_every_item_after_the_first_row_is_a_training_target(folder: Path, name: str) -> None:
    fitted = prepared(folder, name).parts.fitted
    targets = fitted.id2token("item_id", fitted.inter_feat["item_id"].numpy())
    found = {
        (user, n): (history, target)
        for (user, history, n), target in zip(
            rows_of(fitted, fitted.inter_feat), targets, strict=True
        )
    }
    expected = {}
    for user in range(50):
        whole = sequence_of(name, user)
        for k in range(1, 10 if name == "M" else 21):
            if whole[k].startswith("i"):
                expected[user, k] = (whole[:k], whole[k])
    assert found == expected
    assert len(found) == 50 * (9 if name == "M" else 10)


@pytest.mark.parametrize("name", ["M", "Q"])
def test_the_tests_ask_one_target_each_after_the_same_history(folder: Path, name: str) -> None:
    data = prepared(folder, name)
    loaders = {"valid": data.loaders.valid, **data.loaders.tests.open()}
    cut = {"M": (10, 11), "Q": (21, 23)}[name]
    for part, loader in loaders.items():
        asked = {}
        for rows, hidden, positive_rows, positive_items in loader:
            assert len(hidden[0]) == len(hidden[1]) == 0
            assert positive_rows.tolist() == list(range(len(rows)))
            tokens = data.dataset.id2token("item_id", positive_items.numpy())
            for (user, history, _), target in zip(
                rows_of(data.parts.fitted, rows), tokens, strict=True
            ):
                assert history == sequence_of(name, user)[: cut[part != "valid"]]
                asked[user] = target
        truth = (
            DATA[name].history[:, -1]
            if part == "valid"
            else DATA[name].targets[:, TESTS.index(part)]
        )
        assert asked == {user: f"i{item}" for user, item in enumerate(truth)}


def test_the_histories_of_tests_may_stop_at_training(folder: Path) -> None:
    data = prepared(folder, test_history="train")
    for rows, *_ in data.loaders.tests.open()["iid"]:
        for user, history, _ in rows_of(data.parts.fitted, rows):
            assert history == sequence_of("M", user)[:10]


@pytest.mark.parametrize("model", ["GRU4Rec", "BPR"])
def test_seen_items_are_left_out_unless_they_are_to_be_ranked(folder: Path, model: str) -> None:
    hidden = {}
    for rank_seen in (True, False):
        data = prepared(folder, "M", model, rank_seen=rank_seen)
        number = 0
        for rows, (places, items), positive_rows, positive_items in data.loaders.tests.open()[
            "ood_flip"
        ]:
            users = data.dataset.id2token("user_id", rows["user_id"].numpy())
            tokens = data.dataset.id2token("item_id", items.numpy())
            targets = dict(
                zip(
                    positive_rows.tolist(),
                    data.dataset.id2token("item_id", positive_items.numpy()),
                    strict=True,
                )
            )
            for place, user in enumerate(users):
                left_out = {
                    str(t) for t, at in zip(tokens, places.tolist(), strict=True) if at == place
                }
                seen = set(sequence_of("M", int(user[1:])))
                # what is asked for is ranked, seen or not
                assert left_out == (set() if rank_seen else seen - {targets[place]})
            number += len(items)
        hidden[rank_seen] = number
    assert hidden[True] == 0 < hidden[False]


def test_banners_are_no_rows_of_models_without_order(folder: Path) -> None:
    parts = prepared(folder, "Q", "BPR").parts
    assert {name: size["n_interactions"] for name, size in parts.sizes().items()} == {
        "train": 500,
        "valid": 50,
        "iid": 50,
        "ood_remove": 50,
        "ood_flip": 50,
    }
    assert parts.notes["not_targets"]["train"] == 550
    for part in parts.by_name.values():
        tokens = part.id2token("item_id", part.inter_feat["item_id"].numpy())
        assert not any(token.startswith("b") for token in tokens)
    users, items = prepared(folder, "Q").parts.counts()
    assert users.sum() == items.sum() == 500


def test_the_column_of_targets_reaches_no_model(folder: Path) -> None:
    for model in ("GRU4Rec", "BPR"):
        data = prepared(folder, "Q", model)
        assert not [name for name in data.parts.fitted.inter_feat.columns if "is_target" in name]


def test_under_a_protocol_repeats_stay_where_seen_items_are_ranked(folder: Path) -> None:
    kept = prepared(folder, "M", "BPR", ood="random").parts
    dropped = prepared(folder, "M", "BPR", ood="random", rank_seen=False).parts
    assert "repeats" not in kept.notes["dropped"]
    assert dropped.notes["dropped"]["repeats"] > 0
    assert len(kept.tests["iid"]) > len(dropped.tests["iid"])


@pytest.mark.parametrize("name", ["M", "Q"])
def test_the_truth_is_looked_up_by_internal_id(folder: Path, name: str) -> None:
    data, drawn = prepared(folder, name), DATA[name]
    number = {
        token: int(token[1:]) for token in data.dataset.field2id_token["user_id"][1:].tolist()
    }
    users = [number[token] for token in data.dataset.field2id_token["user_id"][1:]]
    strengths = true_cue_strength(data.dataset)
    assert strengths.dtype == np.float32
    assert strengths[0] == 0
    assert strengths[1:].tolist() == drawn.training_strengths[users].tolist()
    attributes = item_attribute(data.dataset, "attribute")
    assert attributes[0] == 0
    known = {**{f"i{i}": a for i, a in enumerate(drawn.world.attributes)}}
    known |= {f"b{i}": a for i, a in enumerate(drawn.world.banner_attributes)}
    for token, attribute in zip(
        data.dataset.field2id_token["item_id"][1:], attributes[1:], strict=True
    ):
        assert data.dataset.id2token("attribute", attribute) == f"a{known[token]}"
    for part, rows in data.parts.by_name.items():
        of_rows = [number[t] for t in rows.id2token("user_id", rows.inter_feat["user_id"].numpy())]
        wanted = drawn.world.environments[of_rows]
        assert true_environments(rows, part).tolist() == wanted.tolist()
        found = test_environments(rows, part)
        assert found is not None
        assert found.tolist() == wanted.tolist()


def test_a_mask_has_no_truth_here(folder: Path) -> None:
    train = prepared(folder).parts.train
    assert truth_diagnostics(train, torch.ones(3), None) == {}


def test_an_attribute_must_be_a_loaded_column_of_tokens(folder: Path) -> None:
    data = prepared(folder).dataset
    with pytest.raises(InputError, match=r"Did you mean 'attribute'\?"):
        item_attribute(data, "atribute")
    bare = prepared(folder, load_col={"inter": ["user_id", "item_id", "timestamp"]}).dataset
    with pytest.raises(InputError, match="Loaded: none"):
        item_attribute(bare, "attribute")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target_field": "is_targte"}, "Did you mean 'is_target'"),
        ({"target_field": "timestamp"}, "holds .*; expected 1 for a row that may be a target"),
        ({"test_history": "valid"}, "test_history"),
    ],
)
def test_mistakes_are_named(folder: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        prepared(folder, **options)


def test_sampled_candidates_are_refused_where_seen_items_are_ranked(folder: Path) -> None:
    mode = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "mode": "uni10"}
    with pytest.raises(InputError, match="rank_seen: only a ranking of all items"):
        prepared(folder, "M", "BPR", eval_args=mode)


@pytest.mark.parametrize("rank_seen", [True, False])
def test_recboles_own_rankings_of_sequences_hold_seen_items(
    tmp_path: Path, rank_seen: bool
) -> None:
    sequences.write_sequences(tmp_path)
    data = sequences.prepared(tmp_path, "GRU4Rec", rank_seen=rank_seen)[1]
    for loader in (data.loaders.valid, data.loaders.tests.open()["iid"]):
        left_out = next(iter(loader))[1]
        assert left_out is None


def test_models_of_labels_are_told_to_rank(folder: Path) -> None:
    with pytest.raises(InputError, match=r"have no column 'label' to measure FM on. Let it rank"):
        prepared(folder, "M", "FM")
    ranking = {
        "metrics": ["Recall", "NDCG"],
        "valid_metric": "NDCG@10",
        "eval_args": {"mode": "full"},
        "train_neg_sample_args": {
            "distribution": "uniform",
            "sample_num": 1,
            "alpha": 1.0,
            "dynamic": False,
            "candidate_num": 0,
        },
    }
    loader = prepared(folder, "M", "FM", **ranking).loaders.tests.open()["ood_flip"]
    assert len(loader.uid_list) == 50


def test_hidden_environments_are_slices_of_a_run(folder: Path) -> None:
    values = {
        "data_path": str(folder / "M"),
        "use_gpu": False,
        "topk": [5],
        "valid_metric": "NDCG@5",
    }
    config = build_config("GRU4Rec", NAME, values)
    config["checkpoint_dir"] = str(folder / "saved")
    entry = resolve("GRU4Rec")
    data = prepare(config, entry)
    trainer = build(config, entry, data)[1]
    trainer.eval_collector.data_collect(data.loaders.train)
    slices = measure_tests(trainer, data).slices
    counts = np.bincount(DATA["M"].world.environments)
    for test in TESTS:
        found = slices[test]["environment"]
        assert {name: one["n_users"] for name, one in found.items()} == {
            str(environment): n for environment, n in enumerate(counts)
        }
