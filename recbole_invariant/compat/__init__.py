"""Everything that works around RecBole 1.2.1 or a library version, and nothing else does.

`MENDS` lists each workaround with what it mends and when it can go. They are put in place by
`apply()` when `recbole_invariant` is imported; a mend of a host module waits until that module
is imported, so that nothing of RecBole is loaded on their account.
"""

from collections.abc import Callable
from dataclasses import dataclass

from recbole_invariant.compat.host import check_host

check_host()  # before anything below imports a library that may be missing

# ruff: noqa: E402
from recbole_invariant.compat.anomaly import mend_anomaly_detection
from recbole_invariant.compat.checkpoints import (
    host_files,
    mend_checkpoint_loading,
    mend_diffusion_features,
    mend_load_data_and_model,
    mend_saved_data,
    trusted_host_checkpoint,
)
from recbole_invariant.compat.collector import mend_collector
from recbole_invariant.compat.dataset import mend_fill_missing, mend_missing_sequences
from recbole_invariant.compat.libraries import (
    mend_dok_update,
    mend_numpy_aliases,
    mend_series_agg_len,
)
from recbole_invariant.compat.log_lines import mend_log_lines
from recbole_invariant.compat.popularity import mend_popularity
from recbole_invariant.compat.tensorboard import tensorboard_closed, tensorboard_directory
from recbole_invariant.compat.warnings import silence_host_warnings

__all__ = [
    "MENDS",
    "Mend",
    "apply",
    "check_host",
    "host_files",
    "mends_in_force",
    "tensorboard_closed",
    "tensorboard_directory",
    "trusted_host_checkpoint",
]


@dataclass(frozen=True)
class Mend:
    """One workaround.

    Attributes:
        name: short name, as in `run.json` and `doctor`.
        mends: what goes wrong without it, and where in RecBole 1.2.1 (file:line).
        until: when it can go.
        put_in_place: does it.
    """

    name: str
    mends: str
    until: str
    put_in_place: Callable[[], None]


MENDS: tuple[Mend, ...] = (
    Mend(
        "numpy-aliases",
        "Config() asks for np.float_ and others that numpy 2 dropped (config/configurator.py:625)",
        "RecBole sets no numpy aliases, or only names that numpy 2 has",
        mend_numpy_aliases,
    ),
    Mend(
        "dok-matrix-update",
        "graph models call dok_matrix._update, gone in scipy 1.13 (lightgcn.py:111, ngcf.py:110, "
        "ncl.py:131, gcmc.py:174, spectralcf.py:123, kgin.py:356, mcclk.py:425)",
        "RecBole builds these matrices from coordinates",
        mend_dok_update,
    ),
    Mend(
        "checkpoint-loading",
        "RecBole pickles its checkpoints and reads them whatever they hold (trainer/trainer.py:"
        "308,323,583,770), pretrained files too (convncf.py:82, nais.py:127, ract.py:75,84, "
        "neumf.py:84,162, s3rec.py:120, kd_dagfm.py:56); torch >= 2.6 refuses all of them",
        "RecBole stores tensors and plain values",
        mend_checkpoint_loading,
    ),
    Mend(
        "load-data-and-model",
        "the same in load_data_and_model (quick_start/quick_start.py:250)",
        "RecBole passes weights_only itself",
        mend_load_data_and_model,
    ),
    Mend(
        "saved-data",
        "RecBole unpickles a data set that lies in its checkpoint folder (data/utils.py:61,122)",
        "RecBole asks first",
        mend_saved_data,
    ),
    Mend(
        "diffusion-features",
        "LDiffRec reads item_emb.npy with allow_pickle (ldiffrec.py:232)",
        "RecBole reads plain arrays",
        mend_diffusion_features,
    ),
    Mend(
        "missing-features",
        "under pandas 3 a missing token silently becomes the lowest int64 and a missing float "
        "stays nan (data/dataset/dataset.py:648,650)",
        "RecBole assigns the filled column",
        mend_fill_missing,
    ),
    Mend(
        "missing-sequences",
        "under pandas 3 a missing *_seq value fails on .split (data/dataset/dataset.py:501)",
        "RecBole assigns the filled column",
        mend_missing_sequences,
    ),
    Mend(
        "sequence-lengths",
        "under pandas 3 series.agg(len) is one number, not a length a row (data/dataset/"
        "dataset.py:712,792,809,1217, kg_dataset.py:316, sequential_dataset.py:165)",
        "RecBole uses map(len)",
        mend_series_agg_len,
    ),
    Mend(
        "collector-counts",
        "ItemCoverage and every metric that needs counts fails on int.cpu() "
        "(evaluator/collector.py:227, on any library version)",
        "RecBole moves tensors only",
        mend_collector,
    ),
    Mend(
        "anomaly-detection",
        "SINE's import turns torch's anomaly detection on for the whole process "
        "(model/sequential_recommender/sine.py:25)",
        "RecBole leaves it off",
        mend_anomaly_detection,
    ),
    Mend(
        "popularity-counts",
        "Pop counts an item once a batch, and the batch's negatives too "
        "(model/general_recommender/pop.py:41)",
        "Pop adds up occurrences of positives",
        mend_popularity,
    ),
    Mend(
        "log-lines",
        "RaCT's finetuning logs a path without a place for it, which prints a traceback "
        "(model/general_recommender/ract.py:76,85)",
        "RaCT formats the line",
        mend_log_lines,
    ),
    Mend(
        "host-warnings",
        "outdated calls of RecBole warn on every run (data/dataset/dataset.py:359,501, "
        "trainer/trainer.py:235, lightgcn.py:125 and others)",
        "RecBole no longer makes them",
        silence_host_warnings,
    ),
)

_in_force: list[str] = []


def apply() -> None:
    """Put every mend in place; a second call changes nothing."""
    for mend in MENDS:
        if mend.name not in _in_force:
            mend.put_in_place()
            _in_force.append(mend.name)


def mends_in_force() -> list[str]:
    """Return the names of the mends that are in place, in the order of `MENDS`."""
    return list(_in_force)
