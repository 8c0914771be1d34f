"""What cannot go together with `refit_epochs`."""

from typing import Any

import pytest

from recbole_invariant.config import build_config
from recbole_invariant.configuration.refit_checks import refit_problems
from recbole_invariant.errors import InputError


@pytest.mark.parametrize("given", [{}, {"train": 0}, {"train": True}, {"train": 2.0}, 3, "train"])
def test_epochs_are_whole_numbers_by_stage(given: Any) -> None:
    (problem,) = refit_problems({"refit_epochs": given}, {"refit_epochs": "command line"})
    assert problem.startswith("command line: refit_epochs must name stages with their epochs")


def test_what_needs_a_validation_is_refused() -> None:
    with pytest.raises(InputError) as raised:
        build_config(
            "IDEA",
            "ml-100k",
            {"refit_epochs": {"pretrain": 2, "alternate": 1}, "selection": "oracle"},
        )
    assert any("selection: oracle asks a test" in problem for problem in raised.value.problems)
    assert any("keep: better chooses between" in problem for problem in raised.value.problems)


def test_text_of_the_command_line_is_read() -> None:
    config = build_config("BPR", "ml-100k", command_line={"refit_epochs": "{train: 12}"})
    assert config["refit_epochs"] == {"train": 12}
    assert build_config("BPR", "ml-100k")["refit_epochs"] is None
