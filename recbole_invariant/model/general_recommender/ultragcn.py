"""UltraGCN (CIKM 2021), the backbone of InvRL and PaInvRL, with or without item features.

Score (PaInvRL Eq. 15, the mask on the features):
`y_ui = <p_u, t_i> + <q_u, W (mask * f_i) + b>`; without features the first term alone.
Loss: PaInvRL Eq. 3-8, in `objective.ranking`.
"""

from typing import ClassVar, cast

import numpy as np
import torch
from recbole.config import Config
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import GeneralRecommender
from recbole.utils import InputType
from torch import Tensor, nn
from torch.nn.functional import linear

from recbole_invariant.data.interaction_graph import InteractionGraph
from recbole_invariant.model.pair_functions import pair_scores
from recbole_invariant.objective.ranking import RankingWeights


class UltraGCN(GeneralRecommender):  # type: ignore[misc]
    """UltraGCN over ids; subclasses add item features by setting `uses_item_features`.

    Attributes:
        user_embedding: p, `(n_users, embedding_size)`.
        item_embedding: t, `(n_items, embedding_size)`.
        user_content_embedding: q, `(n_users, content_embedding_size)`; features only.
        item_projection: W and b, d -> content_embedding_size; features only.
        invariant_mask: the mask m on the d feature dimensions, `(d,)`, in [0, 1]; features only.
        item_features: `(n_items, d)`, each modality L2-normalised per item; features only.
        served_content: `(n_items, content_embedding_size)` where the model only serves, see
            `serve_content`; None otherwise.
    """

    input_type = InputType.POINTWISE
    uses_item_features: ClassVar[bool] = False
    scores_from_rows: ClassVar[bool] = False

    served_content: Tensor | None
    item_features: Tensor
    invariant_mask: Tensor

    def __init__(self, config: Config, dataset: Dataset) -> None:
        super().__init__(config, dataset)
        size, content_size = config["embedding_size"], config["content_embedding_size"]
        self.init_std: float = config["init_std"]
        self.n_negatives: int = config["n_negatives"]
        self.weights = RankingWeights.from_options(config)
        self.user_embedding = nn.Embedding(self.n_users, size)
        self.item_embedding = nn.Embedding(self.n_items, size)
        if self.uses_item_features:
            features = dataset.item_features().to(torch.float32)
            self.register_buffer("item_features", features, persistent=False)
            self.register_buffer("invariant_mask", torch.ones(features.shape[1]))
            self.user_content_embedding = nn.Embedding(self.n_users, content_size)
            self.item_projection = nn.Linear(features.shape[1], content_size)
        users, items = dataset.inter_feat[self.USER_ID], dataset.inter_feat[self.ITEM_ID]
        shape = (self.n_users, self.n_items)
        n_neighbours = config["n_neighbours"] if self.weights.neighbour > 0 and len(users) else 0
        self.graph = InteractionGraph(np.asarray(users), np.asarray(items), shape, n_neighbours)
        self.register_buffer("served_content", None, persistent=False)
        self._item_vectors: Tensor | None = None
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw every table and the projection from N(0, init_std^2); the bias becomes 0.

        Drawn on the CPU, so that every device starts from the same numbers.
        """
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if name.endswith("bias"):
                    parameter.zero_()
                else:
                    drawn = torch.empty(parameter.shape)
                    parameter.copy_(drawn.normal_(std=self.init_std, generator=generator))

    def user_vectors(self, users: Tensor) -> Tensor:
        """Return `[p_u, q_u]`, `(batch, size)`, for users `(batch,)`."""
        vectors = self.user_embedding(users)
        if self.uses_item_features:
            vectors = torch.cat([vectors, self.user_content_embedding(users)], dim=-1)
        return cast(Tensor, vectors)

    def item_vectors(self, items: Tensor | None = None) -> Tensor:
        """Return `[t_i, W (mask * f_i) + b]` of some items, or of the whole catalogue."""
        ids = self.item_embedding.weight if items is None else self.item_embedding(items)
        if not self.uses_item_features:
            return cast(Tensor, ids)
        return torch.cat([ids, self.content_vectors(items)], dim=-1)

    def content_vectors(self, items: Tensor | None = None) -> Tensor:
        """Return `W (mask * f_i) + b` of some items, or of the whole catalogue."""
        served = self.served_content
        every = self.item_features if served is None else served
        chosen = every if items is None else every.index_select(0, items)
        return chosen if served is not None else self.project(chosen)

    def project(self, features: Tensor) -> Tensor:
        """Return `W (mask * f) + b` of features `(n, d)`; the mask scales W, which is smaller."""
        projection = self.item_projection
        return linear(features, projection.weight * self.invariant_mask, projection.bias)

    def serve_content(self, content: Tensor) -> None:
        """Score by given `content_vectors` from now on, without features; no more training."""
        self.served_content = content
        self.item_features = content.new_empty(self.n_items, 0)

    def score(self, users: Tensor, items: Tensor) -> Tensor:
        """Score pairs `(batch,)` x `(batch, n)` -> `(batch, n)`.

        Features are projected once for each different item of the batch.
        """
        if not self.uses_item_features or items.numel() >= self.n_items:
            vectors, position = self.item_vectors(), items
        else:
            different, position = torch.unique(items, return_inverse=True)
            vectors = self.item_vectors(different)
        return pair_scores(self.user_vectors(users), vectors.unsqueeze(1), position).squeeze(-1)

    def pair_losses(self, users: Tensor, items: Tensor, negatives: Tensor) -> Tensor:
        """Loss of each pair, `(batch,)`; the training loss is the sum.

        Args:
            users: `(batch,)`.
            items: `(batch,)`.
            negatives: `(batch, n_negatives)`.
        """
        columns = self.graph.columns(items, negatives)
        return self.graph.losses(self.score(users, columns), users, columns, self.weights)

    def calculate_loss(self, interaction: Interaction) -> Tensor:
        """Return the summed loss of RecBole's batch, negatives drawn here; no weight decay."""
        users, items = interaction[self.USER_ID], interaction[self.ITEM_ID]
        shape = (len(users), self.n_negatives)
        negatives = torch.randint(1, self.n_items, shape, device=users.device)
        return self.pair_losses(users, items, negatives).sum()

    def train(self, mode: bool = True) -> "UltraGCN":
        """Switch the mode and forget the item vectors kept for ranking."""
        self._item_vectors = None
        super().train(mode)
        return self

    def predict(self, interaction: Interaction) -> Tensor:
        """Score RecBole's user-item rows, `(batch,)`."""
        items = interaction[self.ITEM_ID].unsqueeze(-1)
        return self.score(interaction[self.USER_ID], items).squeeze(-1)

    @torch.no_grad()
    def full_sort_predict(self, interaction: Interaction) -> Tensor:
        """Score every item for RecBole's users, `(batch, n_items)`.

        The item vectors are made once an evaluation; `train()` and `eval()` forget them.
        """
        if self._item_vectors is None or self.training:
            self._item_vectors = self.item_vectors().detach()
        return self.user_vectors(interaction[self.USER_ID]) @ self._item_vectors.T
