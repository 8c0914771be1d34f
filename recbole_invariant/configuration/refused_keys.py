"""Keys that RecBole knows and that a run here does not take from the user, each with its reason."""

from collections.abc import Sequence

from recbole_invariant.configuration.layers import MODEL_SECTIONS, STRUCTURE_KEYS, Layer
from recbole_invariant.errors import suggest
from recbole_invariant.registry import model_names
from recbole_invariant.spelling import one_edit_apart

_DERIVED = "is found by the program from the model and the metrics"
_DISTRIBUTED = "is of RecBole's training in several processes, which does not run here"
_OLD = "is of older versions of RecBole and has no effect any more"

REFUSED: dict[str, str] = {
    "MODEL_TYPE": _DERIVED,
    "MODEL_INPUT_TYPE": _DERIVED,
    "eval_type": _DERIVED,
    "device": "is chosen by use_gpu and gpu_id",
    **dict.fromkeys(("local_rank", "nproc", "world_size", "ip", "port", "offset"), _DISTRIBUTED),
    "neg_sampling": f"{_OLD}; see train_neg_sample_args",
    "training_neg_sample_num": f"{_OLD}; see train_neg_sample_args",
    "valid_neg_sample_args": "follows from eval_args: {mode: ...}",
    "test_neg_sample_args": "follows from eval_args: {mode: ...}",
}
"""Option -> why it is refused where it is set to more than null."""


def refused_problems(user: Sequence[Layer]) -> list[str]:
    """Say which of the user's options a run does not take.

    Args:
        user: the user's layers.
    """
    problems = []
    for layer in user:
        for key, value in layer.values.items():
            if key in REFUSED and value not in (None, "None", "null", "~"):
                problems.append(f"{layer.name}: option '{key}' {REFUSED[key]}; leave it out.")
    return problems


def file_problems(name: str, values: dict[str, object], model: str) -> list[str]:
    """Say what a user's file arranges that it cannot.

    Args:
        name: of the file's layer.
        values: the whole file.
        model: name of the model; its section is known whatever it is called.
    """
    problems = [
        f"{name}: '{key}' arranges the options files of this package and is no option; a file of "
        f"yours may have sections `{MODEL_SECTIONS}: {{<model>: {{option: value}}}}`."
        for key in STRUCTURE_KEYS
        if key in values and key != MODEL_SECTIONS
    ]
    sections = values.get(MODEL_SECTIONS)
    if isinstance(sections, dict):
        problems += [_misspelt(name, str(section), model) for section in sections]
    return [problem for problem in problems if problem]


def _misspelt(name: str, section: str, model: str) -> str:
    """Say that a section's name is nearly that of a model; others may be anybody's own."""
    known = [model, *model_names()]
    folded = section.lower()
    if section in known or not any(one_edit_apart(folded, m.lower(), True) for m in known):
        return ""
    return f"{name}: {MODEL_SECTIONS}: there is no model '{section}'.{suggest(section, known)}"
