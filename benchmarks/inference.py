"""Users per second of `recommend` beside RecBole's own `full_sort_topk`, in one run.

    python benchmarks/inference.py [--items 20000] [--users 4000] [--rows 20] [--threads 1]

Models with random weights on synthetic interactions: LightGCN, UltraGCNF (64 feature dimensions)
and SASRec. Both sides are asked for the top 10 of the same users, in batches of as many users, and
the rankings are compared. RecBole's side is `recbole.utils.case_study.full_sort_topk` with the
model, the data set and the loader that it needs in memory; the batches are cut for it, since it
scores all users that it is given at once. Ours starts from a run folder and includes turning
tokens into ids and back into a table. Loading is timed apart.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from recbole.utils.case_study import full_sort_topk
from tabulate import tabulate

import recbole_invariant as ri
from recbole_invariant.config import build_config
from recbole_invariant.evaluation import records
from recbole_invariant.evaluation.model_state import save_model
from recbole_invariant.inference.write import write_inference
from recbole_invariant.preparation import prepare
from recbole_invariant.registry import resolve
from recbole_invariant.training import Training, build

K = 10
REPEATS = 5
OPTIONS: dict[str, Any] = {
    "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
    "ood": "random",
    "topk": [K],
    "valid_metric": "NDCG@10",
    "use_gpu": False,
    "state": "ERROR",
    "show_progress": False,
}
MODELS: dict[str, dict[str, Any]] = {
    "LightGCN": {"embedding_size": 64},
    "UltraGCNF": {"modalities": {"look": {"source": "npy"}}, "neighbour_weight": 0.0},
    "SASRec": {"MAX_ITEM_LIST_LENGTH": 20},
}


def write_data(folder: Path, n_users: int, n_items: int, n_rows: int) -> None:
    """Write interactions, items nearly by Zipf's law, each pair once, and item features."""
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(n_users), n_rows)
    items = (n_items ** rng.random(n_rows * n_users)).astype(np.int64)
    pairs = np.unique(np.stack([users, items]), axis=1)
    items_too = np.stack([rng.integers(n_users, size=n_items), np.arange(n_items)])
    pairs = np.unique(np.concatenate([pairs, items_too], axis=1), axis=1)
    times = rng.permutation(pairs.shape[1])
    lines = (f"u{u}\ti{i}\t{t}" for u, i, t in zip(*pairs, times, strict=True))
    toy = folder / "toy"
    toy.mkdir()
    header = "user_id:token\titem_id:token\ttimestamp:float"
    (toy / "toy.inter").write_text("\n".join([header, *lines]) + "\n")
    np.save(toy / "toy.look.npy", rng.normal(size=(n_items, 64)).astype(np.float32))
    (toy / "toy.item_tokens.txt").write_text("\n".join(f"i{n}" for n in range(n_items)) + "\n")


def untrained(folder: Path, model: str) -> tuple[Training, Path]:
    """Write the run folder of a model that was never trained."""
    entry = resolve(model)
    config = build_config(model, "toy", {"data_path": str(folder), **OPTIONS, **MODELS[model]})
    options = records.options_of(config)
    config["run_dir"], config["checkpoint_dir"] = None, str(folder / "saved")
    data = prepare(config, entry)
    network, trainer = build(config, entry, data)
    network.eval()
    run_dir = folder / model
    run_dir.mkdir()
    made: Any = (None, "", {}, options, 0.0)
    training = Training(entry, config, data, network, trainer, *made)
    records.write_config(run_dir, options)
    records.write_ids(run_dir, data.dataset)
    records.write_seen(run_dir, data.parts)
    write_inference(run_dir, training)
    save_model(run_dir / records.MODEL_FILE, network)
    path = f"{entry.model_class.__module__}.{entry.model_class.__qualname__}"
    record: dict[str, Any] = {"model": model, "model_class": path, "dataset": "toy"}
    record |= {
        "protocol": "random",
        "metrics": {},
        "selection": {},
        "stages": [],
        "options": options,
    }
    records.write_json(run_dir / records.RUN_FILE, record)
    return training, run_dir


def host_top(training: Training, users: np.ndarray, batch: int) -> np.ndarray:
    """Rank by RecBole's case study: internal item ids `(n_users, K)`."""
    loader = training.data.loaders.tests.open()["iid"]
    found = [
        full_sort_topk(users[start : start + batch], training.model, loader, K)[1]
        for start in range(0, len(users), batch)
    ]
    return torch.cat(found).numpy()


def best(*works: Callable[[], Any]) -> list[tuple[float, Any]]:
    """Time some works in turn: the shortest time of each, in seconds, and its result."""
    found: list[tuple[float, Any]] = [(np.inf, None)] * len(works)
    for _ in range(REPEATS):
        for n, work in enumerate(works):
            begun = time.perf_counter()
            result = work()
            found[n] = min(found[n][0], time.perf_counter() - begun), result
    return found


def compare(folder: Path, model: str) -> list[Any]:
    """Time both on one model: a line of the table."""
    training, run_dir = untrained(folder, model)
    dataset = training.data.dataset
    ri.load(run_dir)
    begun = time.perf_counter()
    served = ri.load(run_dir)
    loading = time.perf_counter() - begun
    loader: Any = training.data.loaders.tests.open()["iid"]
    # RecBole finds a sequential user's history by searching the test rows for him
    if training.data.parts.sequences is not None:
        loader._dataset = loader._dataset.copy(loader.user_df)
    users = np.asarray(loader.uid_list)
    tokens = dataset.id2token(dataset.uid_field, users).tolist()
    (seconds, table), (theirs, items) = best(
        lambda: served.recommend(tokens, K, not served.is_sequential),
        lambda: host_top(training, users, served.batch),
    )
    ours = table["item_id"].to_numpy().reshape(-1, K)
    same = float((ours == dataset.id2token(dataset.iid_field, items)).mean())
    return [
        model,
        len(users),
        dataset.item_num - 1,
        round(len(users) / seconds),
        round(len(users) / theirs),
        f"{theirs / seconds:.2f}",
        f"{100 * same:.1f} %",
        f"{loading:.2f}",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, default in (("items", 20_000), ("users", 4000), ("rows", 20), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    header = ["model", "users", "items", "users/s", "RecBole's", "times", "equal", "load s"]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_data(folder, given.users, given.items, given.rows)
        rows = [compare(folder, model) for model in MODELS]
    print(tabulate(rows, headers=header, disable_numparse=True))


if __name__ == "__main__":
    main()
