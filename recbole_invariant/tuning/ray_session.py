"""A Ray for one search: its own on this machine's loopback, or a cluster that runs already."""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from recbole_invariant.errors import InputError
from recbole_invariant.tuning.guards import environment
from recbole_invariant.tuning.ray_loopback import (
    answers,
    is_loopback_cluster,
    loopback_only,
    running_cluster,
)
from recbole_invariant.tuning.resources import machine_cpus, machine_gpus

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",  # The new output prints a banner even with verbose=0.
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # A trial of two objectives or of a stage before the last reports no metric of the others.
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    # Ctrl-C must unwind our stack, as it does everywhere else.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
}
"""What Ray and Tune read from the environment when they are imported, start or run."""


@dataclass(frozen=True)
class Node:
    """A node of the cluster: a machine, or a part of one that has a raylet of its own.

    Attributes:
        id: Ray's name of it, 56 hexadecimal digits.
        host: address and host name, for messages.
        cpus: CPUs that Ray may hand out there.
        gpus: GPUs that Ray may hand out there.
    """

    id: str
    host: str
    cpus: float
    gpus: float


@dataclass(frozen=True)
class RaySession:
    """A Ray that this process is connected to.

    Attributes:
        address: of the cluster that was joined, None for a Ray of this search's own.
    """

    address: str | None

    def nodes(self) -> list[Node]:
        """Return the nodes that are alive, the best equipped first."""
        import ray

        found = [
            Node(
                id=node["NodeID"],
                host=f"{node['NodeManagerAddress']} ({node['NodeManagerHostname']})",
                cpus=node["Resources"].get("CPU", 0.0),
                gpus=node["Resources"].get("GPU", 0.0),
            )
            for node in ray.nodes()
            if node["Alive"]
        ]
        return sorted(found, key=lambda node: (-node.gpus, -node.cpus, node.id))


@contextmanager
def ray_session(
    address: str | None = None, cpus: int | None = None, gpus: int | None = None
) -> Iterator[RaySession]:
    """Start a Ray on this machine, or join a cluster, for as long as the context lasts.

    A Ray of our own has no dashboard and listens on 127.0.0.1 only; it ends with the context. A
    cluster that is joined goes on without us.

    Args:
        address: None: a Ray of our own; `auto`: the cluster that runs on this machine; `host:port`
            of a cluster's head.
        cpus: CPUs that a Ray of our own hands out; None: those this process may use.
        gpus: likewise GPUs; None: those that torch sees. Both belong to a Ray of our own.

    Raises:
        InputError: Ray is not installed, runs in this process already, or no cluster answers.
    """
    with ExitStack() as stack:
        stack.enter_context(environment(QUIET))
        ray = _import_ray()
        if ray.is_initialized():
            raise InputError(
                "tune: this process is connected to a Ray already; call ray.shutdown() first."
            )
        loopback, options = _connection(address, cpus, gpus)
        if loopback:
            stack.enter_context(loopback_only())
        stack.callback(ray.shutdown)
        with _signals_kept():
            _connect(ray, options)
        yield RaySession(address)


def require_cluster(address: str | None) -> None:
    """Make sure that a cluster answers at an address, without joining it.

    Raises:
        InputError: it is no address, nobody answers there, or `auto` finds none.
    """
    if address is not None:
        _import_ray()
        _cluster(address)


def _connection(
    address: str | None, cpus: int | None, gpus: int | None
) -> tuple[bool, dict[str, Any]]:
    """Return whether everything stays on loopback, and what `ray.init` is given."""
    if address is not None:
        host, port = _cluster(address)
        return is_loopback_cluster(host, port), {"address": f"{host}:{port}"}
    return True, {
        "address": "local",  # RAY_ADDRESS must not turn this into a cluster.
        "num_cpus": machine_cpus() if cpus is None else cpus,
        "num_gpus": machine_gpus() if gpus is None else gpus,
        "include_dashboard": False,
    }


def _import_ray() -> Any:
    try:
        import ray
        import ray.tune
    except ImportError as error:
        raise InputError(
            f'tune needs Ray Tune ({error}): pip install "recbole_invariant[tune]"'
        ) from error
    return ray


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Put back the handler of SIGTERM, which Ray replaces by one that ends the process itself."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Only the main thread has handlers, and Ray sets none from another.
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _cluster(address: str) -> tuple[str, int]:
    """Return host and port of a cluster that answers."""
    found = running_cluster() if address == "auto" else address
    if found is None:
        raise InputError(
            "address: 'auto' finds no Ray cluster on this machine; start one with `ray start "
            "--head`, give host:port of its head, or leave the option out for a Ray of its own."
        )
    host, _, port = found.rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        raise InputError(
            f"address: '{address}' is neither 'auto' nor host:port of a Ray cluster's head, e.g. "
            "10.0.0.1:6379."
        )
    if not answers(host, int(port)):
        raise InputError(
            f"address: no Ray cluster answers at {host}:{port}. `ray start --head` prints the "
            "address of a head; is it running, and may this machine reach it?"
        )
    return host, int(port)


def _connect(ray: Any, options: dict[str, Any]) -> None:
    try:
        ray.init(log_to_driver=False, logging_level="error", **options)
    except (ConnectionError, RuntimeError, ray.exceptions.RayError) as error:
        address = options["address"]
        if address == "local":
            raise
        raise InputError(
            f"address: the Ray cluster at {address} cannot be joined: {_first_cause(error)}"
        ) from error


def _first_cause(error: BaseException) -> str:
    """Say in a line what happened first, and what to do."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = str(error)
    if "InvalidAuthToken" in text:
        return (
            "it asks for a token, which this side does not give. Set RAY_AUTH_MODE=token here "
            "and on every node, and give all the same token (RAY_AUTH_TOKEN_PATH, by default "
            "~/.ray/auth_token)."
        )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # A cause that Ray gives as a traceback says what it was in its last line.
    last = (lines or [type(error).__name__])[-1].rstrip(".")
    return f"{last}. Both sides need the same versions of Ray and of Python."
