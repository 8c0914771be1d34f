"""What a training reaches out of distribution at each level in distribution: the Pareto front.

A shortcut is mostly learned after the stable signal, so weights of an early epoch are often better
out of distribution (OOD) and worse in distribution (IID), without any method. A method beats its
baseline only where it is above the front of all epochs of the baseline, not above its last one.

The front is read off the tests, which the baseline's own selection may not see. That favours the
baseline: a positive margin is a safe one.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def pareto_front(points: ArrayLike) -> NDArray[np.float64]:
    """Find the points that no other point beats.

    A point is beaten by one that is no worse in both coordinates and better in one. Equal points
    are one point of the front.

    Args:
        points: `(n, 2)`, IID and OOD metric, higher is better in both.

    Returns:
        `(k, 2)`, IID strictly rising and OOD strictly falling; k is 0 for no points.

    Raises:
        ValueError: the shape is another, or a value is not a number.
    """
    given = np.asarray(points, dtype=np.float64)
    if given.size == 0:
        return np.empty((0, 2))
    if given.ndim != 2 or given.shape[1] != 2:
        raise ValueError(f"points: expected (n, 2), not {given.shape}")
    if np.isnan(given).any():
        raise ValueError("points: a value is not a number")
    # best IID first and, of equal ones, best OOD first; then what rises above all before it
    ordered = given[np.lexsort((-given[:, 1], -given[:, 0]))]
    highest = np.maximum.accumulate(np.concatenate([[-np.inf], ordered[:, 1]]))[:-1]
    return ordered[ordered[:, 1] > highest][::-1]


def front_at(front: NDArray[np.float64], iid: ArrayLike) -> NDArray[np.float64]:
    """Read the OOD metric that a front has at some IID metric.

    Linear between neighbouring points: a coin for each user between two sets of weights gives the
    mean of their metrics, so what lies on that line can be had. To the left of the front it is the
    OOD of its first point, whose IID is better still. To its right nothing reaches this IID; there
    the OOD of the last point stands for the front, which can only be too much.

    Args:
        front: `(k, 2)` with k >= 1, as `pareto_front` returns it.
        iid: IID metric, any shape.

    Returns:
        OOD metric of the same shape; falls or stays as IID rises.

    Raises:
        ValueError: the front is empty.
    """
    if len(front) == 0:
        raise ValueError("front: it has no point")
    return np.asarray(np.interp(np.asarray(iid, dtype=np.float64), front[:, 0], front[:, 1]))


def margin_over_front(
    front: NDArray[np.float64], iid: ArrayLike, ood: ArrayLike
) -> NDArray[np.float64]:
    """Compute how far OOD metrics are above a front at equal IID.

    Args:
        front: `(k, 2)` with k >= 1, as `pareto_front` returns it.
        iid: IID metric, any shape.
        ood: OOD metric, the same shape.

    Returns:
        OOD less the front's OOD at this IID (`front_at`); positive is above the front.

    Raises:
        ValueError: the front is empty.
    """
    return np.asarray(np.asarray(ood, dtype=np.float64) - front_at(front, iid))
