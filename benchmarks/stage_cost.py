"""Cost of PaInvRL's stages against its final stage, with its default options.

    python -m benchmarks.stage_cost [--size tiktok] [--epochs 60] [--steps 8]

The data are those of `training_step.py`. What happens once is timed in full: a stage's beginning
and its end, where the reference is calibrated and held against the held-out clicks, and clicks are
labelled. Steps of all stages are then timed in turn, and the fastest of each counts. Time is that
of the processor, on one thread, so that other work on the machine counts as little as can be.
Validation is left out.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import torch
from tabulate import tabulate

from benchmarks.training_step import (
    SIZES,
    Loader,
    Size,
    SyntheticDataset,
    configuration,
    stage_step,
)
from recbole_invariant.configuration.layers import model_yaml_chain
from recbole_invariant.environment.labels import random_labels
from recbole_invariant.registry import resolve
from recbole_invariant.seeding import torch_generator
from recbole_invariant.trainer.expert_stage import ExpertStage
from recbole_invariant.trainer.painvrl import FINAL, PaInvRLTrainer
from recbole_invariant.trainer.stage import Stage

BACKBONE = ("pretrain", FINAL)
FLAGGED = 1 / 8
"""Share of the dimensions taken as flagged; features that are noise flag none."""


@dataclass(frozen=True)
class StageCost:
    """What a stage takes.

    Attributes:
        name: of the stage.
        step: seconds a step.
        steps: steps an epoch.
        epochs: as assumed.
        once: seconds of what happens once.
    """

    name: str
    step: float
    steps: int
    epochs: int
    once: float

    @property
    def seconds(self) -> float:
        """Seconds in all."""
        return self.once + self.step * self.steps * self.epochs


def model_defaults() -> dict[str, Any]:
    """Read PaInvRL's own defaults, which the data set's options would replace."""
    return {
        key: value
        for _, content in model_yaml_chain("PaInvRL")
        for key, value in content.items()
        if key not in ("base", "variants")
    }


def ratio(costs: Sequence[StageCost]) -> float:
    """Time of all stages but the backbone's two over that of the final stage."""
    final = sum(cost.seconds for cost in costs if cost.name == FINAL)
    return sum(cost.seconds for cost in costs if cost.name not in BACKBONE) / final


def rows_of(costs: Sequence[StageCost]) -> list[list[Any]]:
    """Return a line of the table a stage."""
    final = sum(cost.seconds for cost in costs if cost.name == FINAL)
    return [
        [
            cost.name,
            f"{1000 * cost.step:.1f}",
            cost.steps,
            cost.epochs,
            f"{cost.once:.1f}",
            f"{cost.seconds:.0f}",
            f"{cost.seconds / final:.2f}",
        ]
        for cost in costs
    ]


def seconds_of(work: Callable[[], object]) -> float:
    """Processor time of a piece of work."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


class Bench:
    """PaInvRL's stages on synthetic data, one after another.

    Args:
        size: of the data.
        epochs: of pretraining, reference and final stage.
        steps: timed steps a stage.
        options: of PaInvRL, beside its defaults.
    """

    def __init__(self, size: Size, epochs: int, steps: int, **options: Any) -> None:
        chosen = {"epochs": epochs, "pretrain_epochs": epochs, **options}
        self.config = configuration("PaInvRL", **{**model_defaults(), **chosen})
        self.steps = steps
        self.dataset = SyntheticDataset(self.config)
        self.dataset.resize(size)
        self.trainer = PaInvRLTrainer(
            self.config, resolve("PaInvRL").model_class(self.config, self.dataset)
        )

    def costs(self) -> list[StageCost]:
        """Measure every stage that a run with these options has, in its order."""
        stages = self.trainer.build_stages(Loader(self.dataset))  # type: ignore[arg-type]
        self.trainer.stages = stages = [stage for stage in stages if not stage.optional]
        once, steps = zip(*(self._run_once(stage) for stage in stages), strict=True)
        rounds = [[seconds_of(step) for step in steps] for _ in range(self.steps)]
        return [
            StageCost(stage.name, min(seconds), len(stage.batches()), stage.epochs, rest)  # type: ignore[arg-type]
            for stage, seconds, rest in zip(stages, zip(*rounds, strict=True), once, strict=True)
        ]

    def _run_once(self, stage: Stage) -> tuple[float, Callable[[], object]]:
        """Begin a stage, take a step and end it.

        Returns:
            Seconds of beginning and end, and what takes its next steps.
        """
        seconds = seconds_of(stage.begin)
        step = stage_step(copy(stage))  # of a copy: at its end a stage lets its models go
        step()
        seconds += seconds_of(stage.end)
        if stage.name == "reference":
            self._flag()
        if isinstance(stage, ExpertStage):
            self._deal_out()
        return seconds, step

    def _flag(self) -> None:
        """Flag some dimensions, so that environments are looked for."""
        stability = self.trainer.workspace.stability
        if stability is None:
            raise RuntimeError("the reference stage left no decision on the dimensions")
        flagged = torch.arange(len(stability.flagged)) < FLAGGED * len(stability.flagged)
        self.trainer.workspace.stability = replace(stability, flagged=flagged)

    def _deal_out(self) -> None:
        """Replace the labels of experts that took a few steps only by ones of equal sizes."""
        labels = random_labels(
            len(self.dataset.inter_feat), self.config["n_environments"], torch_generator(0, "data")
        )
        self.trainer.workspace.labels = labels


def main(words: Sequence[str] | None = None) -> None:
    """Print the table and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="tiktok")
    parser.add_argument("--epochs", type=int, default=60, help="of pretraining and final stage")
    parser.add_argument("--steps", type=int, default=8, help="timed steps a stage")
    arguments = parser.parse_args(words)
    torch.set_num_threads(1)
    size = SIZES[arguments.size]
    costs = Bench(size, arguments.epochs, arguments.steps).costs()
    headers = ["stage", "ms a step", "steps an epoch", "epochs", "once, s", "s in all", "of final"]
    print(tabulate(rows_of(costs), headers=headers, tablefmt="github", disable_numparse=True))
    print(
        f"Assumed: {arguments.epochs} epochs of pretraining and final stage alike, and as many of "
        f"the reference; one dimension in {round(1 / FLAGGED)} flagged; environments of equal size."
    )
    print(f"(reference + environments + mask) / final: {ratio(costs):.2f}")


if __name__ == "__main__":
    main()
