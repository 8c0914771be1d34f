import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recbole.data.dataset as host_datasets
import torch
from recbole.data import create_dataset
from recbole.utils.argument_list import dataset_arguments

from recbole_invariant.data.dataset import MultimodalDataset
from recbole_invariant.errors import InputError

HostConfig = Callable[..., Any]
VISUAL = np.array([[3, 4, 0], [0, 0, 2], [9, 9, 9]], dtype=np.float16)
VISUAL_TOKENS = ["007", "9", "nobody"]  # the last stands in no interaction
PRELOAD: dict[str, Any] = {
    "additional_feat_suffix": ["vemb"],
    "alias_of_item_id": ["iid_v"],
    "preload_weight": {"iid_v": "v_emb"},
    "load_col": {"inter": ["user_id", "item_id"], "vemb": ["iid_v", "v_emb"]},
    "modalities": {"visual": {"source": "preload", "id_field": "iid_v"}},
}


@pytest.fixture
def visual(write_npy: Callable[..., None]) -> None:
    write_npy("visual", VISUAL, VISUAL_TOKENS)


@pytest.fixture
def vemb(folder: Path) -> Path:
    path = folder / "toy.vemb"
    path.write_text(
        "iid_v:token\tv_emb:float_seq\nnobody\t9 9 9\n007\t3 4 0\n9\t0 0 2\nsomeone\t1 1 1\n"
    )
    return path


def expected_by_token(dataset: MultimodalDataset) -> list[list[float]]:
    rows = {"007": [0.6, 0.8, 0.0], "9": [0.0, 0.0, 1.0]}
    tokens = dataset.id2token("item_id", range(dataset.item_num))
    return [rows.get(token, [0.0, 0.0, 0.0]) for token in tokens]


@pytest.mark.usefixtures("visual")
def test_features_follow_internal_ids(host_config: HostConfig) -> None:
    dataset = MultimodalDataset(host_config(modalities={"visual": {"source": "npy"}}))
    assert dataset.item_num == 5  # four items and padding: 'nobody' and 'unseen' stay out
    features = dataset.item_features()
    assert features.dtype == torch.float32
    torch.testing.assert_close(features, torch.tensor(expected_by_token(dataset)))
    assert dataset.modalities["visual"].n_covered == 2


@pytest.mark.usefixtures("visual")
def test_slices_cut_the_joined_features_in_option_order(host_config: HostConfig) -> None:
    kind = {"source": "text", "fields": "kind"}
    modalities = {"kind": kind, "visual": {"source": "npy"}}
    dataset = MultimodalDataset(host_config(modalities=modalities))
    assert dataset.modality_slices == {"kind": slice(0, 2), "visual": slice(2, 5)}
    joined = dataset.item_features()
    for name, columns in dataset.modality_slices.items():
        assert torch.equal(joined[:, columns], dataset.modalities[name].values)


@pytest.mark.usefixtures("visual")
def test_splits_share_the_modalities(host_config: HostConfig) -> None:
    dataset = MultimodalDataset(host_config(modalities={"visual": {"source": "npy"}}))
    for part in dataset.build():
        assert part.modalities is dataset.modalities
        assert torch.equal(part.item_features(), dataset.item_features())


@pytest.mark.usefixtures("visual")
def test_filtered_items_drop_their_rows(host_config: HostConfig) -> None:
    config = host_config(
        modalities={"visual": {"source": "npy"}}, item_inter_num_interval="[2,inf)"
    )
    dataset = MultimodalDataset(config)
    assert set(dataset.field2id_token["item_id"]) == {"[PAD]", "7", "007"}
    assert dataset.item_features().shape == (3, 3)
    assert dataset.modalities["visual"].n_covered == 1


def test_without_modalities_the_dataset_is_the_hosts(host_config: HostConfig) -> None:
    dataset = MultimodalDataset(host_config())
    host = host_datasets.Dataset(host_config())
    assert dataset.modalities == {}
    assert dataset.modality_slices == {}
    assert dataset.field2token_id["item_id"] == host.field2token_id["item_id"]
    with pytest.raises(InputError, match=r"dataset 'toy' has no item features.*`modalities`"):
        dataset.item_features()


@pytest.mark.usefixtures("visual")
def test_a_pickled_dataset_keeps_its_features(host_config: HostConfig) -> None:
    dataset = MultimodalDataset(host_config(modalities={"visual": {"source": "npy"}}))
    restored = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(restored.item_features(), dataset.item_features())
    assert restored.modalities["visual"].checksum == dataset.modalities["visual"].checksum


@pytest.mark.usefixtures("visual")
def test_the_hosts_saved_dataset_is_not_reused_for_other_features(
    host_config: HostConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_datasets, "BPRDataset", MultimodalDataset, raising=False)
    first = create_dataset(host_config(modalities={"visual": {"source": "npy"}}, save_dataset=True))
    saved = list(Path(first.config["checkpoint_dir"]).glob("toy-*.pth"))
    assert len(saved) == 1
    same = create_dataset(host_config(modalities={"visual": {"source": "npy"}}))
    assert torch.equal(same.item_features(), first.item_features())
    kind = {"kind": {"source": "text", "fields": "kind"}}
    other = create_dataset(host_config(modalities=kind, dataset_save_path=str(saved[0])))
    assert list(other.modalities) == ["kind"]
    assert dataset_arguments.count("modalities") == 1


