"""Heterogeneous identification: environments inferred from the interactions (PaInvRL 3.3).

A round trains one scorer an environment on that environment's interactions, then gives every
interaction to the environment whose scorer likes it most. Rounds go on until few labels change.
"""

from dataclasses import dataclass
from logging import getLogger
from time import perf_counter

import torch
from torch import Tensor

from recbole_invariant.data.interaction_graph import InteractionGraph
from recbole_invariant.data.sampling import NegativeSampler, ShuffledBatches
from recbole_invariant.environment.labels import (
    best_environment,
    random_labels,
    refill_small_environments,
)
from recbole_invariant.environment.models import (
    EnvironmentModels,
    FrozenTables,
    IdentificationMode,
)
from recbole_invariant.objective.ranking import RankingWeights


@dataclass(frozen=True)
class IdentificationOptions:
    """Settings of the identification.

    Attributes:
        n_environments: E, >= 2.
        mode: `variant` trains on (1 - mask) * features (the paper), `l1` on all features with an
            L1 penalty on the masked weights (InvRL's code).
        centre_scores: compare scores less each environment's mean.
        changed_fraction: stop when so few labels changed, in [0, 1].
        min_share: environments below this share of the rows are refilled.
        learning_rate: of Adam.
        projection_decay: wd2, on W_e and b_e (and the weight of the L1 penalty).
        embedding_decay: wd1, on scratch user tables.
        item_decay_ratio: scratch item tables decay so many times as strongly.
        init_std: standard deviation of the initial values.
        sizes: `(embedding_size, content_embedding_size)` of scratch tables.
    """

    n_environments: int
    mode: IdentificationMode = "variant"
    centre_scores: bool = True
    changed_fraction: float = 0.01
    min_share: float = 0.01
    learning_rate: float = 1e-3
    projection_decay: float = 1e-2
    embedding_decay: float = 1e-4
    item_decay_ratio: float = 1.0
    init_std: float = 0.01
    sizes: tuple[int, int] = (64, 64)


@dataclass(frozen=True)
class Relabelling:
    """What a round changed.

    Attributes:
        changed: rows whose environment changed, not counting those that the last round's refill
            had moved at random (else a dying environment keeps the rounds going for ever).
        sizes: rows of each environment afterwards.
        converged: whether few enough changed.
    """

    changed: int
    sizes: list[int]
    converged: bool


class EnvironmentIdentifier:
    """Carries the labels from round to round.

    Args:
        users: user of every training interaction `(n_rows,)`.
        items: item of every training interaction `(n_rows,)`.
        features: `(n_items, d)`.
        mask: the current invariant mask `(d,)`.
        graph: degrees and neighbours.
        weights: of the ranking loss.
        negatives: source of negatives.
        options: settings.
        tables: frozen pretrained tables, or None to train everything from scratch.
        generator: CPU generator for labels and initial values.
    """

    def __init__(
        self,
        users: Tensor,
        items: Tensor,
        features: Tensor,
        mask: Tensor,
        graph: InteractionGraph,
        weights: RankingWeights,
        negatives: NegativeSampler,
        options: IdentificationOptions,
        tables: FrozenTables | None,
        generator: torch.Generator,
    ) -> None:
        self.users, self.items, self.features, self.mask = users, items, features, mask
        self.graph, self.weights, self.negatives = graph, weights, negatives
        self.options, self.tables, self.generator = options, tables, generator
        drawn = random_labels(len(users), options.n_environments, generator)
        self.labels = drawn.to(users.device)
        self.refilled = torch.zeros_like(self.labels, dtype=torch.bool)

    def begin_round(self) -> None:
        """Make new environment models and their optimiser."""
        options = self.options
        variant = options.mode == "variant"
        self.models = EnvironmentModels(
            self.features,
            1.0 - self.mask if variant else torch.ones_like(self.mask),
            options.n_environments,
            self.tables,
            (len(self.graph.beta_user), len(self.graph.beta_item)),
            options.sizes,
            options.init_std,
            self.generator,
        )
        groups = [
            {
                "params": [self.models.projection, self.models.bias],
                "weight_decay": 2 * options.projection_decay,
            }
        ]
        if self.tables is None:
            decay = 2 * options.embedding_decay
            users = [self.models.user, self.models.user_content]
            groups.append({"params": users, "weight_decay": decay})
            items_decay = decay * options.item_decay_ratio
            groups.append({"params": [self.models.item], "weight_decay": items_decay})
        self.optimizer = torch.optim.Adam(groups, lr=options.learning_rate, fused=True)

    def step(self, rows: Tensor) -> Tensor:
        """Train the models on the interactions of these rows; return the detached loss."""
        users = self.users[rows]
        columns = self.graph.columns(self.items[rows], self.negatives.draw(users))
        logits = self.models(users, columns, self.labels[rows])
        loss = self.graph.losses(logits, users, columns, self.weights).sum()
        if self.options.mode == "l1":
            masked = (self.models.projection * self.mask).abs().mean(dim=(1, 2)).sum()
            loss = loss + self.options.projection_decay * masked
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def relabel(self) -> Relabelling:
        """Give every interaction to its best environment (Eq. 9), refilling dying ones."""
        options = self.options
        scores = self.models.score_all(self.users, self.items)
        labels = best_environment(scores, options.centre_scores)
        changed = int(((labels != self.labels) & ~self.refilled).sum())
        on_cpu, refilled = refill_small_environments(
            labels.cpu(), options.n_environments, options.min_share, self.generator
        )
        self.labels, self.refilled = on_cpu.to(labels.device), refilled.to(labels.device)
        sizes = torch.bincount(self.labels, minlength=options.n_environments).tolist()
        converged = changed <= int(options.changed_fraction * len(labels))
        return Relabelling(changed, sizes, converged)


def identify(
    identifier: EnvironmentIdentifier, batches: ShuffledBatches, epochs: int, rounds: int
) -> list[Relabelling]:
    """Run rounds of training and relabelling outside of a trainer's stages, and log each.

    Args:
        identifier: carries the labels.
        batches: row numbers of the interactions.
        epochs: epochs of training a round, >= 1.
        rounds: at most so many, >= 1.

    Returns:
        What each round changed; the labels are the identifier's.
    """
    reports: list[Relabelling] = []
    while len(reports) < rounds and not (reports and reports[-1].converged):
        identifier.begin_round()
        begun = perf_counter()
        for epoch in range(epochs):
            for rows in batches:
                identifier.step(rows)
            if not reports and epoch == 0:
                _log_speed(batches.n_rows, perf_counter() - begun, epochs * rounds)
        reports.append(identifier.relabel())
        report = reports[-1]
        getLogger().info(
            f"environments: round {len(reports)} of at most {rounds}, "
            f"{perf_counter() - begun:.1f} s: {report.changed} labels changed, rows "
            + ", ".join(map(str, report.sizes))
        )
    return reports


def _log_speed(n_rows: int, seconds: float, most_epochs: int) -> None:
    """Say how fast the first epoch was and how long all may take."""
    getLogger().info(
        f"environments: {n_rows} rows, {n_rows / max(seconds, 1e-9):.0f} a second; at most "
        f"{most_epochs} epochs of {seconds:.1f} s, {most_epochs * seconds / 60:.0f} minutes"
    )
