"""The mask that the final model of PaInvRL is trained on, and what is said of its gate."""

from typing import Any

import torch
from recbole.config import Config
from torch import Tensor

from recbole_invariant.trainer.workspace import Workspace


def final_mask(config: Config, workspace: Workspace) -> Tensor:
    """Return mask times gate, `(d,)` in [0, 1].

    Args:
        config: `stability_gate`; `mask_source`: with `uniform`, a control, every value is the root
            mean square of what it would be.
        workspace: mask and gate.
    """
    mask, stability = workspace.mask, workspace.stability
    if config["stability_gate"] and stability is not None:
        mask = mask * stability.gate
    if config["mask_source"] == "uniform":
        mask = torch.full_like(mask, float(mask.square().mean().sqrt()))
    return mask


def stability_diagnostics(workspace: Workspace) -> dict[str, Any]:
    """Return what the reference said of each dimension, for `run.json`; nothing without one."""
    stability = workspace.stability
    if stability is None:
        return {}
    return {
        "reference_temperature": stability.temperature,
        "stability": {
            "flagged": stability.flagged.int().tolist(),
            "score": [round(value, 4) for value in stability.score.tolist()],
            "excess": [round(value, 5) for value in stability.excess.tolist()],
        },
    }
