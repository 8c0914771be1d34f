"""IDEA: a sequential model trained in simulated environments."""

from typing import Any

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender
from torch import Tensor

from recbole_invariant.errors import InputError
from recbole_invariant.model.attribute_cue import build_adjustment, build_attribute
from recbole_invariant.model.sequence_encoder import Examples, build_encoder
from recbole_invariant.model.simulation import EnvironmentSimulation
from recbole_invariant.objective.environment_risk import environment_losses
from recbole_invariant.seeding import derive_seed


class IDEA(SequentialRecommender):  # type: ignore[misc]
    """Any of RecBole's sequential models, made robust by simulated environments (SIGIR 2025).

    `IDEATrainer` asks the backbone to do equally well in environments that `EnvironmentSimulation`
    makes, by default of the user's own sequence. Recommending is the backbone's own forward pass.

    Two choices where what is published leaves it open. Gates are constants where the recommender
    learns: its gradient does not go through the descriptor into the item vectors, so each step
    moves its own parameters only. Places without an item (padding, BERT4Rec's masks) are never
    gated.
    """

    def __init__(self, config: Any, dataset: Any) -> None:
        super().__init__(config, dataset)
        _require_cross_entropy(config)
        n_fakes = config["n_fake_items"] if config["fake_ratio"] else 0
        self.encoder = build_encoder(config["backbone"], config, dataset, n_fakes)
        self._draw_fakes(config["seed"])
        attribute = build_attribute(config, dataset)
        self.adjustment = build_adjustment(config, dataset, attribute)
        self.simulation = EnvironmentSimulation(config, self.max_seq_length, attribute)

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

    def training_scores(self, item_embeddings: Tensor, examples: Examples, gates: Tensor) -> Tensor:
        """Score the catalogue for every target and version, in one pass of the backbone.

        Args:
            item_embeddings: `(batch, length, size)`.
            examples: the batch.
            gates: `(n_versions, batch, length)`.

        Returns:
            `(n_versions, n_targets, n_items)`, with the adjustment for the cue where there is one.
        """
        gated = gates.unsqueeze(-1) * item_embeddings
        scores = self.encoder.scores(self.encoder.encode_targets(gated, examples))
        return scores if self.adjustment is None else scores + self.adjustment(examples)

    def calculate_loss(self, interaction: Interaction) -> Tensor:
        """Return the plain backbone's loss, fakes and all: what the first stage minimises."""
        if self.encoder.fake_embedding is None:
            loss: Tensor = self.backbone.calculate_loss(interaction)
            return loss
        examples = self.encoder.examples(interaction)
        embeddings = self.encoder.embed(examples.item_sequence).unsqueeze(0)
        logits = self.encoder.scores(self.encoder.encode_targets(embeddings, examples))
        return environment_losses(logits, examples.targets).mean()

    def predict(self, interaction: Interaction) -> Tensor:
        """Score pairs as the backbone does: `(batch,)`."""
        scores: Tensor = self.backbone.predict(interaction)
        return scores

    def full_sort_predict(self, interaction: Interaction) -> Tensor:
        """Score the catalogue as the backbone does: `(batch, n_items)`."""
        scores: Tensor = self.backbone.full_sort_predict(interaction)
        return scores


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
