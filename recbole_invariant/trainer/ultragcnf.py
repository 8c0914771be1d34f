"""Training of UltraGCN with item features: the same single stage."""

from recbole_invariant.trainer.ultragcn import UltraGCNTrainer


class UltraGCNFTrainer(UltraGCNTrainer):
    """One ranking stage from fresh parameters, features included."""
