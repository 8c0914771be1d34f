"""`planted --out DIR`: write a dataset whose shift and whose truth are known."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from recbole_invariant.cli.arguments import Arguments
from recbole_invariant.configuration.folders import dataset_yaml
from recbole_invariant.configuration.yaml_text import parse_value
from recbole_invariant.data.planted.files import write
from recbole_invariant.data.planted.law import generate
from recbole_invariant.data.planted.options import PlantedOptions
from recbole_invariant.data.planted.world import PlantedData
from recbole_invariant.errors import InputError, suggest

DATASET = "planted"
"""Name under which dataset_configs has the options of such data."""

KINDS = ("items", "sequences")


def planted(arguments: Arguments) -> int:
    """Draw a planted world, write it and say how to train on it.

    Raises:
        InputError: something the user gave is wrong, or the folder holds something else.
    """
    if arguments.config_files:
        raise InputError("planted takes no --config_files; its options are --users, --items, ...")
    _require_items(arguments.take("kind", "items"))
    out = arguments.take("out")
    if out is None:
        raise InputError(
            f"planted needs --out DIR, the folder to write; its last part names the dataset, e.g. "
            f"--out data/{DATASET}."
        )
    folder = Path(out).absolute()
    seed = _whole("seed", arguments.take("seed", "0"))
    data = generate(read_options(arguments.options), seed)
    written = write(data, folder)
    print(describe(data, folder, len(written)))
    return 0


def _require_items(kind: str | None) -> None:
    if kind == "sequences":
        raise InputError("--kind sequences comes in a later version; --kind items is there.")
    if kind not in KINDS:
        raise InputError(f"--kind: expected items, not '{kind}'.{suggest(str(kind), KINDS)}")


def _whole(name: str, text: str | None) -> int:
    value = parse_value(text or "")
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputError(f"--{name}: expected a whole number >= 0, not '{text}'.")
    return value


def read_options(given: dict[str, str]) -> PlantedOptions:
    """Turn `--users 500 --shares=[0.6,0.4]` into options.

    Raises:
        InputError: an unknown name, or a value of another type; everything at once.
    """
    types: dict[str, Any] = {field.name: field.type for field in fields(PlantedOptions)}
    problems: list[str] = []
    values: dict[str, Any] = {}
    for name, text in given.items():
        if name not in types:
            problems.append(
                f"planted has no option --{name}.{suggest(name, [*types, 'out', 'seed', 'kind'])} "
                f"Its options are out, seed, kind, {', '.join(types)}."
            )
            continue
        value = _value(types[name], text)
        if value is None:
            wanted = {int: "a whole number", float: "a number"}.get(
                types[name],
                "a list such as [0.6,0.4] of shares or [visual,textual] of modalities",
            )
            problems.append(f"--{name}: expected {wanted}, not '{text}'.")
        values[name] = value
    if problems:
        raise InputError(problems)
    return PlantedOptions(**values)


def _value(kind: Any, text: str) -> Any:
    """Read a value of a field's type; None where it is of another."""
    value = parse_value(text)
    if kind in (int, float):
        fits = isinstance(value, int | kind) and not isinstance(value, bool)
        return kind(value) if fits else None
    item = float if kind == tuple[float, ...] else str
    items = value if isinstance(value, list) else [value]
    fits = all(isinstance(one, int | float if item is float else str) for one in items)
    return tuple(item(one) for one in items) if fits and items else None


def describe(data: PlantedData, folder: Path, n_written: int) -> str:
    """Say what was written and which command trains on it."""
    rows = ", ".join(f"{name} {len(clicks.users)}" for name, clicks in data.clicks.items())
    done = f"wrote {n_written} files to" if n_written else "the same data are in"
    command = f"--model PaInvRL --dataset {folder.name} --data_path {folder.parent}"
    lines = [
        f"{done} {folder}",
        f"{data.options.users} users, {data.options.items} items, seed {data.seed}; rows: {rows}",
        f"truth, which no model sees: {folder.name}.truth_interactions.parquet, "
        f"{folder.name}.truth_features.parquet",
    ]
    if folder.name != DATASET:
        command += f" --config_files {dataset_yaml(DATASET)}"
        lines.append(
            f"the folder's name is the dataset's: options are found by themselves for the name "
            f"'{DATASET}' only, so this one needs the file of options named below"
        )
    return "\n".join([*lines, f"train on it: python run_recbole_inv.py {command}"])
