"""Keep the memory that this process frees: a page asked for anew costs more than it costs to fill, on virtual machines.

A training step frees what it computed and asks for as much again. glibc gives blocks of 128 kB and more back to the
system at once, until it has seen some freed: then it keeps blocks of up to 32 MB. TensorFlow 2.21 ends that. When the
first data set of a generator in a process is begun, it calls mallopt(M_MMAP_THRESHOLD, 128 kB)
(ApplyPython311MemoryPatch in core/kernels/data/generator_dataset_op.cc, whose message names M_TRIM_THRESHOLD), so that
each tensor is mapped, faulted in page by page and unmapped again: 115,000 faults a second for a MobileNet.

What is set here holds before that call and after it: where nothing may be mapped, no size is large enough to be.
"""

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

# The names of malloc.h, and its numbers, which are part of glibc's binary interface.
M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
NEVER = 2**31 - 1  # bytes at the end of the heap before they are given back; the largest that mallopt takes

KEPT = {
    # All threads take from one heap, and one has what another left. With a heap for each, a training of a MobileNet
    # held 14 % more memory; threads keep small blocks to themselves without it.
    M_ARENA_MAX: 1,
    M_MMAP_MAX: 0,
    M_TRIM_THRESHOLD: NEVER,
}


def keep_memory() -> bool:
    """Let this process keep what it frees from now on, and give back what it has freed so far; return whether it does.

    To be called where a training or a prediction begins, so that the next one is not told that memory which nobody uses
    is taken. Without glibc (macOS, Windows, musl) nothing is done, nor has TensorFlow changed anything there; another
    allocator in the place of glibc's is left as it is. Raises OSError when glibc refuses.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    glibc = ctypes.CDLL(None)
    for name, value in KEPT.items():
        if not glibc.mallopt(name, value):
            raise OSError(f"glibc refuses mallopt({name}, {value})")
    glibc.malloc_trim(0)
    return True


@contextmanager
def one_heap() -> Iterator[None]:
    """Let Arrow take from the heap of all others while the block runs: its own one keeps what it frees to itself."""
    import pyarrow as pa  # a served model need not have it

    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)
