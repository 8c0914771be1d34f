"""The law of the planted world: items, features, users, and who clicks what where."""

import numpy as np

from recbole_invariant.data.planted.clicks import draw_clicks
from recbole_invariant.data.planted.options import PlantedOptions
from recbole_invariant.data.planted.world import KINDS, Causes, PlantedData
from recbole_invariant.seeding import numpy_generator


def generate(options: PlantedOptions, seed: int) -> PlantedData:
    """Draw a world and its clicks.

    An interaction happens in a hidden environment e, drawn with `shares` for it or once for its
    user, and follows one of the user's tastes t; its item is drawn from the softmax over the items
    that the user has not clicked of

        content_strength <taste_ut, content_i> + sign * style_strength <reaction_ue, style_ie>

    with sign 1 in `train`, `valid` and `iid`, -1 in `ood_flip` and 0 in `ood_remove`. Each user's
    in-distribution clicks are put into their three files at random. The two shifted tests are two
    futures after the same past: none shares a pair with the other files, but they may with each
    other.

    Args:
        options: sizes and strengths.
        seed: >= 0; the same seed gives the same arrays, whatever the memory. Worlds that differ
            in the number of tastes only share items, features, reactions and first tastes.
    """
    causes = _draw_causes(
        options, numpy_generator(seed, "planted/causes"), numpy_generator(seed, "planted/tastes")
    )
    features, kinds = _draw_features(options, causes, numpy_generator(seed, "planted/features"))
    clicks = draw_clicks(options, causes, seed)
    return PlantedData(options, seed, features, kinds, clicks, causes)


def unit(rows: np.ndarray) -> np.ndarray:
    """Scale vectors `(..., d)` to length 1."""
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def _draw_causes(
    options: PlantedOptions, rng: np.random.Generator, more: np.random.Generator
) -> Causes:
    """Draw all causes; tastes after the first come from `more`, which leaves the others alone."""
    n, size = options.n_environments, options.style_dim
    common = unit(rng.standard_normal((n, 1, size)))
    own = rng.standard_normal((n, options.users, size)) / np.sqrt(size)
    content = rng.standard_normal((options.items, options.content_dim))
    style = rng.standard_normal((n, options.items, size))
    first = rng.standard_normal((1, options.users, options.content_dim))
    others = more.standard_normal((options.tastes - 1, options.users, options.content_dim))
    return Causes(
        content=content,
        style=style,
        taste=unit(np.concatenate([first, others])),
        reaction=unit(common + options.style_spread * own),
    )


def _draw_features(
    options: PlantedOptions, causes: Causes, rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Mix the causes into each modality's dimensions, in a random order of the dimensions."""
    style = np.concatenate(list(causes.style), axis=1)
    features, kinds = {}, {}
    names = np.repeat(KINDS, (options.invariant_dims, options.spurious_dims, options.noise_dims))
    for modality in options.modalities:
        mixed = [
            causes_of_kind @ unit(rng.standard_normal((n, causes_of_kind.shape[1]))).T
            + options.feature_noise * rng.standard_normal((options.items, n))
            for causes_of_kind, n in (
                (causes.content, options.invariant_dims),
                (style, options.spurious_dims),
            )
        ]
        noise = rng.standard_normal((options.items, options.noise_dims))
        order = rng.permutation(options.dims)
        values = np.concatenate([*mixed, noise], axis=1)[:, order]
        values = (values - values.mean(axis=0)) / values.std(axis=0)
        features[modality], kinds[modality] = values.astype(np.float32), names[order]
    return features, kinds
