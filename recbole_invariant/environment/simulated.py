"""Environments simulated from a user's own sequence: position gates and their mixtures (IDEA).

Pure functions. All that is drawn comes from the generator given, on its device, and is moved to
where it is used.
"""

from typing import Literal

import torch
from torch import Tensor

LambdaLevel = Literal["sample", "environment"]
UNIFORM_MARGIN = 1e-6


def sequence_descriptor(item_embeddings: Tensor) -> Tensor:
    """Describe a sequence by the mean of each of its item embeddings.

    The paper's average pooling runs over the embedding dimension, in the order of positions.

    Args:
        item_embeddings: `(batch, length, dim)`, 0 at padded positions.

    Returns:
        `(batch, length)`.
    """
    return item_embeddings.mean(dim=-1)


def relaxed_bernoulli(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """Draw a gate for every logit: `sigmoid((logit + log e - log(1 - e)) / temperature)`.

    It is above .5 with probability `sigmoid(logit)`, and nearer 0 or 1 the lower the temperature.

    Args:
        logits: any shape.
        temperature: tau, > 0.
        generator: source of e ~ U(0, 1).

    Returns:
        The shape of the logits, in [0, 1]. e is kept in [1e-6, 1 - 1e-6] (ours): at 0 and 1 the
        noise would be infinite.
    """
    noise = torch.rand(
        logits.shape, generator=generator, device=generator.device, dtype=logits.dtype
    )
    logistic = torch.logit(noise, eps=UNIFORM_MARGIN).to(logits.device)
    return ((logits + logistic) / temperature).sigmoid()


def draw_pairs(n_environments: int, n_extractors: int, generator: torch.Generator) -> Tensor:
    """Draw which two extractors each environment mixes.

    The authors draw every environment's pair by itself; here (ours) no pair repeats before all
    have been used, since environments of one pair differ only by how they are mixed. The order
    within a pair is that of the extractors: Beta(alpha, alpha) treats both alike.

    Args:
        n_environments: N, >= 1.
        n_extractors: K, >= 2; there are K (K - 1) / 2 pairs.
        generator: source of randomness.

    Returns:
        `(n_environments, 2)`, int64 in [0, n_extractors), different in each row.

    Raises:
        ValueError: there are fewer than two extractors.
    """
    if n_extractors < 2:
        raise ValueError(f"n_extractors: expected 2 or more, got {n_extractors}")
    pairs = torch.combinations(torch.arange(n_extractors, device=generator.device))
    rounds = -(-n_environments // len(pairs))
    order = [
        torch.randperm(len(pairs), generator=generator, device=generator.device)
        for _ in range(rounds)
    ]
    return pairs[torch.cat(order)[:n_environments]]


def draw_mixing(
    n_environments: int, batch: int, alpha: float, level: LambdaLevel, generator: torch.Generator
) -> Tensor:
    """Draw the weight lambda ~ Beta(alpha, alpha) of the first of two subsequences.

    A ratio of two Gamma(alpha) draws, taken in logarithms as
    `log G(alpha) = log G(alpha + 1) + log(U) / alpha`: with a small alpha the draws themselves
    fall below the smallest number, and the ratio would be 0 / 0.

    Args:
        n_environments: N.
        batch: rows.
        alpha: > 0; below 1 the weights crowd near 0 and 1.
        level: `sample` draws a weight a row and environment (the authors' code), `environment`
            one an environment, which all its rows share.
        generator: source of randomness.

    Returns:
        `(n_environments, batch)`, float32 in [0, 1].

    Raises:
        ValueError: `level` is neither.
    """
    if level not in ("sample", "environment"):
        raise ValueError(f"level: expected 'sample' or 'environment', got {level!r}")
    columns = batch if level == "sample" else 1
    shape, device = (2, n_environments, columns), generator.device
    # torch.distributions takes no generator; this is the draw beneath it.
    shapes = torch.full(shape, alpha + 1.0, dtype=torch.float64, device=device)
    above = torch._standard_gamma(shapes, generator=generator).log()
    uniform = torch.rand(shape, generator=generator, dtype=torch.float64, device=device)
    # 1 - U is in (0, 1], and its logarithm finite.
    first, second = above + torch.log1p(-uniform) / alpha
    mixing = (first - second).sigmoid().to(torch.float32)
    return mixing.expand(n_environments, batch)


def mix_gates(gates: Tensor, pairs: Tensor, mixing: Tensor) -> Tensor:
    """Mix the gates of two extractors: `lambda * gate_a + (1 - lambda) * gate_b`.

    Both subsequences are the same embeddings times a gate, so their mixup is the embeddings times
    the mixed gate; that spares n_environments sequences of embeddings.

    Args:
        gates: `(n_extractors, batch, length)`.
        pairs: a and b of each environment `(n_environments, 2)`, int64.
        mixing: lambda `(n_environments, batch)`, in [0, 1].

    Returns:
        `(n_environments, batch, length)`, between the two gates; where these are equal exactly
        their value, so that gates of 1 leave the sequence as it is.
    """
    pairs = pairs.to(gates.device)
    first, second = gates[pairs[:, 0]], gates[pairs[:, 1]]
    return torch.lerp(second, first, mixing.to(gates).unsqueeze(-1))


def keep_rate(gates: Tensor, is_item: Tensor) -> Tensor:
    """Mean gate of each extractor over the positions that hold an item.

    Args:
        gates: `(n_extractors, batch, length)`, in [0, 1].
        is_item: `(batch, length)`, bool, False at padded positions.

    Returns:
        `(n_extractors,)`, in [0, 1]; 0 where no position holds an item.
    """
    kept = (gates * is_item).sum(dim=(1, 2))
    return kept / is_item.sum().clamp_min(1)


def keep_rate_penalty(rates: Tensor, target: float) -> Tensor:
    """Mean over the extractors of the squared distance of the keep rate from its target (ours).

    Extractors that maximise the variance of risks can win by hiding everything; this holds them.

    Args:
        rates: `(n_extractors,)`.
        target: rho, in [0, 1].

    Returns:
        0-d, in [0, 1].
    """
    return (rates - target).square().mean()
