"""Train and evaluate one model: the command line without a sub-command."""

from recbole_invariant.cli.arguments import DEFAULT_DATASET, Arguments
from recbole_invariant.configuration.yaml_text import read_yaml_mapping
from recbole_invariant.errors import InputError
from recbole_invariant.registry import MODELS


def train(arguments: Arguments) -> int:
    """Run and print the table.

    Raises:
        InputError: something the user gave is wrong.
    """
    if "resume" in arguments.options:
        raise InputError("--resume is not in this version yet; start the run anew.")
    model, dataset = arguments.take("model"), arguments.take("dataset")
    in_files = _values_in(arguments.config_files) if model is None or dataset is None else {}
    model = model or in_files.get("model")
    dataset = dataset or in_files.get("dataset", DEFAULT_DATASET)
    if model is None:
        raise InputError(
            f"--model is missing. Ours are {', '.join(MODELS)}; every RecBole model and the dotted "
            "path of a class of your own work too."
        )
    output_dir = arguments.take("output_dir") or "runs"
    run_name = arguments.take("run_name")
    from recbole_invariant.quick_start import run

    result = run(
        model=model,
        dataset=dataset,
        config_files=arguments.config_files,
        output_dir=output_dir,
        run_name=run_name,
        command_line=arguments.options,
    )
    print(result.table)
    print(f"run folder: {result.run_dir}")
    return 0


def _values_in(config_files: list[str]) -> dict[str, str]:
    """Return `model` and `dataset` where the files name them; later files win."""
    values: dict[str, str] = {}
    for path in config_files:
        found = read_yaml_mapping(path)
        values |= {key: str(found[key]) for key in ("model", "dataset") if found.get(key)}
    return values
