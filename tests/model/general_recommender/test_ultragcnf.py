"""UltraGCN with features keeps the contract and equals UltraGCN where features are silent."""

from tests.contracts import ModelContract


class TestUltraGCNF(ModelContract):
    """The contract."""

    name = "UltraGCNF"
