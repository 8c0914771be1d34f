"""Mend for RecBole's evaluation collector, which moves counts and ints to the CPU."""

from types import ModuleType
from typing import Any

from recbole_invariant.compat.after_import import after_import


def mend_collector() -> None:
    """Make metrics that need counts work (ItemCoverage, GiniIndex, TailPercentage ...).

    The host calls `.cpu()` on all it has collected; what has no such method is set aside
    around its call and given back to both the collector and the returned copy.
    """

    def patch(module: ModuleType) -> None:
        host = module.Collector.get_data_struct
        if getattr(host, "mended_by_recbole_invariant", False):
            return

        def get_data_struct(self: Any) -> Any:
            collected = self.data_struct._data_dict
            plain = {k: value for k, value in collected.items() if not hasattr(value, "cpu")}
            for key in plain:
                del collected[key]
            returned = host(self)
            collected.update(plain)
            returned._data_dict.update(plain)
            return returned

        get_data_struct.mended_by_recbole_invariant = True  # type: ignore[attr-defined]
        module.Collector.get_data_struct = get_data_struct

    after_import("recbole.evaluator.collector", patch)
