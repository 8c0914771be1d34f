"""Toy data whose items have attributes, and a stand-in for Irl4Rec that holds what is known."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from recbole_invariant.preparation import Prepared
from tests.sequences import SMALL, prepared

N_USERS, N_ITEMS, SIZE = 240, 30, 6
COLUMNS = ["item_id", "colour", "tags", "price"]


def write_items(folder: Path) -> None:
    """Write a colour (item mod 3), tags (one or two) and a price of every item."""
    lines = ["item_id:token\tcolour:token\ttags:token_seq\tprice:float"]
    for item in range(N_ITEMS):
        tags = f"even t{item % 5}" if item % 2 == 0 else f"t{item % 5}"
        lines.append(f"i{item}\tc{item % 3}\t{tags}\t{item / 10}")
    (folder / "toy" / "toy.item").write_text("\n".join(lines) + "\n")


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


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
