"""Tiny finished runs with everything that a model may ask of its data."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from recbole.utils import ModelType

from recbole_invariant.config import build_config
from recbole_invariant.evaluation import records
from recbole_invariant.inference.write import write_inference
from recbole_invariant.registry import resolve
from recbole_invariant.single_run import describe_training
from recbole_invariant.training import Training, train
from tests.sequences import SMALL, write_sequences

N_USERS, N_ITEMS = 40, 30

GENERAL: dict[str, Any] = {
    "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
    "topk": [5],
    "metrics": ["NDCG"],
    "valid_metric": "NDCG@5",
    "show_progress": False,
    "use_gpu": False,
    "epochs": 2,
    "train_batch_size": 64,
    "embedding_size": 8,
    "ood": "random",
}
SEQUENTIAL: dict[str, Any] = {**GENERAL, "MAX_ITEM_LIST_LENGTH": 6}
SEQUENTIAL.pop("embedding_size")
LEFT_ONE_OUT: dict[str, Any] = {
    **SEQUENTIAL,
    "ood": None,
    "eval_args": {"mode": "full", "split": {"LS": "valid_and_test"}, "order": "TO"},
}
"""RecBole's own split: histories of its own making, and it ranks items that a user has, too."""
WITH_FEATURES: dict[str, Any] = {
    **GENERAL,
    "content_embedding_size": 8,
    "n_negatives": 4,
    "modalities": {"look": {"source": "npy"}},
}


def write_data(folder: Path) -> None:
    """Write `toy`: times, a column of users, columns and features of items, a graph of items."""
    write_sequences(folder, N_USERS, N_ITEMS)
    toy, rng = folder / "toy", np.random.default_rng(0)
    # a pair that comes twice may be seen and a positive of the test, which the host then ranks
    rows = pd.read_csv(toy / "toy.inter", sep="\t")
    rows.drop_duplicates(list(rows.columns[:2])).to_csv(toy / "toy.inter", sep="\t", index=False)
    users = [f"u{n}\tg{n % 3}" for n in range(N_USERS)]
    (toy / "toy.user").write_text("\n".join(["user_id:token\tgroup:token", *users]) + "\n")
    np.save(toy / "toy.look.npy", rng.normal(size=(N_ITEMS, 5)))
    (toy / "toy.item_tokens.txt").write_text("\n".join(f"i{n}" for n in range(N_ITEMS)) + "\n")
    links = [f"i{n}\te{n}" for n in range(N_ITEMS)]
    (toy / "toy.link").write_text("\n".join(["item_id:token\tentity_id:token", *links]) + "\n")
    facts = [f"e{n}\tr{n % 2}\te{(n * 7 + 3) % N_ITEMS}" for n in range(N_ITEMS)]
    header = "head_id:token\trelation_id:token\ttail_id:token"
    (toy / "toy.kg").write_text("\n".join([header, *facts]) + "\n")


@dataclass(frozen=True)
class Finished:
    """A run folder far from its data, and the training it is of, for what should be."""

    run_dir: Path
    training: Training

    @property
    def excludes_seen(self) -> bool:
        """Whether the evaluation leaves seen items out: RecBole's own of sequences does not."""
        kind = self.training.config["MODEL_TYPE"]
        return kind != ModelType.SEQUENTIAL or self.training.data.parts.sequences is not None

    def expected(self, test: str, k: int) -> pd.DataFrame:
        """Rank with the run's own data, trainer and loader: `user_id, rank, item_id, score`."""
        trainer, data = self.training.trainer, self.training.data
        loader = data.loaders.tests.open()[test]
        trainer.model.eval()
        trainer.tot_item_num = data.dataset.item_num
        trainer.item_tensor = data.parts.fitted.get_item_feature()
        rows = []
        for batch in loader:
            with torch.no_grad():
                asked, scores, _, _ = trainer._full_sort_batch_eval(batch)
            values, items = torch.topk(scores, k)
            users = asked[data.dataset.uid_field].tolist()
            for user, best, score in zip(users, items.tolist(), values.tolist(), strict=True):
                for rank, (item, value) in enumerate(zip(best, score, strict=True), start=1):
                    rows.append((self.token("user", user), rank, self.token("item", item), value))
        return pd.DataFrame(rows, columns=["user_id", "rank", "item_id", "score"])

    def token(self, kind: str, number: int) -> str:
        """Return the raw token of an internal id."""
        dataset = self.training.data.dataset
        field = dataset.uid_field if kind == "user" else dataset.iid_field
        return str(dataset.id2token(field, number))


def finished(folder: Path, model: str, **options: Any) -> Finished:
    """Train, write what a run folder holds, and move it away from the data."""
    entry = resolve(model)
    given = {"data_path": str(folder), **SMALL.get(model, {}), **options}
    config = build_config(model, "toy", given)
    made = folder / "made"
    made.mkdir()
    training = train(config, entry, made)
    described = describe_training(training, made)
    write_inference(made, training)
    records.write_json(made / records.RUN_FILE, {**described, "metrics": {}})
    text = (made / records.CONFIG_FILE).read_text()
    (made / records.CONFIG_FILE).write_text(text.replace(str(folder), "/nowhere"))
    target = folder / "elsewhere" / model
    target.parent.mkdir(exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    shutil.move(made, target)
    return Finished(target, training)
