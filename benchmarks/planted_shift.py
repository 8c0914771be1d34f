"""The tables of what PaInvRL does on planted shifts, one planted world a seed.

    python -m benchmarks.planted_shift --world flip --seeds 0-2 --setting C --lines headline \\
        --out runs/planted-shift --jobs 2 --markdown docs/FILE.md

writes the worlds into OUT/data/<world>/<seed>/planted, runs `compare` on them in
OUT/<world>-<setting>, where other sets of lines find the runs that they share, and prints the
table. Runs and worlds that are there are not made again. Names: benchmarks/planted_shift_plan.py.
"""

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.planted_shift_plan import (
    BASELINE,
    LINES,
    ORACLE,
    SETTINGS,
    WORLDS,
    chosen,
    parse_seed_list,
)
from benchmarks.planted_shift_table import section
from recbole_invariant.comparison.compare import compare
from recbole_invariant.comparison.page import with_section
from recbole_invariant.comparison.specs import SEED_IN_PATH
from recbole_invariant.comparison.summary import Comparison
from recbole_invariant.data.planted.files import is_written, write
from recbole_invariant.data.planted.law import generate
from recbole_invariant.data.planted.options import PlantedOptions
from recbole_invariant.errors import InputError, TrainingError
from recbole_invariant.files import write_atomically

DATASET = "planted"
NEW_PAGE = """# Planted shifts

Each section is written by the command that stands at its end, never by hand.
"""


def write_worlds(options: PlantedOptions, seeds: Sequence[int], folder: Path) -> list[int]:
    """Write a world a seed into `folder/<seed>/planted`; return the seeds that were not there.

    Raises:
        InputError: a folder holds the world of other options.
    """
    missing = [
        seed for seed in seeds if not is_written(options, seed, folder / str(seed) / DATASET)
    ]
    for seed in missing:
        write(generate(options, seed), folder / str(seed) / DATASET)
    return missing


def run(given: argparse.Namespace) -> Comparison:
    """Write the worlds, train and test what is missing, and compare.

    Raises:
        InputError: a name or a value is wrong, or a folder holds something else.
        TrainingError: no run came to its end.
    """
    seeds = parse_seed_list(given.seeds)
    lines = chosen("lines", given.lines, LINES)
    files = chosen("setting", given.setting, SETTINGS)
    changed = {**chosen("world", given.world, WORLDS), **_sizes(given)}
    out = Path(given.out).absolute()
    data = out / "data" / given.world
    written = write_worlds(PlantedOptions(**changed), seeds, data)
    print(f"{len(written)} of {len(seeds)} worlds written to {data}", flush=True)
    return compare(
        lines,
        DATASET,
        seeds,
        jobs=given.jobs,
        config_files=[str(file) for file in files],
        baseline=BASELINE,
        oracle=ORACLE,
        out=out / f"{given.world}-{given.setting}",
        command_line={"data_path": str(data / SEED_IN_PATH), "curve_k": "null"},
        command=command_of(given),
        report=lambda line: print(line, flush=True),
    )


def _sizes(given: argparse.Namespace) -> Mapping[str, int]:
    """Return the sizes that a quick look makes smaller."""
    sizes = {"users": given.users, "items": given.items}
    return {name: value for name, value in sizes.items() if value is not None}


def command_of(given: argparse.Namespace) -> str:
    """Write the command that a page names, without what is of this machine only."""
    words = ["python", "-m", "benchmarks.planted_shift"]
    for name in ("world", "seeds", "setting", "lines"):
        words += [f"--{name}", str(getattr(given, name))]
    for name, value in _sizes(given).items():
        words += [f"--{name}", str(value)]
    words += ["--out", "DIR"]
    words += ["--markdown", given.markdown] if given.markdown else []
    return shlex.join(words)


def read_arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.planted_shift",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--world", default="flip", help=", ".join(WORLDS))
    parser.add_argument("--seeds", required=True, help="worlds and runs, e.g. 0-2 or 0,1,5")
    parser.add_argument("--setting", default="C", help=", ".join(SETTINGS))
    parser.add_argument("--lines", default="headline", help=", ".join(LINES))
    parser.add_argument("--out", default="runs/planted-shift", help="folder of worlds and runs")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--markdown", help="page whose section of this table is written anew")
    for size in ("--users", "--items"):
        parser.add_argument(size, type=int, help=argparse.SUPPRESS)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Make the table; 0 done, 1 where a run failed, 2 for a mistake in what was given."""
    given = read_arguments(words)
    try:
        comparison = run(given)
    except (InputError, TrainingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    name = f"{given.world} {given.setting} {given.lines}"
    changed: dict[str, Any] = {**WORLDS[given.world], **_sizes(given)}
    text = section(comparison, name, changed, command_of(given))
    file = Path(given.out) / f"{name.replace(' ', '-')}.md"
    write_atomically(file, text + "\n")
    if given.markdown:
        page = Path(given.markdown)
        there = page.read_text(encoding="utf-8") if page.is_file() else NEW_PAGE
        write_atomically(page, with_section(there, text))
    print(text)
    return int(bool(comparison.failures))


if __name__ == "__main__":
    sys.exit(main())
