"""The section that benchmarks/published.py writes."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

import recbole_invariant as ri
from benchmarks import published
from benchmarks.published import BEGIN, CASES, END, Case, put_section, rows_of, run_case, section

CASE = Case("toy", "BPR", {"recall@20": 0.04, "ndcg@20": 0.01}, "a paper: MF", "other loss")


def record(**options: Any) -> dict[str, Any]:
    return {
        "dataset": "toy",
        "model": "BPR",
        "seed": 7,
        "selection": {"best_epoch": 3},
        "metrics": {"iid": {"recall@20": 0.05, "ndcg@20": 0.01, "hit@20": 0.5}},
        "options": {"ood": {"value": None}, **options},
    }


def test_each_figure_stands_beside_the_measured_one() -> None:
    assert rows_of(CASE, record()) == [
        ["toy", "BPR", "recall@20", "0.0400", "0.0500", "1.25"],
        ["toy", "BPR", "ndcg@20", "0.0100", "0.0100", "1.00"],
    ]
    unpublished = rows_of(Case("toy", "Pop", {}, "not published", "floor"), record())
    assert [line[3:] for line in unpublished] == [["", "0.0500", ""], ["", "0.0100", ""]]


def test_the_section_explains_and_names_what_is_missing() -> None:
    text = section([(CASE, record())], ["tiktok, LightGCN"])
    assert "* toy, BPR (seed 7, epoch 3 selected): a paper: MF; other loss." in text
    assert "* tiktok, LightGCN: no run yet." in text
    assert "0.0400" in text  # its last zero stays


def test_only_the_section_is_written_anew() -> None:
    first = put_section("# Results\n\nabove\n", section([], ["x, Y"]))
    assert first.startswith("# Results\n\nabove\n\n" + BEGIN)
    page = first + "\n## below\n"
    second = put_section(page, section([(CASE, record())], []))
    assert second.count(BEGIN) == second.count(END) == 1
    assert second.startswith("# Results\n\nabove\n")
    assert second.endswith("\n## below\n")
    assert "x, Y" not in second
    assert "toy, BPR" in second
    with pytest.raises(ValueError, match="one of the markers"):
        put_section(f"# Results\n{BEGIN}\n", "new")


def test_runs_that_are_done_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(ri, "run", lambda *given, **_: made.append(given))
    arguments = argparse.Namespace(output_dir=str(tmp_path), report=True)
    assert run_case(CASE, arguments) is None
    folder = tmp_path / "toy-BPR"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps(record()))
    assert run_case(CASE, arguments) == record()
    assert not made


def test_a_run_with_other_options_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "toy-BPR"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps(record(ood={"value": "popularity"})))
    with pytest.raises(SystemExit, match=r"other options \(\['ood'\]\)"):
        run_case(CASE, argparse.Namespace(output_dir=str(tmp_path), report=True))


def test_cases_have_names_of_their_own_and_shipped_datasets() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    root = Path(published.__file__).parents[1]
    for case in CASES:
        assert (root / "dataset_configs" / f"{case.dataset}.yaml").is_file()
        assert all(0 < value < 1 for value in case.published.values())
