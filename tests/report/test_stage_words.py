"""What the stages came to is said of a run as of several."""

from typing import Any

from recbole_invariant.report.stage_words import full_name, kept_notes, limit_notes
from recbole_invariant.report.tables import run_notes


def record(kept: str = "best", keep: str = "better", **changes: Any) -> dict[str, Any]:
    ends = {
        "pretrain": {"stage": "pretrain", "epoch": 1, "valid": {"ndcg@10": 0.0459}},
        "best": {"stage": "alternate", "epoch": 7, "valid": {"ndcg@10": 0.0441}},
        "last": {"stage": "alternate", "epoch": 9, "valid": {"ndcg@10": 0.04}},
    }
    return {
        "model": "IDEA",
        "dataset": "toy",
        "protocol": None,
        "seed": 1,
        "split": {},
        "n_interactions": {"train": 8},
        "diagnostics": {"backbone": "SASRec", "kept": kept, **ends, **changes},
        "options": {"keep": {"value": keep, "layer": "x"}},
        "selection": {"metric": "ndcg@10", "name": "valid", "rule": "highest"},
        "stages": [
            {"name": "pretrain", "epochs": 2, "seconds": 1.0, "ended": "limit"},
            {"name": "alternate", "epochs": 10, "seconds": 1.0, "ended": "early stop"},
        ],
    }


def test_the_kept_weights_stand_with_their_rivals() -> None:
    assert kept_notes(record(keep="best")) == [
        "IDEA kept: best of stage 'alternate', epoch 7 (valid ndcg@10 0.0441; plain backbone "
        "0.0459, epoch 1; alternate last 0.0400, epoch 9); `keep: best` chose, not validation "
        "between the stages"
    ]
    (line,) = kept_notes(record("pretrain"))
    assert line.startswith("IDEA kept: plain backbone of stage 'pretrain', epoch 1 (valid ndcg@10")
    assert "alternate best 0.0441, epoch 7" in line
    assert line.endswith("chosen by validation between the stages")


def test_without_a_second_stage_or_scores_less_is_said() -> None:
    assert kept_notes(record("pretrain", best=None, last=None)) == [
        "IDEA kept: plain backbone of stage 'pretrain', epoch 1 (valid ndcg@10 0.0459); there is "
        "no other stage"
    ]
    hidden = {"stage": "pretrain", "epoch": 1, "valid": None}
    assert "(" not in kept_notes(record("pretrain", pretrain=hidden))[0]
    assert kept_notes({"model": "BPR"}) == []


def test_a_limit_is_said_of_the_stage_that_met_it() -> None:
    assert limit_notes(record()) == [
        "pretrain of IDEA ended at its limit of 2 epochs: its plain backbone, and a baseline held "
        "against it, may be trained too little"
    ]
    plain = {"model": "BPR", "stages": [{"name": "train", "epochs": 1, "ended": "limit"}]}
    assert limit_notes(plain) == [
        "train of BPR ended at its limit of 1 epoch: it may be trained too little"
    ]
    assert limit_notes({"model": "BPR", "stages": [{"name": "train", "epochs": 1}]}) == []


def test_a_runs_notes_have_them_and_name_the_backbone() -> None:
    notes = run_notes(record())
    assert notes[-1].startswith("schedule of IDEA over SASRec: pretrain 2 epochs")
    assert any(note.startswith("IDEA kept: ") for note in notes)
    assert any(note.startswith("pretrain of IDEA ended") for note in notes)
    assert full_name({"model": "BPR"}) == "BPR"
    two_encoders = {"model": "Irl4Rec", "diagnostics": {"encoder": "NARM"}}
    assert full_name(two_encoders) == "Irl4Rec over NARM"
