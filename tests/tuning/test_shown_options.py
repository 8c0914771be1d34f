from recbole_invariant.tuning.shown_options import option_names, shown_options
from recbole_invariant.tuning.summary import summarise
from recbole_invariant.tuning.trial_table import trial_table
from tests.tuning.searches import search, trial

DEFAULTS = {
    "independence_weight": 1.0,
    "independence": "none",
    "n_layers": None,
    "learning_rate": 0.001,
}


def trials_of(**options):
    first = trial(0, [0.1])
    first.options = {}
    return [first, trial(1, [0.2], options={"x": 1, "learning_rate": 0.5, **options})]


def shown(summary):
    return [shown_options(summary, one) for one in summary["trials"]]


def test_the_defaults_are_named_where_the_model_reads_them():
    summary = summarise(search(defaults=DEFAULTS), trials_of(), 1.0)
    defaults, other = shown(summary)
    # n_layers has no default, and independence_weight is not read without independence
    assert defaults == {"learning_rate": 0.001, "independence": "none"}
    assert other == {"x": 1, "learning_rate": 0.5}
    assert "learning_rate=0.001 independence=none" in trial_table(summary)
    read = {**DEFAULTS, "independence": "hsic"}
    defaults, _ = shown(summarise(search(defaults=read), trials_of(), 1.0))
    assert defaults["independence_weight"] == 1.0


def test_conditions_on_options_outside_of_the_space_are_asked_of_the_fixed_ones():
    space = {"weight": {"uniform": [0, 1], "when": {"kind": ["a"]}}}
    for kind, found in (("a", {"weight": 0.5}), ("b", {})):
        plan = search(space=space, defaults={"weight": 0.5}, fixed={"kind": kind})
        assert shown(summarise(plan, trials_of(), 1.0))[0] == found


def test_the_names_are_in_the_order_of_the_space_with_others_behind():
    summary = summarise(search(defaults=DEFAULTS), trials_of(n_layers=2), 1.0)
    assert option_names(summary) == ["learning_rate", "n_layers", "independence", "x"]
    assert option_names(summarise(search(space={}), [], 1.0)) == []
