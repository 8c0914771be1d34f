from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from recbole.utils import get_model, init_seed

from recbole_invariant.errors import InputError
from recbole_invariant.evaluation.model_state import load_model, save_model
from tests.host import cut_toy, host_config, write_toy


def made(name: str, folder: Path, seed: int) -> tuple[Any, Any]:
    config = host_config(name, folder)
    _, parts = cut_toy(config)
    init_seed(seed, True)
    return get_model(name)(config, parts.train), parts


@pytest.mark.parametrize("name", ["BPR", "Pop", "ItemKNN", "EASE", "LightGCN"])
def test_a_stored_model_scores_as_before(name: str, tmp_path: Path) -> None:
    write_toy(tmp_path)
    model, parts = made(name, tmp_path, seed=1)
    if name == "Pop":
        rows = parts.train.inter_feat
        for item in rows["item_id"].tolist():
            model.calculate_loss({"item_id": torch.tensor([item])})
    model.eval()
    users = {"user_id": torch.arange(1, 6)}
    expected = model.full_sort_predict(users).view(5, -1)
    assert save_model(tmp_path / "model.safetensors", model) == []
    write_toy(tmp_path, seed=1)  # other interactions: what the file lacks shows
    other, _ = made(name, tmp_path, seed=2)
    other.eval()
    load_model(tmp_path / "model.safetensors", other)
    if name == "LightGCN":  # kept by other_parameter_name as its cache of the last ranking
        assert torch.equal(other.restore_user_e, model.restore_user_e)
    torch.testing.assert_close(other.full_sort_predict(users).view(5, -1), expected)


class Odd(torch.nn.Module):
    def __init__(self, empty: bool = False) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(2) if empty else torch.ones(2))
        self.csc = None if empty else scipy.sparse.csc_matrix(np.eye(3, dtype=np.float32))
        self.matrix = None if empty else np.asmatrix(np.arange(4.0).reshape(2, 2))
        self.graph = None if empty else torch.eye(2).to_sparse()
        self.count = 0 if empty else 7
        self.words = {"a": object()}

    def other_parameter(self) -> dict[str, Any]:
        return {k: getattr(self, k) for k in ("csc", "matrix", "graph", "count", "words")}


def test_every_kind_comes_back_as_it_was_and_the_rest_is_named(tmp_path: Path) -> None:
    path, model, other = tmp_path / "m.safetensors", Odd(), Odd(empty=True)
    assert save_model(path, model) == ["words"]
    load_model(path, other)
    assert other.weight.tolist() == [1, 1]
    assert other.csc is not None
    assert other.csc.format == "csc"
    assert (other.csc != model.csc).nnz == 0
    assert isinstance(other.matrix, np.matrix)
    assert other.matrix.tolist() == [[0, 1], [2, 3]]
    assert other.graph is not None
    assert other.graph.is_sparse
    assert torch.equal(other.graph.to_dense(), torch.eye(2))
    assert other.count == 7


def test_weights_of_another_shape_are_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_model(path, torch.nn.Linear(2, 2))
    with pytest.raises(InputError, match="not the weights of this model"):
        load_model(path, torch.nn.Linear(3, 2))
    with pytest.raises(InputError, match="not the weights of this model"):
        load_model(path, Odd())
