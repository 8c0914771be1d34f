"""Checkpoints give back what was put in, and refuse what is not one of ours."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.errors import InputError
from recbole_invariant.trainer.checkpoint import (
    clone_state,
    flatten,
    load_checkpoint,
    restore_state,
    save_checkpoint,
    unflatten,
)

leaves = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=5))
tensors = st.lists(st.floats(-5, 5, width=32), max_size=4).map(torch.tensor)
keys = st.one_of(st.text(max_size=5), st.integers(0, 5))
trees = st.recursive(
    st.one_of(leaves, tensors),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other) and one.dtype == other.dtype
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) and type(one) is type(other)


@given(trees)
def test_flattening_is_undone(tree):
    collected: dict[str, torch.Tensor] = {}
    assert same(unflatten(flatten(tree, collected), collected), tree)


def test_a_file_gives_back_optimiser_state_with_its_integer_keys(tmp_path: Path):
    parameter = torch.nn.Parameter(torch.randn(3, 2))
    optimizer = torch.optim.Adam([parameter], lr=0.1)
    parameter.sum().backward()
    optimizer.step()
    state = {"optimizer": optimizer.state_dict(), "best": None, "half": torch.ones(2).half()}
    save_checkpoint(tmp_path / "a" / "last.safetensors", state)
    loaded = load_checkpoint(tmp_path / "a" / "last.safetensors")
    again = torch.optim.Adam([torch.nn.Parameter(torch.zeros(3, 2))], lr=0.5)
    again.load_state_dict(loaded["optimizer"])
    assert again.param_groups[0]["lr"] == 0.1
    old = optimizer.state[parameter]["exp_avg"]
    assert torch.equal(next(iter(again.state.values()))["exp_avg"], old)
    assert loaded["half"].dtype == torch.float16


@pytest.mark.parametrize("content", [None, b"", b"not a checkpoint", b"\x08\0\0\0\0\0\0\0{}      "])
def test_what_is_not_a_checkpoint_is_one_clear_error(tmp_path: Path, content: bytes | None):
    path = tmp_path / "last.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"last\.safetensors"):
        load_checkpoint(path)


def test_a_truncated_checkpoint_is_one_clear_error(tmp_path: Path):
    path = tmp_path / "last.safetensors"
    save_checkpoint(path, {"weights": torch.randn(100)})
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="truncated"):
        load_checkpoint(path)


class NamesAModule(torch.nn.Module):
    """Declares a module beside a number, as RecBole's GRU4RecF does."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.count = torch.nn.Linear(2, 1), 3

    def other_parameter(self) -> dict[str, Any]:
        return {"layer": self.layer, "count": self.count}


def test_a_declared_module_is_copied_as_weights(tmp_path: Path):
    model = NamesAModule()
    state = clone_state(model)
    save_checkpoint(tmp_path / "last.safetensors", state)
    before = model.layer.weight.detach().clone()
    torch.nn.init.zeros_(model.layer.weight)
    restore_state(model, load_checkpoint(tmp_path / "last.safetensors"))
    assert torch.equal(model.layer.weight, before)
    assert state["other"] == {"count": 3}
