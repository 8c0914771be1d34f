"""Same options and seed in several processes: are the files the same, byte for byte?

    python -m benchmarks.same_bytes [--models BPR,PaInvRL] [--threads 1,2] [--hash_seeds 0,1]

For each number of threads every model is trained in one process a value of PYTHONHASHSEED, on small
planted data, and its `model.safetensors` and `per_user.parquet` are compared. Numbers of different
threads may differ, since sums are then taken in another order. Exit code 0 where all are equal.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

from benchmarks.soak_resume import MODELS, write_data

FILES = ("model.safetensors", "per_user.parquet")


@dataclass(frozen=True)
class Comparison:
    """A file of a model's runs in several processes.

    Attributes:
        equal: whether it has the same bytes in all of them.
    """

    model: str
    threads: int
    file: str
    equal: bool


def train(model: str, data: Path, out: Path, threads: int) -> None:
    """Train a model in this process."""
    from recbole_invariant import single_run
    from recbole_invariant.cli.main import main

    vars(single_run)["draw_plots"] = lambda *_: None
    dataset, options = MODELS[model]
    words = ["--model", model, "--dataset", dataset, "--data_path", str(data), *options.split()]
    words += ["--output_dir", str(out), "--run_name", model, f"--torch_threads={threads}"]
    words += ["--show_progress=false", "--use_gpu=false", "--state=ERROR"]
    code = main(words)
    if code:
        raise SystemExit(f"{model}: exit code {code}")


def spawn(models: list[str], data: Path, out: Path, threads: int, hash_seed: int) -> None:
    """Train models in one new process."""
    given = json.dumps([models, str(data), str(out), threads])
    environment = {"OMP_NUM_THREADS": str(threads), "PYTHONHASHSEED": str(hash_seed)}
    subprocess.run(
        [sys.executable, "-m", "benchmarks.same_bytes", "--child", given],
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[1],
        stdout=subprocess.DEVNULL,
        check=True,
    )


def compare(
    models: list[str], threads: list[int], hash_seeds: list[int], folder: Path
) -> list[Comparison]:
    """Train every model several times and compare what is written.

    Args:
        models: names of `MODELS`.
        threads: numbers of threads; runs are compared with those of the same number.
        hash_seeds: one process each.
        folder: for data and runs; an empty one.
    """
    write_data(folder)
    found = []
    for number in threads:
        outs = [folder / f"threads-{number}-hash-{seed}" for seed in hash_seeds]
        for out, seed in zip(outs, hash_seeds, strict=True):
            spawn(models, folder, out, number, seed)
        for model in models:
            for file in FILES:
                sums = {digest(out / model / file) for out in outs}
                found.append(Comparison(model, number, file, len(sums) == 1))
    return found


def digest(path: Path) -> str:
    """Return a file's checksum."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> int:
    """Print what was compared and how much of it is equal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--hash_seeds", default="0,1")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        models, data, out, threads = json.loads(given.child)
        for model in models:
            train(model, Path(data), Path(out), threads)
        return 0
    with tempfile.TemporaryDirectory(prefix="same-bytes-") as folder:
        found = compare(
            given.models.split(","),
            [int(word) for word in given.threads.split(",")],
            [int(word) for word in given.hash_seeds.split(",")],
            Path(folder),
        )
    lines = [[one.model, one.threads, one.file, "yes" if one.equal else "NO"] for one in found]
    print(tabulate(lines, headers=["model", "threads", "file", "same bytes"]))
    equal = sum(one.equal for one in found)
    print(f"equal: {equal} of {len(found)}")
    return int(equal < len(found))


if __name__ == "__main__":
    sys.exit(main())
