"""UltraGCN with item features: the final stage of InvRL and PaInvRL with the mask left at 1.

The name follows RecBole's own `SASRecF` and `GRU4RecF`.
"""

from typing import ClassVar

from recbole_invariant.model.general_recommender.ultragcn import UltraGCN


class UltraGCNF(UltraGCN):
    """UltraGCN plus the inner product of a second user table with the projected features."""

    uses_item_features: ClassVar[bool] = True
