"""How long each stage trains again, by the record of the run that was validated."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.config import build_config
from recbole_invariant.errors import InputError
from recbole_invariant.registry import resolve
from recbole_invariant.tuning.asked import Asked
from recbole_invariant.tuning.planning import make_plan
from recbole_invariant.tuning.refit import refit_epochs_of, refit_options, refit_problems


def stage(name: str, epochs: int, best: int | None) -> dict[str, Any]:
    return {"name": name, "epochs": epochs, "seconds": 1.0, "best_epoch": best, "ended": "limit"}


@given(st.lists(st.tuples(st.integers(0, 9), st.none() | st.integers(0, 8)), min_size=1))
def test_a_validated_stage_trains_up_to_its_best_epoch(sizes: list[tuple[int, int | None]]) -> None:
    stages = [
        stage(f"s{n}", epochs, None if best is None or best >= epochs else best)
        for n, (epochs, best) in enumerate(sizes)
    ]
    found = refit_epochs_of({"model": "M", "stages": stages})
    assert all(epochs >= 1 for epochs in found.values())
    for one in stages:
        if not one["epochs"]:
            assert one["name"] not in found
        elif one["best_epoch"] is None:
            assert found[one["name"]] == one["epochs"]
        else:
            # epochs count from 0
            assert found[one["name"]] - 1 == one["best_epoch"]


def test_the_order_is_that_of_the_stages() -> None:
    stages = [stage("pretrain", 9, 4), stage("mask 1", 3, None), stage("final", 8, 0)]
    options = refit_options({"stages": stages})
    assert list(options) == ["refit_epochs"]
    assert list(options["refit_epochs"].items()) == [("pretrain", 5), ("mask 1", 3), ("final", 1)]


@pytest.mark.parametrize(("kept", "epochs"), [("pretrain", 3), ("best", 3), ("last", 7)])
def test_what_chose_between_stages_is_kept(kept: str, epochs: int) -> None:
    stages = [stage("pretrain", 9, 4), stage("alternate", 8, 2)]
    ends = {"pretrain": None, "last": {"stage": "alternate", "epoch": 6}}
    options = refit_options({"stages": stages, "diagnostics": {"kept": kept, **ends}})
    assert options == {"keep": kept, "refit_epochs": {"pretrain": 5, "alternate": epochs}}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"model": "KGAT", "stages": [{"name": "train", "epochs": 3}]}, "loop of RecBole's own"),
        ({"model": "M", "stages": []}, "--refit train"),
        (
            {"stages": [stage("train", 3, None)], "selection": {"name": "refit"}},
            "is a refit itself",
        ),
    ],
)
def test_what_cannot_be_trained_again_is_told(record: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        refit_epochs_of(record)


@pytest.mark.parametrize(
    ("model", "refused"), [("BPR", False), ("Pop", False), ("PaInvRL", False), ("RecVAE", True)]
)
def test_a_loop_of_the_hosts_own_is_refused_before_the_search(model: str, refused: bool) -> None:
    config = build_config(model, "ml-100k")
    for refit in ("train", "none"):
        assert not refit_problems(refit, resolve(model), config)
    problems = refit_problems("train+valid", resolve(model), config)
    assert bool(problems) == refused
    if refused:
        with pytest.raises(InputError, match=r"refit: train\+valid: RecVAE"):
            make_plan(Asked(model, "ml-100k", 3, refit="train+valid"))


def test_runs_that_validate_nothing_cannot_be_searched(tmp_path: Path) -> None:
    file = tmp_path / "single.yaml"
    file.write_text("refit_epochs: {train: 3}\n")
    with pytest.raises(InputError, match=r"single.yaml: refit_epochs leaves no validation"):
        make_plan(Asked("BPR", "ml-100k", 3, config_files=[str(file)]))
