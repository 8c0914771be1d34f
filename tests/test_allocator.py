"""Freed memory is kept: in a process of its own, since the setting is the process's."""

import subprocess
import sys

import pytest

from recbole_invariant.allocator import keep_freed_memory

SCRIPT = """
import resource
import torch
from recbole_invariant.allocator import keep_freed_memory

torch.set_num_threads(1)


def new_pages() -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        torch.ones(10 * 2**20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


new_pages()
print(new_pages(), keep_freed_memory(), torch.ones(7).sum().item(), end=" ")
new_pages()
print(new_pages())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the setting is glibc's")
def test_large_tensors_reuse_pages() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    before, kept, total, after = done.stdout.split()
    if kept == "False":
        pytest.skip("this C library is not glibc")
    assert float(total) == 7
    # 40 MB are 10,240 pages of 4 kB, fewer where the system uses larger ones.
    assert int(after) < int(before) / 10


def test_elsewhere_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert not keep_freed_memory()
