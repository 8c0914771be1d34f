"""The option `deterministic`: on a GPU only operations that give the same bits every time.

On the CPU, with a fixed number of threads, all runs do so anyway, and nothing is switched.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from recbole_invariant.errors import InputError

OPTION = "deterministic"
WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
FIXED = (":4096:8", ":16:8")
"""What that variable may be; cuBLAS reads it at its first product."""

TORCHS_WORDS = "deterministic"


def switch(config: Any) -> None:
    """Turn deterministic operations on or off for what follows in this process.

    Args:
        config: a run's options, `deterministic` and `device`.

    Raises:
        InputError: the environment asks for what is not deterministic.
    """
    wanted = bool(config[OPTION]) and torch.device(config["device"]).type == "cuda"
    if wanted:
        chosen = os.environ.setdefault(WORKSPACE, FIXED[0])
        if chosen not in FIXED:
            raise InputError(
                f"{OPTION}: the environment variable {WORKSPACE} is '{chosen}', with which cuBLAS "
                f"is not deterministic; unset it, or take {' or '.join(FIXED)}."
            )
        torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(wanted)


@contextmanager
def named(config: Any) -> Iterator[None]:
    """Say of an operation without a deterministic version which option asked for one.

    Raises:
        InputError: there was such an operation in the block.
    """
    try:
        yield
    except RuntimeError as error:
        if not (torch.are_deterministic_algorithms_enabled() and TORCHS_WORDS in str(error)):
            raise
        said = str(error).split(", but you set")[0].split("\n")[0]
        raise InputError(
            f"{OPTION}: {config['model']} needs an operation that is not deterministic on a GPU "
            f"({said}). Leave the option out, or train on the CPU (--use_gpu=false)."
        ) from error
