"""PaInvRL (MM 2023): UltraGCN with features on an invariant mask found in stages.

What is served is the final model of Eq. 26: UltraGCN on `m * f`. The stages that find m stand in
`trainer.painvrl`, the identification of environments in `environment.inferred`, the mask model
of Eq. 10-19 in `model.mask`.
"""

from recbole_invariant.model.general_recommender.ultragcnf import UltraGCNF


class PaInvRL(UltraGCNF):
    """The final model of PaInvRL; `invariant_mask` is filled by its trainer."""
