"""Cases drawn from a strategy and tried one after the other, the same ones each time."""

import logging
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.attempts import FAULTS, Case, Outcome, attempt

Tried = list[tuple[Case, Outcome]]


def try_cases(strategy: st.SearchStrategy[Case], examples: int) -> Tried:
    """Try different cases of a strategy.

    Args:
        strategy: what to draw from.
        examples: cases at most; the same case is tried once.
    """
    tried: dict[str, tuple[Case, Outcome]] = {}

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def each(case: Case) -> None:
        if repr(case) in tried:
            return
        with tempfile.TemporaryDirectory() as folder:
            tried[repr(case)] = (case, attempt(case, Path(folder)))

    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        each()
    finally:
        logging.disable(before)
    return list(tried.values())


def faults(tried: Tried) -> list[str]:
    """Describe the cases whose outcome must never be."""
    return [f"{case!r}: {out.kind}: {out.said}" for case, out in tried if out.kind in FAULTS]
