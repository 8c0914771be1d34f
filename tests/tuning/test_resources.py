"""What a trial asks for is held against the machine before Ray starts, and against the nodes."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_invariant.errors import InputError
from recbole_invariant.tuning import resources
from recbole_invariant.tuning.ray_session import Node, RaySession
from recbole_invariant.tuning.resources import machine_cpus, machine_gpus, require_resources


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 4 CPUs and 1 GPU."""
    monkeypatch.setattr(resources, "machine_cpus", lambda: 4)
    monkeypatch.setattr(resources, "machine_gpus", lambda: 1)


class Cluster(RaySession):
    """Stands for a cluster of two nodes, one with many CPUs, one with GPUs."""

    def nodes(self) -> list[Node]:
        """Return them."""
        return [Node("b", "10.0.0.2 (b)", 8, 2), Node("a", "10.0.0.1 (a)", 64, 0)]


@pytest.mark.parametrize("asked", [(1, 0), (4, 1), (0.5, 0.25)])
def test_what_is_there_is_fine(asked: tuple[float, float]) -> None:
    require_resources(None, *asked, None)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ((5, 0), "cpus_per_trial: 5 are asked, this machine has 4"),
        ((1, 2), "gpus_per_trial: 2 is asked, torch sees 1 GPU"),
        ((0, 0), "cpus_per_trial: 0 must be a number more than 0"),
        ((float("nan"), 0), "cpus_per_trial: nan"),
        ((1, -1), "gpus_per_trial: -1 must be"),
        (("x", 0), "cpus_per_trial: 'x' must be"),
        ((True, 0), "cpus_per_trial: True must be"),
        ((1, float("inf")), "gpus_per_trial: inf must be"),
        ((1, 1.5), "gpus_per_trial: 1.5 must be 0, a part of one GPU"),
    ],
)
def test_what_is_not_there_is_named(asked: tuple[float, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        require_resources(None, *asked, None)


def test_everything_at_once_and_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "machine_gpus", lambda: 0)
    with pytest.raises(InputError) as caught:
        require_resources(None, 99, 0.5, None)
    assert len(caught.value.problems) == 2
    assert "torch sees no GPU here" in caught.value.problems[1]


def test_of_a_cluster_nothing_is_known_before_it_is_joined() -> None:
    require_resources(None, 99, 8, "auto")
    with pytest.raises(InputError, match="must be a number more than 0"):
        require_resources(None, 0, 8, "auto")


@pytest.mark.parametrize("asked", [(64, 0), (8, 2), (1, 0.5)])
def test_one_node_must_have_it_all(asked: tuple[float, float]) -> None:
    require_resources(Cluster("auto"), *asked, "auto")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ((65, 0), "no node of the Ray cluster has more than 64"),
        ((1, 3), "no node has more than 2"),
        ((9, 1), "no node of the Ray cluster has both 9 CPUs and 1 GPUs"),
    ],
)
def test_more_than_any_node_has(asked: tuple[float, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        require_resources(Cluster("auto"), *asked, "auto")


@given(cpus=st.floats(0.1, 80), gpus=st.sampled_from([0, 0.3, 1, 2, 3]))
def test_agrees_with_a_search_of_all_nodes(cpus: float, gpus: float) -> None:
    fits = (cpus <= 8 and gpus <= 2) or (cpus <= 64 and gpus == 0)
    try:
        require_resources(Cluster("auto"), cpus, gpus, "auto")
    except InputError:
        assert not fits
    else:
        assert fits


@pytest.mark.parametrize(
    ("quota", "cpus"),
    [("max 100000", 3), ("200000 100000", 2), ("50000 100000", 1), ("900000 100000", 3), ("", 3)],
)
def test_a_container_has_its_quota(
    quota: str, cpus: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    monkeypatch.setattr(resources, "CPU_QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2}, raising=False)
    assert machine_cpus() == cpus


def test_gpus_are_those_that_torch_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    assert machine_gpus() == 0
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert machine_gpus() == 3
