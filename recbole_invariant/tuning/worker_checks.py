"""What every node of a cluster needs before a trial runs there: the package, data, storage."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import recbole_invariant
from recbole_invariant.errors import InputError
from recbole_invariant.tuning.ray_session import Node, RaySession
from recbole_invariant.tuning.storage import Storage

PATIENCE = 180.0
"""Seconds until a node must have answered; a first import of torch over a network is slow."""

NAMED_NODES = 5
"""Nodes that a message names."""


def check_workers(
    session: RaySession,
    data_path: Path | None,
    storage: Storage,
    modules: Sequence[str] = (),
    patience: float = PATIENCE,
) -> None:
    """Run one small task on every node of a cluster and compare it with what is here.

    A Ray of this search's own runs where everything was checked already; only a storage that no
    other process sees is refused there.

    Args:
        session: the Ray that was joined.
        data_path: folder of the data set, the same path on every node; None: nothing to look for.
        storage: of the search; the driver writes to it, a worker reads that and answers in it.
        modules: others that a trial imports, such as the one of a model of the user's.
        patience: seconds until a node must have answered.

    Raises:
        InputError: a node lacks something; says which, and what to do.
    """
    if not storage.is_shared:
        raise InputError(
            f"{storage.option}: {storage.place} is the memory of one process, and trials run in "
            "others; give a folder or a URL that they can reach."
        )
    if session.address is None:
        return
    token = f"node-check-{uuid4().hex}"
    nodes = session.nodes()
    storage.write(token, token)
    try:
        question = _question(data_path, storage, modules, token)
        answers = _ask(nodes, question, patience)
        problems: dict[str, list[Node]] = {}
        for node in nodes:
            answer = storage.read(f"{token}-{node.id}")
            for problem in problems_of(answers[node.id], question, answer == token.encode()):
                problems.setdefault(problem, []).append(node)
    finally:
        for name in (token, *(f"{token}-{node.id}" for node in nodes)):
            storage.remove(name)
    if problems:
        raise InputError(f"{_named(lacking)}: {text}" for text, lacking in problems.items())


def problems_of(answer: Mapping[str, Any], question: Mapping[str, Any], wrote: bool) -> list[str]:
    """Say what a node lacks.

    Args:
        answer: of the node's task.
        question: what the task was asked.
        wrote: the driver found in the storage what the node wrote there.
    """
    if "silent" in answer:
        return [f"the check gave no answer: {answer['silent']}"]
    if "version" not in answer:
        return [
            f"recbole_invariant cannot be imported ({answer['import']}); install it there, version "
            f"{question['version']}."
        ]
    problems = []
    if answer["version"] != question["version"]:
        problems.append(
            f"it has recbole_invariant {answer['version']}, this side {question['version']}; "
            "install the same version."
        )
    problems += [f"{name} cannot be imported ({why})." for name, why in answer["modules"].items()]
    if answer["files"] != question["files"]:
        problems.append(_data_problem(answer["files"], question))
    place, option = question["place"], question["option"]
    if not answer["read"]:
        hint = "not the same folder there; it must be a shared one, or give a URL such as s3://..."
        why = hint if "://" not in place else answer["storage"] or "what was written is not seen"
        problems.append(f"{option}: {place} cannot be read: {why}")
    elif not wrote:
        problems.append(
            f"{option}: {place} cannot be written: {answer['storage'] or 'nothing arrives here'}"
        )
    return problems


def _data_problem(there: Mapping[str, int] | None, question: Mapping[str, Any]) -> str:
    folder, here = question["data"], question["files"]
    if there is None:
        return f"data_path: there is no folder {folder}; every node needs the data under this path."
    differ = sorted(name for name in {*here, *there} if here.get(name) != there.get(name))
    return f"data_path: {folder} holds other files than here: {', '.join(differ[:NAMED_NODES])}."


def _named(nodes: Sequence[Node]) -> str:
    names = ", ".join(node.host for node in nodes[:NAMED_NODES])
    more = f" and {len(nodes) - NAMED_NODES} more" if len(nodes) > NAMED_NODES else ""
    return f"{'node' if len(nodes) == 1 else 'nodes'} {names}{more}"


def _question(
    data_path: Path | None, storage: Storage, modules: Sequence[str], token: str
) -> dict[str, Any]:
    files = None
    if data_path is not None and data_path.is_dir():
        files = {file.name: file.stat().st_size for file in data_path.iterdir() if file.is_file()}
    return {
        "version": recbole_invariant.__version__,
        "data": str(data_path) if files is not None else None,
        "files": files,
        "place": storage.place,
        "option": storage.option,
        "modules": list(modules),
        "token": token,
    }


def _ask(
    nodes: Sequence[Node], question: dict[str, Any], patience: float
) -> dict[str, dict[str, Any]]:
    """Return every node's answer, by the node's id."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task = ray.remote(num_cpus=0, max_retries=0)(_make_task())
    asked = {}
    for node in nodes:
        there = NodeAffinitySchedulingStrategy(node.id, soft=False)
        asked[task.options(scheduling_strategy=there).remote(question, node.id)] = node.id
    ready, _ = ray.wait(list(asked), num_returns=len(asked), timeout=patience)
    answers = {name: {"silent": f"none within {patience:g} s."} for name in asked.values()}
    for reference in ready:
        try:
            answers[asked[reference]] = ray.get(reference)
        except ray.exceptions.RayError as error:
            last = str(error).strip().splitlines()[-1]
            answers[asked[reference]] = {"silent": f"{type(error).__name__}: {last}"}
    return answers


def _make_task() -> Callable[[dict[str, Any], str], dict[str, Any]]:
    """Return the task; a function made here is sent as code, not as a name in this package.

    A node without the package could not even load the latter.
    """

    def look(question: dict[str, Any], node: str) -> dict[str, Any]:
        from importlib import import_module
        from pathlib import Path

        try:
            found: dict[str, Any] = {"version": import_module("recbole_invariant").__version__}
        except Exception as error:
            return {"import": f"{type(error).__name__}: {error}"}
        found |= {"modules": {}, "files": None, "read": False, "storage": None}
        for name in question["modules"]:
            try:
                import_module(name)
            except Exception as error:
                found["modules"][name] = f"{type(error).__name__}: {error}"
        if question["data"] is not None and Path(question["data"]).is_dir():
            files = (file for file in Path(question["data"]).iterdir() if file.is_file())
            found["files"] = {file.name: file.stat().st_size for file in files}
        try:
            module = import_module("recbole_invariant.tuning.storage")
            storage = module.Storage.open(question["place"], question["option"])
            token = question["token"].encode()
            found["read"] = storage.read(question["token"]) == token
            if found["read"]:  # Else a folder of this node's own would be made.
                storage.write(f"{question['token']}-{node}", token)
        except Exception as error:
            found["storage"] = f"{type(error).__name__}: {error}"
        return found

    return look
