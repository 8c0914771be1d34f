"""The parts of a report's section, one a file; each is made from a `Group` alone."""

from collections.abc import Callable

from recbole_invariant.report.group import Group
from recbole_invariant.report.panels import (
    curves,
    environments,
    frontier,
    headline,
    masks,
    protocol,
    representations,
    slices,
    table,
    trade_off,
    training,
)
from recbole_invariant.report.panels.base import Panel

PANELS: tuple[Callable[[Group], Panel], ...] = (
    headline.make,
    table.make,
    trade_off.make,
    frontier.make,
    curves.make,
    slices.make,
    masks.make,
    representations.make,
    environments.make,
    training.make,
    protocol.make,
)
"""In the order of the page."""
