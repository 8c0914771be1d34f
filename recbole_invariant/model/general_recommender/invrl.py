"""InvRL (MM 2022): the same stages as PaInvRL with fixed loss weights and no attention.

Everything that differs is an option value (`variant: invrl`, properties/model/PaInvRL.yaml).
"""

from recbole_invariant.model.general_recommender.painvrl import PaInvRL


class InvRL(PaInvRL):
    """The final model of InvRL; `invariant_mask` is filled by its trainer."""
