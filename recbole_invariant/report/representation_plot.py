"""The picture of two representations: terms, independence, what each predicts, what it holds."""

from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from recbole_invariant.report.plots import DPI, read_history, save_figure

DEPENDENCE = {"xcov": "xcov", "hsic": "hsic"}
PREDICTION = {"adjustment_pairwise_loss": "t", "spurious_pairwise_loss": "s"}
"""Keys of a line's `valid` and their names."""

BARS = {"adjustment": ("t", "C0"), "spurious": ("s", "C1"), "cue": ("last item's value", "0.7")}
FACTOR = "factor_"
"""Begins the names of learned factors, which stand beside the terms."""

ABOVE_MARK = 14
"""Points between a panel and its title: the selected epoch is named there."""

NOTHING, LEAST_AUC = 0.5, 0.45
ASKED = {"last_item": "last item's", "target": "target's"}

Probes = Mapping[str, Mapping[str, Mapping[str, float | None]]]
Points = list[tuple[int, float]]


def representation_figure(
    history: Sequence[Mapping[str, Any]],
    probes: Probes | None = None,
    selected: int | None = None,
) -> Figure | None:
    """Plot the terms by epoch, independence and predictions by validation, and the probes.

    Args:
        history: lines of `history.jsonl`.
        probes: column -> `last_item` and `target` -> representation -> AUC.
        selected: epoch of the run (from 0) whose weights were selected; None where it is not known.

    Returns:
        The figure, or None where the history has none of the diagnostics of representations.
    """
    dependence = {name: measured(history, key) for key, name in DEPENDENCE.items()}
    predicted = {name: measured(history, key) for key, name in PREDICTION.items()}
    if not any(predicted.values()):
        return None
    drawn = [lambda axes: _draw_terms(axes, history)]
    if any(dependence.values()):
        drawn.append(lambda axes: _draw_dependence(axes, dependence))
    drawn.append(lambda axes: _draw_predictions(axes, predicted))
    over_epochs = len(drawn)
    if probes:
        drawn.append(lambda axes: _draw_probes(axes, probes, selected))
    rows = -(-len(drawn) // 2)
    figure = Figure(figsize=(10, 3.9 * rows), dpi=DPI, layout="constrained")
    panels = figure.subplots(rows, 2, squeeze=False).ravel()
    for draw, axes in zip(drawn, panels, strict=False):
        draw(axes)
    for axes in panels[:over_epochs]:
        _mark_selected(axes, selected)
    for axes in panels[len(drawn) :]:
        axes.remove()
    return figure


def measured(history: Sequence[Mapping[str, Any]], key: str) -> Points:
    """List epoch of the run (from 0) and value of a validation's diagnostic, where there is one."""
    found = [(step, line.get("valid", {}).get(key)) for step, line in enumerate(history)]
    return [(step, float(value)) for step, value in found if value is not None]


def selected_step(history: Sequence[Mapping[str, Any]], best_epoch: int | None) -> int | None:
    """Find the epoch of the run (from 0) of an epoch that is counted in the last stage."""
    last = history[-1].get("stage") if history else None
    for step, line in enumerate(history):
        if line.get("stage") == last and line.get("epoch") == best_epoch:
            return step
    return None


def _draw_terms(axes: Axes, history: Sequence[Mapping[str, Any]]) -> None:
    """Draw each term of the objective; logarithmic where all are positive."""
    terms: dict[str, Points] = {}
    for step, line in enumerate(history):
        for name, value in line.get("losses", {}).items():
            if not name.startswith(FACTOR):
                terms.setdefault(name, []).append((step, float(value)))
    for name, points in terms.items():
        colour = "black" if name == "loss" else None
        axes.plot(*zip(*points, strict=True), color=colour, marker=".", label=name)
    if all(value > 0 for points in terms.values() for _, value in points):
        axes.set_yscale("log")
    _finish(axes, "terms, unweighted, and their weighted sum (loss)")


def _draw_dependence(axes: Axes, dependence: Mapping[str, Points]) -> None:
    """Draw the measures of dependence, 0 for none."""
    axes.axhline(0, color="0.5", linestyle=":", label="independent")
    for number, (name, points) in enumerate(dependence.items()):
        if points:
            axes.plot(*zip(*points, strict=True), color=f"C{number + 2}", marker=".", label=name)
    _finish(axes, "dependence of t and s on validation, less chance")


def _draw_predictions(axes: Axes, predicted: Mapping[str, Points]) -> None:
    """Draw the pairwise losses of t and s; what is popular is enough to be below log 2."""
    axes.axhline(log(2), color="0.5", linestyle=":", label="log 2: nothing, not even popularity")
    for number, (name, points) in enumerate(predicted.items()):
        if points:
            axes.plot(*zip(*points, strict=True), color=f"C{number}", marker=".", label=name)
    _finish(axes, "pairwise loss on validation")


def _finish(axes: Axes, title: str) -> None:
    """Name a panel whose x axis is epochs."""
    axes.set_title(title, fontsize="medium", pad=ABOVE_MARK)
    axes.set_xlabel("epoch of the run")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _legend_below(axes)


def _legend_below(axes: Axes) -> None:
    """Put the legend below a panel, where it covers no curve."""
    axes.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=3)


