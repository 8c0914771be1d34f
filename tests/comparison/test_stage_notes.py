"""Backbones, kept weights and limits of several seeds stand in the notes of a comparison."""

from pathlib import Path
from typing import Any

from recbole_invariant.comparison.collect import find_runs
from recbole_invariant.comparison.summary import summarise
from tests.comparison.folders import FULL, write_run


def diagnostics(kept: str, backbone: str = "GRU4Rec") -> dict[str, Any]:
    ends = {
        name: {"stage": stage, "epoch": 2, "valid": {"ndcg@10": 0.1}}
        for name, stage in (("pretrain", "pretrain"), ("best", "alternate"), ("last", "alternate"))
    }
    return {"backbone": backbone, "kept": kept, **ends}


def stages(ended: str) -> list[dict[str, Any]]:
    return [{"name": "pretrain", "epochs": 2, "seconds": 1.0, "ended": ended}]


def write(folder: Path) -> list[str]:
    for seed, kept in enumerate(("pretrain", "pretrain", "best")):
        ended = "early stop" if seed else "limit"
        more: dict[str, Any] = {"diagnostics": diagnostics(kept), "stages": stages(ended)}
        write_run(folder / f"a{seed}", "IDEA", seed, **more)
        fixed = {"keep": {"value": "best", "layer": "command line"}, "eval_args": FULL}
        more = {"diagnostics": diagnostics("best", "SASRec"), "options": fixed}
        label = "IDEA[backbone=SASRec]"
        write_run(folder / f"b{seed}", "IDEA", seed, label=label, stages=stages("limit"), **more)
        write_run(folder / f"c{seed}", "BPR", seed)
        write_run(folder / f"d{seed}", "Irl4Rec", seed, diagnostics={"encoder": "SASRec"})
    return summarise(find_runs(folder)).notes


def test_the_notes_tell_them(tmp_path: Path) -> None:
    notes = write(tmp_path)
    wanted = [
        "wrapped models: IDEA over GRU4Rec; IDEA[backbone=SASRec], Irl4Rec over SASRec",
        "IDEA kept: plain backbone of stage 'pretrain' in 2 of 3 seeds, best of stage 'alternate' "
        "in 1 of 3 seeds; chosen by validation between the stages",
        "IDEA[backbone=SASRec] kept: best of stage 'alternate' in 3 of 3 seeds; `keep: best` "
        "chose, not validation between the stages",
        "pretrain of IDEA (seeds [0]) ended at its limit of 2 epochs: its plain backbone, and a "
        "baseline held against it, may be trained too little",
        "pretrain of IDEA[backbone=SASRec] ended at its limit of 2 epochs: its plain backbone, and "
        "a baseline held against it, may be trained too little",
    ]
    assert [note for note in notes if note in wanted] == wanted
    assert not any("BPR ended" in note or "BPR kept" in note for note in notes)


def test_the_runs_own_notes_are_repeated_but_not_that_an_option_is_another_models(
    tmp_path: Path,
) -> None:
    unread = "command line: option 'n_heads' belongs to other models; Irl4Rec does not read it."
    for seed in (1, 2):
        write_run(tmp_path / str(seed), "Irl4Rec", seed, notes=[unread, "s is dead"])
    comparison = summarise(find_runs(tmp_path))
    assert comparison.notes.count("Irl4Rec: s is dead") == 1
    assert not any("n_heads" in note for note in comparison.notes)


def test_a_note_of_some_runs_says_of_how_many(tmp_path: Path) -> None:
    for seed in (1, 2, 3):
        said = ["without a mask"] if seed > 1 else []
        write_run(tmp_path / str(seed), "PaInvRL", seed, notes=[*said, *said, "always"])
    notes = summarise(find_runs(tmp_path)).notes
    relayed = [note for note in notes if note.startswith("PaInvRL: ")]
    assert sorted(relayed) == ["PaInvRL: always", "PaInvRL: without a mask (2 of 3 runs)"]
