"""A dataset and options in memory, for tests of models and stages without files."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from recbole.data.interaction import Interaction

PROPERTIES = Path(__file__).parents[1] / "properties" / "model"


def model_options(name: str, **changes: Any) -> dict[str, Any]:
    """Read a model's options from its YAML chain, as the configuration would."""
    content = yaml.safe_load((PROPERTIES / f"{name}.yaml").read_text(encoding="utf-8"))
    base = content.pop("base", None)
    options = model_options(base) if base else {}
    variants = content.pop("variants", options.pop("_variants", {}))
    options.update(content)
    options.update(variants.get(options.get("variant"), {}))
    host = {"USER_ID_FIELD": "user_id", "ITEM_ID_FIELD": "item_id", "NEG_PREFIX": "neg_"}
    rest = {"device": torch.device("cpu"), "seed": 0, "learner": "adam", "_variants": variants}
    return {**host, **rest, **options, **changes}


class ToyDataset:
    """Random interactions in the shape that the models and stages read."""

    uid_field, iid_field = "user_id", "item_id"

    def __init__(
        self, n_users: int = 30, n_items: int = 40, n_rows: int = 300, n_dims: int = 6
    ) -> None:
        rng = np.random.default_rng(0)
        self.sizes = {"user_id": n_users, "item_id": n_items}
        users = torch.from_numpy(rng.integers(1, n_users, n_rows))
        items = torch.from_numpy(rng.integers(1, n_items, n_rows))
        self.inter_feat = Interaction({"user_id": users, "item_id": items})
        features = torch.from_numpy(rng.normal(size=(n_items, n_dims))).float()
        features[0] = 0
        self.features = torch.nn.functional.normalize(features, dim=1)

    def num(self, field: str) -> int:
        """Number of ids of a field, padding included."""
        return self.sizes[field]

    def item_features(self) -> torch.Tensor:
        """Return the features `(n_items, n_dims)`."""
        return self.features


class ToyLoader:
    """What a stage needs of RecBole's training loader."""

    def __init__(self, dataset: ToyDataset) -> None:
        self._dataset = dataset
