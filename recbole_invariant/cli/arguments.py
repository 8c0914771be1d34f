"""Read a command line into options as text; nothing on it is dropped or interpreted."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from recbole_invariant.errors import InputError

DEFAULT_DATASET = "ml-100k"
"""The dataset where none is named; RecBole ships it."""

TRUE = "true"
"""Value of an option that is given without one."""


REPEATED = ("objective",)
"""Options that may be given several times; their texts are joined by commas."""

SHORT = {"-k": "--k"}
"""Short forms of options."""


@dataclass
class Arguments:
    """What stands on a command line.

    Attributes:
        options: option -> its text.
        config_files: files of `--config_files`, in order.
        lists: words of the options that take several.
        wants_help: whether `--help` or `-h` is there.
    """

    options: dict[str, str] = field(default_factory=dict)
    config_files: list[str] = field(default_factory=list)
    lists: dict[str, list[str]] = field(default_factory=dict)
    wants_help: bool = False

    def take(self, name: str, default: str | None = None) -> str | None:
        """Remove an option and return its text, or the default."""
        return self.options.pop(name, default)


def parse_arguments(words: Sequence[str], lists: Sequence[str] = ()) -> Arguments:
    """Read `--key value`, `--key=value`, `--flag` and `--config_files FILE ...`.

    Args:
        words: the command line after the program and the sub-command.
        lists: options besides `config_files` that take all words up to the next option.

    Raises:
        InputError: a word belongs to no option, or an option is given twice with different
            values; everything that is wrong at once.
    """
    arguments, problems = Arguments(), []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in ("-h", "--help"):
            arguments.wants_help = True
            continue
        word = _long(word)
        name, equals, text = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not name:
            problems.append(
                f"'{word}' belongs to no option. Write --key=value or --key value; a list goes "
                "in brackets without spaces, e.g. --topk=[10,20]."
            )
            continue
        if name == "config_files":
            files = [text] if equals else _take_words(rest)
            arguments.config_files += files
            problems += [] if files and files[0] else ["--config_files names no file."]
            continue
        if name in lists:
            taken = [text] if equals else _take_words(rest)
            arguments.lists.setdefault(name, []).extend(taken)
            continue
        if not equals:
            text = rest.pop(0) if rest and _is_value(rest[0]) else TRUE
        if name in REPEATED and name in arguments.options:
            arguments.options[name] += f",{text}"
            continue
        before = arguments.options.setdefault(name, text)
        if before != text:
            problems.append(
                f"--{name} is given twice, as '{before}' and as '{text}'; leave one of them."
            )
    if problems:
        raise InputError(problems)
    return arguments


def _is_value(word: str) -> bool:
    """Say whether a word can be the value of the option before it."""
    return not _long(word).startswith("--") and word != "-h"


def _long(word: str) -> str:
    """Write a short form out."""
    name, equals, text = word.partition("=")
    return f"{SHORT.get(name, name)}{equals}{text}"


def _take_words(rest: list[str]) -> list[str]:
    """Remove and return the words up to the next option."""
    taken = []
    while rest and _is_value(rest[0]):
        taken.append(rest.pop(0))
    return taken
