"""Options of Irl4Rec that contradict each other, or that others leave without effect."""

from collections.abc import Mapping
from typing import Any

from recbole_invariant.configuration.folders import host_model_yaml
from recbole_invariant.configuration.layers import yaml_owner
from recbole_invariant.configuration.read_with import idle, lacks
from recbole_invariant.configuration.yaml_text import read_yaml_mapping

READ_WITH = {
    "attribute": ("s_input", ("attribute",)),
    "independence": ("s_input", ("sequence", "attribute")),
    "independence_weight": ("s_input", ("sequence", "attribute")),
    "joint_weight": ("independence", ("xcov", "hsic", "club", "orth", "maximize")),
    "spurious_weight": ("independence", ("dib",)),
    "hsic_rows": ("independence", ("hsic",)),
    "club_hidden": ("independence", ("club",)),
    "club_steps": ("independence", ("club",)),
    "club_learning_rate": ("independence", ("club",)),
    "contrastive_weight": ("contrastive", ("dropout",)),
    "contrastive_temperature": ("contrastive", ("dropout",)),
}
"""Option -> another option and its values with which the first has an effect."""

REMEDIES = {"attribute": " s_input: attribute or variant: attribute makes s read it."}
"""Option -> what to do, where the user of an idle one surely wants its effect."""


def contradictions(values: Any, model_class: type[Any], wrapped: type[Any] | None) -> list[str]:
    """Say which options of Irl4Rec cannot go together.

    Args:
        values: all options.
        model_class: the model; nothing is said of others.
        wrapped: the class of the model that `encoder` names.
    """
    if wrapped is None or not _is_irl4rec(model_class):
        return []
    problems = []
    if values["s_input"] != "none":
        if values["independence"] == "dib":
            problems += _dib_problems(values)
        if values["adaptive_weights"] != "none" and (negative := _negative_term(values)):
            problems.append(
                f"adaptive_weights: {values['adaptive_weights']} weighs terms that are to become "
                f"small, but {negative}; take adaptive_weights: none or leave that out."
            )
    if _views_are_equal(values, wrapped):
        problems.append(_no_dropout(wrapped))
    return problems


def without_effect(values: Mapping[str, Any], user: Mapping[str, str]) -> list[str]:
    """Name options of Irl4Rec that the user set and that nothing reads, given the others.

    Nor is a run called plain that has a spurious encoder.

    Args:
        values: all options.
        user: option -> the layer of the user's that set it.
    """
    said = idle(user, (*READ_WITH, "compression"), lambda key: _lacks(values, key))
    if "s_input" in user and values.get("variant") == "plain" and values["s_input"] != "none":
        said.append(
            f"{user['s_input']}: s_input: {values['s_input']} adds a spurious encoder to variant: "
            "plain, which is the encoder alone; leave s_input out, or take another variant."
        )
    return said


def _lacks(values: Mapping[str, Any], key: str) -> str | None:
    """Say what an option needs to have an effect, None if it has one."""
    if key == "compression":
        return _compression_lacks(values)
    said = lacks(values, key, READ_WITH)
    return None if said is None else said + REMEDIES.get(key, "")


def _compression_lacks(values: Mapping[str, Any]) -> str | None:
    """Say what `compression` needs; `l2` with a point posterior is what it says."""
    if values["compression_weight"] == 0:
        return "has an effect with a compression_weight above 0 only; it is 0."
    if values["compression"] == "kl" and values["posterior"] == "point":
        return "is l2 with posterior: point; kl has an effect with posterior: gaussian only."
    return None


def _is_irl4rec(model_class: type[Any]) -> bool:
    return any(cls.__name__ == "Irl4Rec" for cls in model_class.__mro__)


def _dib_problems(values: Any) -> list[str]:
    """Check the weights of the deconfounded bottleneck."""
    weight, spurious = values["independence_weight"], values["spurious_weight"]
    problems = []
    if weight >= 1:
        problems.append(
            f"independence_weight: with independence: dib it is the share of the joint prediction "
            f"and must be < 1, or t would not be trained to predict by itself; it is {weight}."
        )
    if spurious is not None and spurious > weight:
        problems.append(
            f"spurious_weight: {spurious} is larger than independence_weight: {weight}; the gain "
            "of s is part of the joint prediction's weight. Take a value from 0 to "
            f"{weight}, or null for {weight}."
        )
    return problems


def _negative_term(values: Any) -> str | None:
    """Name the term of the objective that is to become large, None if there is none."""
    weight, spurious = values["independence_weight"], values["spurious_weight"]
    if values["independence"] == "maximize" and weight > 0:
        return "independence: maximize rewards a large one"
    if values["independence"] == "dib" and spurious is not None and spurious < weight:
        return (
            f"spurious_weight: {spurious} below independence_weight: {weight} rewards a large loss "
            "of s"
        )
    return None


def _views_are_equal(values: Any, wrapped: type[Any]) -> bool:
    """Say whether nothing sets the two passes of the contrastive loss apart."""
    compared = values["contrastive"] == "dropout" and values["contrastive_weight"] > 0
    return (
        compared
        and values["posterior"] == "point"
        and not any(_rates(values[key]) for key in _dropouts(wrapped))
    )


def _rates(value: Any) -> bool:
    """Say whether a rate of dropout, or any in a list, is not zero."""
    return any(value) if isinstance(value, list | tuple) else bool(value)


def _dropouts(wrapped: type[Any]) -> list[str]:
    """Return the options of a model of RecBole that are rates of dropout."""
    path = host_model_yaml(yaml_owner(wrapped))
    return [key for key in read_yaml_mapping(path) if "dropout" in key] if path else []


def _no_dropout(wrapped: type[Any]) -> str:
    """Say what sets two passes apart with this encoder."""
    keys = _dropouts(wrapped)
    cause = f"{' and '.join(keys)} 0" if keys else f"{wrapped.__name__}, which has no dropout,"
    remedy = f", or set {keys[0]} above 0" if keys else ", or another encoder"
    return (
        f"contrastive: dropout: with posterior: point and {cause} both passes over a sequence are "
        f"the same; take posterior: gaussian{remedy}."
    )
