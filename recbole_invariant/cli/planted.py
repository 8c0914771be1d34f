"""`planted --out DIR`: write a dataset whose shift and whose truth are known."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from recbole_invariant.cli.arguments import Arguments
from recbole_invariant.comparison.specs import SEED_IN_PATH
from recbole_invariant.configuration.folders import dataset_yaml
from recbole_invariant.configuration.yaml_text import parse_value
from recbole_invariant.data.planted.files import (
    TRUTH_FEATURES,
    TRUTH_INTERACTIONS,
    TRUTH_ITEMS,
    TRUTH_USERS,
    write,
)
from recbole_invariant.data.planted.law import generate
from recbole_invariant.data.planted.options import PlantedOptions
from recbole_invariant.data.planted.sequence_files import write_sequences
from recbole_invariant.data.planted.sequence_law import TESTS, generate_sequences
from recbole_invariant.data.planted.sequence_options import SequenceOptions, preset
from recbole_invariant.errors import InputError, suggest

ITEMS, SEQUENCES = "items", "sequences"
DATASETS = {ITEMS: "planted", SEQUENCES: "planted-sequences"}
"""Kind -> name under which dataset_configs has the options of such data."""

MODELS = {ITEMS: "PaInvRL", SEQUENCES: "GRU4Rec"}
"""Kind -> model of the command that is shown."""

ORDER_TRUTH = (TRUTH_USERS, TRUTH_ITEMS)
CLICK_TRUTH = (TRUTH_INTERACTIONS, TRUTH_FEATURES)


@dataclass(frozen=True)
class Written:
    """What is said of data that were drawn.

    Attributes:
        kind: `items` or `sequences`.
        world: sizes and seed in words.
        truth: names of the files of truth.
        write: writes the data into a folder and returns the files that were not there.
        train_options: options that the training command needs with these sizes.
    """

    kind: str
    world: str
    truth: tuple[str, ...]
    write: Callable[[Path], list[Path]]
    train_options: str = ""


def take_kind(arguments: Arguments) -> str:
    """Take the kind of data, `items` where none is given.

    Raises:
        InputError: there is no such kind.
    """
    kind = str(arguments.take("kind", ITEMS))
    if kind not in DATASETS:
        expected = " or ".join(DATASETS)
        raise InputError(f"--kind: expected {expected}, not '{kind}'.{suggest(kind, DATASETS)}")
    return kind


def planted(arguments: Arguments) -> int:
    """Draw a planted world, write it and say how to train on it.

    Raises:
        InputError: something the user gave is wrong, or the folder holds something else.
    """
    kind = take_kind(arguments)
    if arguments.config_files:
        raise InputError("planted takes no --config_files; its options are --users, --items, ...")
    out = arguments.take("out")
    if out is None:
        raise InputError(
            f"planted needs --out DIR, the folder to write; its last part names the dataset, e.g. "
            f"--out data/{DATASETS[kind]}."
        )
    if SEED_IN_PATH in out:
        raise InputError(
            f"--out: {SEED_IN_PATH} stands for a seed in the --data_path of compare only; here "
            "name the folder of one world, and write one for each seed, e.g. "
            f"--out {out.replace(SEED_IN_PATH, '0')} --seed 0."
        )
    folder = Path(out).absolute()
    seed = _whole("seed", arguments.take("seed", "0"))
    data = (_draw_items if kind == ITEMS else _draw_sequences)(arguments, seed)
    print(describe(data, folder, len(data.write(folder))))
    return 0


def _draw_items(arguments: Arguments, seed: int) -> Written:
    options = PlantedOptions(**read_values(PlantedOptions, arguments.options))
    data = generate(options, seed)
    rows = ", ".join(f"{name} {len(clicks.users)}" for name, clicks in data.clicks.items())
    world = f"{options.users} users, {options.items} items, seed {seed}; rows: {rows}"
    return Written(ITEMS, world, CLICK_TRUTH, lambda folder: write(data, folder))


def _draw_sequences(arguments: Arguments, seed: int) -> Written:
    name = str(arguments.take("preset", "M"))
    options = preset(name, **read_values(SequenceOptions, arguments.options, ("preset",)))
    data = generate_sequences(options, seed)
    world = (
        f"preset {name}: {options.users} users, {options.items} items, seed {seed}; items a user: "
        f"train {options.train}, valid 1, {' 1, '.join(TESTS)} 1"
        + (f"; a banner of {options.banners} before each" if options.banners else "")
        + f"; cue in training: {options.training_cue}"
    )
    # the shipped file has the length of preset M
    length = options.longest_history
    more = "" if length == preset("M").longest_history else f" --MAX_ITEM_LIST_LENGTH={length}"
    return Written(
        SEQUENCES, world, ORDER_TRUTH, lambda folder: write_sequences(data, folder), more
    )


def _whole(name: str, text: str | None) -> int:
    value = parse_value(text or "")
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputError(f"--{name}: expected a whole number >= 0, not '{text}'.")
    return value


def read_values(kind: type, given: dict[str, str], others: tuple[str, ...] = ()) -> dict[str, Any]:
    """Turn `--users 500 --shares=[0.6,0.4]` into values for a data class of options.

    Args:
        kind: the data class.
        given: option -> its text.
        others: options that were read before.

    Raises:
        InputError: an unknown name, or a value of another type; everything at once.
    """
    types: dict[str, Any] = {field.name: field.type for field in fields(kind)}
    known = ["out", "seed", "kind", *others, *types]
    problems: list[str] = []
    values: dict[str, Any] = {}
    for name, text in given.items():
        if name not in types:
            problems.append(
                f"planted has no option --{name}.{suggest(name, known)} "
                f"Its options are {', '.join(known)}."
            )
            continue
        value = _value(types[name], text)
        if value is None:
            wanted = {int: "a whole number", float: "a number", str: "a word"}.get(
                types[name],
                "a list such as [0.6,0.4] of numbers or [visual,textual] of names",
            )
            problems.append(f"--{name}: expected {wanted}, not '{text}'.")
        values[name] = value
    if problems:
        raise InputError(problems)
    return values


def _value(kind: Any, text: str) -> Any:
    """Read a value of a field's type; None where it is of another."""
    if kind is str:
        return text
    value = parse_value(text)
    if kind in (int, float):
        fits = isinstance(value, int | kind) and not isinstance(value, bool)
        return kind(value) if fits else None
    item = float if kind == tuple[float, ...] else str
    items = value if isinstance(value, list) else [value]
    fits = all(isinstance(one, int | float if item is float else str) for one in items)
    return tuple(item(one) for one in items) if fits and items else None


def describe(data: Written, folder: Path, n_written: int) -> str:
    """Say what was written and which command trains on it."""
    done = f"wrote {n_written} files to" if n_written else "the same data are in"
    own = DATASETS[data.kind]
    command = f"--model {MODELS[data.kind]} --dataset {folder.name} --data_path {folder.parent}"
    lines = [
        f"{done} {folder}",
        data.world,
        f"truth, which no model sees: {', '.join(f'{folder.name}.{name}' for name in data.truth)}",
    ]
    if folder.name != own:
        command += f" --config_files {dataset_yaml(own)}"
        lines.append(
            f"the folder's name is the dataset's: options are found by themselves for the name "
            f"'{own}' only, so this one needs the file of options named below"
        )
    command += data.train_options
    return "\n".join([*lines, f"train on it: python run_recbole_inv.py {command}"])
