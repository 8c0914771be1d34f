"""Options that need an attribute of the items: is it named, and does the dataset have it?

Each model says in an `AttributeUse` which of its options need one, and which columns serve.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recbole.utils import ModelType

from recbole_invariant.configuration.item_columns import (
    ONE_TOKEN,
    TOKENS,
    ColumnKind,
    column_problem,
)


@dataclass(frozen=True)
class AttributeUse:
    """What a model does with the option `attribute`.

    Attributes:
        needing: option -> its values that need it.
        kind: columns that serve.
        forwards: option that names the wrapped model, where that one must read histories forwards
            for an attribute to be of use; None where any serves.
    """

    needing: Mapping[str, tuple[str, ...]]
    kind: ColumnKind
    forwards: str | None = None


IDEA = AttributeUse(
    {"environments": ("attribute_shift",), "cue_adjustment": ("estimated", "known")},
    ONE_TOKEN,
    forwards="backbone",
)
IRL4REC = AttributeUse({"s_input": ("attribute",)}, TOKENS)
USES = {"IDEA": IDEA, "Irl4Rec": IRL4REC}
"""Class of a model -> its use; subclasses share it."""

KEEPS_ORDER = (None, "inverse_itemseq")
"""Values of RecBole's option `transform` that leave a row its last item and its target."""


def needs_attribute(use: AttributeUse, values: Any, origin: Mapping[str, str]) -> list[str]:
    """Name what asks for an attribute, in the words of who asked.

    Args:
        use: what the model does with it.
        values: all options of the model.
        origin: option -> the layer that set it; one that a variant set is named by the variant.
    """
    needing = []
    for key, needed in use.needing.items():
        if values[key] in needed:
            layer = origin.get(key, "")
            by_variant = layer.startswith("variant ")
            said = f"{key}: {values[key]}"
            chosen = layer.removeprefix("variant ")
            needing.append(f"variant: {chosen} ({said})" if by_variant else said)
    return needing


def unfit_for_attribute(use: AttributeUse, values: Any, origin: Mapping[str, str]) -> str | None:
    """Say what is wrong where an option needs an attribute, as far as the options tell.

    Args:
        use: see `needs_attribute`.
        values: see there.
        origin: see there.
    """
    needing = " and ".join(needs_attribute(use, values, origin))
    if not needing:
        return None
    if use.forwards is not None and values[use.forwards] == "BERT4Rec":
        return (
            f"{needing}: BERT4Rec also learns from the item after a masked one, where the cue "
            f"stands the other way round; take a {use.forwards} that reads forwards, e.g. SASRec."
        )
    if not values["attribute"]:
        return (
            f"{needing} needs the option attribute, a column of the .item file that load_col "
            f"loads, {use.kind.each}, e.g. --attribute=category."
        )
    return None


def use_of(model_class: type[Any]) -> AttributeUse | None:
    """Return what a model does with the option `attribute`, None where it has no such option."""
    family = (cls.__name__ for cls in model_class.__mro__)
    return next((USES[name] for name in family if name in USES), None)


def attribute_problems(
    values: Mapping[str, Any],
    origin: Mapping[str, str],
    dataset: str,
    model_class: type[Any],
    user: Mapping[str, str],
) -> list[str]:
    """Check the options that need an attribute, and the column, before any data is loaded.

    A column that nothing reads is checked where the user named it: it is a mistake either way.

    Args:
        values: all options, before RecBole changed any.
        origin: option -> the layer that set it.
        dataset: name of the dataset; where it is not there, only the options are checked.
        model_class: the model.
        user: option -> the layer of the user's that set it.
    """
    use = use_of(model_class)
    if use is None or not {*use.needing, "attribute"} <= values.keys():
        return []
    needing = " and ".join(needs_attribute(use, values, origin))
    problem = unfit_for_attribute(use, values, origin)
    if problem:
        return [problem]
    name, asked = values["attribute"], needing or user.get("attribute")
    if not asked or not name or not isinstance(name, str):
        return []  # nobody asks for it, or the check against the schema says what is wrong
    said = column_problem(values, dataset, name, use.kind, read=bool(needing))
    return [f"{asked}: {said}" if needing else f"{asked}: attribute: {said}"] if said else []


def order_problem(
    transform: str | None, model: str, encoder: tuple[str, str] | None = None
) -> str | None:
    """Say why `balanced_attribute` has no sense for a model, None if it has.

    Args:
        transform: RecBole's option of that name, which a model may set.
        model: name of the model.
        encoder: the option that names the model that it wraps, and that name.
    """
    if transform in KEEPS_ORDER:
        return None
    named = model if encoder is None else f"{encoder[0]}: {encoder[1]}"
    instead = "a model that does, such as" if encoder is None else f"another {encoder[0]}, such as"
    return (
        f"balanced_attribute: {named} does not learn the target from the items before it "
        f"(transform: {transform} changes the rows after they were drawn); take {instead} GRU4Rec "
        "or SASRec, or leave balanced_attribute null."
    )


def balancing_problems(
    values: Mapping[str, Any],
    dataset: str,
    model: str,
    wrapping: str | None,
    user: Mapping[str, str],
) -> list[str]:
    """Check `balanced_attribute` and the column that it names, before any data is loaded.

    Args:
        values: all options, before RecBole changed any.
        dataset: name of the dataset; where it is not there, nothing is said of the column.
        model: name of the model.
        wrapping: the option that names the model that it wraps, None if it wraps none.
        user: option -> the layer of the user's that set it.
    """
    name = values["balanced_attribute"]
    if not name or not isinstance(name, str) or values["MODEL_TYPE"] is not ModelType.SEQUENTIAL:
        return []  # other checks say so
    transform = values["transform"]
    if transform not in KEEPS_ORDER and "transform" in user:
        return [
            f"balanced_attribute: {user['transform']} sets transform: {transform}, which changes "
            "the rows after they were drawn; leave one of the two out."
        ]
    encoder = None if wrapping is None else (wrapping, str(values[wrapping]))
    if problem := order_problem(transform, model, encoder):
        return [problem]
    said = column_problem(values, dataset, name, ONE_TOKEN)
    return [f"balanced_attribute: {said}"] if said else []
