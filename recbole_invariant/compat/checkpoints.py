"""RecBole's pickled files: unpickled only where the user says so, and tensors read without it.

RecBole stores checkpoints with `torch.save`, its `Config` among the weights, and reads them with
`torch.load`. Reading such a file can run any code that somebody put into it. So the modules of
the host that read or write them get a `torch` whose `load` unpickles

* what the host itself has saved earlier in this process, as its own entry points do, and
* anything where `allow_pickle` is in force;

every other file is read by torch's own restricted reader, which knows tensors and plain values
only, or refused. Inside `host_files` nothing is pickled: what the host saves there are
checkpoints of this package, which `load` reads too. Our own code never unpickles.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

from recbole_invariant.compat.after_import import ModuleStandIn, after_import
from recbole_invariant.errors import InputError

LOADING_MODULES = (
    "recbole.trainer.trainer",
    "recbole.model.general_recommender.convncf",
    "recbole.model.general_recommender.nais",
    "recbole.model.general_recommender.neumf",
    "recbole.model.general_recommender.ract",
    "recbole.model.context_aware_recommender.kd_dagfm",
    "recbole.model.sequential_recommender.s3rec",
)
"""The host modules that call `torch.load` or `torch.save` through their own global `torch`."""

SWITCH = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
OPTION = "allow_pickle"
LEFT_OUT = ("config",)
"""What the host stores beside the weights and no reader of its needs."""

_trusting: ContextVar[bool] = ContextVar("trusting", default=False)
_plain: ContextVar[bool] = ContextVar("plain", default=False)
_own: dict[str, tuple[int, int]] = {}
"""Files that the host has saved in this process, with inode and time of the last change."""


@contextmanager
def trusted_host_checkpoint() -> Iterator[None]:
    """Let `torch.load` unpickle inside the block, for checkpoints that RecBole itself wrote.

    Unpickling can run code: open only files you would also run. The switch is torch's own
    environment variable and holds for the whole process while the block runs.
    """
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = "1"
    token = _trusting.set(True)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=f"Environment variable {SWITCH}")
            yield
    finally:
        _trusting.reset(token)
        if before is None:
            del os.environ[SWITCH]
        else:
            os.environ[SWITCH] = before


@contextmanager
def host_files(allow_pickle: bool) -> Iterator[None]:
    """Say what a run of ours does with the host's files inside the block.

    Args:
        allow_pickle: the host may unpickle files that it did not save itself. Without it they are
            read only if they hold tensors and plain values. Saving pickles nothing either way.
    """
    tokens = _trusting.set(bool(allow_pickle)), _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(tokens[1])
        _trusting.reset(tokens[0])


def mend_checkpoint_loading() -> None:
    """Let RecBole's trainer and its pretrained models read what may be read, and nothing else."""

    def patch(module: ModuleType) -> None:
        import torch

        module.torch = ModuleStandIn(torch, load=_load, save=_save)  # type: ignore[attr-defined]

    for name in LOADING_MODULES:
        after_import(name, patch)


def mend_diffusion_features() -> None:
    """Read LDiffRec's `item_emb.npy` without unpickling, where it is not allowed."""

    def patch(module: ModuleType) -> None:
        import numpy as np

        def load(path: Any, *args: Any, **kwargs: Any) -> Any:
            if _trusting.get() or not kwargs.get("allow_pickle"):
                return np.load(path, *args, **kwargs)
            try:
                return np.load(path, *args, **{**kwargs, "allow_pickle": False})
            except ValueError as error:
                raise refusal(path) from error

        module.np = ModuleStandIn(np, load=load)  # type: ignore[attr-defined]

    after_import("recbole.model.general_recommender.ldiffrec", patch)


def mend_saved_data() -> None:
    """Refuse RecBole's saved data sets and loaders in runs of ours; all of them are pickles."""

    def patch(module: ModuleType) -> None:
        host = module.pickle

        def load(file: Any) -> Any:
            if _plain.get():
                raise InputError(
                    f"{getattr(file, 'name', file)}: RecBole's saved data are pickles, which are "
                    "never read here; take the file away."
                )
            return host.load(file)

        module.pickle = ModuleStandIn(host, load=load)  # type: ignore[attr-defined]

    after_import("recbole.data.utils", patch)


