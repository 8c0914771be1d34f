"""A Ray cluster of two nodes on this machine, on loopback only, for tests and by hand.

`python tests/tuning/raylets.py` prints its address and ends it when its standard input ends. `ray
start` has no such thing: its second node listens on every interface.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SETTINGS = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Else another search on this machine that made a token would lock this driver out.
    "RAY_AUTH_MODE": "token",
}


@contextmanager
def two_raylets() -> Iterator[str]:
    """Start the cluster, 1 CPU a node, in a process of its own; give its address."""
    command = [sys.executable, __file__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            process.wait(60)


def main() -> None:
    """Run the cluster until the standard input ends."""
    os.environ.update(SETTINGS)
    from ray._private.authentication import authentication_token_setup
    from ray.cluster_utils import Cluster

    # `ray.init` makes the user's token where there is none, a cluster does not
    authentication_token_setup.ensure_token_if_auth_enabled(None, create_token_if_missing=True)

    node: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80_000_000}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    try:
        cluster.add_node(**node)
        print(cluster.address, flush=True)
        sys.stdin.read()
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
