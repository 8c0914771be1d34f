"""Keeping Ray to this machine: the few insides of Ray that decide where it listens.

Ray has no option for it: without a dashboard, its server, its nodes and its workers still listen on
every interface, and an address 127.0.0.1 given by the user is exchanged for the machine's own. The
switch below is meant for systems where Ray supports one host only; with it every listener is
on 127.0.0.1. tests/tuning/test_ray_session.py lists the sockets, so that a Ray that reads it
no more is noticed.
"""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from recbole_invariant.tuning.guards import environment

SWITCH = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Ray reads it once, at its import, into the constant that `loopback_only` also sets."""


@contextmanager
def loopback_only() -> Iterator[None]:
    """Let what Ray starts or joins meanwhile listen on 127.0.0.1 only.

    Processes of Ray inherit the variable; this process may have imported Ray before, and then
    only the constant counts.
    """
    with environment({SWITCH: "0"}):
        ray_constants: Any = import_module("ray._private.ray_constants")
        ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        with environment({SWITCH: "0"}):
            yield
    finally:
        # As Ray reads it at its import, which may have been above.
        anywhere_else = not ray_constants.IS_WINDOWS_OR_OSX
        ray_constants.ENABLE_RAY_CLUSTER = ray_constants.env_bool(SWITCH, anywhere_else)


def is_loopback(host: str) -> bool:
    """Say whether a host name or address means this machine only."""
    if host.lower() == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    return False


def answers(host: str, port: int, seconds: float = 5.0) -> bool:
    """Say whether something listens at a host's port."""
    try:
        socket.create_connection((host.strip("[]"), port), timeout=seconds).close()
    except OSError:
        return False
    return True


def is_loopback_cluster(host: str, port: int) -> bool:
    """Say whether a cluster can be reached through this machine's loopback only.

    An ordinary cluster listens on the machine's own address too, and Ray wants to be joined there.
    """
    if not is_loopback(host):
        return False
    services = _services()
    own = services.node_ip_address_from_perspective(None)
    return is_loopback(own) or not answers(own, port)


def running_cluster() -> str | None:
    """Return `host:port` of the cluster that `auto` means, None where there is none.

    That is `RAY_ADDRESS`, else the one that `ray start` started last on this machine.
    """
    services = _services()
    try:
        return services.get_ray_address_from_environment("auto", None)
    except ConnectionError:
        return None


def _services() -> Any:
    return import_module("ray._private.services")
