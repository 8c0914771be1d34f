"""Pure functions on environment labels."""

import torch
from torch import Tensor


def random_labels(n_rows: int, n_environments: int, generator: torch.Generator) -> Tensor:
    """Draw a uniform label for every row, `(n_rows,)`, int64 in [0, n_environments)."""
    return torch.randint(n_environments, (n_rows,), generator=generator, device=generator.device)


def best_environment(scores: Tensor, centred: bool) -> Tensor:
    """Choose the environment that scores each pair highest (PaInvRL Eq. 9).

    Args:
        scores: `(n_environments, n_rows)`.
        centred: subtract each environment's mean first; otherwise one model with larger scores
            takes every row (ours; the paper compares raw scores).

    Returns:
        `(n_rows,)`, int64.
    """
    if centred:
        scores = scores - scores.mean(dim=1, keepdim=True)
    return scores.argmax(dim=0)


def refill_small_environments(
    labels: Tensor, n_environments: int, min_share: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Give an environment that has almost died out a random 1/E of the rows.

    Args:
        labels: `(n_rows,)`.
        n_environments: E.
        min_share: an environment with a smaller share of the rows is refilled; in [0, 1).
        generator: source of randomness, on the device of the labels.

    Returns:
        The new labels and a mask of the rows that were moved, both `(n_rows,)`.
    """
    labels, moved = labels.clone(), torch.zeros_like(labels, dtype=torch.bool)
    n_rows = len(labels)
    counts = torch.bincount(labels, minlength=n_environments)
    for e in torch.nonzero(counts < min_share * n_rows).flatten().tolist():
        order = torch.randperm(n_rows, generator=generator, device=generator.device)
        chosen = order[: n_rows // n_environments]
        labels[chosen], moved[chosen] = e, True
    return labels, moved
