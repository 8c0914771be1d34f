from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.errors import InputError
from recbole_invariant.tuning.best_yaml import best_yaml
from recbole_invariant.tuning.summary import summarise
from tests.host import write_toy
from tests.tuning.searches import NDCG, SHIFTED, search, trial
from tests.tuning.toy_search import plan_of

SELECTION = {"selection": "valid", "valid_metric": "ndcg@10"}
VALUE = st.one_of(
    st.integers(),
    st.floats(allow_nan=False),
    st.booleans(),
    st.none(),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=3),
)


@given(st.dictionaries(st.text("abc_", min_size=1), VALUE, min_size=1, max_size=4))
def test_the_options_are_read_back_as_they_were(options):
    trials = [trial(0, [0.1], options=options)]
    text = best_yaml(summarise(search(options={}), trials, 1.0))
    assert yaml.safe_load(text) == {**options, **SELECTION}


def test_options_of_the_search_stand_there_too_but_not_those_of_the_place():
    given_options = {"epochs": 30, "learning_rate": 9, "data_path": "data", "output_dir": "o"}
    best = trial(1, [0.3], options={"learning_rate": 1e-05})
    summary = summarise(
        search(options=given_options, data_path="/my data"), [trial(0, [0.2]), best], 1.0
    )
    text = best_yaml(summary)
    assert yaml.safe_load(text) == {"learning_rate": 1e-05, "epochs": 30, **SELECTION}
    assert (
        "#   recbole-inv --model LightGCN --dataset toy --data_path '/my data' --ood=popularity "
        "--config_files best.yaml\n"
    ) in text
    assert "# Run in this file's folder with:\n" in text
    elsewhere = best_yaml(summary, Path("runs/my search"))
    assert "# Run with:\n" in elsewhere
    assert "--config_files 'runs/my search/best.yaml'\n" in elsewhere
    assert "# valid:ndcg@10 0.3; with the defaults 0.2.\n" in text
    assert "trial 1 (random, asha, search_seed 0, seed 2026)" in text


def test_a_name_with_a_new_line_stays_a_comment():
    summary = summarise(search(model="A\nepochs: 1"), [trial(0, [0.2], options={"x": 1})], 1.0)
    assert yaml.safe_load(best_yaml(summary)) == {"x": 1, "epochs": 30, **SELECTION}


def test_what_selected_the_trials_weights_selects_those_of_a_run():
    trials = [trial(0, [0.2], shifted=[0.3])]
    content = yaml.safe_load(best_yaml(summarise(search([SHIFTED, NDCG]), trials, 1.0)))
    assert content["selection"] == "ood_valid"
    given = search(options={"selection": "oracle", "valid_metric": "Recall@20"})
    content = yaml.safe_load(best_yaml(summarise(given, trials, 1.0)))
    assert content.items() >= SELECTION.items()


@pytest.mark.parametrize(
    "objectives", [["valid:ndcg@10", "ood_valid:ndcg@10"], ["ood_valid:ndcg@10"], ["ndcg@10"]]
)
def test_a_run_is_cut_as_the_trials_are(tmp_path, objectives):
    write_toy(tmp_path, ratings=True)
    plan = plan_of(tmp_path, objectives=objectives, config={"cut_ood_valid": False})
    trials = [trial(0, [0.2], shifted=[0.3], options={"learning_rate": 0.1})]
    content = yaml.safe_load(best_yaml(summarise(plan.record(), trials, 1.0)))
    expected = plan.run_options()
    assert expected["cut_ood_valid"] is ("ood_valid:ndcg@10" in objectives)
    for key in ("selection", "valid_metric", "cut_ood_valid"):
        assert content[key] == expected[key]


def test_without_a_best_trial_there_is_nothing_to_write():
    summary = summarise(search(), [trial(0, [], "failed", problem="why")], 1.0)
    with pytest.raises(InputError, match=r"No trial .* table\.md"):
        best_yaml(summary)