def _mark_selected(axes: Axes, selected: int | None) -> None:
    """Draw a line at the selected epoch and name it above the panel."""
    if selected is None:
        return
    axes.axvline(selected, color="0.3", linestyle=":", linewidth=1)
    axes.annotate(
        f"selected: {selected}",
        (selected, 1),
        xycoords=axes.get_xaxis_transform(),
        xytext=(0, 2),
        textcoords="offset points",
        fontsize="x-small",
        color="0.3",
        ha="center",
        va="bottom",
    )


def _draw_probes(axes: Axes, probes: Probes, selected: int | None) -> None:
    """Draw a group of bars for each attribute of the last item and of the target."""
    groups = [
        (f"{said} {field}", asked[name])
        for field, asked in probes.items()
        for name, said in ASKED.items()
        if name in asked
    ]
    shown = [key for key in BARS if any(key in aucs for _, aucs in groups)]
    width = 0.8 / max(len(shown), 1)
    for k, key in enumerate(shown):
        offset = (k - (len(shown) - 1) / 2) * width
        known = [(at + offset, aucs.get(key)) for at, (_, aucs) in enumerate(groups)]
        places = [at for at, auc in known if auc is not None]
        aucs = [auc for _, auc in known if auc is not None]
        label, colour = BARS[key]
        lengths = [auc - NOTHING for auc in aucs]
        axes.barh(places, lengths, width, left=NOTHING, color=colour, label=label)
    axes.axvline(NOTHING, color="0.5")
    axes.set_yticks(range(len(groups)), [name for name, _ in groups], fontsize="small")
    axes.invert_yaxis()
    axes.set_xlim(min(LEAST_AUC, axes.get_xlim()[0]), 1)
    of = "" if selected is None else f" of the selected epoch ({selected})"
    axes.set_title(f"linear probes{of}", fontsize="medium", pad=ABOVE_MARK)
    axes.set_xlabel("AUC for the attribute; .5: nothing")
    _legend_below(axes)


def plot_representations(run_dir: Path, record: Mapping[str, Any]) -> None:
    """Write `plots/representations.png` where the run measured its representations.

    Args:
        run_dir: the run folder; its `history.jsonl` is read.
        record: the content of `run.json`; its `diagnostics` may have `probes`.
    """
    history = read_history(run_dir / "history.jsonl")
    selected = selected_step(history, record.get("selection", {}).get("best_epoch"))
    figure = representation_figure(history, record.get("diagnostics", {}).get("probes"), selected)
    if figure is not None:
        save_figure(run_dir / "plots" / "representations.png", figure)
