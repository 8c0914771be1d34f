import re

from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.report.wording import DASH
from recbole_invariant.tuning.summary import summarise
from recbole_invariant.tuning.trial_table import rows_shown, show, trial_markdown, trial_table
from tests.tuning.searches import NDCG, SHIFTED, search, trial

TRACE = 'Traceback (most recent call last):\n  File "x.py", line 3\nValueError: ```no```'


def summary_of(n, **changed):
    trials = [trial(k, [0.1 + 0.01 * k]) for k in range(n)]
    return summarise(search(**changed), trials, 5.0)


def numbers(table):
    return [int(found) for found in re.findall(r"^ +(\d+) ", table, re.MULTILINE)]


def test_the_best_come_first_and_the_defaults_are_always_there():
    table = trial_table(summary_of(14))
    assert numbers(table) == [13, 12, 11, 10, 9, 8, 7, 6, 5, 0]
    assert "and 4 more" in table
    assert re.search(r"^ +13 +best +0\.2300", table, re.MULTILINE)
    assert re.search(r"^ +0 +defaults +0\.1000", table, re.MULTILINE)
    assert "valid:ndcg@10: 0.2300 in trial 13, 130.0% better than the defaults (0.1000)" in table
    assert "learning_rate=0.014 n_layers=2" in table
    assert "more" not in trial_table(summary_of(10))


def test_the_compromise_is_shown_though_it_is_not_among_the_first():
    trials = [trial(k, [0.5 - 0.02 * k], shifted=[0.05 * k]) for k in range(1, 20)]
    trials += [trial(0, [0.0], shifted=[0.0])]
    summary = summarise(search([NDCG, SHIFTED]), trials, 1.0)
    chosen, n_more = rows_shown(summary, 5)
    assert len(chosen) == 5
    assert n_more == 15
    assert summary["best"] == 10
    assert [row["number"] for row in chosen] == [1, 2, 3, 10, 0]
    assert re.search(r"^ +10 +best, Pareto ", trial_table(summary), re.MULTILINE)


def test_stopped_and_failed_are_said_and_the_first_traceback_stands_below():
    trials = [
        trial(0, [0.1]),
        trial(1, [0.2], "stopped"),
        trial(2, [], "failed", problem=TRACE),
        trial(3, [], "failed", problem="another"),
    ]
    summary = summarise(search(), trials, 1.0)
    table, page = trial_table(summary), trial_markdown(summary)
    for text in (table, page):
        assert "best, stopped" in text
        assert f"Trial 2 failed:\n{TRACE}" in text.replace("\n\n````text\n", "\n")
        assert "another" not in text
    assert page.endswith(f"{TRACE}\n````\n")


def test_markdown_has_every_trial_and_a_column_an_option():
    trials = [
        trial(k, [0.1 + 0.01 * k], options={"n_layers": k, **({"word": "a|b"} if k == 11 else {})})
        for k in range(12)
    ]
    page = trial_markdown(summarise(search(defaults={}), trials, 5.0))
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 12
    assert rows[0].split("|")[-3].strip() == "`n_layers`"
    assert "a\\|b" in rows[2]
    assert rows[3].split("|")[-2].strip() == DASH
    assert page.startswith("# Search: LightGCN on toy, protocol popularity\n")


def test_what_the_gain_cannot_say_is_said():
    alone = trial_table(summarise(search(), [trial(0, [0.2]), trial(1, [0.1])], 1.0))
    assert "in trial 0, with the defaults: no trial is to be preferred" in alone
    stopped = [trial(0, [0.1], "stopped"), trial(1, [0.2])]
    assert "The defaults were stopped after 1 validations" in trial_table(
        summarise(search(), stopped, 1.0)
    )
    lost = [trial(0, [0.1], shifted=[0.2]), trial(1, [0.2], shifted=[0.19])]
    lost += [trial(2, [0.3], shifted=[0.0])]
    table = trial_table(summarise(search([NDCG, SHIFTED]), lost, 1.0))
    assert "ood_valid:ndcg@10: 0.1900 in trial 1, 5.0% worse than the defaults" in table
    failed = [trial(0, [], "failed", problem="why"), trial(1, [0.2])]
    assert "the defaults came to no value" in trial_table(summarise(search(), failed, 1.0))
    none = trial_table(summarise(search(), [trial(0, [], "failed", problem="why")], 1.0))
    assert "No trial came to a validation of its final stage." in none


def test_values_are_short_but_whole():
    values = [0.0120367, 1234.56789, 2.0, 64, True, None, "xcov", [64, [0.1]], (1, 2)]
    assert [show(value) for value in values] == [
        "0.0120367", "1234.56789", "2", "64", "True", "null", "xcov", "[64,[0.1]]", "[1,2]",
    ]  # fmt: skip


@given(st.floats(allow_nan=False))
def test_a_float_is_read_back_as_it_ran(value):
    assert float(show(value)) == value


def test_both_tables_show_what_ran():
    drawn = {"learning_rate": 0.0120367}
    summary = summarise(search(), [trial(0, [0.1]), trial(1, [0.2], options=drawn)], 1.0)
    assert "learning_rate=0.0120367" in trial_table(summary)
    assert "| 0.0120367 |" in re.sub(" +", " ", trial_markdown(summary))
