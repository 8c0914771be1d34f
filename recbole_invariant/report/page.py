"""The page `report` writes: one HTML file that needs nothing but a browser."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from recbole_invariant import __version__
from recbole_invariant.comparison.write import current_runs
from recbole_invariant.errors import InputError
from recbole_invariant.files import make_folder, write_atomically
from recbole_invariant.report.group import Group, make_groups
from recbole_invariant.report.panels import PANELS, SEARCH_PANELS
from recbole_invariant.report.panels.base import Panel, key
from recbole_invariant.report.searches import Search, find_searches
from recbole_invariant.report.wording import listed, protocol_title

TEMPLATES = "templates"
PLURALS = {"comparison": "s", "search": "es"}


@dataclass(frozen=True)
class Section:
    """One dataset and protocol on the page, or one search."""

    anchor: str
    title: str
    subtitle: str
    panels: list[Panel]

    @property
    def shown(self) -> list[Panel]:
        """The panels that have something to show."""
        return [panel for panel in self.panels if not panel.missing]

    @property
    def missing(self) -> list[str]:
        """The panels that have not, each with its reason."""
        return [
            f"{panel.short} ({panel.missing})"
            for panel in self.panels
            if panel.missing and not panel.asked_for
        ]

    @property
    def headline(self) -> str:
        """The verdict, for the overview of several sections."""
        return str(self.panels[0].content["headline"])


def write_report(
    runs: str | Path, out: str | Path, baseline: str | None = None, oracle: str | None = None
) -> Path:
    """Write the page of all finished runs and all searches in a folder.

    Args:
        runs: folder with run folders at any depth; of a comparison's folder those that its table is
            made of; of a search's the run of its best options, not its trials.
        out: the HTML file.
        baseline: model that the others are tested against; None takes the strongest plain
            baseline on validation, for each dataset and protocol.
        oracle: model that bounds the others in a table of the shares of the gap closed.

    Returns:
        The file.

    Raises:
        InputError: there is no such folder, it has no finished run, no such baseline or oracle, or
            the file's folder cannot be written.
    """
    found, searches = current_runs(runs), find_searches(runs)
    if not found and not searches:
        raise InputError(
            f"{runs}: no folder in it has a run.json, so there is no finished run to report. Make "
            "some with compare, or name the folder given to --output_dir."
        )
    out = Path(out)
    make_folder(out.parent, "--out")
    if out.is_dir():
        raise InputError(f"--out: {out} is a folder; name a file such as {out / 'report.html'}.")
    write_atomically(out, render(make_groups(found, baseline, oracle), searches))
    return out


def render(groups: Sequence[Group], searches: Sequence[Search] = ()) -> str:
    """Write the groups, and the searches after them, as HTML.

    Searches come first where no group has two models: there is nothing to compare then.

    Names of models, data sets and options are escaped; a policy in the page forbids scripts and
    anything from outside.
    """
    environment = Environment(
        loader=PackageLoader("recbole_invariant.report", TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["key"] = key
    sheet = files("recbole_invariant.report") / TEMPLATES / "style.css"
    sections = [_section(group, number) for number, group in enumerate(groups, start=1)]
    searched = [_search_section(one, number) for number, one in enumerate(searches, start=1)]
    compares = any(len(group.labels) > 1 for group in groups)
    sections = [*sections, *searched] if compares else [*searched, *sections]
    counts = (len(groups), "comparison"), (len(searches), "search")
    return environment.get_template("page.html").render(
        sections=sections,
        counts=listed([f"{n} {word}{PLURALS[word] if n > 1 else ''}" for n, word in counts if n]),
        asked="What was found" if searches else "Which model to trust",
        style=Markup(sheet.read_text(encoding="utf-8")),
        version=__version__,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _section(group: Group, number: int) -> Section:
    comparison = group.comparison
    seeds = ", ".join(map(str, comparison.seeds))
    n = len(comparison.seeds)
    return Section(
        anchor=f"part-{number}",
        title=comparison.dataset,
        subtitle=f"{protocol_title(comparison.protocol)} · {len(group.labels)} "
        f"model{'s' if len(group.labels) > 1 else ''} · "
        f"{n} seed{'s' if n > 1 else ''} ({seeds})",
        panels=[make(group) for make in PANELS],
    )


def _search_section(search: Search, number: int) -> Section:
    return Section(
        anchor=f"search-{number}",
        title=search.title,
        subtitle=search.subtitle,
        panels=[make(search) for make in SEARCH_PANELS],
    )
