"""Run a function right after a host module has been imported, and not before.

Importing `recbole_invariant` must not pull in `recbole.quick_start` (it imports ray), yet
its functions need a mend once somebody does import it.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

Patch = Callable[[ModuleType], None]


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the awaited modules as Python itself does, and patches them once they have run."""

    def __init__(self) -> None:
        self.patches: dict[str, list[Patch]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the ordinary spec, its loader followed by our patches; None if not awaited."""
        if fullname not in self.patches:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            for patch in self.patches[fullname]:
                patch(module)

        # On the loader itself, so that tracebacks and inspect still find the host's source.
        vars(spec.loader)["exec_module"] = exec_module
        return spec


_finder = _Finder()


def after_import(module_name: str, patch: Patch) -> None:
    """Call `patch(module)` now if the module is already imported, else when it gets imported.

    Args:
        module_name: full dotted name, e.g. `recbole.trainer.trainer`.
        patch: changes the module in place.
    """
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    _finder.patches.setdefault(module_name, []).append(patch)
    if module_name in sys.modules:
        patch(sys.modules[module_name])


class ModuleStandIn(ModuleType):
    """A library as one host module sees it: a few names replaced, the rest passed through.

    Args:
        original: the library.
        replaced: name -> what the host module gets under that name.
    """

    def __init__(self, original: ModuleType, **replaced: object) -> None:
        super().__init__(original.__name__, original.__doc__)
        vars(self).update(replaced, _original=original)

    def __getattr__(self, name: str) -> Any:
        return getattr(vars(self)["_original"], name)
