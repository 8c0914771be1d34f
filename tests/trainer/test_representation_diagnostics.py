"""Diagnostics of t and s, on a model that holds what is known, and on Irl4Rec."""

from math import log
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from recbole_invariant.objective.information import cross_covariance, hsic
from recbole_invariant.preparation import Prepared
from recbole_invariant.trainer import represented_rows
from recbole_invariant.trainer.representation_diagnostics import (
    probe_diagnostics,
    selected_diagnostics,
    token_columns,
    validation_diagnostics,
)
from recbole_invariant.trainer.represented_rows import RepresentedRows, represent_rows
from tests.sequences import SMALL, prepared, write_sequences

N_USERS, N_ITEMS, SIZE = 240, 30, 6
COLUMNS = ["item_id", "colour", "tags", "price"]


def write_items(folder: Path) -> None:
    """Write a colour (item mod 3), tags (one or two) and a price of every item."""
    lines = ["item_id:token\tcolour:token\ttags:token_seq\tprice:float"]
    for item in range(N_ITEMS):
        tags = f"even t{item % 5}" if item % 2 == 0 else f"t{item % 5}"
        lines.append(f"i{item}\tc{item % 3}\t{tags}\t{item / 10}")
    (folder / "toy" / "toy.item").write_text("\n".join(lines) + "\n")


def loaded(folder: Path, model: str = "SASRec", **changes: Any) -> tuple[Prepared, Any]:
    columns = {"inter": ["user_id", "item_id", "timestamp"], "item": COLUMNS}
    small = {**SMALL["SASRec"], "loss_type": "CE"}
    _, data, made, _ = prepared(folder, model, **(small | {"load_col": columns} | changes))
    return data, made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("diagnosed")
    write_sequences(folder, N_USERS, N_ITEMS)
    write_items(folder)
    return folder


@pytest.fixture(scope="module", params=["ratio", None])
def data(request: Any, folder: Path) -> Prepared:
    """Validation by our loader, one question a user, and by RecBole's, one a row."""
    cut: dict[str, Any] = {"ood": "random", "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}}}
    return loaded(folder, **(cut if request.param else {}))[0]


class Known(nn.Module):
    """A stand-in for Irl4Rec whose t knows users and whose s knows the last item's colour."""

    ITEM_SEQ, ITEM_SEQ_LEN = "item_id_list", "item_length"
    device = torch.device("cpu")

    def __init__(self, dataset: Any, spurious: bool = True) -> None:
        super().__init__()
        self.n_items = dataset.item_num
        draw = torch.Generator().manual_seed(0)
        self.users = torch.randn(dataset.user_num, SIZE, generator=draw)
        self.colours = torch.as_tensor(dataset.item_feat["colour"])
        ids = dataset.field2token_id["colour"]
        self.after = torch.zeros(4, dtype=torch.long)
        for number in range(3):
            self.after[ids[f"c{number}"]] = ids[f"c{(number + 1) % 3}"]
        self.spurious = spurious

    def represent(self, rows: Any) -> Any:
        assert not self.training
        assert not torch.is_grad_enabled()
        last = rows[self.ITEM_SEQ].gather(1, rows[self.ITEM_SEQ_LEN].unsqueeze(1) - 1)[:, 0]
        s = nn.functional.one_hot(self.colours[last], 4).float() if self.spurious else None
        return SimpleNamespace(adjustment=self.users[rows["user_id"]], spurious=s)

    def adjustment_scores(self, t: Tensor) -> Tensor:
        """Score all items alike: nothing is known of the target."""
        return torch.zeros(len(t), self.n_items)

    def spurious_scores(self, s: Tensor) -> Tensor:
        """Score items of the colour that follows the last one's, as the next item mostly is."""
        return (self.after[s.argmax(1)].unsqueeze(1) == self.colours).float()


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_rows_are_those_of_validation_with_targets_and_last_items(data: Prepared) -> None:
    loader = data.loaders.valid
    model = Known(loader._dataset)
    model.train()
    rows = represent_rows(model, loader, generator())
    assert model.training
    found: dict[tuple[int, ...], set[tuple[int, int]]] = {}
    for batch, _, places, items in loader:
        lengths = batch["item_length"]
        for place, item in zip(places.tolist(), items.tolist(), strict=True):
            last = int(batch["item_id_list"][place, lengths[place] - 1])
            key = tuple(model.users[batch["user_id"][place]].tolist())
            found.setdefault(key, set()).add((last, item))
    t = rows.by_name["adjustment"].vectors
    assert len(t) == len(found) == len(rows.targets)
    for vector, last, target in zip(t.tolist(), rows.last_items, rows.targets, strict=True):
        assert (int(last), int(target)) in found[tuple(vector)]


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
    assert values["spurious_pairwise_loss"] < log(2) - 0.01


def test_the_same_seed_gives_the_same_and_no_other_stream_is_drawn_from(data: Prepared) -> None:
    loader = data.loaders.valid
    model = Known(loader._dataset)
    before = torch.get_rng_state()
    first = selected_diagnostics(model, loader, generator())
    assert first == selected_diagnostics(model, loader, generator())
    assert first["representations"] == validation_diagnostics(model, loader, generator())
    assert first["probes"] == probe_diagnostics(model, loader, generator())
    other = selected_diagnostics(model, loader, generator(1))["representations"]
    assert other["spurious_pairwise_loss"] != first["representations"]["spurious_pairwise_loss"]
    assert torch.equal(before, torch.get_rng_state())


def test_without_a_spurious_encoder_only_t_is_said(data: Prepared) -> None:
    loader = data.loaders.valid
    said = selected_diagnostics(Known(loader._dataset, spurious=False), loader, generator())
    assert set(said["representations"]) == {"adjustment_pairwise_loss", "adjustment_pairwise_auc"}
    assert set(said["probes"]["colour"]["last_item"]) == {"adjustment"}


def test_many_rows_are_sampled(data: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = data.loaders.valid
    model = Known(loader._dataset)
    everything = represent_rows(model, loader, generator())
    monkeypatch.setattr(represented_rows, "MOST_ROWS", 50)
    monkeypatch.setattr(represented_rows, "BATCH", 16)
    some = represent_rows(model, loader, generator())
    assert len(some.targets) == 50
    whole = {tuple(v) for v in everything.by_name["adjustment"].vectors.tolist()}
    assert {tuple(v) for v in some.by_name["adjustment"].vectors.tolist()} < whole


def test_negatives_are_uniform_over_the_other_items() -> None:
    items = torch.arange(1, 6).repeat(4000)
    drawn = represented_rows._other_items(items, 6, generator())
    for item in range(1, 6):
        counts = np.bincount(drawn[items == item].numpy(), minlength=6)
        assert counts[item] == counts[0] == 0
        others = np.delete(counts, [0, item])
        assert others.min() > 900
        assert others.max() < 1100


def test_attributes_are_the_columns_of_tokens(folder: Path) -> None:
    dataset = loaded(folder)[0].parts.fitted
    assert token_columns(dataset) == ["colour", "tags"]
    bare = loaded(folder, load_col={"inter": ["user_id", "item_id", "timestamp"]})[0]
    model = Known(dataset)
    assert token_columns(bare.parts.fitted) == []
    assert probe_diagnostics(model, bare.loaders.valid, generator()) == {}


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
