"""Which rows are encoded, and what encoding them leaves alone."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recbole_invariant.preparation import Prepared
from recbole_invariant.trainer import represented_rows
from recbole_invariant.trainer.represented_rows import represent_rows
from tests.represented import (
    Known,
    generator,
    loaded,
    validated,
    write_diagnosed,
)
from tests.sequences import SMALL


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_diagnosed(tmp_path_factory.mktemp("diagnosed"))


@pytest.fixture(scope="module", params=[True, False])
def data(request: Any, folder: Path) -> Prepared:
    return validated(folder, by_user=request.param)


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


def test_every_row_is_held_against_another() -> None:
    for n_rows in (2, 3, 50):
        others = represented_rows._other_rows(n_rows, generator())
        assert sorted(others.tolist()) == list(range(n_rows))
        assert not bool((others == torch.arange(n_rows)).any())
    assert represented_rows._other_rows(1, generator()).tolist() == [0]


def test_shuffled_margins_are_by_the_vectors_of_other_rows(
    data: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = data.loaders.valid
    model = Known(loader._dataset)
    pairs: list[tuple[torch.Tensor, torch.Tensor]] = []

    def scored(s: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        pairs.append((s, items))
        return Known.spurious_item_scores(model, s, items)

    monkeypatch.setattr(model, "spurious_item_scores", scored)
    rows = represent_rows(model, loader, generator())
    (own, target), (_, negative), (other, again), (_, negative_again) = pairs
    assert torch.equal(target, rows.targets)
    assert torch.equal(target, again)
    assert torch.equal(negative, negative_again)
    assert torch.equal(own.sum(dim=0), other.sum(dim=0)), "a permutation"
    assert not torch.equal(own, other)
    score = model.colours, model.after
    wanted = [
        (score[1][s.argmax(1)] == score[0][target]).float()
        - (score[1][s.argmax(1)] == score[0][negative]).float()
        for s in (own, other)
    ]
    spurious = rows.by_name["spurious"]
    assert torch.equal(spurious.margins, wanted[0])
    assert torch.equal(spurious.shuffled, wanted[1])


def streams() -> list[bytes]:
    """Return the states of the global random generators."""
    numpy: Any = np.random.get_state()
    states = [random.getstate(), numpy[0], numpy[1].tobytes(), numpy[2:]]
    return [repr(states).encode(), torch.get_rng_state().numpy().tobytes()]


@pytest.mark.parametrize("encoder", ["SASRec", "BERT4Rec"])
def test_no_global_stream_is_drawn_from(folder: Path, encoder: str) -> None:
    loader = loaded(folder, encoder, **SMALL[encoder])[0].loaders.valid
    before = streams()
    if encoder == "BERT4Rec":  # its masks are Python's draws
        kept = random.getstate()
        loader.collate_fn([0])
        assert streams() != before
        random.setstate(kept)
    represent_rows(Known(loader._dataset), loader, generator())
    assert streams() == before


@pytest.mark.parametrize("draw", [random.random, np.random.rand, lambda: torch.rand(1)])
def test_mode_and_streams_are_put_back_after_an_error(
    data: Prepared, draw: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = data.loaders.valid
    model = Known(loader._dataset)
    model.train()

    def fail(rows: Any) -> Any:
        draw()
        raise RuntimeError("no memory")

    monkeypatch.setattr(model, "represent", fail)
    before = streams()
    with pytest.raises(RuntimeError, match="no memory"):
        represent_rows(model, loader, generator())
    assert model.training
    assert streams() == before
