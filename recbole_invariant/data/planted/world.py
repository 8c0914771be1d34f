"""What a planted world is made of."""

from dataclasses import dataclass

import numpy as np

from recbole_invariant.data.planted.options import PlantedOptions

INVARIANT, SPURIOUS, NOISE = "invariant", "spurious", "noise"
KINDS = (INVARIANT, SPURIOUS, NOISE)


@dataclass(frozen=True)
class Causes:
    """What moves the clicks; nothing of it is ever in a file.

    Attributes:
        content: `(items, content_dim)`.
        style: `(environments, items, style_dim)`.
        taste: `(tastes, users, content_dim)`, rows of length 1.
        reaction: `(environments, users, style_dim)`, rows of length 1.
    """

    content: np.ndarray
    style: np.ndarray
    taste: np.ndarray
    reaction: np.ndarray


@dataclass(frozen=True)
class Clicks:
    """Rows of one file.

    Attributes:
        users: `(n,)` int64 from 0.
        items: `(n,)` int64 from 0.
        environments: hidden environment of each row `(n,)` int64 from 0.
        tastes: hidden taste that each row follows `(n,)` int64 from 0.
    """

    users: np.ndarray
    items: np.ndarray
    environments: np.ndarray
    tastes: np.ndarray


@dataclass(frozen=True)
class PlantedData:
    """A planted world.

    Attributes:
        options: its sizes and strengths.
        seed: what it was drawn with.
        features: modality -> `(items, dims)` float32, columns of mean 0 and deviation 1.
        kinds: modality -> kind of each dimension `(dims,)`, one of `KINDS`.
        clicks: file -> its rows, users in a random order.
        causes: what moves the clicks.
    """

    options: PlantedOptions
    seed: int
    features: dict[str, np.ndarray]
    kinds: dict[str, np.ndarray]
    clicks: dict[str, Clicks]
    causes: Causes
