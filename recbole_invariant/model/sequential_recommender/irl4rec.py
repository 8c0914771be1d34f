"""Irl4Rec: what a user is after, kept independent of what misleads."""

from dataclasses import dataclass
from math import log
from typing import Any

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender
from recbole.model.loss import BPRLoss
from torch import Tensor
from torch.nn.functional import cross_entropy

from recbole_invariant.model.dependence import DIB, MAXIMIZE, build_dependence
from recbole_invariant.model.posterior import GaussianHead, Posterior
from recbole_invariant.model.sequence_encoder import Examples, build_encoder
from recbole_invariant.model.spurious_encoder import NONE, build_spurious
from recbole_invariant.objective.contrastive import info_nce
from recbole_invariant.objective.information import (
    clamped_at_chance,
    gaussian_kl,
    half_squared_norm,
)

PREDICTION, JOINT, SPURIOUS = "prediction", "joint", "spurious"
COMPRESSION, INDEPENDENCE, CONTRASTIVE = "compression", "independence", "contrastive"


@dataclass(frozen=True)
class Representations:
    """Both representations of some histories.

    Attributes:
        adjustment: mean of t `(rows, size)`.
        spurious: mean of s `(rows, size)`; None without a spurious encoder.
    """

    adjustment: Tensor
    spurious: Tensor | None


