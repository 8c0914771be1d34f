"""A Ray of our own keeps to loopback and keeps quiet; wrong addresses are one clear error."""

import signal
import socket
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil
import pytest

from recbole_invariant.errors import InputError
from recbole_invariant.tuning.ray_session import RaySession, ray_session, require_cluster


@pytest.mark.parametrize("address", ["here", "127.0.0.1", "ray://127.0.0.1:10001", ":6379", "a:b"])
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(InputError, match=r"^address: .*host:port"), ray_session(address):
        pass


def test_nobody_answers_is_said_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.perf_counter()
    with (
        pytest.raises(InputError, match=f"no Ray cluster answers at 127.0.0.1:{port}"),
        ray_session(f"127.0.0.1:{port}"),
    ):
        pass
    with pytest.raises(InputError, match="no Ray cluster answers"):
        require_cluster(f"127.0.0.1:{port}")
    assert time.perf_counter() - begun < 5


def test_without_an_address_there_is_nothing_to_answer() -> None:
    require_cluster(None)


def test_auto_without_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recbole_invariant.tuning.ray_session.running_cluster", lambda: None)
    with pytest.raises(InputError, match="'auto' finds no Ray cluster"), ray_session("auto"):
        pass


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r'pip install "recbole_invariant\[tune\]"'), ray_session():
        pass


@pytest.fixture(scope="module")
def own() -> Iterator[RaySession]:
    """A Ray of our own with 2 CPUs."""
    with ray_session(cpus=2, gpus=0) as session:
        yield session


def _listeners() -> dict[str, set[str]]:
    """Return name of a process of ours -> addresses at which it listens."""
    found: dict[str, set[str]] = {}
    us = psutil.Process()
    for process in [us, *us.children(recursive=True)]:
        for connection in process.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN:
                found.setdefault(process.name(), set()).add(connection.laddr.ip)
    return found


def test_tune_prints_nothing(
    own: RaySession, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tune: Any = import_module("ray.tune")

    def trial(config: dict[str, Any]) -> None:
        tune.report({"other": 1.0})

    results = tune.Tuner(
        trial,
        tune_config=tune.TuneConfig(metric="value", mode="max", num_samples=1),
        run_config=tune.RunConfig(storage_path=str(tmp_path), name="x", verbose=0),
    ).fit()
    assert not results.errors
    assert len(results) == 1
    assert "".join(capfd.readouterr()) == ""
    # What Tune's own loggers would have written beside the results.
    assert not list(tmp_path.rglob("progress.csv"))


def test_every_listener_is_on_loopback(own: RaySession) -> None:
    ray: Any = import_module("ray")
    ray.get(ray.remote(lambda: None).remote())  # A worker listens too.
    found = _listeners()
    assert {"gcs_server", "raylet"} < set(found)
    assert any(name.startswith("ray::") for name in found)
    every = {address for addresses in found.values() for address in addresses}
    assert {address.removeprefix("::ffff:") for address in every} == {"127.0.0.1"}


def test_there_is_no_dashboard(own: RaySession) -> None:
    worker: Any = import_module("ray._private.worker")
    assert not worker.get_dashboard_url()
    # Ray starts this process in any case; without its pages it listens nowhere.
    assert not [name for name in _listeners() if "dashboard" in name.lower()]


def test_says_what_there_is(own: RaySession) -> None:
    assert own.address is None
    assert [(node.cpus, node.gpus) for node in own.nodes()] == [(2.0, 0.0)]


def test_signals_stay_ours(own: RaySession) -> None:
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_one_is_refused(own: RaySession) -> None:
    with pytest.raises(InputError, match=r"ray\.shutdown"), ray_session():
        pass
