"""Runs that are killed at random moments and resumed, beside runs that are left alone.

    python -m benchmarks.soak_resume [--kills 50] [--models BPR,SASRec] [--seed 0] [--spawn]

Every run is a process of its own that gets SIGKILL and is resumed by the command line, some of them
several times; cadence of the checkpoints and moment are drawn, some of them at switches of stages.
In the end weights, metrics, values of single users, selected epoch, stages and history (but for
seconds) must be those of the run that was left alone, bit for bit. Processes are forked from this
one, which spares the imports; `--spawn` starts new ones. Exit code 0 where all are the same.
"""

import argparse
import json
import os
import random
import sys
import tempfile
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import NamedTuple

from benchmarks.soak_child import SWITCHES, read_position
from benchmarks.soak_processes import Processes
from benchmarks.soak_report import Case, Kill, differences, report

MORE_KILLS = 0.4
"""Chance that a resumed run is killed again."""

FROM_START = 0.1
"""Share of the kills whose moment is drawn from the process's start, not from training's."""

AT_SWITCH = 0.3
"""Share of the kills at the beginning or end of a stage, which take too little time to be hit."""

ITEMS, SEQUENCES = "planted", "planted-sequences"
STAGED = (
    "--pretrain_epochs=4 --mask_epochs=3 --epochs=4 --train_batch_size=128 --n_environments=2 "
    "--eval_step=2"
)
MODELS = {
    "PaInvRL": (ITEMS, STAGED + " --reference_epochs=3 --mask_tolerance=0"),
    "InvRL": (ITEMS, STAGED + " --outer_iterations=2"),
    "UltraGCN": (ITEMS, "--epochs=10 --train_batch_size=128 --frontier=true"),
    "BPR": (ITEMS, "--epochs=10 --train_batch_size=128"),
    "LightGCN": (ITEMS, "--epochs=6 --train_batch_size=128"),
    "SASRec": (SEQUENCES, "--epochs=6 --train_batch_size=64"),
    "IDEA": (SEQUENCES, "--pretrain_epochs=2 --epochs=3 --train_batch_size=64"),
    "Irl4Rec": (SEQUENCES, "--epochs=4 --train_batch_size=64 --independence=club"),
}
"""Model -> data, and options by which a run takes seconds."""


class Whole(NamedTuple):
    """A run that was left alone: its folder, its seconds from the first stage on, its stages."""

    run: Path
    seconds: float
    stages: int


def main() -> int:
    """Kill, resume, compare, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--spawn", action="store_true")
    parser.add_argument("--keep", help="folder for data and runs, instead of a temporary one")
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    draws, models = random.Random(given.seed), given.models.split(",")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(given.keep or scratch)
        folder.mkdir(parents=True, exist_ok=True)
        write_data(folder)
        processes = Processes(given.spawn, folder / "log.txt")
        if not given.spawn:
            load_once(folder, models)
        cases = soak(folder, models, given.kills, draws, processes)
    report(cases)
    return int(any(case.differences for case in cases))


def load_once(folder: Path, models: list[str]) -> None:
    """Import and read what every forked process would: half of its time."""
    import_module("torch._dynamo")
    import_module("recbole_invariant.quick_start")
    from recbole_invariant.config import build_config
    from recbole_invariant.registry import resolve
    from recbole_invariant.trainer.host import is_staged

    for model in models:
        config = build_config(model, MODELS[model][0], {"data_path": str(folder)})
        is_staged(resolve(model), config)


def write_data(folder: Path) -> None:
    """Write small planted data of both kinds."""
    from recbole_invariant.data.planted.files import write
    from recbole_invariant.data.planted.law import generate
    from recbole_invariant.data.planted.options import PlantedOptions
    from recbole_invariant.data.planted.sequence_files import write_sequences
    from recbole_invariant.data.planted.sequence_law import generate_sequences
    from recbole_invariant.data.planted.sequence_options import preset

    write(generate(PlantedOptions(users=120, items=90), 0), folder / ITEMS)
    write_sequences(generate_sequences(preset("M", users=120, items=60), 0), folder / SEQUENCES)


def soak(
    folder: Path, models: list[str], kills: int, draws: random.Random, processes: Processes
) -> list[Case]:
    """Kill runs of the models in turn until there were so many kills."""
    wholes: dict[str, Whole] = {}
    cases: list[Case] = []
    done, tries = 0, count()
    while done < kills:
        model, number = models[len(cases) % len(models)], next(tries)
        if model not in wholes:
            whole = folder / "whole" / model
            processes.finish(begin(folder, model, whole))
            wholes[model] = read_whole(whole)
        name = f"{model}-{number}"
        case = killed_case(folder, model, folder / "killed" / name, wholes[model], draws, processes)
        if not case.kills:
            continue
        case.differences = differences(wholes[model].run, folder / "killed" / name)
        cases.append(case)
        done += len(case.kills)
        last = case.kills[-1]
        print(
            f"{done} kills: {name}, {len(case.kills)}, last in {last.phase} of '{last.stage}': "
            f"{'; '.join(case.differences) or 'the same'}",
            flush=True,
        )
    return cases


def begin(folder: Path, model: str, run: Path) -> list[str]:
    """Return the command that begins a run."""
    dataset, options = MODELS[model]
    place = ["--data_path", str(folder), "--output_dir", str(run.parent), "--run_name", run.name]
    quiet = ["--show_progress=false", "--use_gpu=false", "--state=WARNING"]
    return ["--model", model, "--dataset", dataset, *place, *quiet, *options.split()]


def read_whole(run: Path) -> Whole:
    """Read what moments a run has in which it could be killed."""
    record = json.loads((run / "run.json").read_text())
    tests = sum(record["evaluation_seconds"].values())
    return Whole(run, float(record["training_seconds"] + tests + 0.5), len(record["stages"]))


def killed_case(
    folder: Path,
    model: str,
    run: Path,
    whole: Whole,
    draws: random.Random,
    processes: Processes,
) -> Case:
    """Kill a run at random moments, then let it end."""
    case, first = Case(model), begin(folder, model, run)
    words = [*first, *cadence(draws)]
    while True:
        if draws.random() < AT_SWITCH:
            aim = draws.choice(SWITCHES), draws.randint(1, whole.stages)
            killed = processes.kill_at(words, aim)
        else:
            from_start = draws.random() < FROM_START
            killed = processes.kill(words, draws.uniform(0.0, whole.seconds), from_start)
        if not killed:
            return case
        stage, phase = read_position(processes.position)
        case.kills.append(Kill(stage, phase or "before training", whence(run)))
        if (run / "checkpoint" / "start.json").is_file():
            words = ["--resume", str(run), *cadence(draws), "--state=WARNING"]
        else:
            words = first  # nothing of it was written
        if draws.random() > MORE_KILLS:
            processes.finish(words)
            return case


def cadence(draws: random.Random) -> list[str]:
    """Draw how often checkpoints are written."""
    steps = draws.choice([0, 1, 3, 10])
    return [f"--checkpoint_steps={steps}", f"--checkpoint_minutes={draws.choice([0, 0.005, 10])}"]


def whence(run: Path) -> str:
    """Say from what a killed run will go on."""
    from recbole_invariant.errors import InputError
    from recbole_invariant.trainer.checkpoint_folder import CheckpointFolder

    if (run / "run.json").is_file():
        return "results"
    try:
        state = CheckpointFolder(run / "checkpoint").newest()[1]
    except InputError:
        return "nothing"
    return "within an epoch" if state["running"] else "between epochs"


if __name__ == "__main__":
    sys.exit(main())
