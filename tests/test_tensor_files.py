"""Tensors come back from a file, and a file that is not as it was written never loads."""

import random
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors.torch import load as library_load
from safetensors.torch import save_file

from recbole_invariant.errors import InputError
from recbole_invariant.tensor_files import DTYPES, load_tensors, save_tensors

once = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "model.safetensors"
    table = torch.arange(12.0).view(3, 4)
    save_tensors(path, {"ä": table, "n": torch.tensor(3)}, {"note": 'a "quoted" é', "b": "x"})
    return path.read_bytes()


def test_tensors_that_share_memory_come_back_with_their_values(tmp_path: Path) -> None:
    table = torch.arange(6.0).view(2, 3)
    path = tmp_path / "model.safetensors"
    save_tensors(path, {"a": table, "b": table.T, "n": torch.tensor(3)}, {"note": "x"})
    tensors, metadata = load_tensors(path, sealed=True)
    assert torch.equal(tensors["a"], table)
    assert torch.equal(tensors["b"], table.T)
    assert tensors["n"].item() == 3
    assert tensors["n"].dtype == torch.int64
    assert metadata == {"note": "x"}


def test_the_library_reads_every_dtype_and_shape(tmp_path: Path) -> None:
    tensors = {
        f"{dtype} {shape}": (torch.rand(shape) * 9).to(dtype)
        for dtype in DTYPES
        for shape in ((), (0,), (3,), (2, 0, 2), (5, 1))
    }
    path = tmp_path / "all.safetensors"
    save_tensors(path, tensors)
    read = library_load(path.read_bytes())
    assert set(read) == set(tensors)
    for name, value in tensors.items():
        assert torch.equal(read[name], value)
        assert read[name].dtype == value.dtype
    with pytest.raises(ValueError, match="complex64"):
        save_tensors(path, {"z": torch.zeros(1, dtype=torch.complex64)})
    assert set(load_tensors(path)[0]) == set(tensors)


def test_the_order_of_names_does_not_change_the_bytes(tmp_path: Path) -> None:
    tensors = {name: torch.tensor([ord(name)]) for name in "cab"}
    for number, names in enumerate(("cab", "abc")):
        save_tensors(tmp_path / str(number), {name: tensors[name] for name in names})
    assert (tmp_path / "0").read_bytes() == (tmp_path / "1").read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"not tensors at all", b"\xff" * 64])
def test_unreadable_tensors_are_an_input_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "model.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"model\.safetensors"):
        load_tensors(path)


@once
@given(st.data())
def test_every_flipped_bit_is_found(whole: bytes, tmp_path: Path, data: st.DataObject) -> None:
    # half of the file is its header; draw from all of it
    place = data.draw(st.integers(0, 8 * len(whole) - 1))
    flipped = bytearray(whole)
    flipped[place // 8] ^= 1 << place % 8
    path = tmp_path / "flipped"
    path.write_bytes(flipped)
    with pytest.raises(InputError, match="flipped"):
        load_tensors(path, sealed=True)


@once
@given(length=st.integers(0, 10_000))
@example(length=0)
@example(length=7)
@example(length=8)
@example(length=9)
def test_every_truncation_is_found(whole: bytes, tmp_path: Path, length: int) -> None:
    path = tmp_path / "cut"
    path.write_bytes(whole[: length % len(whole)])
    with pytest.raises(InputError, match="cut"):
        load_tensors(path)
    path.write_bytes(whole + b"\0" * (length % 9 + 1))
    with pytest.raises(InputError, match="cut"):
        load_tensors(path)


def test_blocks_of_zeros_and_of_noise_are_found(whole: bytes, tmp_path: Path) -> None:
    path, draw = tmp_path / "lost", random.Random(0)
    for begin in range(0, len(whole), 16):
        for block in (bytes(16), draw.randbytes(16)):
            changed = whole[:begin] + block + whole[begin + 16 :]
            if changed[: len(whole)] == whole:
                continue
            path.write_bytes(changed[: len(whole)])
            with pytest.raises(InputError, match="lost"):
                load_tensors(path, sealed=True)


def test_files_of_others_are_told_apart(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(3)}, tmp_path / "foreign.safetensors", {"tree": "{}"})
    assert load_tensors(tmp_path / "foreign.safetensors")[1] == {"tree": "{}"}
    with pytest.raises(InputError, match="not one of this package"):
        load_tensors(tmp_path / "foreign.safetensors", sealed=True)
    torch.save({"state_dict": {}}, tmp_path / "BPR.pth")
    with pytest.raises(InputError, match=r"a pickled file.*can run code"):
        load_tensors(tmp_path / "BPR.pth")
