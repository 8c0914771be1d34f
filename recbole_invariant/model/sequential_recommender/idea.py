"""IDEA: a sequential model trained in environments simulated from each user's own sequence."""

from dataclasses import dataclass
from typing import Any

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender
from torch import Tensor

from recbole_invariant.environment.simulated import (
    draw_mixing,
    draw_pairs,
    mix_gates,
    relaxed_bernoulli,
    sequence_descriptor,
)
from recbole_invariant.errors import InputError
from recbole_invariant.model.known_cue import KnownCue
from recbole_invariant.model.sequence_encoder import Examples, build_encoder
from recbole_invariant.model.subsequence import SubsequenceExtractors
from recbole_invariant.objective.environment_risk import environment_losses
from recbole_invariant.seeding import derive_seed, torch_generator

SUBSEQUENCE, RANDOM, NONE = "subsequence", "random", "none"


@dataclass(frozen=True)
class Gates:
    """Gates of a batch, in [0, 1].

    Attributes:
        extractors: of each extractor's subsequence `(n_extractors, batch, length)`.
        environments: of each environment `(n_environments, batch, length)`.
    """

    extractors: Tensor
    environments: Tensor


class IDEA(SequentialRecommender):  # type: ignore[misc]
    """Any of RecBole's sequential models, made robust by simulated environments (SIGIR 2025).

    K extractors gate the places of a sequence, two of them at a time are mixed into one of N
    environments, and the backbone is to do equally well in all. Recommending is the backbone's
    own forward pass: no gates.

    Two departures from the published code. Gates are constants where the recommender learns: its
    gradient does not go through the descriptor into the item vectors, so each step moves its own
    parameters only. Places without an item (padding, BERT4Rec's masks) are never gated.
    """

    def __init__(self, config: Any, dataset: Any) -> None:
        super().__init__(config, dataset)
        _require_cross_entropy(config)
        n_fakes = config["n_fake_items"] if config["fake_ratio"] else 0
        self.encoder = build_encoder(config["backbone"], config, dataset, n_fakes)
        self._draw_fakes(config["seed"])
        self.extractors = SubsequenceExtractors(
            config["n_extractors"],
            self.max_seq_length,
            config["extractor_hidden"],
            torch_generator(config["seed"], "init/extractors"),
        )
        self.known_cue = _known_cue(config, dataset)
        self.environments = config["environments"]
        self.n_environments = config["n_environments"]
        self.temperature, self.alpha = config["temperature"], config["mixup_alpha"]
        self.lambda_level = config["lambda_level"]

    def _draw_fakes(self, seed: int) -> None:
        """Draw the fakes' vectors as the backbone draws its items', from a stream of their own."""
        fakes = self.encoder.fake_embedding
        if fakes is None:
            return
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(seed, "init/fakes") % 2**32)
            self.backbone._init_weights(fakes)

    @property
    def backbone(self) -> Any:
        """The RecBole model inside."""
        return self.encoder.backbone

    def gates(self, item_embeddings: Tensor, is_item: Tensor, generator: torch.Generator) -> Gates:
        """Simulate the environments of a batch.

        Args:
            item_embeddings: `(batch, length, size)`; no gradient goes into them.
            is_item: places that can be gated `(batch, length)` bool; others keep a gate of 1.
            generator: of all draws.
        """
        if self.environments == NONE:
            ones = torch.ones_like(is_item, dtype=item_embeddings.dtype).unsqueeze(0)
            return Gates(ones, ones)
        descriptor = sequence_descriptor(item_embeddings.detach())
        if self.environments == RANDOM:
            shape = (self.extractors.n_extractors, *descriptor.shape)
            logits = torch.zeros(shape, device=descriptor.device)
        else:
            logits = self.extractors(descriptor)
        extractors = relaxed_bernoulli(logits, self.temperature, generator)
        extractors = torch.where(is_item, extractors, 1.0)
        pairs = draw_pairs(self.n_environments, len(extractors), generator)
        mixing = draw_mixing(
            self.n_environments, len(descriptor), self.alpha, self.lambda_level, generator
        )
        return Gates(extractors, mix_gates(extractors, pairs, mixing))

    def logits_by_environment(
        self, item_embeddings: Tensor, examples: Examples, gates: Tensor
    ) -> Tensor:
        """Score the catalogue for every target in every environment, in one pass of the backbone.

        Args:
            item_embeddings: `(batch, length, size)`.
            examples: the batch.
            gates: `(n_environments, batch, length)`.

        Returns:
            `(n_environments, n_targets, n_items)`.
        """
        gated = gates.unsqueeze(-1) * item_embeddings
        scores = self.encoder.scores(self.encoder.encode_targets(gated, examples))
        return scores if self.known_cue is None else scores + self.known_cue(examples)

    def plain_loss(self, batch: Interaction) -> Tensor:
        """Return the backbone's own loss, fakes and all; what the first stage minimises."""
        if self.encoder.fake_embedding is None and self.known_cue is None:
            loss: Tensor = self.backbone.calculate_loss(batch)
            return loss
        examples = self.encoder.examples(batch)
        embeddings = self.encoder.embed(examples.item_sequence)
        ungated = torch.ones_like(embeddings[..., 0]).unsqueeze(0)
        logits = self.logits_by_environment(embeddings, examples, ungated)
        return environment_losses(logits, examples.targets).mean()

    def calculate_loss(self, interaction: Interaction) -> Tensor:
        """Return the plain backbone's loss; `IDEATrainer` adds the environments."""
        return self.plain_loss(interaction)

    def predict(self, interaction: Interaction) -> Tensor:
        """Score pairs as the backbone does: `(batch,)`."""
        scores: Tensor = self.backbone.predict(interaction)
        return scores

    def full_sort_predict(self, interaction: Interaction) -> Tensor:
        """Score the catalogue as the backbone does: `(batch, n_items)`."""
        scores: Tensor = self.backbone.full_sort_predict(interaction)
        return scores


def _known_cue(config: Any, dataset: Any) -> KnownCue | None:
    """Make the control that the option `known_cue` asks for.

    Raises:
        InputError: the option `attribute` does not name the cue, or there is no truth.
    """
    if not config["known_cue"]:
        return None
    if not config["attribute"]:
        raise InputError("known_cue: true needs attribute, the cue's column of the items.")
    return KnownCue(dataset, config["attribute"])


def _require_cross_entropy(config: Any) -> None:
    """Refuse the pairwise loss.

    Raises:
        InputError: `loss_type` is not CE.
    """
    if config["loss_type"] != "CE":
        raise InputError(
            f"loss_type: IDEA's risks are cross entropies over all items; expected CE, not "
            f"'{config['loss_type']}'."
        )
