"""Where Ray listens: the switch, and which addresses mean this machine only."""

import ipaddress
import os
import socket
from importlib import import_module
from typing import Any

import pytest

from recbole_invariant.tuning import ray_loopback
from recbole_invariant.tuning.guards import environment


def test_what_is_set_meanwhile_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    constants: Any = import_module("ray._private.ray_constants")
    monkeypatch.setenv("RAY_AIR_NEW_OUTPUT", "mine")
    monkeypatch.delenv("TUNE_DISABLE_SIGINT_HANDLER", raising=False)
    values = {"RAY_AIR_NEW_OUTPUT": "0", "TUNE_DISABLE_SIGINT_HANDLER": "1"}
    before = constants.env_bool(ray_loopback.SWITCH, True)
    with environment(values), ray_loopback.loopback_only():
        assert os.environ["RAY_AIR_NEW_OUTPUT"] == "0"
        assert os.environ["TUNE_DISABLE_SIGINT_HANDLER"] == "1"
        assert constants.ENABLE_RAY_CLUSTER is False
    assert os.environ["RAY_AIR_NEW_OUTPUT"] == "mine"
    assert "TUNE_DISABLE_SIGINT_HANDLER" not in os.environ
    assert ray_loopback.SWITCH not in os.environ
    assert constants.ENABLE_RAY_CLUSTER is before


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_loopback_is_recognised(host: str) -> None:
    assert ray_loopback.is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "example.org", "0.0.0.0", "local", ""])
def test_other_hosts_are_no_loopback(host: str) -> None:
    assert not ray_loopback.is_loopback(host)


def test_a_cluster_on_loopback_only_is_told_from_one_that_others_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An own address of this machine that is loopback too stands for one that does not answer."""
    services: Any = import_module("ray._private.services")
    own = services.node_ip_address_from_perspective(None)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert ray_loopback.is_loopback_cluster("127.0.0.1", port)
        assert ray_loopback.is_loopback_cluster("localhost", port)
    if ipaddress.ip_address(own).is_loopback:
        return
    monkeypatch.setattr(ray_loopback, "answers", lambda host, port: True)
    assert not ray_loopback.is_loopback_cluster("127.0.0.1", port)
    assert not ray_loopback.is_loopback_cluster("10.0.0.1", port)