class Irl4Rec(SequentialRecommender):  # type: ignore[misc]
    """Two encoders of a sequence over any of RecBole's sequential models (arXiv 2308.11728).

    The paper is withdrawn and its text is not to be had. What is known of it is a summary, which
    fits the deconfounded information bottleneck (DIB, RecSys 2021, Eq. 3): minimise
    `beta I(t; x) - I(t; y) + gamma I(t; s)`, with s predicting beside t. The summary says
    "maximise" of the last term, which would tie the two together; `independence: maximize` is
    that reading, a control.

    One item embedding is read by both encoders; t scores items by it, s by a table of its own, and
    scores of both together are their sum. Only the mean of t recommends.

    Attributes:
        encoder: the adjustment encoder.
        spurious: the spurious one; None with `s_input: none`.
        term_weights: weights of the terms of the objective that count.
    """

    def __init__(self, config: Any, dataset: Any) -> None:
        super().__init__(config, dataset)
        self.encoder = build_encoder(config["encoder"], config, dataset, option="encoder")
        self.spurious = build_spurious(config, dataset, self.encoder)
        size, heads = self.encoder.size, (config["mean_head"], config["posterior"])
        self.head = GaussianHead(size, *heads)
        self.spurious_head = None if self.spurious is None else GaussianHead(size, *heads)
        self.term_weights = term_weights(config)
        weighed = INDEPENDENCE in self.term_weights
        self.dependence = build_dependence(config, size) if weighed else None
        self.cross_entropy = config["loss_type"] == "CE"
        self.bpr_loss = BPRLoss()
        self.chance = log(self.n_items if self.cross_entropy else 2)
        self.compression, self.temperature = (
            config["compression"],
            config["contrastive_temperature"],
        )

    def encode_adjustment(self, examples: Examples) -> Posterior:
        """Return t of every target of a batch."""
        vectors = self.encoder.embed(examples.item_sequence).unsqueeze(0)
        return self.head(self.encoder.encode_targets(vectors, examples)[0])

    def encode_spurious(self, examples: Examples) -> Posterior | None:
        """Return s of every target of a batch; None without a spurious encoder."""
        if self.spurious is None or self.spurious_head is None:
            return None
        posterior: Posterior = self.spurious_head(self.spurious.encode_targets(examples))
        return posterior

    def evidence(self, scored_by: Any, representation: Tensor, examples: Examples) -> Tensor:
        """Return what a representation says of the targets; that of t and s together is the sum.

        Args:
            scored_by: the encoder that scores items.
            representation: `(n_targets, size)`.
            examples: the batch.

        Returns:
            Scores of the catalogue `(n_targets, n_items)` with CE; with BPR the score of each
            target less that of its negative `(n_targets,)`.
        """
        if self.cross_entropy:
            scores: Tensor = scored_by.scores(representation)
            return scores
        targets: Tensor = scored_by.item_scores(representation, examples.targets)
        return targets - scored_by.item_scores(representation, examples.negatives)

    def prediction_loss(self, evidence: Tensor, examples: Examples) -> Tensor:
        """Return the cross entropy or BPR's loss of evidence, in nats: 0-d."""
        if self.cross_entropy:
            return cross_entropy(evidence, examples.targets)
        loss: Tensor = self.bpr_loss(evidence, torch.zeros_like(evidence))
        return loss

    def terms(self, examples: Examples) -> tuple[dict[str, Tensor], tuple[Tensor, Tensor | None]]:
        """Compute the terms of the objective that have a weight, unweighted.

        Args:
            examples: the batch.

        Returns:
            Terms by name, 0-d each; and the drawn t and s, s None without a spurious encoder.
        """
        weights = self.term_weights
        posterior, other = self.encode_adjustment(examples), self.encode_spurious(examples)
        t = posterior.draw()
        evidence = self.evidence(self.encoder, t, examples)
        terms = {PREDICTION: self.prediction_loss(evidence, examples)}
        s = None if other is None else other.draw()
        if s is not None and weights.keys() & {JOINT, SPURIOUS}:
            of_spurious = self.evidence(self.spurious, s, examples)
            terms[JOINT] = self.prediction_loss(evidence + of_spurious, examples)
            if SPURIOUS in weights:
                loss = self.prediction_loss(of_spurious, examples)
                terms[SPURIOUS] = clamped_at_chance(loss, self.chance)
        if s is not None and self.dependence is not None:
            terms[INDEPENDENCE] = self.dependence(t, s)
        if COMPRESSION in weights:
            terms[COMPRESSION] = self._compress(posterior)
        if CONTRASTIVE in weights:
            second = self.encode_adjustment(examples).draw()
            terms[CONTRASTIVE] = info_nce(t, second, self.temperature, examples.targets)
        return {name: terms[name] for name in weights}, (t, s)

    def _compress(self, posterior: Posterior) -> Tensor:
        """Return the compression of t: the bound of I(t; x) by a standard normal prior, 0-d.

        A point has no divergence from a Gaussian: with it both options are half the squared mean,
        the divergence of a Gaussian of variance 1.
        """
        if self.compression == "l2" or posterior.log_variance is None:
            return half_squared_norm(posterior.mean)
        return gaussian_kl(posterior.mean, posterior.log_variance)

    def calculate_loss(self, interaction: Interaction) -> Tensor:
        """Return the weighted sum of the terms, for RecBole's own trainer: 0-d."""
        terms, _ = self.terms(self.encoder.examples(interaction))
        return torch.stack([self.term_weights[name] * term for name, term in terms.items()]).sum()

    def represent(self, interaction: Interaction) -> Representations:
        """Encode histories as for recommending: the means of t and s."""
        sequence, length = interaction[self.ITEM_SEQ], interaction[self.ITEM_SEQ_LEN]
        spurious = None
        if self.spurious is not None and self.spurious_head is not None:
            spurious = self.spurious_head(self.spurious.encode_sequence(sequence, length)).mean
        return Representations(self._adjustment(sequence, length), spurious)

    def _adjustment(self, sequence: Tensor, length: Tensor) -> Tensor:
        """Return the mean of t `(batch, size)`."""
        vectors = self.encoder.embed(sequence)
        encoded = self.encoder.encode_sequence(vectors, sequence, length)
        posterior: Posterior = self.head(encoded)
        return posterior.mean

    def adjustment_item_scores(self, representation: Tensor, items: Tensor) -> Tensor:
        """Score one item a row by t: `(rows,)`."""
        return self.encoder.item_scores(representation, items)

    def spurious_item_scores(self, representation: Tensor, items: Tensor) -> Tensor:
        """Score one item a row by s: `(rows,)`.

        Raises:
            ValueError: there is no spurious encoder.
        """
        if self.spurious is None:
            raise ValueError("s_input: none has no spurious scores")
        return self.spurious.item_scores(representation, items)

    def predict(self, interaction: Interaction) -> Tensor:
        """Score pairs by t: `(batch,)`."""
        t = self._adjustment(interaction[self.ITEM_SEQ], interaction[self.ITEM_SEQ_LEN])
        return self.adjustment_item_scores(t, interaction[self.ITEM_ID])

    def full_sort_predict(self, interaction: Interaction) -> Tensor:
        """Score the catalogue by t: `(batch, n_items)`."""
        t = self._adjustment(interaction[self.ITEM_SEQ], interaction[self.ITEM_SEQ_LEN])
        return self.encoder.scores(t)


def term_weights(config: Any) -> dict[str, float]:
    """Weigh the terms of the objective; one without weight is left out, save the prediction.

    With `independence: dib` the independence is in the predictions (DIB, Sec. 3 and its code):
    `(1 - gamma) l(t) + gamma l(t, s) - (gamma - alpha) l(s) + beta compression`.
    """
    gamma = config["independence_weight"]
    weights = {PREDICTION: 1.0, COMPRESSION: config["compression_weight"]}
    if config["contrastive"] != "none":
        weights[CONTRASTIVE] = config["contrastive_weight"]
    if config["s_input"] != NONE and config["independence"] == DIB:
        alpha = gamma if config["spurious_weight"] is None else config["spurious_weight"]
        weights |= {PREDICTION: 1.0 - gamma, JOINT: gamma, SPURIOUS: alpha - gamma}
    elif config["s_input"] != NONE:
        sign = -1.0 if config["independence"] == MAXIMIZE else 1.0
        weights |= {JOINT: config["joint_weight"], INDEPENDENCE: sign * gamma}
    return {name: weight for name, weight in weights.items() if weight or name == PREDICTION}
