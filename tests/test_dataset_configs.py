"""Every shipped dataset file: it parses, its keys are known, it loads what it says."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from recbole.config import Config
from recbole.data.dataset import Dataset

from recbole_invariant.config import build_config
from recbole_invariant.configuration.known_keys import known_keys
from recbole_invariant.data.dataset import MultimodalDataset
from recbole_invariant.data.item_attribute import item_tokens
from recbole_invariant.data.modality_specs import parse_specs
from recbole_invariant.data.positives import request_positives
from recbole_invariant.data.splits import protocol

REPOSITORY = Path(__file__).parents[1]
FILES = {path.stem: path for path in (REPOSITORY / "dataset_configs").glob("*.yaml")}
DATA = Path(os.environ.get("RECBOLE_INVARIANT_DATA", REPOSITORY.parent / "shared" / "data"))

# Counts published with each dataset: users, items, rows of each file, and for each modality
# its dim and how many items have features.
ML_100K = (943, 1682, [100_000])
CONTENTS: dict[str, tuple[tuple[int, int, list[int]], dict[str, tuple[int, int]]]] = {
    "ml-100k": (ML_100K, {"title": (64, 1682), "genre": (19, 1682), "year": (32, 1682)}),
    "ml-100k-mm": (ML_100K, {"visual": (1280, 1366), "textual": (384, 1682)}),
    "ml-latest-small-mm": (
        (610, 3627, [90_075]),
        {"visual": (256, 3627), "textual": (384, 3627)},
    ),
    "tiktok": (
        (9308, 6710, [59_541, 3_051, 6_130]),
        {"visual": (128, 6710), "acoustic": (128, 6710)},
    ),
    "lastfm-2k-mm": (
        (1858, 1425, [44_327, 4_799, 7_219]),
        {"textual": (384, 1425), "acoustic": (128, 1425), "acoustic_whisper": (512, 1425)},
    ),
    "amazon-sports": (
        (35_598, 18_357, [218_409, 40_029, 37_899]),
        {"attribute": (128, 18_357)},
    ),
    "amazon-clothing": ((39_387, 23_033, [197_338, 41_189, 40_150]), {}),
    "amazon-baby": ((19_445, 7_050, [118_551, 21_682, 20_559]), {}),
    "adressa": ((13_485, 744, [113_345, 2_976]), {}),
    "amazon-beauty-seq": ((22_363, 12_101, [198_502]), {"categories": (64, 12_101)}),
    "amazon-sports-seq": ((35_598, 18_357, [296_337]), {"categories": (64, 18_357)}),
    "yelp-seq": ((30_431, 20_033, [316_354]), {"categories": (64, 20_032)}),
    "lastfm-seq": ((1_090, 3_646, [52_551]), {"categories": (64, 3_646)}),
    "amazon-grocery-seq": ((14_681, 8_687, [121_892]), {"category": (56, 8_687)}),
    "coat": ((290, 300, [6_960, 464, 4_176]), {"attributes": (33, 300)}),
}


def options(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load(FILES[name].read_text(encoding="utf-8")))


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> MultimodalDataset:
    if name != "ml-100k" and not (DATA / name).is_dir():
        pytest.skip(f"no data at {DATA / name}; set RECBOLE_INVARIANT_DATA to its folder")
    monkeypatch.setattr(sys, "argv", ["pytest"])  # RecBole reads the command line
    given = {**options(name), "data_path": str(DATA), "use_gpu": False}
    return MultimodalDataset(Config(model="BPR", dataset=name, config_dict=given))


def test_every_file_has_its_contents_stated_here() -> None:
    assert set(CONTENTS) <= set(FILES)


@pytest.mark.parametrize("name", sorted(FILES))
def test_keys_and_modalities_are_known(name: str) -> None:
    unknown = set(options(name)) - known_keys() - {"models"}
    assert not unknown
    parse_specs(options(name).get("modalities"))


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_licence_is_stated(name: str) -> None:
    assert "Licence: " in FILES[name].read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(CONTENTS))
def test_loaded_counts_are_the_published_ones(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = load(name, monkeypatch)
    (users, items, rows), modalities = CONTENTS[name]
    assert (dataset.user_num - 1, dataset.item_num - 1) == (users, items)
    assert getattr(dataset, "file_size_list", [dataset.inter_num]) == rows
    found = {m.name: (m.dim, m.n_covered) for m in dataset.modalities.values()}
    assert found == modalities
    for modality in dataset.modalities.values():
        norms = torch.linalg.vector_norm(modality.values, dim=1)
        assert norms[0] == 0
        assert ((norms == 0) | ((norms - 1).abs() < 1e-5)).all()


@pytest.mark.parametrize("name", ["ml-100k", "ml-100k-mm", "ml-latest-small-mm", "coat"])
def test_ratings_stay_on_their_own_scale(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = load(name, monkeypatch)
    ratings = dataset.inter_feat["rating"]
    assert ratings.max() == 5  # RecBole's own ml-100k options would make it 1
    assert ratings.min() in (0.5, 1)


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_default_protocol_is_known_and_fits_the_files(name: str) -> None:
    given = options(name)
    if given.get("ood") is not None:
        protocol(given["ood"])
    if given.get("ood") == "exposure":
        assert {"train", "test"} <= set(given["benchmark_filename"])


def test_coat_attributes_weigh_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    attributes = load("coat", monkeypatch).modalities["attributes"].values
    assert attributes[1:].unique().tolist() == [0, 0.5]  # four of 33 attributes an item


SEQUENCES = sorted(name for name in FILES if name.endswith("-seq"))


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences_are_cut_by_leave_one_out(name: str) -> None:
    given = options(name)
    assert given["eval_args"]["split"] == {"LS": "valid_and_test"}
    assert given["eval_args"]["order"] == "TO"
    assert given["eval_args"]["mode"] == "full"  # RecBole's default is sampled
    assert "timestamp" in given["load_col"]["inter"]
    # positions in a sequence are no clock times
    assert given["ood"] == ("temporal" if name == "amazon-grocery-seq" else None)


def test_ml_100k_genres_bring_the_same_items_together(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = load("ml-100k", monkeypatch)
    genre = dataset.modalities["genre"].values
    # Toy Story and Aladdin: Animation, Children's, Comedy (Aladdin also Musical); GoldenEye: none
    toy_story, aladdin, golden_eye = (dataset.token2id("item_id", t) for t in ("1", "95", "2"))
    assert genre[toy_story] @ genre[aladdin] > 0.5
    assert genre[toy_story] @ genre[golden_eye] == 0


ATTRIBUTES = sorted(name for name in FILES if "Irl4Rec" in options(name).get("models", {}))


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_the_attribute_of_irl4rec_is_a_column_that_its_options_load(name: str) -> None:
    if name != "ml-100k" and not (DATA / name).is_dir():
        pytest.skip(f"no data at {DATA / name}; set RECBOLE_INVARIANT_DATA to its folder")
    config = build_config("Irl4Rec", name, {"variant": "attribute", "data_path": str(DATA)})
    assert config["attribute"] in config["load_col"]["item"]


@pytest.mark.parametrize("name", ["ml-100k", "amazon-grocery-seq"])
def test_irl4rec_ranks_the_items_that_other_models_rank(name: str) -> None:
    """Items of the .item file without an interaction would otherwise be ranked by it alone."""
    if name != "ml-100k" and not (DATA / name).is_dir():
        pytest.skip(f"no data at {DATA / name}; set RECBOLE_INVARIANT_DATA to its folder")
    found = {}
    for model in ("GRU4Rec", "Irl4Rec"):
        config = build_config(model, name, {"data_path": str(DATA), "use_gpu": False})
        request_positives(config)
        found[model] = Dataset(config)
        found[model]._change_feat_format()
    plain, ours = found.values()
    assert (ours.field2id_token["item_id"] == plain.field2id_token["item_id"]).all()
    tokens = item_tokens(ours, config["attribute"])
    assert (tokens[1:].sum(axis=1) > 0).mean() > 0.99
