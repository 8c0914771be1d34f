"""What inference needs, written into a run folder when its training is over."""

from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from recbole.utils import ModelType

from recbole_invariant.errors import WriteError
from recbole_invariant.evaluation import records
from recbole_invariant.evaluation.loader import RowItems
from recbole_invariant.inference.probe import take_probe
from recbole_invariant.inference.scoring import Scorer
from recbole_invariant.inference.stored import (
    HISTORY_ITEMS,
    HISTORY_STARTS,
    Stored,
    describe_dataset,
)
from recbole_invariant.training import Training


def write_inference(run_dir: Path, training: Training) -> None:
    """Write `inference.safetensors`.

    A model whose data cannot be described (a class of one's own with a data set of its own)
    leaves no such file, and the log says why: its results stand all the same.
    """
    config, model, parts = training.config, training.model, training.data.parts
    if config["MODEL_TYPE"] == ModelType.DECISIONTREE:
        return
    try:
        seen = pd.read_parquet(run_dir / records.SEEN_FILE)
        stored = describe_dataset(config, model, parts, seen)
        scorer = Scorer(model.eval(), parts.fitted, config)
        stored.tensors.update(take_probe(scorer, *_probed(stored, seen)))
        stored.write(run_dir)
    except WriteError:
        raise
    except Exception as error:
        getLogger().warning(
            f"`recommend` will not work for this run: {type(error).__name__}: {error}",
            exc_info=error,
        )


def _probed(stored: Stored, seen: pd.DataFrame) -> tuple[np.ndarray, RowItems | None]:
    """Return users whose scores mean something, and their histories."""
    if HISTORY_STARTS not in stored.tensors:
        return np.unique(seen.loc[seen["part"] == "train", "user"].to_numpy(np.int64)), None
    starts, items = (stored.tensors[name].numpy() for name in (HISTORY_STARTS, HISTORY_ITEMS))
    histories: Any = RowItems(starts, items)
    return np.flatnonzero(np.diff(starts) > 0), histories
