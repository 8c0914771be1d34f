"""`compare --tune N` with a search that is made up: what it is asked, and what becomes of it."""

from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_invariant.comparison import compare as comparing
from recbole_invariant.comparison.collect import read_run
from recbole_invariant.comparison.compare import compare, describe, plan_comparison
from recbole_invariant.comparison.execute import Outcome, write_label
from recbole_invariant.comparison.plan import PlannedRun
from recbole_invariant.comparison.search_notes import search_notes
from recbole_invariant.comparison.search_runs import Finished, as_text
from recbole_invariant.comparison.searches import Searches, plan_searches
from recbole_invariant.config import build_config
from recbole_invariant.configuration.known_keys import schema_of
from recbole_invariant.configuration.option_checks import convert_text
from recbole_invariant.errors import InputError, TrainingError
from recbole_invariant.evaluation import records
from recbole_invariant.options import parse_value
from recbole_invariant.registry import resolve
from recbole_invariant.tuning.journal import Report, Trial
from recbole_invariant.tuning.search import tune
from recbole_invariant.tuning.summary import SUMMARY_FILE, summarise
from tests.comparison.folders import write_run
from tests.host import write_toy

LINES = "Pop,BPR,BPR[learning_rate=0.01,weight_decay=0.0,embedding_size=16],ItemKNN,ConvNCF"
FOUND = {"BPR": {"learning_rate": 1e-05, "embedding_size": 32}, "ItemKNN": {}}
OBJECTIVES = [{"split": "valid", "metric": "ndcg@10", "bigger": True}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_toy(tmp_path, ratings=True)
    return tmp_path


def options(folder: Path) -> dict[str, Any]:
    return {"data_path": str(folder), "ood": "popularity"}


def plan_of(folder: Path, models: str = LINES, trials: int = 3, **tune: Any) -> Searches:
    plan = plan_comparison(models, "toy", [7, 8], config=options(folder), out=folder / "out")
    return plan_searches(plan, trials, tune)


class FakeSearch:
    """Finds what it is told for each model, and keeps what it was asked."""

    def __init__(self, fails: tuple[str, ...] = ()) -> None:
        self.asked: list[dict[str, Any]] = []
        self.fails = fails

    def __call__(self, **asked: Any) -> Finished:
        signature(tune).bind(**asked)
        self.asked.append(asked)
        model = asked["model"]
        if model in self.fails:
            raise InputError(f"{model} does not fit")
        trials = []
        for number, found in enumerate(({}, FOUND[model])):
            value = {"valid:ndcg@10": 0.1 + 0.05 * number if found else 0.1}
            reports = [Report(number, "train", 0, 1, value, 1.0)]
            trials.append(Trial(number, found, "done", reports, 1.0))
        summary = summarise({"objectives": OBJECTIVES}, trials, 2.0)
        folder = asked["storage"] / asked["run_name"]
        records.write_json(folder / SUMMARY_FILE, summary)
        return Finished(summary)


def test_each_line_with_options_to_search_gets_the_same_budget(folder: Path) -> None:
    searches = plan_of(folder, searcher="random", max_concurrent=1)

    assert [one.spec.label for one in searches.planned] == ["BPR", "ItemKNN"]
    assert {one.plan.trials for one in searches.planned} == {3}
    assert {one.plan.seed for one in searches.planned} == {7}
    assert {one.plan.refit for one in searches.planned} == {"none"}
    assert searches.left_out == {
        "Pop": "it has no options",
        LINES.split(",ItemKNN")[0].removeprefix("Pop,BPR,"): "all options of its space are given",
        "ConvNCF": "there is no space for it in properties/tune/",
    }
    said = "\n".join(searches.describe())
    assert "to do  search of BPR: 3 trials by random, scheduler asha, valid:ndcg@10" in said
    assert "no search of Pop: it has no options" in said


def test_what_a_line_fixes_is_not_searched(folder: Path) -> None:
    (one,) = plan_of(folder, "BPR[embedding_size=16]").planned
    assert "embedding_size" not in one.plan.space.names
    assert "learning_rate" in one.plan.space.names
    assert one.plan.options["embedding_size"] == 16


def test_a_folder_is_of_one_search(folder: Path) -> None:
    def names(models: str = "BPR", **given: Any) -> list[str]:
        return [one.folder.name for one in plan_of(folder, models, **given).planned]

    first = names()
    assert names() == first
    assert names(max_concurrent=2) == first
    assert not set(names(trials=4)) & set(first)
    assert names("BPR[train_batch_size=64]") != first
    with (folder / "toy" / "toy.inter").open("a") as file:
        file.write("u1\ti29\t5\n")
    assert not set(names()) & set(first)


@pytest.mark.parametrize(
    ("trials", "given", "said"),
    [
        (0, {}, "tune: expected how many trials"),
        (3, {"sercher": "random"}, "no 'sercher'. Did you mean 'searcher'"),
        (3, {"searcher": "gird"}, "searcher: expected one of"),
        (3, {"refit": "train"}, "there is no 'refit'"),
    ],
)
def test_wrong_arguments_are_told_before_any_search(
    folder: Path, trials: int, given: dict[str, Any], said: str
) -> None:
    search = FakeSearch()
    with pytest.raises(InputError, match=said):
        compare("BPR", "toy", 1, config=options(folder), out=folder / "out", tune=trials,
                tune_options=given, search=search)  # fmt: skip
    assert not search.asked
    assert not (folder / "out").exists()


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[PlannedRun]:
    """Let runs leave made-up folders; return what was run."""
    done: list[PlannedRun] = []

    def execute(runs: list[PlannedRun], *_: Any, **__: Any) -> list[Outcome]:
        for run in runs:
            write_run(run.folder, run.model, run.seed)
            write_label(run)
            done.append(run)
        return [Outcome(run, 1.0) for run in runs]

    monkeypatch.setattr(comparing, "execute", execute)
    return done


def test_models_are_compared_with_what_was_found(folder: Path, ran: list[PlannedRun]) -> None:
    search, told = FakeSearch(), list[str]()
    given: dict[str, Any] = {
        "models": "Pop,BPR,ItemKNN",
        "dataset": "toy",
        "seeds": [7, 8],
        "config": options(folder),
        "command_line": {"epochs": "3"},
        "out": folder / "out",
        "tune": 2,
        "tune_options": {"searcher": "random"},
    }
    comparison = compare(**given, search=search, report=told.append)

    assert [asked["model"] for asked in search.asked] == ["BPR", "ItemKNN"]
    for asked in search.asked:
        assert asked["command_line"] == {"epochs": "3", "seed": "7"}
        assert (asked["trials"], asked["searcher"], asked["refit"]) == (2, "random", "none")
        assert asked["go_on"] is True
    assert told[:2] == ["search 1 of 2: BPR", "search 2 of 2: ItemKNN"]
    own = {(run.label, run.seed): run.command_line for run in ran}
    assert own["BPR", 8]["learning_rate"] == "1e-05"
    assert own["BPR", 8]["embedding_size"] == "32"
    assert "learning_rate" not in own["Pop", 8]
    assert len(ran) == 6

    found = read_run(next(run.folder for run in ran if run.label == "BPR"))
    assert found.search is not None
    assert found.search["options"] == FOUND["BPR"]
    said = str(comparison)
    assert "BPR: trial 1 is the best of the search: learning_rate=1e-05, embedding_size=32" in said
    assert "(valid:ndcg@10 0.1500, the defaults 0.1000; the search took 2 s)" in said
    assert "ItemKNN: the defaults are the best of the search" in said
    assert "options of BPR, ItemKNN are the best of a search on validation" in said
    assert "2 trials each, the defaults among them, by random, scheduler asha" in said
    assert "rows that helped to choose options may be test rows of another seed" in said
    assert "untuned" not in said
    assert "a tuned plain baseline is missing" not in said
    content = records.read_json(folder / "out" / "comparison.json")
    assert set(content["searches"]) == {"BPR", "ItemKNN"}
    assert (folder / "out" / content["searches"]["BPR"]["folder"] / SUMMARY_FILE).is_file()

    # the same searches and runs are found again
    compare(**given, search=search, report=told.append)
    assert len(ran) == 6
    assert "6 of 6 runs are done already" in told
    shown = describe(**given)
    assert "done   search of BPR" in shown
    assert "options of BPR: the best of 2 trials" in shown
    assert "6 runs, 6 of them done" in shown


def test_before_the_searches_no_run_is_known(folder: Path) -> None:
    shown = describe(
        tune=2, models="Pop,BPR", dataset="toy", seeds=2, config=options(folder), out=folder / "out"
    )
    assert "4 runs afterwards, with the options found" in shown


def test_a_search_that_fails_leaves_its_line_out(folder: Path, ran: list[PlannedRun]) -> None:
    given: dict[str, Any] = {"config": options(folder), "out": folder / "out", "tune": 2}
    comparison = compare(
        "BPR,ItemKNN", "toy", [7], **given, search=FakeSearch(("BPR",)), report=lambda _: None
    )
    assert {run.label for run in ran} == {"ItemKNN"}
    assert comparison.failures == ["missing: BPR: its search failed: BPR does not fit"]
    with pytest.raises(TrainingError, match="no search came to its end"):
        compare("BPR", "toy", [7], **given, search=FakeSearch(("BPR",)), report=lambda _: None)


def test_a_search_that_breaks_stops_no_other(
    folder: Path, ran: list[PlannedRun], caplog: pytest.LogCaptureFixture
) -> None:
    works = FakeSearch()

    def search(**asked: Any) -> Finished:
        if asked["model"] == "BPR":
            raise OSError(28, "No space\nleft on device")
        return works(**asked)

    comparison = compare("BPR,ItemKNN", "toy", [7], config=options(folder), out=folder / "out",
                         tune=2, search=search, report=lambda _: None)  # fmt: skip
    assert {run.label for run in ran} == {"ItemKNN"}
    assert comparison.failures == ["missing: BPR: its search failed: left on device"]
    assert "search of BPR" in caplog.text
    assert 'raise OSError(28, "No space' in caplog.text


def test_an_interruption_ends_all_searches(folder: Path, ran: list[PlannedRun]) -> None:
    def search(**asked: Any) -> Finished:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare("BPR,ItemKNN", "toy", [7], config=options(folder), out=folder / "out", tune=2,
                search=search, report=lambda _: None)  # fmt: skip
    assert not ran


def test_a_search_without_a_trial_to_choose_says_why(folder: Path) -> None:
    def search(**asked: Any) -> Finished:
        trial = Trial(0, {}, "failed", problem="Traceback\nValueError: no")
        return Finished(summarise({"objectives": OBJECTIVES}, [trial], 1.0))

    with pytest.raises(TrainingError, match=r"none of its 1 trials .*: ValueError: no \(remove"):
        compare("BPR", "toy", [7], config=options(folder), out=folder / "out", tune=1,
                search=search, report=lambda _: None)  # fmt: skip


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=50)
@given(json_values)
def test_an_options_text_is_read_back_as_its_value(value: Any) -> None:
    again = parse_value(as_text(value))
    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize(
    ("model", "key", "value"),
    [
        ("SASRec", "hidden_act", "gelu"),
        ("BPR", "learning_rate", 1e-05),
        ("NeuMF", "mlp_hidden_size", [64, 32]),
        ("LightGCN", "n_layers", 3),
    ],
)
def test_an_option_comes_out_of_the_command_line_as_the_search_had_it(
    model: str, key: str, value: Any
) -> None:
    schema = schema_of(resolve(model).model_class)
    assert convert_text(schema, key, as_text(value)) == value
    if model == "BPR":
        assert build_config(model, "ml-100k", command_line={key: as_text(value)})[key] == value


def test_no_search_no_note() -> None:
    assert not list(search_notes({}))
