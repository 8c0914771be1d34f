import pandas as pd
import pytest

from recbole_invariant.report.verdict import Standing, decide, gathered, standing, standings

BETTER, PARTLY, UNDECIDED = Standing.BETTER, Standing.PARTLY_BETTER, Standing.UNDECIDED
WORSE, BASELINE, UNTESTED = Standing.WORSE, Standing.BASELINE, Standing.UNTESTED
NAN = float("nan")


def made_of(*pairs):
    return pd.DataFrame(pairs, columns=["difference", "p_holm"])


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(0.1, 0.01), (0.1, 0.04)], BETTER),
        ([(0.1, 0.01), (0.1, 0.05)], PARTLY),
        ([(0.1, 0.01), (0.1, NAN)], BETTER),  # one seed: there is no test over seeds
        ([(-0.1, 0.01), (-0.1, 0.01)], WORSE),
        ([(-0.1, 0.01), (-0.1, 0.5)], Standing.PARTLY_WORSE),
        ([(0.1, 0.01), (-0.1, 0.01)], UNDECIDED),
        ([(0.1, 0.2), (0.1, 0.2)], UNDECIDED),
        ([(0.1, NAN)], UNTESTED),
        ([], UNTESTED),
    ],
)
def test_a_model_is_clearly_better_if_every_test_made_says_so(pairs, expected):
    assert standing(made_of(*pairs)) is expected


def test_where_lower_is_better_a_negative_difference_is():
    assert standing(made_of((-0.1, 0.01)), smaller=True) is BETTER


def test_standings_read_the_rows_of_model_test_and_metric():
    rows = [
        ("A", "ood_x", "ndcg@10", 0.1, 0.01),
        ("A", "iid", "ndcg@10", -0.1, 0.01),
        ("A", "ood_x", "recall@10", -0.1, 0.01),
        ("B", "ood_x", "ndcg@10", 0.1, 0.5),
    ]
    table = pd.DataFrame(rows, columns=["model", "test", "metric", "difference", "p_holm"])
    found = standings(table, ["A", "B", "Base"], "Base", ["ood_x", "iid"], "ndcg@10")
    assert found["A", "ood_x"] is BETTER
    assert found["A", "iid"] is WORSE
    assert found["B", "ood_x"] is UNDECIDED
    assert found["B", "iid"] is UNTESTED
    assert found["Base", "iid"] is BASELINE


def judged(**kinds):
    return {(label, "ood_x"): kind for label, kind in kinds.items()}


MEANS = {"ood_x": {"A": 0.3, "B": 0.2, "Base": 0.1}}


def test_the_best_of_the_clearly_better_models_is_named():
    verdict = decide(MEANS, judged(A=BETTER, B=BETTER, Base=BASELINE), "Base", "ndcg@10")
    assert verdict.winner == "A"
    assert verdict.headline == (
        "Out of distribution, trust A: it is clearly better than Base (NDCG@10)."
    )
    assert verdict.details == []


def test_a_better_mean_without_proof_is_not_named():
    verdict = decide(MEANS, judged(A=PARTLY, B=BETTER, Base=BASELINE), "Base", "ndcg@10")
    assert verdict.winner == "B"
    assert verdict.details == [
        "A has a better mean than B, but its lead over Base is significant in one kind of paired "
        "test only."
    ]


def test_without_proof_nobody_is_named():
    verdict = decide(MEANS, judged(A=UNDECIDED, B=WORSE, Base=BASELINE), "Base", "ndcg@10")
    assert verdict.winners == {"ood_x": None}
    assert "no model is clearly better than Base" in verdict.headline
    assert "within chance" in verdict.details[0]
    verdict = decide(
        {"ood_x": {"A": 0.1, "Base": 0.2}}, judged(A=WORSE, Base=BASELINE), "Base", "ndcg@10"
    )
    assert verdict.details == ["Base, the baseline, has the best mean itself."]


def test_who_sees_the_truth_is_never_named():
    kinds = judged(A=BETTER, B=UNDECIDED, Base=BASELINE)
    verdict = decide(MEANS, kinds, "Base", "ndcg@10", barred=frozenset({"A"}))
    assert verdict.winner is None
    assert not any("A has" in sentence for sentence in verdict.details)


def test_a_model_that_is_the_same_for_all_is_no_learned_model_to_trust():
    kinds = judged(A=BETTER, B=UNDECIDED, Base=BASELINE)
    verdict = decide(MEANS, kinds, "Base", "ndcg@10", same_for_all=frozenset({"A"}))
    assert verdict.headline.startswith("Out of distribution, trust no learned model: A, which")


def test_shifted_tests_that_disagree_are_told_apart():
    means = dict.fromkeys(("ood_p_1", "ood_p_2"), MEANS["ood_x"])
    found = {
        ("A", "ood_p_1"): BETTER,
        ("A", "ood_p_2"): UNDECIDED,
        ("B", "ood_p_1"): UNDECIDED,
        ("B", "ood_p_2"): UNDECIDED,
        ("Base", "ood_p_1"): BASELINE,
        ("Base", "ood_p_2"): BASELINE,
    }
    verdict = decide(means, found, "Base", "ndcg@10")
    assert verdict.winner is None
    assert verdict.headline == (
        "It depends on the shift (NDCG@10): A under p 1; no model clearly better than Base under "
        "p 2."
    )
    assert verdict.details[0].startswith("Under p 2: A has a better mean")


def test_no_shifted_test_and_no_baseline_say_so():
    assert "no out-of-distribution test" in decide({}, {}, "Base", "ndcg@10").headline
    alone = decide({"ood_x": {"A": 0.1}}, judged(A=UNTESTED), None, "ndcg@10")
    assert "one model only" in alone.headline
    both, sees = judged(A=UNTESTED, B=UNTESTED), frozenset({"A", "B"})
    barred = decide({"ood_x": {"A": 0.1, "B": 0.2}}, both, None, "ndcg@10", sees)
    assert barred.headline.startswith("Every model here sees the truth")


def test_a_lower_rmse_wins():
    kinds = judged(A=UNDECIDED, B=BETTER, Base=BASELINE)
    means = {"ood_x": {"A": 1.2, "B": 0.8, "Base": 1.0}}
    verdict = decide(means, kinds, "Base", "rmse")
    assert verdict.winner == "B"
    assert verdict.details == []


def test_a_sentence_that_holds_everywhere_stands_once():
    said = {"ood_a": ["one.", "two."], "ood_b": ["one."]}
    assert gathered(said) == ["one.", "Under a: two."]
