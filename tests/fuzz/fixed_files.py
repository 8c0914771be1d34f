"""Option files that are looked up once: thousands of configurations are built in a process."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from types import ModuleType
from unittest.mock import patch

from recbole_invariant.configuration import folders, known_keys, layers, option_checks, wrapped

LOOKED_UP: tuple[tuple[ModuleType, str], ...] = (
    (folders, "_package_folder"),
    (known_keys, "host_yaml_files"),
    (known_keys, "our_yaml_files"),
    (known_keys, "known_keys"),
    (known_keys, "_keys_in_source"),
    (known_keys, "host_model_yaml"),
    (layers, "host_model_yaml"),
    (option_checks, "schema_of"),
    (wrapped, "schema_of"),
    (wrapped, "our_yaml_files"),
)
"""Functions of files that stay as they are, and where they are called from."""


@contextmanager
def fixed_files() -> Iterator[None]:
    """Ask each function once for the same arguments."""
    with ExitStack() as stack:
        for module, name in LOOKED_UP:
            stack.enter_context(patch.object(module, name, cache(getattr(module, name))))
        yield
