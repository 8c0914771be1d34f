"""Cases of options: misspelt names, and values that an option cannot have."""

from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from recbole_invariant.config import CONFIG_ARGUMENT, CONFIG_FILE, build_config
from recbole_invariant.configuration.known_keys import Schema, known_keys, schema_of
from recbole_invariant.configuration.layers import Layer
from recbole_invariant.configuration.option_checks import COMMAND_LINE, check_options
from recbole_invariant.errors import InputError
from recbole_invariant.registry import resolve
from tests.fuzz.attempts import Case
from tests.fuzz.edits import edits
from tests.fuzz.fixed_files import fixed_files

MODELS = ("PaInvRL", "IDEA", "Irl4Rec", "UltraGCN", "BPR", "SASRec", "FM", "CKE")
LAYERS = (CONFIG_ARGUMENT, COMMAND_LINE, f"{CONFIG_FILE} mine.yaml")
NOT_CHECKED = ("dataset", "model", "device", "MODEL_TYPE", "MODEL_INPUT_TYPE", "eval_type")
"""Options that are decided elsewhere; `config.GIVEN_APART`."""

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 10**30, -(10**30), 0.5, -0.5, float("inf"), float("-inf"),
    float("nan"), 1e-320, "", " ", "x", "\u00e9", "\x00", "a" * 5000, "1e", "0x1", [], [None], [1],
    [-1], [0.5], ["x"], [[1]], [True], [float("nan")], {}, {"x": 1}, {"x": {"y": 1}}, {1: 2},
    {"x": None}, (1, 2), b"x", {"x": [1, {"y": []}]},
)  # fmt: skip
"""Values that many options cannot have."""


@cache
def schema(model: str) -> Schema:
    """Look the options of a model up, once."""
    return schema_of(resolve(model).model_class)


@cache
def names() -> tuple[str, ...]:
    """Return every option name there is."""
    return tuple(sorted(known_keys()))


def misspelt(model: str, layer: str, key: str, wrong: str) -> Case:
    """Give a misspelt option; the right one must be suggested."""

    def act(folder: Path) -> str:
        layers = [Layer(layer, {wrong: "1"})]
        checked = check_options(layers, resolve(model).model_class, schema(model))
        if not checked.problems:
            return "it is taken for an option"
        raise InputError(checked.problems)

    return Case(
        "misspelt options", f"{wrong} for {key} ({model}, {layer})", act, names=(f"'{key}'",)
    )


def _misspelt() -> st.SearchStrategy[Case]:
    @st.composite
    def case(draw: st.DrawFn) -> Case:
        key = draw(st.sampled_from(names()))
        wrong = draw(edits(key).filter(lambda word: word != "" and word not in names()))
        return misspelt(draw(st.sampled_from(MODELS)), draw(st.sampled_from(LAYERS)), key, wrong)

    return case()


def valued(model: str, key: str, value: Any, as_text: bool) -> Case:
    """Give an option a value, from Python or as text of the command line."""

    def act(folder: Path) -> str:
        given: dict[str, Any] = {"use_gpu": False, "state": "ERROR"}
        with fixed_files():
            if as_text:
                config = build_config(model, "ml-100k", given, command_line={key: str(value)})
            else:
                config = build_config(model, "ml-100k", {**given, key: value})
        return _contradicts(schema(model), key, config[key]) if key not in NOT_CHECKED else ""

    text = f"{key}={str(value)[:40]!r} ({type(value).__name__}, {model}, text {as_text})"
    return Case("values of options", text, act, names=(key,))


def _contradicts(declared: Schema, key: str, value: Any) -> str:
    """Hold a value that was accepted against the option's comment, by rules of its own."""
    option = declared.options.get(key)
    if option is None or not option.types or value is None:
        return ""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and value != value:
        return "not a number is accepted"
    limit = option.constraint
    if number and limit is not None and not limit.choices and not limit.low <= value <= limit.high:
        return f"{value} is accepted outside of {limit.text}"
    if isinstance(value, str) and limit is not None and limit.choices:
        return "" if value in limit.choices else f"{value} is accepted beside {limit.text}"
    return ""


def _valued() -> st.SearchStrategy[Case]:
    @st.composite
    def case(draw: st.DrawFn) -> Case:
        model = draw(st.sampled_from(MODELS))
        key = draw(st.sampled_from(sorted(schema(model).options)))
        return valued(model, key, draw(st.sampled_from(VALUES)), draw(st.booleans()))

    return case()


def kinds() -> dict[str, st.SearchStrategy[Case]]:
    """Return the strategies, by kind of mistake."""
    return {"misspelt options": _misspelt(), "values of options": _valued()}
