"""Two raylets on this machine, joined by address: every node is asked for what a trial needs."""

import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import recbole_invariant
from recbole_invariant.errors import InputError
from recbole_invariant.tuning.ray_session import Node, RaySession, ray_session
from recbole_invariant.tuning.resources import require_resources
from recbole_invariant.tuning.storage import Storage
from recbole_invariant.tuning.worker_checks import check_workers, problems_of
from tests.tuning.raylets import two_raylets


@pytest.fixture(scope="module")
def cluster() -> Iterator[RaySession]:
    """A cluster of two nodes with 1 CPU each, joined."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        with two_raylets() as address, ray_session(address) as session:
            yield session


def test_both_nodes_are_there(cluster: RaySession) -> None:
    assert [(node.cpus, node.gpus) for node in cluster.nodes()] == [(1.0, 0.0), (1.0, 0.0)]
    assert {node.host.split()[0] for node in cluster.nodes()} == {"127.0.0.1"}
    require_resources(cluster, 1, 0, cluster.address)
    with pytest.raises(InputError, match="no node of the Ray cluster has more than 1"):
        require_resources(cluster, 2, 0, cluster.address)
    with pytest.raises(InputError, match="no node has one in the Ray cluster"):
        require_resources(cluster, 1, 0.5, cluster.address)


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_nodes_that_have_everything_pass(cluster: RaySession, scheme: str, tmp_path: Path) -> None:
    data = tmp_path / "toy"
    data.mkdir()
    (data / "toy.inter").write_text("x")
    (tmp_path / "search").mkdir()
    check_workers(cluster, data, Storage.open(f"{scheme}{tmp_path}/search"), ["json"])
    assert list((tmp_path / "search").iterdir()) == []


def test_every_problem_of_every_node_is_told_at_once(
    cluster: RaySession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recbole_invariant, "__version__", "99")
    with pytest.raises(InputError) as caught:
        check_workers(cluster, None, Storage.open(tmp_path), ["my_models"])
    version, module = caught.value.problems
    assert version.startswith("nodes 127.0.0.1 (")
    assert "this side 99" in version
    assert "my_models cannot be imported (ModuleNotFoundError" in module
    assert list(tmp_path.iterdir()) == []


def test_a_node_that_is_gone_is_named(
    cluster: RaySession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Node("ab" * 28, "10.9.9.9 (gone)", 1, 0)
    there = cluster.nodes()[0]
    monkeypatch.setattr(RaySession, "nodes", lambda self: [there, gone])
    with pytest.raises(InputError, match=r"^node 10\.9\.9\.9 \(gone\): the check gave no answer"):
        check_workers(cluster, None, Storage.open(tmp_path), patience=30)


def test_memory_is_no_storage_of_a_search() -> None:
    with pytest.raises(InputError, match="memory of one process"):
        check_workers(RaySession(None), None, Storage.open("memory://x"))


def test_a_ray_of_our_own_is_not_asked(tmp_path: Path) -> None:
    check_workers(RaySession(None), tmp_path / "nowhere", Storage.open(tmp_path / "s"))
    assert not (tmp_path / "s").exists()


QUESTION: dict[str, Any] = {
    "version": "1",
    "data": "/data/toy",
    "files": {"toy.inter": 10, "toy.item": 5},
    "place": "/runs/search",
    "option": "storage",
}
ANSWER: dict[str, Any] = {
    "version": "1",
    "modules": {},
    "files": {"toy.inter": 10, "toy.item": 5},
    "read": True,
    "storage": None,
}


def test_an_answer_without_a_fault() -> None:
    assert problems_of(ANSWER, QUESTION, wrote=True) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "2"}, "it has recbole_invariant 2, this side 1"),
        ({"modules": {"mine": "KeyError: 1"}}, r"mine cannot be imported \(KeyError: 1\)"),
        ({"files": None}, "data_path: there is no folder /data/toy"),
        ({"files": {"toy.inter": 9, "toy.user": 1}}, "toy.inter, toy.item, toy.user"),
        ({"read": False}, "/runs/search cannot be read: not the same folder there"),
    ],
)
def test_what_a_node_lacks(change: dict[str, Any], words: str) -> None:
    problems = problems_of({**ANSWER, **change}, QUESTION, wrote=True)
    assert len(problems) == 1
    with pytest.raises(InputError, match=words):
        raise InputError(problems)


def test_a_storage_that_takes_nothing() -> None:
    answer = {**ANSWER, "storage": "PermissionError: no"}
    (problem,) = problems_of(answer, QUESTION, wrote=False)
    assert problem == "storage: /runs/search cannot be written: PermissionError: no"


def test_a_node_without_the_package_can_run_the_task() -> None:
    """The task travels as code: a process that cannot import us loads and runs it."""
    from ray import cloudpickle

    from recbole_invariant.tuning import worker_checks

    sent = cloudpickle.dumps((worker_checks._make_task(), QUESTION))
    code = (
        "import pickle, sys; sys.modules['recbole_invariant'] = None; "
        "task, question = pickle.load(sys.stdin.buffer); print(task(question, 'n'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path += {sys.path!r}; import ray; {code}"],
        input=sent,
        capture_output=True,
        check=True,
    )
    assert b"'import': 'ModuleNotFoundError" in done.stdout
    assert (
        "recbole_invariant cannot be imported"
        in problems_of({"import": "ModuleNotFoundError"}, QUESTION, wrote=False)[0]
    )
    assert pickle.loads(sent)[1] == QUESTION
