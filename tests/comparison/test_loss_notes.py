"""Lines that were trained with different losses are told apart in the notes."""

from pathlib import Path

from recbole_invariant.comparison.collect import find_runs
from recbole_invariant.comparison.layout import as_markdown
from recbole_invariant.comparison.summary import summarise
from tests.comparison.folders import FULL, write_run

BEGINS = "trained with different loss_type"


def write(folder: Path, model: str, loss: str | None, seed: int = 0, better: float = 0.0) -> None:
    options = {"eval_args": FULL}
    if loss is not None:
        options["loss_type"] = {"value": loss, "layer": "RecBole"}
    name = f"{model}-{loss}"
    label = f"{model}[loss_type={loss}]" if (folder / f"{model}-CE{seed}").exists() else model
    write_run(folder / f"{name}{seed}", model, seed, better, label=label, options=options)


def test_lines_are_named_by_their_loss_the_baselines_first(tmp_path: Path) -> None:
    for seed in (0, 1):
        write(tmp_path, "Irl4Rec", "BPR", seed)
        write(tmp_path, "GRU4Rec", "CE", seed, better=0.1)
        write(tmp_path, "GRU4Rec", "BPR", seed)
        write(tmp_path, "IDEA", "CE", seed)
        write(tmp_path, "Pop", None, seed)
    comparison = summarise(find_runs(tmp_path), "GRU4Rec")
    (said,) = [note for note in comparison.notes if note.startswith(BEGINS)]
    assert "does: CE: GRU4Rec, IDEA; BPR: GRU4Rec[loss_type=BPR], Irl4Rec; hold" in said
    assert "Pop" not in said
    assert f"- {BEGINS}" in as_markdown(comparison)


def test_one_loss_needs_no_note(tmp_path: Path) -> None:
    for model, loss in (("GRU4Rec", "CE"), ("IDEA", "CE"), ("Pop", None)):
        write(tmp_path, model, loss)
    assert not any(BEGINS in note for note in summarise(find_runs(tmp_path)).notes)


def test_a_loss_that_differs_between_seeds_names_the_line_twice(tmp_path: Path) -> None:
    write(tmp_path, "GRU4Rec", "CE", 0)
    options = {"eval_args": FULL, "loss_type": {"value": "BPR", "layer": "command line"}}
    write_run(tmp_path / "other", "GRU4Rec", 1, label="GRU4Rec", options=options)
    (said,) = [note for note in summarise(find_runs(tmp_path)).notes if note.startswith(BEGINS)]
    assert "CE: GRU4Rec; BPR: GRU4Rec;" in said
