"""Toy data whose items have attributes, and a stand-in for Irl4Rec that holds what is known."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recbole_invariant.preparation import Prepared
from tests.sequences import SMALL, prepared, write_sequences

N_USERS, N_ITEMS, SIZE = 240, 30, 6
COLUMNS = ["item_id", "colour", "tags", "price"]


def write_items(folder: Path) -> None:
    """Write a colour (item mod 3), tags (one or two) and a price of every item."""
    lines = ["item_id:token\tcolour:token\ttags:token_seq\tprice:float"]
    for item in range(N_ITEMS):
        tags = f"even t{item % 5}" if item % 2 == 0 else f"t{item % 5}"
        lines.append(f"i{item}\tc{item % 3}\t{tags}\t{item / 10}")
    (folder / "toy" / "toy.item").write_text("\n".join(lines) + "\n")


def write_popular(folder: Path) -> None:
    """Write histories of items drawn independently, the k-th with odds 1 / k, and the items."""
    rng = np.random.default_rng(0)
    odds = 1 / np.arange(1, N_ITEMS + 1)
    lines = ["user_id:token\titem_id:token\ttimestamp:float"]
    for user in range(N_USERS):
        items = rng.choice(N_ITEMS, size=10, p=odds / odds.sum())
        lines += [f"u{user}\ti{item}\t{time}" for time, item in enumerate(items)]
    (folder / "toy").mkdir()
    (folder / "toy" / "toy.inter").write_text("\n".join(lines) + "\n")
    write_items(folder)


def write_diagnosed(folder: Path) -> Path:
    """Write sequences and the items; return the folder."""
    write_sequences(folder, N_USERS, N_ITEMS)
    write_items(folder)
    return folder


def validated(folder: Path, by_user: bool) -> Prepared:
    """Prepare the toy, validated by our loader, one question a user, or by RecBole's, one a row."""
    cut: dict[str, Any] = {"ood": "random", "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}}}
    return loaded(folder, **(cut if by_user else {}))[0]


def loaded(folder: Path, model: str = "SASRec", **changes: Any) -> tuple[Prepared, Any]:
    columns = {"inter": ["user_id", "item_id", "timestamp"], "item": COLUMNS}
    small = {**SMALL["SASRec"], "loss_type": "CE"}
    _, data, made, _ = prepared(folder, model, **(small | {"load_col": columns} | changes))
    return data, made


class Known(nn.Module):
    """A stand-in for Irl4Rec whose t knows users and whose s knows the last item's colour."""

    ITEM_SEQ, ITEM_SEQ_LEN = "item_id_list", "item_length"
    device = torch.device("cpu")

    def __init__(self, dataset: Any, spurious: bool = True) -> None:
        super().__init__()
        self.n_items = dataset.item_num
        draw = torch.Generator().manual_seed(0)
        self.users = torch.randn(dataset.user_num, SIZE, generator=draw)
        self.colours = torch.as_tensor(dataset.item_feat["colour"])
        ids = dataset.field2token_id["colour"]
        self.after = torch.zeros(4, dtype=torch.long)
        for number in range(3):
            self.after[ids[f"c{number}"]] = ids[f"c{(number + 1) % 3}"]
        self.spurious = spurious

    def represent(self, rows: Any) -> Any:
        assert not self.training
        assert not torch.is_grad_enabled()
        last = rows[self.ITEM_SEQ].gather(1, rows[self.ITEM_SEQ_LEN].unsqueeze(1) - 1)[:, 0]
        s = nn.functional.one_hot(self.colours[last], 4).float() if self.spurious else None
        return SimpleNamespace(adjustment=self.users[rows["user_id"]], spurious=s)

    def adjustment_item_scores(self, t: Tensor, items: Tensor) -> Tensor:
        """Score all items alike: nothing is known of the target."""
        return torch.zeros(len(items))

    def spurious_item_scores(self, s: Tensor, items: Tensor) -> Tensor:
        """Score items of the colour that follows the last one's, as the next item mostly is."""
        return (self.after[s.argmax(1)] == self.colours[items]).float()


class Popular(Known):
    """A stand-in whose s is the same for every history, save for noise, and scores by popularity.

    Args:
        dataset: as for `Known`.
        counts: how often each item is taken `(n_items,)`.
    """

    def __init__(self, dataset: Any, counts: Tensor) -> None:
        super().__init__(dataset)
        self.counts, self.noise = counts, 0.0

    def represent(self, rows: Any) -> Any:
        """Draw an s for each user from the noise."""
        represented = super().represent(rows)
        represented.spurious = 1.0 + self.noise * self.users[rows["user_id"]]
        return represented

    def spurious_item_scores(self, s: Tensor, items: Tensor) -> Tensor:
        """Score by popularity, which dimensions of s shift for all items of a like id."""
        return self.counts[items].log1p() + (s - 1.0)[torch.arange(len(s)), items % SIZE]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
