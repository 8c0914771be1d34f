"""Speed of a training step of Irl4Rec against the same step of its plain encoder.

    python -m benchmarks.irl4rec_step [--sizes beauty planted] [--encoders GRU4Rec SASRec]
    python -m benchmarks.irl4rec_step --losses CE --kinds xcov dib --rounds 15

The data are those of `idea_step.py`: synthetic, of the size of Amazon Beauty and of planted
sequences. Every kind is a whole step (forward, backward, optimiser) on the same batches, in one
process; the kinds take turns, and the median of the CPU time counts. `ratio` is to RecBole's own
model with the same loss; `passes` is the ratio expected of the passes of an encoder alone: 2 with
the second encoder, one more with a contrastive term. min_norm goes back once a term, two of them
through one encoder and two through both, so it takes 2 forward and 6 backward passes.
"""

import argparse
import resource
from typing import Any

import numpy as np
import torch
from recbole.data import construct_transform
from recbole.data.interaction import Interaction
from recbole.utils.enum_type import FeatureType
from tabulate import tabulate

from benchmarks.idea_step import SIZES, Size, Step, SyntheticDataset, interleaved
from recbole_invariant.allocator import keep_freed_memory
from recbole_invariant.config import RunConfig, build_config
from recbole_invariant.registry import resolve
from recbole_invariant.trainer.disentangling_stage import DisentanglingStage
from recbole_invariant.trainer.host_stage import HostStage, HostTrainer
from recbole_invariant.trainer.irl4rec import Irl4RecTrainer

ATTRIBUTE, N_VALUES, VALUES_AN_ITEM = "class", 200, 4
KINDS: dict[str, tuple[dict[str, Any], float]] = {
    "t alone": ({"variant": "plain"}, 1),
    "no independence": ({"independence_weight": 0.0}, 2),
    "xcov": ({"independence": "xcov"}, 2),
    "hsic": ({"independence": "hsic"}, 2),
    "club": ({"independence": "club"}, 2),
    "orth": ({"independence": "orth"}, 2),
    "dib": ({"independence": "dib"}, 2),
    "attribute": ({"variant": "attribute", "attribute": ATTRIBUTE}, 2),
    "contrastive": ({"contrastive": "dropout"}, 3),
    "uncertainty": ({"adaptive_weights": "uncertainty"}, 2),
    "min_norm": ({"adaptive_weights": "min_norm"}, 14 / 3),
}
"""Options of each kind of step, and the passes of an encoder it takes, backward ones two thirds."""


class AttributedDataset(SyntheticDataset):
    """A synthetic data set whose items have a few tokens each, as Amazon's categories are."""

    transform: Any

    def resize(self, n_items: int) -> None:
        """Say how many items there are and draw their attribute."""
        super().resize(n_items)
        values = np.random.default_rng(0).integers(
            1, N_VALUES + 1, (n_items + 1, VALUES_AN_ITEM), dtype=np.int64
        )
        values[0] = 0
        self.field2type[ATTRIBUTE] = FeatureType.TOKEN_SEQ
        ids = torch.arange(n_items + 1)
        self.item_feat = Interaction({self.iid_field: ids, ATTRIBUTE: torch.from_numpy(values)})

    def draw_examples(self, size: Size, seed: int, config: RunConfig) -> Interaction:
        """Draw a batch with a uniform negative a row, as RecBole's loader of a model gives it."""
        batch = self.draw(size, seed)
        generator = torch.Generator().manual_seed(seed)
        negatives = torch.randint(1, size.n_items + 1, (size.batch,), generator=generator)
        batch.update(Interaction({config["NEG_PREFIX"] + self.iid_field: negatives}))
        return self.transform(self, batch)


def prepared(
    model: str, size: Size, loss: str, **options: Any
) -> tuple[RunConfig, AttributedDataset]:
    """Make the options of a model and its data."""
    options = {"MAX_ITEM_LIST_LENGTH": size.length, "loss_type": loss, "use_gpu": False, **options}
    if loss == "CE":
        options["train_neg_sample_args"] = None
    if options.get("attribute"):
        options["load_col"] = {
            "inter": ["user_id", "item_id", "timestamp"],
            "item": ["item_id", ATTRIBUTE],
        }
    config = build_config(model, "ml-100k", overrides=options)
    config["run_dir"] = None
    dataset = AttributedDataset(config)
    dataset.resize(size.n_items)
    # Before the model: BERT4Rec's transform tells the options how its columns are named.
    dataset.transform = construct_transform(config)
    return config, dataset


def plain_step(
    encoder: str, size: Size, loss: str, n_batches: int
) -> tuple[Step, list[Interaction]]:
    """Prepare the step of RecBole's model, as our loop takes it, and the batches for all."""
    config, dataset = prepared(encoder, size, loss)
    model = resolve(encoder).model_class(config, dataset)
    stage = HostStage("train", HostTrainer(config, model), None)  # type: ignore[arg-type]
    stage.begin()
    model.train()
    batches = [dataset.draw_examples(size, seed, config) for seed in range(n_batches)]
    return stage.step, batches


def irl4rec_step(encoder: str, size: Size, loss: str, options: dict[str, Any]) -> Step:
    """Prepare a step of Irl4Rec with some of its options."""
    config, dataset = prepared("Irl4Rec", size, loss, encoder=encoder, **options)
    model = resolve("Irl4Rec").model_class(config, dataset)
    trainer = Irl4RecTrainer(config, model)
    stage = DisentanglingStage("disentangle", trainer, None)  # type: ignore[arg-type]
    stage.begin()
    model.train()
    return stage.step


def measure(
    name: str, encoder: str, loss: str, kinds: list[str], rounds: int
) -> list[list[object]]:
    """Measure one encoder at one size; return the rows of the table."""
    size = SIZES[name]
    torch.manual_seed(0)
    plain, batches = plain_step(encoder, size, loss, n_batches=4)
    steps = {"plain": plain}
    steps |= {kind: irl4rec_step(encoder, size, loss, KINDS[kind][0]) for kind in kinds}
    found = interleaved(steps, batches, rounds)
    base = found["plain"]
    rows: list[list[object]] = [[name, encoder, loss, "plain encoder", 1000 * base, 1.0, 1.0]]
    rows += [
        [name, encoder, loss, kind, 1000 * found[kind], found[kind] / base, KINDS[kind][1]]
        for kind in kinds
    ]
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--encoders", nargs="+", default=["GRU4Rec", "SASRec"])
    parser.add_argument("--losses", nargs="+", choices=["BPR", "CE"], default=["BPR", "CE"])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    keep_freed_memory()
    rows: list[list[object]] = []
    for name in given.sizes:
        for encoder in given.encoders:
            for loss in given.losses:
                rows += measure(name, encoder, loss, given.kinds, given.rounds)
    headers = ["size", "encoder", "loss", "step", "CPU ms", "ratio", "passes"]
    digits = ("", "", "", "", ".1f", ".2f", ".1f")
    print(tabulate(rows, headers=headers, tablefmt="github", floatfmt=digits))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory of the process {peak:.1f} GiB")


if __name__ == "__main__":
    main()
