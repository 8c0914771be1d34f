"""Mends for `torch.load`, which since torch 2.6 refuses the pickled `Config` in RecBole's files.

Only RecBole's own calls are trusted, on files its user names. Our own code never unpickles.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import ModuleType
from typing import Any

from recbole_invariant.compat.after_import import ModuleStandIn, after_import

LOADING_MODULES = (
    "recbole.trainer.trainer",
    "recbole.model.general_recommender.convncf",
    "recbole.model.general_recommender.nais",
    "recbole.model.general_recommender.neumf",
    "recbole.model.general_recommender.ract",
    "recbole.model.context_aware_recommender.kd_dagfm",
    "recbole.model.sequential_recommender.s3rec",
)
"""The host modules that call `torch.load` through their own global name `torch`."""

SWITCH = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"


@contextmanager
def trusted_host_checkpoint() -> Iterator[None]:
    """Let `torch.load` unpickle inside the block, for checkpoints that RecBole itself wrote.

    Unpickling can run code: open only files you would also run. The switch is torch's own
    environment variable and holds for the whole process while the block runs.
    """
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = "1"
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=f"Environment variable {SWITCH}")
            yield
    finally:
        if before is None:
            del os.environ[SWITCH]
        else:
            os.environ[SWITCH] = before


def mend_checkpoint_loading() -> None:
    """Let RecBole's trainer and its pretrained models read RecBole's own pickled files."""

    def patch(module: ModuleType) -> None:
        import torch

        def load(*args: Any, **kwargs: Any) -> Any:
            return torch.load(*args, **{"weights_only": False, **kwargs})

        module.torch = ModuleStandIn(torch, load=load)  # type: ignore[attr-defined]

    for name in LOADING_MODULES:
        after_import(name, patch)


def mend_load_data_and_model() -> None:
    """Let `recbole.quick_start.load_data_and_model` read the file that `run_recbole` saved."""

    def patch(module: ModuleType) -> None:
        host: Callable[..., Any] = module.load_data_and_model
        if getattr(host, "__wrapped__", None) is not None:
            return

        @wraps(host)
        def load_data_and_model(*args: Any, **kwargs: Any) -> Any:
            with trusted_host_checkpoint():
                return host(*args, **kwargs)

        module.load_data_and_model = load_data_and_model  # type: ignore[attr-defined]

    # The package binds the name too, and may already be imported.
    after_import("recbole.quick_start.quick_start", patch)
    after_import("recbole.quick_start", patch)
