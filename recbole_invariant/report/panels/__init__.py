"""The parts of a report's section, one a file; each is made from a `Group` or a `Search` alone."""

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
    search_headline,
    search_history,
    search_options,
    search_pareto,
    search_table,
    slices,
    table,
    trade_off,
    training,
)
from recbole_invariant.report.panels.base import Panel
from recbole_invariant.report.searches import Search

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

SEARCH_PANELS: tuple[Callable[[Search], Panel], ...] = (
    search_headline.make,
    search_table.make,
    search_options.make,
    search_history.make,
    search_pareto.make,
)
"""Those of a search, in the order of its section."""
