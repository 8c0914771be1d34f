"""A Markdown page with one section a comparison, each written by the command that made it."""

import re
from datetime import UTC, datetime
from pathlib import Path

from recbole_invariant.comparison.layout import as_markdown
from recbole_invariant.comparison.summary import Comparison
from recbole_invariant.evaluation import records
from recbole_invariant.files import write_atomically

NEW_PAGE = """# Results

Each section is written by the `compare` command that stands at its end, never by hand.
"""


def section(comparison: Comparison, command: str | None) -> str:
    """Write a comparison's section, between the marks by which it is found again."""
    name = f"compare: {comparison.dataset} {comparison.protocol or 'none'}"
    versions = records.versions()
    shown = ("recbole_invariant", "recbole", "torch", "numpy", "python")
    made = [f"- written on {datetime.now(UTC):%Y-%m-%d} with "]
    made[0] += ", ".join(f"{library} {versions.get(library)}" for library in shown)
    if command:
        made.append(f"- command: `{command}`")
    body = as_markdown(comparison)
    return "\n".join([f"<!-- {name} begin -->", "", body, *made, "", f"<!-- {name} end -->"])


def write_section(page: Path, comparison: Comparison, command: str | None = None) -> None:
    """Put a comparison's section into a page, in the place of the one that is there, or at its end.

    A page that is not there is made, with a title. What stands outside of the marks stays.
    """
    text = page.read_text(encoding="utf-8") if page.is_file() else NEW_PAGE
    write_atomically(page, with_section(text, section(comparison, command)))


def with_section(text: str, new: str) -> str:
    """Return a page's text with a section in the place of the older one with the same marks.

    Args:
        text: the page.
        new: the section; its first and last lines are its marks.
    """
    begin, *_, end = new.splitlines()
    old = re.compile(re.escape(begin) + r"\n.*?" + re.escape(end), re.DOTALL)
    if old.search(text):
        return old.sub(lambda _: new, text, count=1)
    return f"{text.rstrip()}\n\n{new}\n"
