import pandas as pd
import pytest

from recbole_invariant.report.standing import Standing, standing, standings
from recbole_invariant.report.verdict import decide, gathered

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


def test_a_baseline_with_the_best_mean_is_said_to_lead_and_how_sure_that_is():
    means = {"ood_x": {"A": 0.1, "B": 0.05, "Base": 0.2}}
    kinds = judged(A=UNDECIDED, B=UNDECIDED, Base=BASELINE)
    verdict = decide(means, kinds, "Base", "ndcg@10", n_seeds=2)
    assert verdict.headline == (
        "Base, the baseline, has the best mean out of distribution; with 2 seeds its lead is not "
        "proven (NDCG@10)."
    )
    assert verdict.details == []
    assert verdict.winner is None
    partly = decide(means, kinds | judged(B=WORSE), "Base", "ndcg@10", n_seeds=1)
    assert "with 1 seed its lead over A is not proven" in partly.headline
    clear = decide(means, kinds | judged(A=WORSE, B=WORSE), "Base", "ndcg@10", n_seeds=5)
    assert clear.headline.startswith("Stay with Base, the baseline: all others are clearly worse")


def test_a_baseline_that_leads_on_one_of_two_tests_is_said_in_the_details():
    means = {"ood_p": {"A": 0.1, "Base": 0.2}, "ood_q": {"A": 0.2, "Base": 0.1}}
    found = {(label, test): UNDECIDED for label in ("A", "Base") for test in means}
    verdict = decide(means, found, "Base", "ndcg@10", n_seeds=3)
    assert verdict.headline.startswith("Out of distribution no model is clearly better than Base")
    assert verdict.details == [
        "Under p: Base, the baseline, has the best mean; with 3 seeds its lead is not proven "
        "(NDCG@10).",
        "Under q: A has a better mean than all others, but its lead over Base is within chance.",
    ]


def test_who_sees_the_truth_is_never_named():
    kinds = judged(A=BETTER, B=UNDECIDED, Base=BASELINE)
    verdict = decide(MEANS, kinds, "Base", "ndcg@10", barred=frozenset({"A"}))
    assert verdict.winner is None
    assert not any("A has" in sentence for sentence in verdict.details)
    assert verdict.details == [
        "B has a better mean than all others that do not see the truth, but its lead over Base is "
        "within chance.",
        "Best of the models that do not see the truth: B (0.200); the control A reaches 0.300.",
    ]


def test_nobody_leads_over_a_baseline_that_sees_the_truth():
    kinds = judged(A=BASELINE, B=UNDECIDED, Base=WORSE)
    verdict = decide(MEANS, kinds, "A", "ndcg@10", barred=frozenset({"A"}))
    assert verdict.headline == (
        "Best mean among models that do not see the truth: B (NDCG@10); its lead is not tested, "
        "for A sees the truth."
    )
    assert verdict.details == [
        "Best of the models that do not see the truth: B (0.200); the control A reaches 0.300."
    ]
    below = decide(MEANS, judged(A=BASELINE, B=BETTER, Base=WORSE), "A", "ndcg@10", frozenset("A"))
    assert below.winner is None


def test_one_model_beside_its_controls_has_no_rival():
    kinds = judged(A=BETTER, B=UNDECIDED, Base=BASELINE)
    verdict = decide(MEANS, kinds, "Base", "ndcg@10", barred=frozenset({"A", "B"}))
    assert "one model only that does not see the truth, Base" in verdict.headline
    assert verdict.details[0].endswith("of the controls A reaches 0.300.")


def test_a_lead_is_spoken_of_only_where_there_is_one():
    means = {"ood_x": {"A": 0.3, "B": 0.2, "Base": 0.4}}
    kinds = judged(A=UNDECIDED, B=BETTER, Base=BASELINE)  # by pairs B is ahead, by its mean not
    verdict = decide(means, kinds, "Base", "ndcg@10")
    assert verdict.details == [
        "Base, the baseline, has a better mean than B.",
        "A has a better mean than B, but it is not ahead of Base.",
    ]


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
