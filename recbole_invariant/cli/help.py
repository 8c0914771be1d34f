"""The text of `--help`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recbole_invariant.cli import compare_help, doctor, evaluate, recommend, report, tune_help
from recbole_invariant.cli.arguments import DEFAULT_DATASET, Arguments
from recbole_invariant.cli.planted import take_kind
from recbole_invariant.cli.planted_help import planted_usage
from recbole_invariant.configuration.known_keys import family_of, schema_of
from recbole_invariant.configuration.layers import Layer, default_layers, merged, origins
from recbole_invariant.configuration.wrapped import find_wrapped, wrapping_option
from recbole_invariant.errors import InputError
from recbole_invariant.options import Option
from recbole_invariant.registry import MODELS, resolve

USAGE = f"""\
usage: recbole-inv [COMMAND] [--model NAME] [--dataset NAME] [--config_files FILE ...] [--KEY=VALUE]

Without COMMAND it trains one model, evaluates it and writes a run folder.

commands:
  evaluate --run DIR       test a finished run again, e.g. with other --metrics or --topk
  recommend --run DIR      top items of a finished run, without its data; --users A B or --all,
                           -k N, --out FILE; recommend --help lists all
  compare --models A,B     models x --seeds N on one dataset: a table with intervals and paired
                           tests; --jobs N, --baseline A, --oracle B, --out DIR, --markdown FILE,
                           --tune N to search each one's options first, --dry_run; a model may
                           have options of its own: A[key=value,...]
  tune --model NAME        search the model's options on validation, refit the best, test it once;
                           --trials N, --space FILE, --searcher, --scheduler, --objective,
                           --storage DIR, --resume DIR, --dry_run; tune --help lists all
  planted --out DIR        write data with a planted shift and known truth; --seed, --users, ...;
                           --kind sequences --preset M|S|W|Q for models of sequences;
                           planted --help lists its options
  report --runs DIR        one HTML page of all runs in a folder; --out FILE, --baseline A,
                           --oracle B
  doctor                   versions, mends in force, devices, data found

options of a run:
  --model NAME             one of ours ({", ".join(MODELS)}),
                           any RecBole model, or the dotted path of a class of your own
  --dataset NAME           default ml-100k, which RecBole ships
  --data_path DIR          folder that holds DIR/<dataset>/<dataset>.inter
  --config_files FILE ...  YAML files of options, later ones win
  --ood PROTOCOL           how train, iid and out-of-distribution tests are cut
  --output_dir DIR         where run folders are made, default runs
  --run_name NAME          name of the run folder
  --resume auto|RUN_DIR    go on with an unfinished run: the newest of these options, or that one
  --KEY=VALUE, --KEY VALUE any option of RecBole or of this package

`--model NAME --help` lists the options of that model; of one that wraps another, e.g.
`--model IDEA --backbone SASRec --help`, those of both.
exit codes: 0 done, 1 the run failed, 2 wrong input, 130 and 143 interrupted"""

HOST_OPTIONS = """
RecBole's own options are taken as well, e.g. --load_col, --benchmark_filename, --TIME_FIELD,
--user_inter_num_interval: https://recbole.io/docs/user_guide/config_settings.html"""


PAGES = {
    "compare": compare_help.USAGE,
    "doctor": doctor.USAGE,
    "evaluate": evaluate.USAGE,
    "recommend": recommend.USAGE,
    "report": report.USAGE,
    "tune": tune_help.USAGE,
}
"""Command -> its page, where that does not depend on what else is given."""


@dataclass(frozen=True)
class InForce:
    """What options have where the user sets none of them.

    Attributes:
        values: option -> its value.
        layers: option -> what set it.
    """

    values: Mapping[str, Any]
    layers: Mapping[str, str]


def page(command: str, arguments: Arguments) -> str:
    """Return the page of a command; training has the empty name.

    Raises:
        InputError: an option that the page depends on is wrong.
    """
    if not command:
        return usage(arguments.options.get("model"), arguments.options)
    return planted_usage(take_kind(arguments)) if command == "planted" else PAGES[command]


def usage(model: str | None = None, given: Mapping[str, str] | None = None) -> str:
    """Return the usage, with the options of a model where one is named.

    Args:
        model: name, dotted path or class of the model.
        given: the command line's options as text; they say which model it wraps, if it wraps any,
            which variant it is, and whose dataset's options hold.

    Raises:
        InputError: there is no such model.
    """
    if model is None:
        return USAGE
    entry = resolve(model)
    given = given or {}
    layer = Layer("command line", dict(given))
    dataset = given.get("dataset", DEFAULT_DATASET)
    wrapped, problems = find_wrapped(entry.name, entry.model_class, dataset, [layer])
    if problems:
        raise InputError(problems)
    options = list(schema_of(entry.model_class, wrapped).options.values())
    variant = given.get("variant")
    layers = default_layers(entry.name, entry.model_class, dataset, variant, wrapped)
    force = InForce(merged(layers), origins(layers))
    parts = [USAGE, *_section(entry.name, family_of(entry.model_class), options, force)]
    if wrapped is not None:
        title = f"{wrapped.__name__} ({wrapping_option(entry.model_class)})"
        parts += _section(title, family_of(wrapped), options, force)
    return "\n".join([*parts, *_section("every run", {"overall"}, options, force), HOST_OPTIONS])


def _section(title: str, files: set[str], options: list[Option], force: InForce) -> list[str]:
    """Return the lines of the options that some YAML files declare, nothing if there are none."""
    own = [option for option in options if option.source_file.removesuffix(".yaml") in files]
    lines = [_line(option, force) for option in own]
    return [f"\noptions of {title}, with their defaults:", *lines] if own else []


def _line(option: Option, force: InForce) -> str:
    condition = f", {option.constraint.text}" if option.constraint else ""
    kind = f" ({' or '.join(option.types)}{condition})" if option.types else ""
    value = force.values.get(option.name, option.default)
    other = "" if value == option.default else f"; {value} by {force.layers[option.name]}"
    return f"  --{option.name}={option.default}{kind}{other}\n      {option.help}".rstrip()
