"""Optimisers by RecBole's names."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import optim

from recbole_invariant.errors import InputError, suggest

OPTIMIZERS: dict[str, type[optim.Optimizer]] = {
    "adam": optim.Adam,
    "sgd": optim.SGD,
    "adagrad": optim.Adagrad,
    "rmsprop": optim.RMSprop,
}


def build_optimizer(learner: str, params: Iterable[Any], learning_rate: float) -> optim.Optimizer:
    """Make an optimiser whose groups carry their own coupled weight decay.

    Adam runs fused: one pass over each table instead of ten.

    Args:
        learner: `adam`, `sgd`, `adagrad` or `rmsprop`.
        params: parameters or parameter groups.
        learning_rate: step size, > 0.

    Raises:
        InputError: another learner; AdamW's decoupled decay is not the L2 of these models.
    """
    if learner.lower() not in OPTIMIZERS:
        near = suggest(learner, OPTIMIZERS)
        names = ", ".join(OPTIMIZERS)
        raise InputError(f"learner: '{learner}' does not fit here; expected one of {names}.{near}")
    kind = OPTIMIZERS[learner.lower()]
    extra: dict[str, Any] = {"fused": True} if kind is optim.Adam else {}
    return kind(params, lr=learning_rate, **extra)  # type: ignore[call-arg]


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return an optimiser's state as tensors and plain values."""
    state = optimizer.state_dict()
    groups = [
        {key: value for key, value in group.items() if not callable(value)}
        for group in state["param_groups"]
    ]
    return {"state": state["state"], "param_groups": groups}


@contextmanager
def settings_kept(optimizers: Iterable[optim.Optimizer]) -> Iterator[None]:
    """Keep step sizes and decays while a state of other ones is loaded.

    Args:
        optimizers: made by the options that are to hold.
    """
    settings = [
        (optimizer, [_settings(group) for group in optimizer.param_groups])
        for optimizer in optimizers
    ]
    yield
    for optimizer, own in settings:
        for group, values in zip(optimizer.param_groups, own, strict=True):
            group.update(values)


def _settings(group: dict[str, Any]) -> dict[str, Any]:
    return {key: group[key] for key in ("lr", "weight_decay") if key in group}
