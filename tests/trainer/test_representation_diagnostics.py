"""Diagnostics of t and s, on a model that holds what is known, and on Irl4Rec."""

from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recbole_invariant.objective.information import cross_covariance, hsic
from recbole_invariant.preparation import Prepared
from recbole_invariant.trainer.irl4rec import spurious_alive
from recbole_invariant.trainer.representation_diagnostics import (
    describe,
    probes,
    selected_diagnostics,
    token_columns,
    validation_diagnostics,
)
from recbole_invariant.trainer.represented_rows import (
    Representation,
    RepresentedRows,
    represent_rows,
)
from tests.represented import (
    N_ITEMS,
    Known,
    Popular,
    generator,
    loaded,
    validated,
    write_diagnosed,
    write_popular,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_diagnosed(tmp_path_factory.mktemp("diagnosed"))


@pytest.fixture(scope="module", params=[True, False])
def data(request: Any, folder: Path) -> Prepared:
    return validated(folder, by_user=request.param)


def test_what_each_representation_holds_is_measured(data: Prepared) -> None:
    loader = data.loaders.valid
    said = selected_diagnostics(Known(loader._dataset), loader, generator())
    values = said["representations"]
    assert values["adjustment_pairwise_loss"] == pytest.approx(log(2))
    assert values["adjustment_pairwise_auc"] == 0.5
    assert values["xcov"] == pytest.approx(0, abs=0.01)
    assert values["hsic"] == pytest.approx(0, abs=0.05)
    probes = said["probes"]
    assert set(probes) == {"colour", "tags"}
    last = probes["colour"]["last_item"]
    assert last["spurious"] == 1
    assert last["adjustment"] == pytest.approx(0.5, abs=0.12)
    assert set(last) == {"adjustment", "spurious"}
    target = probes["colour"]["target"]
    assert target["cue"] == pytest.approx(target["spurious"], abs=0.02), "s is the cue"
    assert set(target) == {"adjustment", "spurious", "cue"}


def test_the_s_branch_is_alive_where_it_predicts(folder: Path) -> None:
    loader = loaded(folder)[0].loaders.valid
    values = validation_diagnostics(Known(loader._dataset), loader, generator())
    assert values["spurious_pairwise_auc"] > 0.6
    assert values["spurious_pairwise_auc_shuffled"] == pytest.approx(0.5, abs=0.06)
    assert values["spurious_pairwise_loss"] < log(2) - 0.01
    assert spurious_alive(values)


def test_an_s_that_knows_no_more_than_what_is_popular_is_dead(tmp_path: Path) -> None:
    write_popular(tmp_path)
    data = loaded(tmp_path)[0]
    counts = torch.bincount(data.parts.fitted.inter_feat["item_id"], minlength=N_ITEMS + 1)
    loader = data.loaders.valid
    model = Popular(loader._dataset, counts.float())
    for seed in range(5):
        model.noise = 0.0
        constant = validation_diagnostics(model, loader, generator(seed))
        assert constant["spurious_pairwise_auc"] > 0.65
        assert constant["spurious_pairwise_auc_shuffled"] == constant["spurious_pairwise_auc"]
        assert constant["spurious_pairwise_auc_error"] == 0
        assert not spurious_alive(constant)
        model.noise = 1.0  # differs from history to history and says nothing of it
        noisy = validation_diagnostics(model, loader, generator(seed))
        assert noisy["spurious_pairwise_auc"] > 0.6
        assert noisy["spurious_pairwise_auc_error"] > 0
        assert not spurious_alive(noisy)


def test_the_error_is_mcnemars(data: Prepared) -> None:
    loader = data.loaders.valid
    rows = represent_rows(Known(loader._dataset), loader, generator())
    one = rows.by_name["spurious"]
    differences = (one.margins.sign() - one.shuffled.sign()).numpy() / 2
    wanted = np.sqrt(np.sum(differences**2)) / len(differences)
    assert describe(rows)["spurious_pairwise_auc_error"] == pytest.approx(wanted)
    # four rows that all speak for s are two standard errors: not yet more
    for n_rows in (3, 4, 5):
        margins, shuffled = torch.ones(n_rows), -torch.ones(n_rows)
        few = Representation(torch.randn(n_rows, 2), margins, shuffled)
        ids = torch.ones(n_rows, dtype=torch.long)
        by_name = {"adjustment": few, "spurious": few}
        assert spurious_alive(describe(RepresentedRows(by_name, ids, ids))) == (n_rows > 4)


def test_the_same_seed_gives_the_same(data: Prepared) -> None:
    loader = data.loaders.valid
    model = Known(loader._dataset)
    first = selected_diagnostics(model, loader, generator())
    assert first == selected_diagnostics(model, loader, generator())
    assert first["representations"] == validation_diagnostics(model, loader, generator())
    other = selected_diagnostics(model, loader, generator(1))["representations"]
    assert other["spurious_pairwise_loss"] != first["representations"]["spurious_pairwise_loss"]


def test_without_a_spurious_encoder_only_t_is_said(data: Prepared) -> None:
    loader = data.loaders.valid
    said = selected_diagnostics(Known(loader._dataset, spurious=False), loader, generator())
    kinds = ("loss", "auc", "auc_shuffled", "auc_error")
    assert set(said["representations"]) == {f"adjustment_pairwise_{kind}" for kind in kinds}
    assert set(said["probes"]["colour"]["last_item"]) == {"adjustment"}


def test_attributes_are_the_columns_of_tokens(folder: Path) -> None:
    dataset = loaded(folder)[0].parts.fitted
    assert token_columns(dataset) == ["colour", "tags"]
    bare = loaded(folder, load_col={"inter": ["user_id", "item_id", "timestamp"]})[0]
    rows = represent_rows(Known(dataset), bare.loaders.valid, generator())
    assert token_columns(bare.parts.fitted) == []
    assert probes(rows, bare.loaders.valid._dataset, generator()) == {}


@pytest.mark.parametrize("s_input", ["sequence", "attribute", "none"])
def test_irl4rec_has_the_seam(folder: Path, s_input: str) -> None:
    options = {"encoder": "SASRec", "s_input": s_input, "attribute": "colour"}
    data, model = loaded(folder, "Irl4Rec", **options)
    rows: RepresentedRows = represent_rows(model, data.loaders.valid, generator())
    names = {"adjustment"} if s_input == "none" else {"adjustment", "spurious"}
    assert set(rows.by_name) == names
    said = validation_diagnostics(model, data.loaders.valid, generator())
    if s_input == "none":
        return
    t, s = (rows.by_name[name].vectors for name in ("adjustment", "spurious"))
    assert said["xcov"] == pytest.approx(float(cross_covariance(t, s)) - 1 / (len(t) - 1))
    assert said["hsic"] < float(hsic(t, s))
