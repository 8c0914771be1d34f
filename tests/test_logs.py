import logging
import sys
from pathlib import Path

import pytest
from recbole.utils.logger import set_color

from recbole_invariant.logs import logging_to


def bare_root(monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    """The root logger without pytest's handlers, which come between fixtures and test."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", logging.WARNING)
    return root


@pytest.mark.parametrize("terminal", [True, False])
def test_colours_are_for_terminals_only(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
) -> None:
    root = bare_root(monkeypatch)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with logging_to(tmp_path / "log.txt", None):
        root.info(set_color("epoch", "green") + " 3")
    assert (tmp_path / "log.txt").read_text().endswith("INFO epoch 3\n")
    assert ("\x1b" in capsys.readouterr().err) == terminal


def test_blocks_nest_and_leave_the_logger_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = bare_root(monkeypatch)
    with logging_to(tmp_path / "outer.txt", "info"):
        with logging_to(tmp_path / "inner.txt", "info"):
            root.info("inside")
        root.info("outside")
    assert "inside" in (tmp_path / "outer.txt").read_text()
    assert "outside" not in (tmp_path / "inner.txt").read_text()
    assert capsys.readouterr().err.count("inside") == 1
    assert root.handlers == []
    assert root.level == logging.WARNING


@pytest.mark.parametrize(("state", "kept"), [("WARNING", ["w"]), ("nonsense", ["i", "w"])])
def test_state_is_the_level(tmp_path: Path, state: str, kept: list[str]) -> None:
    with logging_to(tmp_path / "log.txt", state):
        for write, text in (
            (logging.debug, "d"),
            (logging.info, "i"),
            (logging.warning, "w"),
        ):
            write(text)
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert [line.split()[-1] for line in lines] == kept


def test_the_console_marks_warnings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = bare_root(monkeypatch)
    with logging_to(tmp_path / "log.txt", None):
        root.info("plain")
        root.warning("odd")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["plain", "warning: odd"]
    assert (tmp_path / "log.txt").read_text().endswith("WARNING odd\n")
