"""A process that keeps its memory takes no page twice, whatever TensorFlow has set; elsewhere nothing happens."""

import ctypes
import json
import platform
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from igarape.learners import memory
from igarape.learners.memory import keep_memory, one_heap

PAGES = 2048  # of 4 kB: 8 MB, a tensor of a training step
TAKEN = 20  # times
GLIBC = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told anything")

# Blocks are taken by malloc itself, as NumPy keeps some ways of its own, and in small pages on any machine.
COUNTED = f"""
import ctypes, json, resource, threading
from igarape.learners.memory import keep_memory, one_heap

PAGE = resource.getpagesize()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes, libc.free.argtypes = [ctypes.c_size_t], [ctypes.c_void_p]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
libc.prctl(41, 1, 0, 0, 0)  # PR_SET_THP_DISABLE

def patched():
    assert libc.mallopt(-3, 128 * 1024)  # M_MMAP_THRESHOLD: what TensorFlow calls

def filled(pages):
    block = libc.malloc(pages * PAGE)
    libc.memset(block, 1, pages * PAGE)
    return block

def take(*sizes):
    for block in [filled(pages) for pages in sizes or ({PAGES},)]:
        libc.free(block)

def in_threads():
    for _ in range(2):
        one = threading.Thread(target=take)
        one.start()
        one.join()

def faults(work):
    work()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range({TAKEN}):
        work()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    return int(open("/proc/self/statm").read().split()[1])
"""


def child(code: str) -> Any:
    """Run code after COUNTED in a new process, as what is set holds until a process ends; return what it prints."""
    run = subprocess.run([sys.executable, "-c", COUNTED + code], capture_output=True, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])


@GLIBC
def test_without_it_each_block_is_faulted_in_anew() -> None:
    """What the other tests rest on: under TensorFlow's setting, a block of 8 MB costs its pages each time."""
    assert child("patched(); print(faults(take))") > 0.9 * TAKEN * PAGES


@GLIBC
@pytest.mark.parametrize("order", ["patched(); keep_memory()", "keep_memory(); patched()"])
@pytest.mark.parametrize("work", ["take", "lambda: take(40, 16384, 1, 2048)", "in_threads"])
def test_a_block_that_was_freed_is_taken_again_without_a_fault(order: str, work: str) -> None:
    """Before TensorFlow's call and after it, above 32 MB too, and whichever thread had freed it."""
    assert child(f"{order}; print(faults({work}))") < 0.1 * TAKEN * PAGES


@GLIBC
def test_what_nobody_uses_is_given_back_when_it_is_called_again() -> None:
    """Of 64 blocks of 512 pages, seven of eight are freed in the midst of the others: they stay, until then."""
    full, kept, left = child("""
keep_memory()
blocks = [filled(512) for _ in range(64)]
full = resident()
for place, block in enumerate(blocks):
    if place % 8:
        libc.free(block)
kept = resident()
keep_memory()
print(json.dumps([full, kept, resident()]))
""")
    assert full - kept < 0.1 * 64 * 512
    assert full - left > 0.8 * 64 * 512


@GLIBC
def test_training_keeps_memory() -> None:
    """Also where a data set of a generator has TensorFlow set its threshold."""
    fed = """
import numpy as np
from igarape.learners.networks.inputs import Side, training_batches
chips, y = np.zeros((8, 8, 8, 3), np.uint8), np.zeros((8, 1), np.float32)
options = dict(jitter=0.1, dihedral=True, zoom=0.0, mixup=0.0, balance=0.0, repeat=0.0)
list(training_batches(chips, y, rows=np.arange(8), batch=4, side=Side([8]), seed=0, **options))
print(faults(take))
"""
    assert child(fed) < 0.1 * TAKEN * PAGES


@GLIBC
def test_predicting_keeps_memory_but_what_opening_took(
    tmp_path: Path, write_model: Callable[[Path, int, int, int], object]
) -> None:
    """A network of 15 MB is read, and then prepared: it is there twice or thrice, and stays once."""
    path = tmp_path / "fold-0.onnx"
    write_model(path, 8, 20_000, 0)
    counted, left = child(f"""
import pathlib
from igarape.learners.networks import sessions
from igarape.learners.predictor import Predictor
patched()
before = resident()
predictor = Predictor([pathlib.Path({str(path)!r})], threads=1)
left = (resident() - before) * PAGE
print(json.dumps([faults(take), left]))
""")
    assert counted < 0.1 * TAKEN * PAGES
    assert left < 2 * path.stat().st_size


def test_without_glibc_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """As macOS, Windows and musl answer; no library is even opened."""
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(ctypes, "CDLL", None)
    assert keep_memory() is False


@GLIBC
def test_a_refusal_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """M_MXFAST takes some hundred bytes at most."""
    monkeypatch.setattr(memory, "KEPT", {1: 10**6})
    with pytest.raises(OSError, match=r"refuses mallopt\(1, 1000000\)"):
        keep_memory()


def test_arrow_takes_from_the_same_heap_for_a_while() -> None:
    """And from its own one again, also after an error."""
    before = pa.default_memory_pool().backend_name
    with suppress(ZeroDivisionError), one_heap():
        assert pa.default_memory_pool().backend_name == "system"
        raise ZeroDivisionError
    assert pa.default_memory_pool().backend_name == before
