"""RecBole's sequential models as encoders: item vectors can be changed before they are encoded."""

from typing import Any

from recbole_invariant.errors import InputError, suggest
from recbole_invariant.host_models import host_model_class, host_model_modules
from recbole_invariant.model.sequence_encoder.base import Examples, SequenceEncoder
from recbole_invariant.model.sequence_encoder.causal import CausalEncoder
from recbole_invariant.model.sequence_encoder.masked import MaskedEncoder
from recbole_invariant.model.sequence_encoder.trimmed import TrimmedEncoder

__all__ = ["SUPPORTED", "Examples", "SequenceEncoder", "build_encoder", "refusal"]

ENCODERS: dict[str, type[SequenceEncoder]] = {
    "GRU4Rec": TrimmedEncoder,
    "SASRec": TrimmedEncoder,
    "BERT4Rec": MaskedEncoder,
    "NARM": TrimmedEncoder,
    "STAMP": CausalEncoder,
    "LightSANs": CausalEncoder,
}

SUPPORTED: tuple[str, ...] = tuple(ENCODERS)
"""RecBole's models that look a sequence's items up once, in `item_embedding`, read ids for masks
only, and minimise the cross entropy over all items and nothing else. Not so are models that build
a graph of the ids (SRGNN) and those with losses beside it (NextItNet, Caser, FEARec)."""


def refusal(name: str, option: str, model: str) -> str | None:
    """Say why a model cannot be taken apart; None where it can.

    Args:
        name: of the model.
        option: the option that names it.
        model: the one that would wrap it.
    """
    if name in ENCODERS:
        return None
    modules = host_model_modules()
    problem = f"there is no model '{name}' in RecBole."
    if name in modules:
        kind = modules[name].split(".")[2].replace("_", " ")
        problem = f"RecBole's '{name}' ({kind}) is not supported by {model}."
    return f"{option}: {problem}{suggest(name, SUPPORTED)} Supported: {', '.join(SUPPORTED)}."


def build_encoder(
    name: str, config: Any, dataset: Any, n_fakes: int = 0, option: str = "backbone"
) -> SequenceEncoder:
    """Make one of RecBole's models and take it apart.

    Args:
        name: of the model, one of `SUPPORTED`.
        config: its options.
        dataset: training rows with histories.
        n_fakes: see `SequenceEncoder`.
        option: the option that names the model, for errors.

    Raises:
        InputError: the model is not supported.
    """
    # options that came through our own configuration were asked before
    if problem := refusal(name, option, config["model"]):
        raise InputError(problem)
    return ENCODERS[name](host_model_class(name)(config, dataset), n_fakes)
