"""What is said of a dataset whose files are not there."""

import re
from pathlib import Path

import pytest

from recbole_invariant.cli.main import main
from recbole_invariant.config import build_config
from recbole_invariant.configuration.file_columns import columns_of
from recbole_invariant.errors import InputError
from recbole_invariant.preparation import prepare
from recbole_invariant.registry import resolve

KINDS = {"items": ("planted", "BPR"), "sequences": ("planted-sequences", "GRU4Rec")}


def message(model: str, dataset: str, data_path: Path) -> str:
    with pytest.raises(InputError) as caught:
        build_config(model, dataset, {"data_path": str(data_path)})
    (said,) = caught.value.problems
    return said


@pytest.mark.parametrize("kind", KINDS)
def test_planted_data_of_another_name_are_told_their_file_of_options(tmp_path, capsys, kind):
    own, model = KINDS[kind]
    words = ["planted", "--kind", kind, "--out", str(tmp_path / "mine-seq"), "--users=40"]
    assert main([*words, "--items=50"]) == 0
    capsys.readouterr()

    said = message(model, "mine-seq", tmp_path)

    assert "Did you mean" not in said
    assert "benchmark_filename" not in said
    found = re.search(r"--config_files (\S+)$", said)
    assert found is not None
    assert Path(found[1]).stem == own
    given = {"data_path": str(tmp_path)}
    config = build_config(model, "mine-seq", given, config_files=[found[1]])
    assert set(config["benchmark_filename"]) == {"train", "valid", "iid", "ood_flip", "ood_remove"}


@pytest.mark.parametrize("parts", [["train", "test"], ["train", "ood_mine"]])
def test_parts_that_anybody_may_have_are_to_be_named(tmp_path, parts):
    (tmp_path / "mine").mkdir()
    for part in parts:
        (tmp_path / "mine" / f"mine.{part}.inter").write_text("user_id:token\titem_id:token\n")

    said = message("BPR", "mine", tmp_path)

    assert "name them in order as benchmark_filename" in said
    assert "--config_files" not in said


def test_a_near_name_is_suggested_and_never_the_same(tmp_path):
    for name in ("mine", "mina"):
        (tmp_path / name).mkdir()

    said = message("BPR", "mine", tmp_path)

    assert "Did you mean 'mina'?" in said


def own_data(folder: Path, header: str = "user_id:token\titem_id:token\ttimestamp:float") -> Path:
    """Write a dataset `mine` of one file."""
    (folder / "mine").mkdir()
    separator = "\t" if "\t" in header else ","
    rows = [
        separator.join([f"u{u}", f"i{(7 * u + 3 * k) % 30}", str(1_500_000_000 + 1000 * k + u)])
        for u in range(20)
        for k in range(12)
    ]
    (folder / "mine" / "mine.inter").write_text("\n".join([header, *rows]) + "\n")
    return folder


def test_a_column_that_no_file_has_is_refused_with_its_near_name(tmp_path):
    own_data(tmp_path)
    with pytest.raises(InputError) as caught:
        build_config(
            "BPR",
            "mine",
            {"data_path": str(tmp_path), "load_col": {"inter": ["user_id", "item_id", "tstamp"]}},
        )
    assert caught.value.problems == [
        "load_col: inter: no file has the column 'tstamp'. Did you mean 'timestamp'? There are "
        "item_id, timestamp, user_id."
    ]


def test_columns_with_commas_between_them_are_told(tmp_path):
    own_data(tmp_path, "user_id:token,item_id:token,timestamp:float")
    with pytest.raises(InputError, match=r"Columns stand with tabs between them \(field_sep"):
        build_config("BPR", "mine", {"data_path": str(tmp_path)})


def test_a_file_that_cannot_be_read_is_wrong_input(tmp_path, monkeypatch):
    own_data(tmp_path)

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"mine\.inter: cannot be read: Permission denied"):
        columns_of(tmp_path / "mine" / "mine.inter", "\t", "utf-8")


@pytest.mark.parametrize("time", ["timestamp", "when"])
def test_a_temporal_cut_loads_its_column_or_misses_it_before_anything_runs(tmp_path, time):
    own_data(tmp_path)
    given = {"data_path": str(tmp_path), "ood": "temporal", "TIME_FIELD": time, "topk": [5]}
    given |= {"valid_metric": "NDCG@5"}
    if time == "when":
        with pytest.raises(InputError, match=r"'when:float' \(TIME_FIELD\), which ood: temporal"):
            build_config("BPR", "mine", given)
        return
    prepared = prepare(build_config("BPR", "mine", given), resolve("BPR"))
    assert set(prepared.parts.by_name) == {"train", "valid", "iid", "ood_temporal"}
    for part in prepared.parts.by_name.values():
        assert "timestamp" not in part.inter_feat.columns, "it says which part a row is in"
