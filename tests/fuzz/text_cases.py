"""Cases of what a user types: files of options, command lines, and values inside of values."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import strategies as st

from recbole_invariant.cli.main import FAILED, WRONG_INPUT, main
from recbole_invariant.errors import InputError
from tests.fuzz.atomic_cases import WHOLE, prepare_toy, write
from tests.fuzz.attempts import Case
from tests.fuzz.fixed_files import fixed_files
from tests.fuzz.wrong_files import FILES, GOOD_FILES
from tests.fuzz.wrong_lines import LINES


class _Reached(Exception):  # noqa: N818 - no error: it says how far the program came
    """Data would be loaded now."""


@contextlib.contextmanager
def no_data() -> Iterator[None]:
    """Stop before data is loaded."""
    with (
        fixed_files(),
        patch("recbole_invariant.preparation.load_dataset", side_effect=_Reached),
    ):
        yield


def run_line(words: list[str]) -> str:
    """Run the program up to where it would load data.

    Returns:
        Empty where it came so far.

    Raises:
        InputError: it ended with 2 and one message.
        RuntimeError: it failed otherwise.
    """
    errors = io.StringIO()
    with no_data(), contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        code = main(words)
    said = errors.getvalue()
    if code == WRONG_INPUT:
        raise InputError([line for line in said.split("error: ") if line])
    if code != FAILED or "_Reached" not in said:
        raise RuntimeError(f"exit code {code}: {said}")
    return ""


def line_case(line: tuple[str, ...]) -> Case:
    def act(folder: Path) -> str:
        words = list(line)
        if words[0].startswith("-") or not words[0].isalpha():
            given = {word.partition("=")[0] for word in words}
            here = {"--model": "BPR", "--dataset": "ml-100k", "--output_dir": str(folder)}
            words += [f"{key}={value}" for key, value in here.items() if key not in given]
        with contextlib.chdir(folder):
            run_line(words)
        return "it is accepted"

    return Case("command lines", f"{' '.join(line)[:80]!r}", act)


def file_case(name: str) -> Case:
    data, good = {**FILES, **GOOD_FILES}[name], name in GOOD_FILES

    def act(folder: Path) -> str:
        words = ["--model=BPR", "--dataset=ml-100k", f"--output_dir={folder}"]
        run_line([*words, f"--config_files={folder / 'mine.yaml'}"])
        return "" if good else "it is accepted"

    def prepare(folder: Path) -> None:
        (folder / "mine.yaml").write_bytes(data)

    return Case("files of options", name, act, prepare, ("mine.yaml",))


INSIDE: dict[str, Any] = {
    "eval_args": {
        "split": {"RS": [0.8, 0.1, 0.1]},
        "order": "RO",
        "group_by": "user",
        "mode": "full",
    },
    "load_col": {"inter": ["user_id", "item_id"], "item": ["item_id"]},
    "unload_col": {"inter": ["rating"]},
    "unused_col": {"inter": ["timestamp"]},
    "train_neg_sample_args": {
        "distribution": "uniform",
        "sample_num": 1,
        "alpha": 1.0,
        "dynamic": False,
        "candidate_num": 0,
    },
    "val_interval": {"rating": "[3,inf)"},
    "user_inter_num_interval": "[2,inf)",
    "item_inter_num_interval": "[0,inf)",
    "threshold": {"rating": 3},
    "normalize_field": ["rating"],
    "seq_len": {"title": 2},
    "numerical_features": ["rating"],
    "modalities": {"title": {"source": "text", "fields": "title", "dim": 4}},
    "baseline_options": {"Pop": {"epochs": 1}},
    "benchmark_filename": ["train", "valid", "iid"],
    "clip_grad_norm": {"max_norm": 5.0, "norm_type": 2},
    "discretization": {"rating": {"method": "ED", "bucket": 3}},
    "alias_of_user_id": ["user_id"],
    "additional_feat_suffix": ["item"],
    "preload_weight": {"item_id": "price"},
    "popularity_gamma": [1.0, 2.0],
    "pool_ratio": [0.8, 0.1, 0.1],
    "metrics": ["Recall", "NDCG"],
    "topk": [5, 10],
    "table_metrics": ["recall@10"],
    "refit_epochs": {"train": 1},
}
"""Options of several values, as they may be."""

ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    3,
    0.5,
    float("nan"),
    float("inf"),
    "",
    "x",
    "[a,b]",
    "[5",
    [],
    [None],
    ["x"],
    [-1],
    [1, 1, 1],
    {},
    {"x": 1},
    {"x": {"y": []}},
    {1: 2},
    10**30,
    [[1]],
)


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the places inside a value, itself first."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [at, *(place for key, item in inner for place in _places(item, (*at, key)))]


def _put(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """Return a value with another in one place."""
    if not place:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = _put(copy[place[0]], place[1:], new)
    return copy


@st.composite
def _inside(draw: st.DrawFn) -> Case:
    key = draw(st.sampled_from(sorted(INSIDE)))
    place = draw(st.sampled_from(_places(INSIDE[key])))
    value = _put(INSIDE[key], place, draw(st.sampled_from(ODD)))
    model = draw(st.sampled_from(["BPR", "SASRec"]))

    def act(folder: Path) -> str:
        with fixed_files():
            prepare_toy(folder, model, {"ood": None, key: value})
        return ""

    def prepare(folder: Path) -> None:
        write(folder, {suffix: table.data() for suffix, table in WHOLE.items()})

    return Case(
        "values inside of values",
        f"{key}={value!r} ({model})"[:160],
        act,
        prepare,
        (key.split("_")[0], "Preload", "needs the file", "looked for"),
    )


def kinds() -> dict[str, st.SearchStrategy[Case]]:
    """Return the strategies, by kind of mistake."""
    return {
        "files of options": st.sampled_from([*FILES, *GOOD_FILES]).map(file_case),
        "command lines": st.sampled_from(LINES).map(line_case),
        "values inside of values": _inside(),
    }
