"""What Irl4Rec's two representations hold, measured on validation rows; it selects nothing.

Is t independent of s? Does s say anything of the history at all, or is it dead, which makes
independence trivial? And from which of the two can an item attribute be read off?
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from recbole.utils.enum_type import FeatureType
from torch.nn.functional import softplus

from recbole_invariant.data.item_attribute import item_tokens
from recbole_invariant.evaluation.linear_probe import common_values, probe_tokens
from recbole_invariant.objective.information import (
    cross_covariance,
    cross_covariance_floor,
    hsic,
    hsic_floor,
)
from recbole_invariant.trainer.represented_rows import (
    ADJUSTMENT,
    SPURIOUS,
    RepresentedRows,
    represent_rows,
)

HSIC_ROWS = 256
CUE, LAST_ITEM, TARGET = "cue", "last_item", "target"

Probes = dict[str, dict[str, dict[str, float | None]]]


def validation_diagnostics(model: Any, loader: Any, generator: torch.Generator) -> dict[str, float]:
    """Measure independence and predictions of the representations, for the history.

    Args:
        model: Irl4Rec, or whatever `represent_rows` takes in its place.
        loader: of validation rows.
        generator: draws rows and negatives; made anew from one seed at each validation, it gives
            all of them the same.

    Returns:
        As `describe`.
    """
    return describe(represent_rows(model, loader, generator))


def selected_diagnostics(model: Any, loader: Any, generator: torch.Generator) -> dict[str, Any]:
    """Do both for the weights that were selected, for `run.json`.

    Args:
        model: as for `validation_diagnostics`, with these weights.
        loader: of validation rows.
        generator: of the same seed as at the validations gives the same rows.

    Returns:
        `representations`: as `describe`; `probes`: as `probes`; `n_rows` that were looked at.
    """
    rows = represent_rows(model, loader, generator)
    return {
        "representations": describe(rows),
        "probes": probes(rows, loader._dataset, generator),
        "n_rows": len(rows.targets),
    }


def describe(rows: RepresentedRows) -> dict[str, float]:
    """Measure independence and predictions.

    Returns:
        Of each representation

        * `<name>_pairwise_loss`: the mean of softplus(-margin) in nats, log 2 where it says nothing
          of the target and more where it is sure and wrong.
        * `<name>_pairwise_auc`: the share of targets above their negative, equal scores half, which
          does not depend on the scale of scores and is .5 for nothing. What is popular is enough
          to be above .5.
        * `<name>_pairwise_auc_shuffled`: the same where another row's vector scores, so what is
          known without the history.
        * `<name>_pairwise_auc_error`: the standard error that the difference of the two shares
          would have if a row's own vector were no better: the root of the sum of the rows' squared
          differences, over the number of rows (McNemar's test, equal scores half).

        With a spurious encoder also `xcov` and `hsic` (of at most `HSIC_ROWS` rows), both less what
        independence would give on average, so that they may be a little below 0.
    """
    said = {}
    for name, one in rows.by_name.items():
        own, shuffled = ((margins.sign() + 1) / 2 for margins in (one.margins, one.shuffled))
        said[f"{name}_pairwise_loss"] = float(softplus(-one.margins).mean())
        said[f"{name}_pairwise_auc"] = float(own.mean())
        said[f"{name}_pairwise_auc_shuffled"] = float(shuffled.mean())
        said[f"{name}_pairwise_auc_error"] = float((own - shuffled).norm()) / len(own)
    if SPURIOUS in rows.by_name:
        t, s = (rows.by_name[name].vectors for name in (ADJUSTMENT, SPURIOUS))
        said["xcov"] = float(cross_covariance(t, s)) - cross_covariance_floor(len(t))
        t, s = t[:HSIC_ROWS], s[:HSIC_ROWS]
        said["hsic"] = float(hsic(t, s) - hsic_floor(t, s))
    return said


def probes(rows: RepresentedRows, dataset: Any, generator: torch.Generator) -> Probes:
    """Probe for every loaded column of tokens of the items.

    Args:
        rows: encoded histories.
        dataset: where the columns are.
        generator: draws the halves, the same for all representations.

    Returns:
        column -> `last_item` (its value for the history's last item) and `target` (for the item
        that is to be found) -> representation -> mean AUC (`linear_probe.probe`). For `target`
        there is also `cue`: what the last item's values alone say of the target's. A column
        none of whose values can be probed is left out.
    """
    seed = int(torch.randint(2**62, (), generator=generator))
    given = {name: one.vectors.numpy() for name, one in rows.by_name.items()}
    found: Probes = {}
    for field in token_columns(dataset):
        tokens = item_tokens(dataset, field)
        last, target = tokens[rows.last_items.numpy()], tokens[rows.targets.numpy()]
        cue = common_values(last).astype(np.float64)
        asked = {LAST_ITEM: (last, given), TARGET: (target, given | {CUE: cue})}
        aucs = {name: _aucs(inputs, wanted, seed) for name, (wanted, inputs) in asked.items()}
        if any(auc is not None for by_name in aucs.values() for auc in by_name.values()):
            found[field] = aucs
    return found


def _aucs(
    inputs: Mapping[str, np.ndarray], tokens: np.ndarray, seed: int
) -> dict[str, float | None]:
    """Probe each input for the same tokens, on the same halves."""
    return {
        name: probe_tokens(vectors, tokens, torch.Generator().manual_seed(seed))
        for name, vectors in inputs.items()
    }


def token_columns(dataset: Any) -> list[str]:
    """List the columns of the table of items that hold tokens, ids of items left out."""
    kinds = (FeatureType.TOKEN, FeatureType.TOKEN_SEQ)
    table = [] if dataset.item_feat is None else dataset.item_feat
    return [
        name for name in table if name != dataset.iid_field and dataset.field2type[name] in kinds
    ]
