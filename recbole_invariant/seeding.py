"""Separate random streams from one seed, so that changing one draw leaves the others alone."""

import zlib

import numpy as np
import torch

STREAMS = ("data", "init", "sampling", "environments")


def derive_seed(seed: int, stream: str) -> int:
    """Derive the seed of a named stream.

    Args:
        seed: the run's seed, >= 0.
        stream: a name such as those of `STREAMS`; any text gives its own stream.

    Returns:
        An integer in [0, 2^63), the same on every platform and in every process.
    """
    sequence = np.random.SeedSequence([seed, zlib.crc32(stream.encode())])
    return int(sequence.generate_state(1, np.uint64)[0] >> 1)


def torch_generator(seed: int, stream: str, device: torch.device | str = "cpu") -> torch.Generator:
    """Make a torch generator for a named stream of the run's seed."""
    generator = torch.Generator(device=device)
    generator.manual_seed(derive_seed(seed, stream))
    return generator


def numpy_generator(seed: int, stream: str) -> np.random.Generator:
    """Make a NumPy generator for a named stream of the run's seed."""
    return np.random.default_rng(derive_seed(seed, stream))
