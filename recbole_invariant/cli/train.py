"""Train and evaluate one model: the command line without a sub-command."""

from pathlib import Path

from recbole_invariant.cli.arguments import DEFAULT_DATASET, TRUE, Arguments
from recbole_invariant.configuration.yaml_text import read_yaml_mapping
from recbole_invariant.errors import InputError
from recbole_invariant.registry import MODELS

AUTO = "auto"


def train(arguments: Arguments) -> int:
    """Run and print the table.

    Raises:
        InputError: something the user gave is wrong.
    """
    resume = arguments.take("resume")
    if resume == TRUE:
        raise InputError("--resume: expected auto or a run folder, e.g. --resume auto.")
    needed = ("model", "dataset", "output_dir", "run_name")
    empty = [f"--{name}" for name in needed if arguments.options.get(name) in ("", TRUE)]
    if empty:
        raise InputError(f"{', '.join(empty)} names nothing; write --key=value.")
    model, dataset = arguments.take("model"), arguments.take("dataset")
    in_files = _values_in(arguments.config_files) if model is None or dataset is None else {}
    model, dataset = model or in_files.get("model"), dataset or in_files.get("dataset")
    named = resume is not None and resume != AUTO
    if named and arguments.take("output_dir"):
        raise InputError("output_dir: a resumed run keeps its folder; leave it away.")
    if model is None and not named:
        raise _without_model(arguments, resume)
    output_dir = arguments.take("output_dir") or "runs"
    run_name = arguments.take("run_name")
    from recbole_invariant.quick_start import run
    from recbole_invariant.run_start import is_finished

    was_finished = named and is_finished(Path(str(resume)))
    result = run(
        model=model,
        dataset=dataset if named else dataset or DEFAULT_DATASET,
        config_files=arguments.config_files,
        output_dir=output_dir,
        run_name=run_name,
        command_line=arguments.options,
        resume=resume,
    )
    if was_finished:
        print(f"{resume} is finished; its results once more:")
    print(result.table)
    print(f"run folder: {result.run_dir}")
    return 0


def _without_model(arguments: Arguments, resume: str | None) -> InputError:
    """Say that no model is named, and which other options are misspelt: one may be `model`."""
    from recbole_invariant.configuration.layers import Layer
    from recbole_invariant.configuration.option_checks import COMMAND_LINE, check_options

    missing = (
        f"--model is missing. Ours are {', '.join(MODELS)}; every RecBole model and the dotted "
        "path of a class of your own work too."
    )
    if resume == AUTO:
        missing += " --resume auto looks for a run of the model and the options that are given."
    given = Layer(COMMAND_LINE, dict(arguments.options))
    return InputError([*check_options([given]).problems, missing])


def _values_in(config_files: list[str]) -> dict[str, str]:
    """Return `model` and `dataset` where the files name them; later files win."""
    values: dict[str, str] = {}
    for path in config_files:
        found = read_yaml_mapping(path)
        values |= {key: str(found[key]) for key in ("model", "dataset") if found.get(key)}
    return values
