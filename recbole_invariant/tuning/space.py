"""A search space: the options that are searched, what they can be, and when they are read.

Files: YAML, or the text that RecBole's own search reads (`space_text.py`). `properties/tune/` holds
one a model.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from recbole_invariant.configuration.folders import properties_folder
from recbole_invariant.configuration.yaml_text import read_yaml_mapping
from recbole_invariant.errors import InputError
from recbole_invariant.tuning.dimension import Dimension, same
from recbole_invariant.tuning.space_text import parse_text
from recbole_invariant.tuning.space_yaml import parse_dimensions

__all__ = ["Dimension", "Space", "read_space", "space_of", "spaces"]


@dataclass(frozen=True)
class Space:
    """The options of a search.

    Attributes:
        dimensions: the options, in the order of their file.
        source: the file, for messages.
    """

    dimensions: tuple[Dimension, ...]
    source: str

    @staticmethod
    def from_yaml(mapping: Mapping[str, Any], source: str) -> "Space":
        """Read `{option: {kind: [low, high], ...}}`.

        Raises:
            InputError: everything that does not read as a dimension, at once.
        """
        return Space(parse_dimensions(mapping, source), source)

    def as_yaml(self) -> dict[str, Any]:
        """Return what `from_yaml` reads."""
        return {dimension.name: dimension.as_yaml() for dimension in self.dimensions}

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the options."""
        return tuple(dimension.name for dimension in self.dimensions)

    def without(self, names: Collection[str]) -> "Space":
        """Return the space less some options, such as those that the user fixed."""
        kept = tuple(dimension for dimension in self.dimensions if dimension.name not in names)
        return Space(kept, self.source)

    def ordered(self) -> tuple[Dimension, ...]:
        """Return the dimensions so that each comes after those that its condition names.

        Raises:
            InputError: conditions go round in a circle.
        """
        waiting, placed = list(self.dimensions), list[Dimension]()
        while waiting:
            open_names = {dimension.name for dimension in waiting}
            ready = [one for one in waiting if not open_names & one.when.keys()]
            if not ready:
                raise InputError(
                    f"{self.source}: the conditions (when) of {', '.join(sorted(open_names))} go "
                    "round in a circle; one of them must depend on none of the others."
                )
            placed.append(ready[0])
            waiting.remove(ready[0])
        return tuple(placed)

    def holds(
        self, dimension: Dimension, kept: Mapping[str, Any], fixed: Mapping[str, Any]
    ) -> bool:
        """Say whether the condition of a dimension holds.

        Args:
            dimension: one of the space.
            kept: values of the active options of the space; one that is missing is not active, and
                no condition on it holds.
            fixed: values of options outside the space.
        """
        for other, allowed in dimension.when.items():
            values = kept if other in self.names else fixed
            if other not in values or not any(same(values[other], value) for value in allowed):
                return False
        return True

    def active(
        self, drawn: Mapping[str, Any], fixed: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the drawn options less those whose condition does not hold, chains too.

        Args:
            drawn: option -> value; options that are not in the space are left out.
            fixed: resolved options outside the space, which conditions may name.
        """
        kept: dict[str, Any] = {}
        for dimension in self.ordered():
            if dimension.name in drawn and self.holds(dimension, kept, fixed or {}):
                kept[dimension.name] = drawn[dimension.name]
        return {name: kept[name] for name in self.names if name in kept}

    def readable(self, fixed: Mapping[str, Any] | None = None) -> "Space":
        """Return the space less the options that are never read, whatever is drawn.

        Args:
            fixed: resolved options outside the space.
        """
        kept: set[str] = set()
        for dimension in self.ordered():
            outside = {key: dimension.when[key] for key in dimension.when if key not in self.names}
            alone = Dimension(dimension.name, dimension.kind, when=outside)
            inside = dimension.when.keys() & set(self.names)
            if inside <= kept and self.holds(alone, {}, fixed or {}):
                kept.add(dimension.name)
        return self.without([name for name in self.names if name not in kept])

    def smallest(self, fixed: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the active options at their lowest numbers and first choices."""
        return self.active({one.name: one.smallest() for one in self.dimensions}, fixed)

    def grid(self, fixed: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Yield every combination of active options once, the last option changing fastest.

        Raises:
            InputError: an option has a range without steps.
        """
        self._require_finite()
        ordered = self.ordered()

        def below(depth: int, kept: dict[str, Any]) -> Iterator[dict[str, Any]]:
            if depth == len(ordered):
                yield {name: kept[name] for name in self.names if name in kept}
            elif self.holds(ordered[depth], kept, fixed or {}):
                for index in range(ordered[depth].size or 0):
                    drawn = {ordered[depth].name: ordered[depth].nth(index)}
                    yield from below(depth + 1, kept | drawn)
            else:
                yield from below(depth + 1, kept)

        return below(0, {})

    def grid_size(self, fixed: Mapping[str, Any] | None = None) -> int:
        """Return the number of combinations.

        Raises:
            InputError: an option has a range without steps.
        """
        self._require_finite()
        # Options without conditions on either side multiply; only the others are counted.
        tied = {name for one in self.dimensions if one.when for name in (one.name, *one.when)}
        free = prod(one.size or 0 for one in self.dimensions if one.name not in tied)
        few = self.without([name for name in self.names if name not in tied])
        return free * sum(1 for _ in few.grid(fixed))

    def _require_finite(self) -> None:
        ranges = [one.name for one in self.dimensions if one.size is None]
        if ranges:
            raise InputError(
                f"{self.source}: a grid needs choices, whole numbers (int) or ranges with a step: "
                f"{', '.join(ranges)} can take any value in a range. Give them choices in a "
                "--space FILE, or take another --searcher."
            )

    def describe(self) -> list[str]:
        """Return a line for each option."""
        return [dimension.describe() for dimension in self.dimensions]


def read_space(path: str | Path) -> Space:
    """Read a space from a file: YAML (`.yaml`, `.yml`), or RecBole's text format (others).

    Raises:
        InputError: it is missing or does not read as a space.
    """
    path = Path(path)
    if path.suffix.lower() in (".yaml", ".yml"):
        try:
            mapping = read_yaml_mapping(path)
        except InputError as error:
            # the reader takes every file for one of --config_files
            said = [problem.replace("config file", "--space", 1) for problem in error.problems]
            raise InputError(said) from error
        return Space.from_yaml(mapping, str(path))
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"--space '{path}': there is no such file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--space '{path}' cannot be read: {error}") from error
    return Space(parse_text(text, str(path)), str(path))


def space_of(model_name: str, model_class: type[Any], wrapped: type[Any] | None = None) -> Space:
    """Return the space of a model in properties/tune/.

    A class of the user's has that of the nearest class it derives from. A model that wraps another
    has both, its own first and its own range of an option of both.

    Raises:
        InputError: there is none.
    """
    found = [_nearest(cls) for cls in (model_class, wrapped) if cls is not None]
    files = [path for path in found if path is not None]
    if not files:
        raise InputError(
            f"model '{model_name}' has no search space in properties/tune/; write one and pass "
            f"--space FILE. Models with one: {', '.join(spaces())}."
        )
    mapping: dict[str, Any] = {}
    for path in files:
        given = read_yaml_mapping(path)
        mapping |= {name: given[name] for name in given if name not in mapping}
    source = " and ".join(f"properties/tune/{path.name}" for path in files)
    return Space.from_yaml(mapping, source)


def spaces() -> list[str]:
    """Return the names of the models that have a space."""
    return sorted((path.stem for path in _folder().glob("*.yaml")), key=str.lower)


def _folder() -> Path:
    return properties_folder() / "tune"


def _nearest(model_class: type[Any]) -> Path | None:
    paths = (_folder() / f"{cls.__name__}.yaml" for cls in model_class.__mro__)
    return next((path for path in paths if path.is_file()), None)
