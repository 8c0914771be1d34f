"""Pictures of a run, from what its folder and its trainer say."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from recbole_invariant.data.splits.base import is_test
from recbole_invariant.files import write_atomically

DPI = 120


def save_figure(path: Path, figure: Figure) -> None:
    """Write a figure as PNG, atomically and without a display."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    write_atomically(path, buffer.getvalue())


def read_history(path: Path) -> list[dict[str, Any]]:
    """Read `history.jsonl` up to a line that is cut short or damaged; empty if there is none."""
    if not path.is_file():
        return []
    lines: list[dict[str, Any]] = []
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            break
        if not isinstance(line, dict):
            break
        lines.append(line)
    return lines


def training_curves(history: Sequence[Mapping[str, Any]], valid_metric: str) -> Figure:
    """Plot every stage's loss over the epochs of the run, and its validations.

    Args:
        history: lines of `history.jsonl`.
        valid_metric: the validation metric to plot, e.g. `ndcg@10`.
    """
    figure = Figure(figsize=(8, 5), dpi=DPI, layout="constrained")
    above, below = figure.subplots(2, sharex=True)
    steps: dict[str, list[int]] = {}
    for step, line in enumerate(history):
        steps.setdefault(line["stage"], []).append(step)
    for number, (stage, at) in enumerate(steps.items()):
        colour = f"C{number % 10}"
        losses = [(k, next(iter(history[k]["losses"].values()), None)) for k in at]
        drawn = [(k, loss) for k, loss in losses if loss is not None]
        if drawn:
            above.plot(*zip(*drawn, strict=True), color=colour, label=stage, marker=".")
        measured = [(k, history[k].get("valid", {}).get(valid_metric)) for k in at]
        drawn = [(k, value) for k, value in measured if value is not None]
        if drawn:
            below.plot(*zip(*drawn, strict=True), color=colour, label=stage, marker=".")
    above.set_ylabel("loss")
    below.set_ylabel(f"valid {valid_metric}")
    below.set_xlabel("epoch of the run")
    if steps:
        above.legend(fontsize="small", ncols=4)
    return figure


def iid_against_ood(models: Mapping[str, Mapping[str, Mapping[str, float]]], metric: str) -> Figure:
    """Plot each model's metric on `iid` beside its shifted tests.

    Args:
        models: model -> test set -> metric -> value.
        metric: e.g. `recall@10`.
    """
    splits: list[str] = []
    for metrics in models.values():
        splits += [name for name in metrics if name not in splits and is_test(name)]
    figure = Figure(figsize=(max(5, 1.5 * len(models) + 2), 4), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    width = 0.8 / max(len(splits), 1)
    for k, split in enumerate(splits):
        values = [metrics.get(split, {}).get(metric, 0.0) for metrics in models.values()]
        at = [place + (k - (len(splits) - 1) / 2) * width for place in range(len(models))]
        axes.bar(at, values, width, label=split)
    axes.set_xticks(range(len(models)), list(models))
    axes.set_ylabel(metric)
    axes.legend()
    return figure


def masks(mask: Sequence[float], slices: Mapping[str, slice]) -> Figure:
    """Plot how an invariant mask's values spread in each modality.

    Args:
        mask: a value in [0, 1] for every feature dimension.
        slices: modality -> its dimensions.
    """
    figure = Figure(figsize=(3 * len(slices), 3), dpi=DPI, layout="constrained")
    panels = figure.subplots(1, len(slices), squeeze=False)[0]
    for axes, (name, where) in zip(panels, slices.items(), strict=True):
        values = list(mask[where])
        axes.hist(values, bins=20, range=(0, 1))
        axes.set_title(f"{name}: mean {sum(values) / max(len(values), 1):.2f}", fontsize="medium")
        axes.set_xlabel("mask")
    panels[0].set_ylabel("dimensions")
    return figure


def environments(history: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Plot the environments' shares of the interactions over the rounds of identification.

    Returns:
        The figure, or None where no line has `environment_sizes`.
    """
    sizes = [line["environment_sizes"] for line in history if line.get("environment_sizes")]
    if not sizes:
        return None
    figure = Figure(figsize=(6, 3.5), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    shares = [[count / max(sum(row), 1) for count in row] for row in sizes]
    axes.stackplot(range(len(shares)), *zip(*shares, strict=True))
    axes.set_xlabel("round of identification")
    axes.set_ylabel("share of the interactions")
    return figure


def plot_run(
    run_dir: Path,
    models: Mapping[str, Mapping[str, Mapping[str, float]]],
    metrics: tuple[str, str],
    mask: Sequence[float] | None,
    slices: Mapping[str, slice],
) -> None:
    """Write the plots of a run into `plots/`.

    Args:
        run_dir: the run folder; its `history.jsonl` is read.
        models: model -> test set -> metric -> value.
        metrics: the validation metric, and the one to compare test sets by.
        mask: the invariant mask, or None.
        slices: modality -> dimensions of the mask.
    """
    history, folder = read_history(run_dir / "history.jsonl"), run_dir / "plots"
    if history:
        save_figure(folder / "training.png", training_curves(history, metrics[0]))
    save_figure(folder / "iid_ood.png", iid_against_ood(models, metrics[1]))
    if mask is not None and slices:
        save_figure(folder / "masks.png", masks(mask, slices))
    shares = environments(history)
    if shares is not None:
        save_figure(folder / "environments.png", shares)
