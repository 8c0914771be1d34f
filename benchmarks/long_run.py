"""Memory and open files of long trainings, and of a very large one.

    python -m benchmarks.long_run [--models UltraGCN,PaInvRL,BPR] [--epochs 200]
    python -m benchmarks.long_run --million [--users 1000000] [--items 1000000] [--rows 5000000]

The first trains on small planted data and notes resident memory, open files and threads after every
epoch. The slope is fitted by least squares to the second half of each stage, since another stage
makes other tensors. The second writes random interactions as an atomic file, has them loaded, cut
and trained on for some steps as a run would, writes and reads a checkpoint, and says how much
memory each part needed at its peak. All of it happens in processes of its own.
"""

import argparse
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate

MB = 1 << 20
GOAL = 1.0
"""MB in 100 epochs."""

LIMIT = 8192
"""MB that the large training may take."""

QUICK = "--train_batch_size=256 --eval_step=1 --stopping_step=0 --n_negatives=5 --state=ERROR"
STAGED = (
    "--n_environments=2 --mask_tolerance=0 --pretrain_epochs={epochs} "
    "--reference_epochs={epochs} --mask_epochs={epochs} --epochs={epochs}"
)
CHUNK = 500_000


def resident() -> float:
    """Resident memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / MB


def peak() -> float:
    """Largest resident memory that this process ever had, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def slope(values: list[float]) -> float:
    """Growth a 100 values, by least squares over their second half."""
    late = np.asarray(values[len(values) // 2 :])
    return float(np.polyfit(np.arange(len(late)), late, 1)[0] * 100)


@dataclass(frozen=True)
class Growth:
    """What a process held after the epochs of a stage.

    Attributes:
        epochs: of the stage.
        first, last: resident memory after the first and the last of them, MB.
        slope: growth in 100 epochs, MB.
        files, threads: growth of their number over the second half.
    """

    epochs: int
    first: float
    last: float
    slope: float
    files: int
    threads: int

    @classmethod
    def of(cls, rows: list[tuple[float, int, int]]) -> "Growth":
        """Fit what was seen after every epoch: memory in MB, open files, threads."""
        memory, files, threads = (list(column) for column in zip(*rows, strict=True))
        half = len(rows) // 2
        # TensorBoard's thread has a file open for moments
        grown = (int(min(count[-5:]) - min(count[half : half + 5])) for count in (files, threads))
        return cls(len(rows), memory[0], memory[-1], slope(memory), *grown)

    def shown(self) -> list[Any]:
        """Return the cells of the table."""
        numbers = [f"{self.first:.1f}", f"{self.last:.1f}", f"{self.slope:.2f}"]
        return [self.epochs, *numbers, self.files, self.threads]


def spawn(words: list[str]) -> dict[str, Any]:
    """Run a part of this benchmark in a process of its own and return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.long_run", *words],
        cwd=Path(__file__).parents[1],
        env={"OMP_NUM_THREADS": "1", **os.environ},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def long_child(model: str, epochs: int, folder: Path) -> dict[str, Any]:
    """Train a model by the command line, looking at this process after every epoch."""
    from benchmarks.soak_resume import ITEMS, write_data
    from recbole_invariant import single_run
    from recbole_invariant.cli.main import main
    from recbole_invariant.trainer.history import History

    seen: dict[str, list[tuple[float, int, int]]] = {}
    append: Any = History.append

    def noted(self: History, line: dict[str, Any]) -> None:
        append(self, line)
        gc.collect()
        files = len(os.listdir("/proc/self/fd"))
        now = (resident(), files, len(os.listdir("/proc/self/task")))
        seen.setdefault(line["stage"], []).append(now)

    vars(single_run)["draw_plots"] = lambda *_: None
    patched: Any = History
    patched.append = noted
    write_data(folder)
    options = STAGED.format(epochs=epochs) if model == "PaInvRL" else f"--epochs={epochs}"
    quick = [word for word in QUICK.split() if model != "BPR" or "n_negatives" not in word]
    # a run that stops early is no long run
    quick = [word.replace("stopping_step=0", f"stopping_step={epochs}") for word in quick]
    words = ["--model", model, "--dataset", ITEMS, "--data_path", str(folder), *quick]
    words += ["--output_dir", str(folder / "runs"), *options.split(), "--show_progress=false"]
    code = main([*words, "--use_gpu=false", "--checkpoint_minutes=0"])
    stages = {name: Growth.of(rows) for name, rows in seen.items() if len(rows) > 1}
    return {"code": code, "stages": {name: vars(growth) for name, growth in stages.items()}}


def write_large(path: Path, users: int, items: int, rows: int) -> None:
    """Write random interactions; every user and item has one, the rest follow no order."""
    rng = np.random.default_rng(0)
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="ascii") as file:
        file.write("user_id:token\titem_id:token\n")
        for start in range(0, rows, CHUNK):
            at = np.arange(start, min(start + CHUNK, rows))
            user = np.where(at < users, at, rng.integers(users, size=len(at)))
            # items of few are clicked by many
            drawn = (items * rng.random(len(at)) ** 2).astype(np.int64)
            item = np.where(at < items, (at * 7919) % items, drawn)
            pairs = zip(user.tolist(), item.tolist(), strict=True)
            file.writelines(f"u{u}\ti{i}\n" for u, i in pairs)


def large_child(folder: Path, steps: int, options: list[str]) -> dict[str, Any]:
    """Load, cut, build and train as a run does; return the peak of memory after each part."""
    from logging import getLogger

    from recbole_invariant.cli.arguments import parse_arguments
    from recbole_invariant.config import build_config
    from recbole_invariant.evaluation import records
    from recbole_invariant.evaluation.model_state import save_model
    from recbole_invariant.preparation import prepare
    from recbole_invariant.registry import resolve
    from recbole_invariant.trainer.checkpoint_folder import CheckpointFolder
    from recbole_invariant.training import build, seed_host

    getLogger().setLevel("ERROR")
    found: dict[str, Any] = {"import": [peak(), 0.0]}
    begun = time.perf_counter()

    def note(part: str) -> None:
        nonlocal begun
        found[part] = [peak(), time.perf_counter() - begun]
        begun = time.perf_counter()

    command_line = parse_arguments(options).options
    values = {"data_path": str(folder), "use_gpu": False, "show_progress": False}
    config = build_config("UltraGCN", "large", values, command_line=command_line)
    config["checkpoint_dir"] = str(folder / "saved")
    data = prepare(config, resolve("UltraGCN"))
    note("load and cut")
    records.write_ids(folder, data.dataset)
    records.write_seen(folder, data.parts)
    note("ids and seen rows")
    model, trainer = build(config, resolve("UltraGCN"), data)
    note("model")
    seed_host(config, "sampling")
    (stage,) = trainer.build_stages(data.loaders.train)
    stage.begin()
    for number, batch in enumerate(stage.batches()):
        if number == steps:
            break
        loss = float(stage.step(batch)["loss"])
    note(f"{steps} steps")
    checkpoints = CheckpointFolder(folder / "checkpoint")
    checkpoints.save({"model": model.state_dict(), "stage": stage.state()})
    note("checkpoint")
    checkpoints.newest()
    note("checkpoint read")
    save_model(folder / records.MODEL_FILE, model)
    note("model.safetensors")
    found["sizes"] = [data.dataset.user_num, data.dataset.item_num, data.dataset.inter_num, loss]
    return found


def show_long(models: list[str], epochs: int) -> bool:
    """Print the table of long trainings; return whether all of them kept to the goal."""
    lines, fine = [], True
    for model in models:
        with tempfile.TemporaryDirectory(prefix="long-run-") as folder:
            found = spawn(["--child", json.dumps(["long", model, epochs, folder])])
        fine &= found["code"] == 0
        for stage, said in found["stages"].items():
            growth = Growth(**said)
            fine &= growth.slope < GOAL and growth.files <= 0
            lines.append([model, stage, *growth.shown()])
    headers = [
        "model",
        "stage",
        "epochs",
        "first MB",
        "last MB",
        "MB a 100 epochs",
        "files",
        "threads",
    ]
    print(tabulate(lines, headers=headers))
    return fine


def show_large(users: int, items: int, rows: int, steps: int, options: list[str]) -> bool:
    """Print what the large training needed; return whether it kept to its limit."""
    with tempfile.TemporaryDirectory(prefix="long-run-") as folder:
        write_large(Path(folder) / "large" / "large.inter", users, items, rows)
        found = spawn(["--child", json.dumps(["large", folder, steps, options])])
    n_users, n_items, n_rows, loss = found.pop("sizes")
    print(f"{n_users - 1} users, {n_items - 1} items, {n_rows} interactions; last loss {loss:.4f}")
    lines = [[part, f"{memory:.0f}", f"{seconds:.0f}"] for part, (memory, seconds) in found.items()]
    print(tabulate(lines, headers=["part", "peak MB so far", "seconds"]))
    return float(lines[-1][1]) < LIMIT


def main() -> int:
    """Measure one of the two."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="UltraGCN,PaInvRL,BPR")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--million", action="store_true")
    for name, number in (("users", 10**6), ("items", 10**6), ("rows", 5 * 10**6), ("steps", 5)):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given, options = parser.parse_known_args()
    if given.child:
        kind, *rest = json.loads(given.child)
        if kind == "long":
            said = long_child(rest[0], rest[1], Path(rest[2]))
        else:
            said = large_child(Path(rest[0]), *rest[1:])
        print(json.dumps(said))
        return 0
    if given.million:
        options = options or ["--ood=random", "--train_batch_size=8192"]
        fine = show_large(given.users, given.items, given.rows, given.steps, options)
    else:
        fine = show_long(given.models.split(","), given.epochs)
    return int(not fine)


if __name__ == "__main__":
    sys.exit(main())
