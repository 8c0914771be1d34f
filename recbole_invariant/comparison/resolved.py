"""The options of a comparison: as they were given, and of each line as they are resolved."""

from dataclasses import dataclass
from typing import Any

from recbole_invariant.comparison.specs import ModelSpec, own_options
from recbole_invariant.config import RunConfig, build_config


@dataclass(frozen=True)
class Given:
    """Options of all models as they were given.

    Attributes:
        config: from Python.
        config_files: files of options.
        command_line: as text.
        settled: as text, what compare sets where the user does not.
    """

    config: dict[str, Any]
    config_files: list[str]
    command_line: dict[str, str]
    settled: dict[str, str]

    def words(self, spec: ModelSpec, seed: int) -> dict[str, str]:
        """Return the options of a line and a seed as text."""
        return own_options(self.command_line, spec, seed, self.settled)

    def build(self, spec: ModelSpec, dataset: str, seed: int) -> RunConfig:
        """Resolve the options of a line and a seed.

        Raises:
            InputError: what is wrong with them.
        """
        words = self.words(spec, seed)
        return build_config(spec.model, dataset, self.config, self.config_files, words)


@dataclass(frozen=True)
class Resolved:
    """A line of the table: its options, its model, and the protocol that cuts its data."""

    config: RunConfig
    model_class: type
    protocol: str | None

    def n_tuned(self) -> int:
        """Count the options that a section `models.<model>` sets."""
        section = f" models.{self.model_class.__name__}"
        return sum(layer.endswith(section) for layer in self.config.layers.values())
