"""RecBole's dataset with item features of several modalities."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from recbole.data.dataset import Dataset
from recbole.utils.argument_list import dataset_arguments

from recbole_invariant.data.modality import Modality, load_modalities
from recbole_invariant.data.modality_sources import preload
from recbole_invariant.data.modality_specs import parse_specs
from recbole_invariant.errors import InputError

# RecBole reuses a saved dataset when these options are equal; features are part of the data.
if "modalities" not in dataset_arguments:
    dataset_arguments.append("modalities")


class MultimodalDataset(Dataset):
    """A RecBole dataset that also holds the modalities of the option `modalities`.

    Features are tensors over internal item ids, not columns of `item_feat`, which RecBole would
    copy into every batch. `copy()`, and so every split, shares them.

    Attributes:
        modalities: name -> `Modality`, in the order of the option; empty without the option.

    Raises:
        InputError: the option or a feature file is wrong; all problems at once.
    """

    modalities: dict[str, Modality]

    def __init__(self, config: Any) -> None:
        _check_options(config)
        self.modalities = {}
        super().__init__(config)

    def _remap_ID_all(self) -> None:  # noqa: N802 - RecBole's name
        self._drop_items_without_interactions()
        super()._remap_ID_all()

    def _drop_items_without_interactions(self) -> None:
        # RecBole gives every token of an aliased column an id, so that items that stand only in
        # a feature file would become candidates that no user can ever have chosen.
        known = [self.inter_feat[self.iid_field]]
        if self.item_feat is not None:
            known.append(self.item_feat[self.iid_field])
        catalogue = set().union(*(set(column) for column in known))
        for spec in parse_specs(self.config["modalities"]):
            if spec.source != "preload":
                continue
            id_field = spec.options["id_field"]
            name = f"{self.field2source[id_field]}_feat"
            table = getattr(self, name)
            kept = table[table[id_field].isin(catalogue)].reset_index(drop=True)
            if kept.empty:
                raise InputError(
                    f"modality '{spec.name}': no '{id_field}' of the .{self.field2source[id_field]}"
                    f" file is in the interactions; its ids look like {list(table[id_field][:3])}, "
                    f"theirs like {sorted(catalogue)[:3]}"
                )
            setattr(self, name, kept)

    def _data_processing(self) -> None:
        super()._data_processing()
        self.modalities = load_modalities(
            self.config, self.field2token_id[self.iid_field], self.item_num, host=self
        )

    @property
    def modality_slices(self) -> dict[str, slice]:
        """Columns of each modality in `item_features()`."""
        edges = np.cumsum([0, *(modality.dim for modality in self.modalities.values())])
        return {
            name: slice(int(edges[k]), int(edges[k + 1])) for k, name in enumerate(self.modalities)
        }

    def item_features(self) -> torch.Tensor:
        """Join all modalities' features.

        Returns:
            (n_items, sum of the modalities' dims) float32 on the CPU; row 0 (padding) is zero and
            each modality's part of a row has norm 1 or 0.

        Raises:
            InputError: the dataset has no modality.
        """
        if not self.modalities:
            raise InputError(
                f"dataset '{self.dataset_name}' has no item features, and the model "
                f"'{self.config['model']}' needs some. Set the option `modalities`, e.g. "
                "modalities: {title: {source: text, fields: title}} for a column of the .item "
                "file, or modalities: {visual: {source: npy}} for "
                f"{self.dataset_name}.visual.npy beside {self.dataset_name}.item_tokens.txt"
            )
        return torch.cat([modality.values for modality in self.modalities.values()], dim=1)


def _check_options(config: Any) -> None:
    # before RecBole loads anything: its own answer to these is a KeyError
    problems: list[str] = []
    for spec in parse_specs(config["modalities"]):
        if spec.source == "preload":
            problems += preload.host_problems(
                spec.name, spec.options, config, config["dataset"], Path(config["data_path"])
            )
    if problems:
        raise InputError(problems)
