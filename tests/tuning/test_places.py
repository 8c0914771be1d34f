import os
from dataclasses import replace
from pathlib import Path

import pytest

from recbole_invariant.errors import InputError
from recbole_invariant.tuning.places import known_plan, make_place, require_free
from recbole_invariant.tuning.plan import PLAN_FILE, write_plan
from recbole_invariant.tuning.storage import Storage
from tests.host import write_toy
from tests.tuning.toy_search import plan_of


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("places")
    write_toy(path, ratings=True)
    return path


def test_a_place_is_new_and_has_a_name_of_its_own(data, tmp_path):
    storage, plan = Storage.open(tmp_path), plan_of(data)
    first = make_place(storage, None, plan)
    assert Path(first.place).name.startswith("tune-BPR-toy-")
    write_plan(first, plan)
    assert make_place(storage, None, plan).place != first.place
    assert make_place(storage, "mine", plan).place == f"{tmp_path}/mine"


@pytest.mark.parametrize("file", [PLAN_FILE, "run.json", "deep/er/file"])
def test_a_place_with_something_in_it_is_refused(data, tmp_path, file):
    storage, plan = Storage.open(tmp_path), plan_of(data)
    storage.write(f"mine/{file}", "{}")
    with pytest.raises(InputError, match="run_name"):
        make_place(storage, "mine", plan)
    with pytest.raises(InputError, match="--resume" if file == PLAN_FILE else "remove it"):
        require_free(storage.child("mine"))


def test_the_same_search_is_known_and_another_one_is_said(data, tmp_path, monkeypatch):
    place, plan = Storage.open(tmp_path / "mine"), plan_of(data)
    assert known_plan(place, plan) is None
    write_plan(place, replace(plan, max_validations=6))
    known = known_plan(place, replace(plan, address="host:1", max_concurrent=2))
    assert known is not None
    assert known.max_validations == 6
    monkeypatch.chdir(data.parent)
    relative = plan_of(data, config={"data_path": os.path.relpath(data)})
    assert known_plan(place, relative) is not None
    with pytest.raises(InputError, match="another trials, search_seed"):
        known_plan(place, plan_of(data, trials=5, search_seed=1))
