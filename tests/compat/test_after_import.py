"""Patches that wait for a module, and stand-ins for a library."""

import importlib
import inspect
import math
import sys
from pathlib import Path
from types import ModuleType

import pytest

from recbole_invariant.compat.after_import import ModuleStandIn, after_import


@pytest.fixture
def module_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a new module on the path with `value = 1`."""
    name = f"awaited_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text("value = 1\n\ndef read():\n    return value\n")
    monkeypatch.syspath_prepend(tmp_path)
    return name


def double(module: ModuleType) -> None:
    vars(module)["value"] *= 2


def test_a_patch_waits_for_the_import_and_runs_once(module_name: str) -> None:
    after_import(module_name, double)
    assert module_name not in sys.modules
    module = importlib.import_module(module_name)
    assert module.read() == 2
    assert importlib.import_module(module_name).value == 2
    assert "return value" in inspect.getsource(module.read)


def test_an_imported_module_is_patched_at_once(module_name: str) -> None:
    module = importlib.import_module(module_name)
    after_import(module_name, double)
    assert module.value == 2


def test_a_reloaded_module_is_patched_again(module_name: str) -> None:
    after_import(module_name, double)
    module = importlib.import_module(module_name)
    assert importlib.reload(module).value == 2


def test_a_missing_module_is_still_missing() -> None:
    after_import("no_such_module_at_all", double)
    with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
        importlib.import_module("no_such_module_at_all")


def test_a_stand_in_replaces_only_the_named_attributes() -> None:
    stand_in = ModuleStandIn(math, floor=math.ceil)
    assert (stand_in.floor(1.5), math.floor(1.5)) == (2, 1)
    assert stand_in.sqrt is math.sqrt
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = stand_in.no_such_name
