"""The switches of `deterministic`; what a GPU makes of them is not tested here."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import same_bytes
from recbole_invariant import determinism, seeding, training
from recbole_invariant.config import build_config
from recbole_invariant.errors import InputError
from recbole_invariant.preparation import prepare
from recbole_invariant.registry import resolve
from tests.host import pairs, write_toy

GPU = {"deterministic": True, "device": "cuda:0", "model": "PaInvRL"}


@pytest.fixture(autouse=True)
def switches(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(determinism.WORKSPACE, raising=False)
    yield
    torch.use_deterministic_algorithms(False)
    os.environ.pop(determinism.WORKSPACE, None)


def test_on_a_gpu_everything_is_switched_and_back() -> None:
    torch.backends.cudnn.benchmark = True
    determinism.switch(GPU)
    assert torch.are_deterministic_algorithms_enabled()
    assert os.environ[determinism.WORKSPACE] == ":4096:8"
    assert not torch.backends.cudnn.benchmark
    determinism.switch({**GPU, "deterministic": False})
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("wanted", [None, False, True])
def test_on_the_cpu_nothing_is_switched(wanted: bool | None) -> None:
    determinism.switch({"deterministic": wanted, "device": torch.device("cpu")})
    assert not torch.are_deterministic_algorithms_enabled()
    assert determinism.WORKSPACE not in os.environ


def test_a_contradicting_variable_is_the_users_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(determinism.WORKSPACE, ":0:0")
    with pytest.raises(InputError, match=r"deterministic: .*CUBLAS_WORKSPACE_CONFIG is ':0:0'"):
        determinism.switch(GPU)
    monkeypatch.setenv(determinism.WORKSPACE, ":16:8")
    determinism.switch(GPU)
    assert os.environ[determinism.WORKSPACE] == ":16:8"


def test_an_operation_without_a_deterministic_version_is_named() -> None:
    words = (
        "scatter_x_cuda does not have a deterministic implementation, but you set "
        "'torch.use_deterministic_algorithms(True)'. You can turn off determinism ..."
    )
    with pytest.raises(RuntimeError, match="scatter_x"), determinism.named(GPU):
        raise RuntimeError(words)
    determinism.switch(GPU)
    with (
        pytest.raises(InputError, match=r"deterministic: PaInvRL needs .*\(scatter_x_cuda does"),
        determinism.named(GPU),
    ):
        raise RuntimeError(words)
    with pytest.raises(RuntimeError, match="out of memory"), determinism.named(GPU):
        raise RuntimeError("out of memory")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("streams")
    write_toy(path)
    return path


def drawn(folder: Path, changed: str = "") -> dict[str, Any]:
    """Return what each stream decides, with another seed for one of them."""
    derive = seeding.derive_seed

    def other(seed: int, stream: str) -> int:
        return derive(seed + (stream.split("/")[0] == changed), stream)

    options = {"data_path": str(folder), "ood": "popularity", "use_gpu": False, "topk": [5]}
    options |= {"valid_metric": "NDCG@5", "train_batch_size": 64, "neighbour_weight": 0.0}
    with pytest.MonkeyPatch.context() as patch:
        for module in (seeding, training):
            patch.setattr(module, "derive_seed", other)
        config, entry = build_config("UltraGCN", "toy", options), resolve("UltraGCN")
        config["checkpoint_dir"] = str(folder / "saved")
        data = prepare(config, entry)
        model, trainer = training.build(config, entry, data)
        training.seed_host(config, "sampling")
        (stage,) = trainer.build_stages(data.loaders.train)
        stage.begin()
        return {
            "data": {name: pairs(part) for name, part in data.parts.by_name.items()},
            "init": model.user_embedding.weight.detach().clone(),
            "sampling": next(iter(stage.batches())),
        }


def test_changing_one_stream_leaves_the_others_alone(folder: Path) -> None:
    before = drawn(folder)
    for changed in ("init", "sampling", "environments", "other"):
        now = drawn(folder, changed)
        assert now["data"] == before["data"]
        assert torch.equal(now["init"], before["init"]) is (changed != "init")
        assert torch.equal(now["sampling"], before["sampling"]) is (changed != "sampling")
    now = drawn(folder, "data")
    assert now["data"] != before["data"]
    assert torch.equal(now["init"], before["init"])


def test_seeds_of_streams_are_those_of_every_machine() -> None:
    assert seeding.derive_seed(0, "data") == 1605858607080498671
    seeds = {seeding.derive_seed(seed, name) for seed in range(50) for name in seeding.STREAMS}
    assert len(seeds) == 50 * len(seeding.STREAMS)


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    found = same_bytes.compare(["PaInvRL"], threads=[1], hash_seeds=[0, 1], folder=tmp_path)
    assert [(one.model, one.file, one.equal) for one in found] == [
        ("PaInvRL", file, True) for file in same_bytes.FILES
    ]