def test_preload_gives_what_npy_gives(host_config: HostConfig, vemb: Path) -> None:
    dataset = MultimodalDataset(host_config(**PRELOAD))
    assert dataset.item_num == 5
    torch.testing.assert_close(dataset.item_features(), torch.tensor(expected_by_token(dataset)))
    assert dataset.modalities["visual"].n_covered == 2
    assert "toy.vemb (v_emb)" in dataset.modalities["visual"].source
    assert sum(part.inter_num for part in dataset.build()) == 6


def test_preload_without_our_dataset_would_add_candidates(
    host_config: HostConfig, vemb: Path
) -> None:
    host = host_datasets.Dataset(host_config(**PRELOAD))
    assert host.item_num == 7  # why MultimodalDataset drops 'nobody' and 'someone'


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"preload_weight": None}, "preload_weight has no 'iid_v'"),
        ({"preload_weight": {"iid": "v_emb"}}, "Did you mean 'iid'"),
        ({"preload_weight": {"iid_v": "vemb"}}, "Did you mean 'v_emb'"),
        ({"preload_weight": {"iid_v": "iid_v"}}, "must be float_seq or float, not token"),
        ({"alias_of_item_id": None}, "alias_of_item_id must list 'iid_v'"),
        ({"additional_feat_suffix": None}, "no additional file has the column 'iid_v'"),
        ({"load_col": {"inter": ["user_id", "item_id"]}}, "load_col.vemb must list iid_v, v_emb"),
        (
            {"load_col": {"inter": ["user_id", "item_id"], "vemb": ["iid_v"]}},
            "load_col.vemb must list v_emb",
        ),
    ],
)
def test_preload_options_that_do_not_fit_are_named_before_loading(
    host_config: HostConfig, vemb: Path, folder: Path, change: dict[str, Any], message: str
) -> None:
    (folder / "toy.inter").unlink()  # RecBole would stop at this file
    with pytest.raises(InputError) as caught:
        MultimodalDataset(host_config(**{**PRELOAD, **change}))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("007\t1 2\n9\t3 4\n7\t5\n", "item '7' has 1 numbers in 'v_emb' where most have 2"),
        ("007\t1 2\n9\t3 4\n007\t5 6\n", "item '007' has two rows"),
        ("007\t1 2\n9\tnan 4\n", "item '9' has the feature value nan"),
        ("0007\t1 2\n09\t3 4\n", "no 'iid_v' of the .vemb file is in the interactions"),
    ],
)
def test_preload_files_that_the_host_would_mend_silently(
    host_config: HostConfig, vemb: Path, rows: str, message: str
) -> None:
    vemb.write_text("iid_v:token\tv_emb:float_seq\n" + rows)
    with pytest.raises(InputError) as caught:
        MultimodalDataset(host_config(**PRELOAD))
    assert message in str(caught.value)


def test_preload_takes_one_number_an_item(host_config: HostConfig, vemb: Path) -> None:
    vemb.write_text("iid_v:token\tv_emb:float\n007\t-2\n9\t0.5\n")
    dataset = MultimodalDataset(host_config(**PRELOAD))
    by_token = dict(
        zip(dataset.field2id_token["item_id"], dataset.item_features()[:, 0].tolist(), strict=True)
    )
    assert by_token == {"[PAD]": 0, "7": 0, "007": -1, "a b": 0, "9": 1}


@pytest.mark.usefixtures("visual")
def test_source_splits_keep_their_features(host_config: HostConfig, folder: Path) -> None:
    lines = (folder / "toy.inter").read_text().splitlines(keepends=True)
    for name, rows in (("train", lines[1:4]), ("valid", lines[4:5]), ("test", lines[5:])):
        (folder / f"toy.{name}.inter").write_text(lines[0] + "".join(rows))
    config = host_config(
        modalities={"visual": {"source": "npy"}}, benchmark_filename=["train", "valid", "test"]
    )
    parts = MultimodalDataset(config).build()
    assert [part.inter_num for part in parts] == [3, 1, 2]
    torch.testing.assert_close(parts[0].item_features(), torch.tensor(expected_by_token(parts[0])))


@pytest.mark.usefixtures("visual", "vemb")
def test_sources_mix_with_load_col_left_open(host_config: HostConfig) -> None:
    modalities = {"kind": {"source": "text", "fields": "kind"}, **PRELOAD["modalities"]}
    options = {**PRELOAD, "modalities": modalities}
    options["load_col"] = {"inter": ["user_id", "item_id"], "vemb": "*"}
    dataset = MultimodalDataset(host_config(**options))
    assert dataset.item_num == 5
    torch.testing.assert_close(
        dataset.item_features()[:, 2:], torch.tensor(expected_by_token(dataset))
    )
