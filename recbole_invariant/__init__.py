"""Invariant-learning recommenders and out-of-distribution evaluation for RecBole.

Importing this package makes RecBole 1.2.1 run on today's libraries (`recbole_invariant.compat`)
and teaches it the names of our models, trainers and datasets (`recbole_invariant.registry`).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from recbole_invariant import compat

if TYPE_CHECKING:
    from recbole_invariant.comparison.compare import compare as compare
    from recbole_invariant.inference.load import load as load
    from recbole_invariant.quick_start import run as run
    from recbole_invariant.tuning.search import tune as tune

__version__ = "0.1.0"

compat.apply()

from recbole_invariant import registry  # noqa: E402 - reads RecBole, so only after the mends

registry.install()

_LAZY = {
    "compare": "recbole_invariant.comparison.compare",
    "load": "recbole_invariant.inference.load",
    "run": "recbole_invariant.quick_start",
    "tune": "recbole_invariant.tuning.search",
}
"""Public name -> module; loaded on first use, so that a bare import stays light."""

__all__ = ["__version__", "compare", "load", "run", "tune"]


def __getattr__(name: str) -> Any:
    """Load a public name on first use.

    Raises:
        AttributeError: if there is no such public name.
    """
    if name not in _LAZY:
        raise AttributeError(f"module 'recbole_invariant' has no attribute '{name}'")
    return getattr(import_module(_LAZY[name]), name)