def _save(state: Any, file: Any, *args: Any, **kwargs: Any) -> None:
    """Save what the host saves: in a run of ours without pickling, else as torch does."""
    import torch

    if not _plain.get():
        torch.save(state, file, *args, **kwargs)
        if isinstance(file, str | os.PathLike):
            _own[os.path.realpath(file)] = _stamp(file)
        return
    # imported late: compat is put in place before anything else of the package
    from recbole_invariant.trainer.checkpoint import save_checkpoint

    if isinstance(state, torch.nn.Module):
        # NeuMF saves itself, and reads weights by their names
        state = {"state_dict": dict(state.state_dict())}
    kept = {key: value for key, value in state.items() if key not in LEFT_OUT}
    save_checkpoint(Path(file), kept)


def _load(file: Any, *args: Any, **kwargs: Any) -> Any:
    """Load a file for the host.

    Raises:
        InputError: it would have to be unpickled, which is not allowed, or is not there.
    """
    import torch

    is_path = isinstance(file, str | os.PathLike)
    if is_path and not Path(file).is_file():
        raise InputError(f"{file}: there is no such file for RecBole to load weights from.")
    if is_path and not _is_torchs(Path(file)):
        return _of_this_package(Path(file))
    saved_here = is_path and _own.get(os.path.realpath(file)) == _stamp(file)
    if "weights_only" in kwargs or _trusting.get() or saved_here:
        return torch.load(file, *args, **{"weights_only": False, **kwargs})
    try:
        return torch.load(file, *args, **{**kwargs, "weights_only": True})
    except Exception as error:  # What a file that is no pickle at all gives is anybody's guess.
        raise refusal(file) from error


def _of_this_package(path: Path) -> dict[str, Any]:
    """Read what `_save` wrote, or the weights of a run's `model.safetensors`."""
    from recbole_invariant.tensor_files import load_tensors
    from recbole_invariant.trainer.checkpoint import TREE_KEY, load_checkpoint

    tensors, metadata = load_tensors(path)
    if TREE_KEY in metadata:
        return load_checkpoint(path)
    return {"state_dict": {k: v for k, v in tensors.items() if not k.startswith("other.")}}


def refusal(file: Any) -> InputError:
    """Return the error for a file that would have to be unpickled."""
    return InputError(
        f"{file}: this is a pickled file, or a broken one, and reading a pickle can run any code "
        f"that somebody put into it. It is not read by default. If you made it yourself, or trust "
        f"who did as far as you would run a program of theirs, say {OPTION}: true "
        f"(--{OPTION}=true)."
    )


def _is_torchs(path: Path) -> bool:
    """Whether a file begins as those of `torch.save` do: a zip archive, or a pickle."""
    with path.open("rb") as file:
        start = file.read(4)
    return start == b"PK\x03\x04" or start[:1] == b"\x80"


def _stamp(path: Any) -> tuple[int, int]:
    """Tell a file from another one that takes its name."""
    status = os.stat(path)
    return status.st_ino, status.st_mtime_ns


def mend_load_data_and_model() -> None:
    """Let `recbole.quick_start.load_data_and_model` read the file that `run_recbole` saved."""

    def patch(module: ModuleType) -> None:
        host: Callable[..., Any] = module.load_data_and_model
        if getattr(host, "__wrapped__", None) is not None:
            return

        @wraps(host)
        def load_data_and_model(
            model_file: Any, *args: Any, allow_pickle: bool = False, **kwargs: Any
        ) -> Any:
            known = os.path.exists(model_file) and (
                _own.get(os.path.realpath(model_file)) == _stamp(model_file)
            )
            if not (allow_pickle or known or _trusting.get()):
                raise refusal(model_file)
            with trusted_host_checkpoint():
                return host(model_file, *args, **kwargs)

        module.load_data_and_model = load_data_and_model  # type: ignore[attr-defined]

    # The package binds the name too, and may already be imported.
    after_import("recbole.quick_start.quick_start", patch)
    after_import("recbole.quick_start", patch)
