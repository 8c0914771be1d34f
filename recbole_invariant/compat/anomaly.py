"""Mend for RecBole's SINE, whose import turns torch's anomaly detection on for everybody."""

from types import ModuleType

import torch

from recbole_invariant.compat.after_import import after_import


def mend_anomaly_detection() -> None:
    """Turn anomaly detection off again after the import of SINE.

    It checks every backward pass of every model in the process, at several times the cost, and
    raises its own error before a trainer can say which stage and batch went wrong.
    """

    def patch(module: ModuleType) -> None:
        torch.autograd.set_detect_anomaly(False)

    after_import("recbole.model.sequential_recommender.sine", patch)
