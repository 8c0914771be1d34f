"""Checkpoints of tensors and JSON in one safetensors file; nothing is pickled."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from recbole_invariant.errors import InputError
from recbole_invariant.files import write_atomically

TENSOR_KEY = "__tensor__"
TREE_KEY = "tree"


def flatten(tree: Any, tensors: dict[str, Tensor], path: str = "") -> Any:
    """Replace every tensor of a nested structure by its name and collect the tensors.

    Args:
        tree: dicts with text or int keys, lists, tuples, tensors and JSON values.
        tensors: filled with name -> CPU tensor.
        path: name of the tree itself.

    Returns:
        The structure as JSON values. Int keys are kept apart from text keys.
    """
    if isinstance(tree, Tensor):
        tensors[path] = tree.detach().cpu().contiguous().clone()
        return {TENSOR_KEY: path}
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

    Raises:
        OSError: the disk is full or the folder is not writable; the old file is untouched.
    """
    tensors: dict[str, Tensor] = {}
    tree = flatten(state, tensors)
    write_atomically(path, save(tensors, metadata={TREE_KEY: json.dumps(tree)}))


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote.

    Raises:
        InputError: the file is missing, truncated or not one of our checkpoints.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no checkpoint here to resume from.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: not a readable checkpoint ({error}); start again.") from error
    if TREE_KEY not in metadata:
        raise InputError(f"{path}: a safetensors file, but not a checkpoint of this package.")
    state: dict[str, Any] = unflatten(json.loads(metadata[TREE_KEY]), tensors)
    return state


def clone_state(module: torch.nn.Module) -> dict[str, Tensor]:
    """Copy a module's weights to memory of their own."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
