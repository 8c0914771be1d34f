"""Training of InvRL: PaInvRL's stages with the options of `variant: invrl`."""

from recbole_invariant.trainer.painvrl import PaInvRLTrainer


class InvRLTrainer(PaInvRLTrainer):
    """Everything that differs from PaInvRL is an option."""
