"""Metrics against the length of the list, as in the paper's Figure 2."""

from recbole_invariant.evaluation.ranked import Ranked
from recbole_invariant.evaluation.topk_metrics import per_user_values

CURVES = ("recall", "ndcg")


def metric_curves(ranked: Ranked, up_to: int = 100) -> dict[str, list[float]]:
    """Average RecBole's recall and NDCG over all rankings of a test at every length.

    Args:
        ranked: the test's rankings, K items long.
        up_to: longest list.

    Returns:
        `recall` and `ndcg` -> values at k = 1 ... min(up_to, K); empty lists without rankings.
    """
    hits = ranked.hits[:, :up_to]
    if not len(hits):
        return {name: [] for name in CURVES}
    return {
        name: per_user_values(name, hits, ranked.n_positives).mean(axis=0).tolist()
        for name in CURVES
    }
