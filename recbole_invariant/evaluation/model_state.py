"""A trained model as named tensors: its weights, and what it keeps outside of them.

RecBole's models without gradient descent hold counts, dense or sparse matrices as plain
attributes and name them in `other_parameter_name`. They are stored beside the weights under
`other.<name>`; sparse matrices as the three arrays of their compressed rows.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
import torch
from torch import Tensor, nn

from recbole_invariant.errors import InputError
from recbole_invariant.tensor_files import load_tensors, save_tensors

OTHER = "other."
LAYOUT_KEY = "layout"
SPARSE_PARTS = ("data", "indices", "indptr")
NUMBERS = (bool, int, float, str, type(None))


def save_model(path: Path, model: nn.Module) -> list[str]:
    """Write a model's state as one safetensors file.

    Args:
        path: the file.
        model: a RecBole model.

    Returns:
        Names of attributes that the model declares and that are neither numbers nor arrays, so
        could not be stored.
    """
    tensors: dict[str, Tensor] = {}
    layout: dict[str, Any] = {}
    lost = []
    for name, value in _state(model):
        described = _encode(name, value, tensors)
        if described is None:
            lost.append(name.removeprefix(OTHER))
        elif described:
            layout[name] = described
    save_tensors(path, tensors, {LAYOUT_KEY: json.dumps(layout)})
    return lost


def load_model(path: Path, model: nn.Module) -> None:
    """Put a stored state into a model of the same shape.

    Raises:
        InputError: the file is missing, broken or of another model.
    """
    tensors, metadata = load_tensors(path)
    if LAYOUT_KEY not in metadata:
        raise InputError(f"{path}: a safetensors file, but not a model of this package.")
    layout = json.loads(metadata[LAYOUT_KEY])
    for name, described in layout.items():
        tensors[name] = _decode(name, described, tensors)
    device = next(model.parameters(), torch.empty(0)).device
    weights = {name: value for name, value in tensors.items() if not name.startswith(OTHER)}
    names = set(model.state_dict())
    try:
        model.load_state_dict({name: weights[name] for name in weights if name in names})
    except RuntimeError as error:
        raise InputError(f"{path}: not the weights of this model and data ({error}).") from error
    others = {n.removeprefix(OTHER): v for n, v in tensors.items() if n.startswith(OTHER)}
    for name, value in others.items():
        if "." not in name:
            setattr(model, name, value.to(device) if isinstance(value, Tensor) else value)


def _state(model: nn.Module) -> Iterator[tuple[str, Any]]:
    """List weights, buffers and declared attributes; modules among the latter are weights."""
    yield from model.state_dict().items()
    declared: Any = getattr(model, "other_parameter", dict)
    for name, value in declared().items():
        if not isinstance(value, nn.Module):
            yield OTHER + name, value


def _encode(name: str, value: Any, tensors: dict[str, Tensor]) -> dict[str, Any] | None:
    """Add the tensors of a value.

    Returns:
        What is needed besides them to make the value again, empty for a plain tensor; None if
        the value is of a kind that is not stored.
    """
    if isinstance(value, Tensor) and value.layout == torch.strided:
        tensors[name] = value
        return {}
    if isinstance(value, Tensor):
        dense = value.coalesce() if value.layout == torch.sparse_coo else value.to_sparse_coo()
        dense = dense.coalesce()
        tensors[f"{name}.indices"], tensors[f"{name}.values"] = dense.indices(), dense.values()
        return {"kind": "coo", "shape": list(value.shape)}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        tensors[name] = torch.from_numpy(np.ascontiguousarray(np.asarray(value)))
        return {"kind": "matrix" if isinstance(value, np.matrix) else "array"}
    if scipy.sparse.issparse(value):
        rows = value.tocsr()
        for part in SPARSE_PARTS:
            tensors[f"{name}.{part}"] = torch.from_numpy(getattr(rows, part))
        return {"kind": "sparse", "shape": list(rows.shape), "format": value.format}
    if isinstance(value, NUMBERS):
        return {"kind": "number", "value": value}
    return None


def _decode(name: str, described: dict[str, Any], tensors: dict[str, Tensor]) -> Any:
    """Make a value of `_encode` again."""
    kind = described["kind"]
    if kind == "number":
        return described["value"]
    if kind == "coo":
        indices, values = tensors.pop(f"{name}.indices"), tensors.pop(f"{name}.values")
        shape = described["shape"]
        return torch.sparse_coo_tensor(indices, values, shape, check_invariants=True).coalesce()
    if kind == "sparse":
        parts = tuple(tensors.pop(f"{name}.{part}").numpy() for part in SPARSE_PARTS)
        matrix = scipy.sparse.csr_matrix(parts, shape=described["shape"])
        return matrix.asformat(described["format"])
    array = tensors[name].numpy()
    return np.asmatrix(array) if kind == "matrix" else array
