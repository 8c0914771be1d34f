"""Checkpoints of tensors and JSON in one safetensors file; nothing is pickled."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recbole_invariant.errors import InputError
from recbole_invariant.tensor_files import load_tensors, save_tensors

TENSOR_KEY = "__tensor__"
TREE_KEY = "tree"


def flatten(tree: Any, tensors: dict[str, Tensor], path: str = "") -> Any:
    """Replace every tensor of a nested structure by its name and collect the tensors.

    Args:
        tree: dicts with text or int keys, lists, tuples, tensors and JSON values.
        tensors: filled with name -> tensor; they share the memory of those in the tree.
        path: name of the tree itself.

    Returns:
        The structure as JSON values. Int keys are kept apart from text keys.
    """
    if isinstance(tree, Tensor):
        # a key with a slash in it can make two paths alike
        name = path if path not in tensors else f"{path}#{len(tensors)}"
        tensors[name] = tree.detach()
        return {TENSOR_KEY: name}
    if isinstance(tree, dict):
        return {
            "keys": [list(tree.keys())],
            "values": [flatten(v, tensors, f"{path}/{k}") for k, v in tree.items()],
        }
    if isinstance(tree, list | tuple):
        return [flatten(value, tensors, f"{path}/{k}") for k, value in enumerate(tree)]
    return tree


def unflatten(tree: Any, tensors: dict[str, Tensor]) -> Any:
    """Undo `flatten`; tuples come back as lists."""
    if isinstance(tree, dict):
        if TENSOR_KEY in tree:
            return tensors[tree[TENSOR_KEY]]
        keys = tree["keys"][0]
        return {k: unflatten(v, tensors) for k, v in zip(keys, tree["values"], strict=True)}
    if isinstance(tree, list):
        return [unflatten(value, tensors) for value in tree]
    return tree


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a nested state of tensors and JSON values; the old file stays until the new is whole.

    The file carries a checksum of all its bytes.

    Raises:
        WriteError: the disk is full or the folder is not writable; the old file is untouched.
    """
    tensors: dict[str, Tensor] = {}
    tree = flatten(state, tensors)
    save_tensors(path, tensors, {TREE_KEY: json.dumps(tree)})


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote; the checksum is verified.

    Raises:
        InputError: the file is missing, truncated, altered or not one of our checkpoints.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no checkpoint here to resume from.")
    tensors, metadata = load_tensors(path, sealed=True)
    if TREE_KEY not in metadata:
        raise InputError(f"{path}: a file of this package, but not a checkpoint.")
    state: dict[str, Any] = unflatten(json.loads(metadata[TREE_KEY]), tensors)
    return state


def clone_state(model: torch.nn.Module) -> dict[str, Any]:
    """Copy all that a model ranks with to memory of its own.

    RecBole's models keep more than their weights: counts of models without gradient descent, and
    the vectors that graph models ranked with last. Without the latter, restored weights would be
    measured with the last epoch's vectors.

    Returns:
        `weights` by name, and `other` as `model.other_parameter()` names it; modules that some
        models name there are weights already.
    """
    named: Any = getattr(model, "other_parameter", dict)
    other = {k: value for k, value in named().items() if not isinstance(value, torch.nn.Module)}
    return {
        "weights": {name: value.detach().clone() for name, value in model.state_dict().items()},
        "other": {name: _copy(value) for name, value in other.items()},
    }


def _copy(value: Any) -> Any:
    """Copy a tensor; leave anything else as it is."""
    return value.detach().clone() if isinstance(value, Tensor) else value


def restore_state(model: torch.nn.Module, state: dict[str, Any]) -> None:
    """Put back what `clone_state` returned; what was empty then becomes empty again.

    All of it goes to the device that the model's weights are on: a state from a file is on the CPU.
    """
    model.load_state_dict(state["weights"])
    weight = next(model.parameters(), None)
    for name, value in state["other"].items():
        copied = _copy(value)
        if isinstance(copied, Tensor) and weight is not None:
            copied = copied.to(weight.device)
        setattr(model, name, copied)


def random_states() -> dict[str, Any]:
    """Return the states of the global random generators, which RecBole's samplers draw from."""
    legacy: Any = np.random.get_state()
    kind, keys, position, has_gauss, gauss = legacy
    version, internal, pending = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": [kind, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, gauss],
        "python": [version, list(internal), pending],
    }


def set_random_states(states: dict[str, Any]) -> None:
    """Put back what `random_states` returned."""
    torch.set_rng_state(states["torch"])
    if states["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"])
    kind, keys, position, has_gauss, gauss = states["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), position, has_gauss, gauss))
    version, internal, pending = states["python"]
    random.setstate((version, tuple(internal), pending))
