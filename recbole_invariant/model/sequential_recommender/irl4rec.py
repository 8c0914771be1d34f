"""Irl4Rec: what a user is after, kept independent of what misleads."""

from dataclasses import dataclass
from typing import Any

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender
from torch import Tensor

from recbole_invariant.errors import InputError
from recbole_invariant.model.dependence import (
    DIB,
    MAXIMIZE,
    ClubDependence,
    build_dependence,
    spread_rows,
)
from recbole_invariant.model.posterior import GaussianHead, Posterior
from recbole_invariant.model.prediction import (
    CataloguePrediction,
    PairwisePrediction,
    Prediction,
)
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

CONTRASTED_ROWS = 2048
"""Targets of a batch that InfoNCE compares with each other, all pairs of them; BERT4Rec has many
targets a sequence."""


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
        self.needs_own_trainer = (
            isinstance(self.dependence, ClubDependence) or config["adaptive_weights"] != "none"
        )
        over_catalogue = config["loss_type"] == "CE"
        self.prediction: Prediction = (
            CataloguePrediction(self.n_items) if over_catalogue else PairwisePrediction()
        )
        self.compression = config["compression"]
        self.temperature = config["contrastive_temperature"]

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

    def terms(self, examples: Examples) -> tuple[dict[str, Tensor], tuple[Tensor, Tensor | None]]:
        """Compute the terms of the objective that have a weight, unweighted.

        Args:
            examples: the batch.

        Returns:
            Terms by name, 0-d each; and the drawn t and s, s None without a spurious encoder.
        """
        weights, prediction = self.term_weights, self.prediction
        posterior, other = self.encode_adjustment(examples), self.encode_spurious(examples)
        t = posterior.draw()
        evidence = prediction.evidence(self.encoder, t, examples)
        terms = {PREDICTION: prediction.loss(evidence, examples)}
        s = None if other is None else other.draw()
        if self.spurious is not None and s is not None and weights.keys() & {JOINT, SPURIOUS}:
            of_spurious = prediction.evidence(self.spurious, s, examples)
            terms[JOINT] = prediction.loss(evidence + of_spurious, examples)
            if SPURIOUS in weights:
                loss = prediction.loss(of_spurious, examples)
                terms[SPURIOUS] = clamped_at_chance(loss, prediction.chance)
        if s is not None and self.dependence is not None:
            # products of small differences: half precision would lose them
            with torch.autocast(t.device.type, enabled=False):
                terms[INDEPENDENCE] = self.dependence(t.float(), s.float())
        if COMPRESSION in weights:
            terms[COMPRESSION] = self._compress(posterior)
        if CONTRASTIVE in weights:
            terms[CONTRASTIVE] = self._contrast(t, examples)
        return {name: terms[name] for name in weights}, (t, s)

    def _contrast(self, first: Tensor, examples: Examples) -> Tensor:
        """Return InfoNCE between t and t of a second pass, of at most `CONTRASTED_ROWS`: 0-d."""
        second = self.encode_adjustment(examples).draw()
        rows = spread_rows(len(first), CONTRASTED_ROWS, first.device)
        targets = examples.targets[rows]
        return info_nce(first[rows], second[rows], self.temperature, targets)

    def _compress(self, posterior: Posterior) -> Tensor:
        """Return the compression of t, 0-d.

        `kl` bounds I(t; x) by a standard normal prior. `l2`, the paper's, is that bound for a
        variance of 1 only: the learned variance is then free to shrink. A point has no divergence
        from a Gaussian: with it both options are `l2`.
        """
        if self.compression == "l2" or posterior.log_variance is None:
            return half_squared_norm(posterior.mean)
        return gaussian_kl(posterior.mean, posterior.log_variance)

    def calculate_loss(self, interaction: Interaction) -> Tensor:
        """Return the weighted sum of the terms, for trainers other than `Irl4RecTrainer`: 0-d.

        Raises:
            InputError: an option needs what that trainer does beside the loss.
        """
        if self.needs_own_trainer:
            raise InputError(
                "independence: club and adaptive_weights are trained by Irl4RecTrainer only; a "
                "trainer that minimises calculate_loss would do something else."
            )
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
