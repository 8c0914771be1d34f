"""A comparison as text: terminal, Markdown, LaTeX."""

from recbole_invariant.comparison.summary import Comparison


def as_text(comparison: Comparison) -> str:
    """Return the table for a terminal."""
    return comparison.cells.to_string()
