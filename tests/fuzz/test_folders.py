"""Run folders, searches and checkpoints with damaged files: read as they were, or refused."""

import json
import shutil

import pytest

from recbole_invariant.errors import InputError
from recbole_invariant.evaluation.reopen import evaluate_run
from tests.fuzz.attempts import ACCEPTED, attempt
from tests.fuzz.folder_cases import RUN, kinds, remove_trained, trained, undamaged
from tests.fuzz.trials import faults, try_cases

EXAMPLES = {
    "run folders: text": 8,
    "run folders: tables": 8,
    "run folders: tensors": 5,
    "searches": 60,
    "checkpoints": 40,
}


@pytest.fixture(scope="module", autouse=True)
def _clean():
    yield
    remove_trained()


@pytest.mark.parametrize("kind", kinds())
def test_no_damage_is_a_fault(kind):
    assert not faults(try_cases(kinds()[kind], EXAMPLES[kind]))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("model", None, "lacks model"),
        ("stages", 3, "stages must be a list"),
        ("options", {}, "options lacks the key 'metrics'"),
        ("metrics", {"iid": 3}, "metrics.iid must be"),
    ],
)
def test_a_record_that_is_not_whole_is_named(tmp_path, key, value, said):
    run = tmp_path / RUN
    shutil.copytree(trained() / "runs" / RUN, run)
    record = json.loads((run / "run.json").read_text())
    if value is None:
        del record[key]
    else:
        record[key] = value
    (run / "run.json").write_text(json.dumps(record))

    with pytest.raises(InputError) as caught:
        evaluate_run(run)

    assert str(run / "run.json") in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("case", undamaged(), ids=repr)
def test_without_damage_all_is_accepted(tmp_path, case):
    assert attempt(case, tmp_path).kind == ACCEPTED
