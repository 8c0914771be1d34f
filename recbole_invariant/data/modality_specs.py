"""The `modalities` option: what the user wrote, checked before any file is opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recbole_invariant.data.modality_sources import SOURCES
from recbole_invariant.data.modality_sources.base import parse_options
from recbole_invariant.errors import InputError, suggest


@dataclass(frozen=True)
class ModalitySpec:
    """A checked entry of the `modalities` option: name, source and the source's options."""

    name: str
    source: str
    options: dict[str, Any]


def parse_specs(modalities: object) -> list[ModalitySpec]:
    """Check the `modalities` option without opening a file.

    Args:
        modalities: `{name: {source: ..., ...}}`, or None for no modality.

    Returns:
        One spec a modality, in the given order.

    Raises:
        InputError: with every unknown source and key, and every wrong value.
    """
    if modalities is None:
        return []
    if not isinstance(modalities, Mapping):
        raise InputError(
            "modalities must map names to specs, e.g. {visual: {source: npy}}, "
            f"not {modalities!r}"
        )
    specs: list[ModalitySpec] = []
    problems: list[str] = []
    for name, spec in modalities.items():
        try:
            specs.append(_parse_spec(str(name), spec))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return specs


def _parse_spec(name: str, spec: object) -> ModalitySpec:
    known = ", ".join(SOURCES)
    if not isinstance(spec, Mapping):
        raise InputError(
            f"modalities: '{name}' must be a mapping with the key 'source' ({known}), not {spec!r}"
        )
    if "source" not in spec:
        near = [str(key) for key in spec if suggest(str(key), ("source",))]
        raise InputError(
            f"modalities: '{name}' has no key 'source', one of {known}; its keys are "
            f"{', '.join(map(str, spec)) or 'none'}."
            + (f" Did you mean 'source' by '{near[0]}'?" if near else "")
        )
    source = spec["source"]
    if not isinstance(source, str) or source not in SOURCES:
        hint = suggest(str(source), SOURCES)
        raise InputError(
            f"modalities: '{name}' has unknown source {source!r}.{hint} Sources: {known}"
        )
    return ModalitySpec(name, str(source), parse_options(name, spec, SOURCES[source].KEYS))
