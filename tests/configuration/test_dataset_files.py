"""What is said of a dataset whose files are not there."""

import re
from pathlib import Path

import pytest

from recbole_invariant.cli.main import main
from recbole_invariant.config import build_config
from recbole_invariant.errors import InputError

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
