"""What a trial asks for against what the machine or the cluster has."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbole_invariant.errors import InputError
from recbole_invariant.tuning.dimension import is_number

if TYPE_CHECKING:
    from recbole_invariant.tuning.ray_session import Node, RaySession

CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Microseconds a period of so many microseconds, or `max`, of this container."""


def machine_cpus() -> int:
    """Return the CPUs this process may use: its affinity, and its container's quota."""
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # Only Linux has affinities.
        allowed = os.cpu_count() or 1
    try:
        quota, period = CPU_QUOTA.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return allowed
    return allowed if quota == "max" else max(1, min(allowed, int(quota) // int(period)))


def machine_gpus() -> int:
    """Return the GPUs that torch sees.

    Ask before a RecBole `Config` is made in this process: it narrows `CUDA_VISIBLE_DEVICES`.
    """
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def require_resources(
    session: "RaySession | None",
    cpus_per_trial: float,
    gpus_per_trial: float,
    address: str | None,
) -> None:
    """Make sure that at least one trial can run.

    Args:
        session: the Ray that was started or joined; None: before that, when only what this
            machine has is known, and nothing of a cluster.
        cpus_per_trial: CPUs of a trial, more than 0.
        gpus_per_trial: GPUs of a trial, 0 or more; several trials may share one (0.5).
        address: None for a Ray on this machine.

    Raises:
        InputError: a number out of range, or more than any one node has.
    """
    problems = range_problems(cpus_per_trial, gpus_per_trial)
    if not problems and session is not None:
        problems = _against_nodes(session.nodes(), cpus_per_trial, gpus_per_trial)
    elif not problems and address is None:
        problems = _against_machine(cpus_per_trial, gpus_per_trial)
    if problems:
        raise InputError(problems)


def range_problems(cpus: Any, gpus: Any) -> list[str]:
    """Say what is wrong with the CPUs and GPUs of a trial, whatever machine it runs on."""
    problems = []
    if not is_number(cpus) or not cpus > 0:
        problems.append(f"cpus_per_trial: {cpus!r} must be a number more than 0, e.g. 1.")
    # infinity has no remainder
    if not is_number(gpus) or not gpus >= 0 or (gpus > 1 and gpus % 1 != 0):
        problems.append(
            f"gpus_per_trial: {gpus!r} must be 0, a part of one GPU (0.5: two trials share it) or "
            "a whole number."
        )
    return problems


def _against_machine(cpus: float, gpus: float) -> list[str]:
    problems = []
    if cpus > machine_cpus():
        problems.append(
            f"cpus_per_trial: {cpus:g} are asked, this machine has {machine_cpus()} for this "
            "process; give fewer, or --address of a cluster."
        )
    if gpus > machine_gpus():
        problems.append(
            f"gpus_per_trial: {gpus:g} is asked, torch sees {machine_gpus() or 'no'} GPU here; "
            "give 0 to train on the CPU (`doctor` lists the devices), or --address of a cluster."
        )
    return problems


def _against_nodes(nodes: Sequence["Node"], cpus: float, gpus: float) -> list[str]:
    if any(node.cpus >= cpus and node.gpus >= gpus for node in nodes):
        return []
    largest_cpus = max((node.cpus for node in nodes), default=0.0)
    largest_gpus = max((node.gpus for node in nodes), default=0.0)
    problems = []
    if cpus > largest_cpus:
        problems.append(
            f"cpus_per_trial: {cpus:g} are asked, but no node of the Ray cluster has more than "
            f"{largest_cpus:g}; a trial runs on one node."
        )
    if gpus > largest_gpus:
        has = f"no node has more than {largest_gpus:g}" if largest_gpus else "no node has one"
        problems.append(
            f"gpus_per_trial: {gpus:g} is asked, but {has} in the Ray cluster; a trial runs on "
            "one node, and 0 trains on the CPU."
        )
    return problems or [
        f"cpus_per_trial, gpus_per_trial: no node of the Ray cluster has both {cpus:g} CPUs and "
        f"{gpus:g} GPUs."
    ]
