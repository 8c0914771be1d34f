"""Where the memory of large tensors comes from on the CPU."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Numbers of the two settings in glibc's malloc.h."""


def keep_freed_memory() -> bool:
    """Have the C library keep memory that tensors gave back, for the next ones.

    glibc maps every block above 32 MB anew and gives it back at once. A training step on the CPU
    has dozens of such tensors (a batch in four environments, scores of all items), and having
    their pages made and cleared again and again took half the time of a step. Kept, they are made
    once. No number of a result changes. The process holds on to its peak, which may be higher
    than it was, since blocks of unlike sizes are cut out of one heap.

    Returns:
        Whether it is set; False where the C library is not glibc. It holds for the process.
    """
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    return bool(library.mallopt(M_MMAP_MAX, 0)) and bool(library.mallopt(M_TRIM_THRESHOLD, -1))
