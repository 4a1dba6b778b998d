"""Shards: plain tar files of packed chips, written in parallel, each whole or not there.

A finished shard's tables are noted until all shards are whole. So a run that was killed, at any moment, loses the
shards it was at and no other: the next run writes those, and the result is the same to the byte.
"""

import io
import itertools
import multiprocessing
import os
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from concurrent.futures import ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import cv2
import pandas as pd

from igarape.chips.pictures import suffix
from igarape.errors import InputError
from igarape.files import whole

Part = TypeVar("Part", bound=Sized)
Tables = dict[str, pd.DataFrame]
Report = Callable[[int], None]

LARGEST = 4096  # chips in a shard; few large files keep DVC and disks fast
FEWEST = 16  # shards, so that each processor has some to write even of a small set
LOOK = 0.2  # seconds between two looks at how far the processes are


def deal(count: int, multiple: int = 1) -> list[range]:
    """Deal count chips, in order, into shards of nearly the same size, which is a multiple of `multiple`.

    The deal depends on count alone: another machine packs the same shards.
    """
    units = -(-count // multiple)
    shards = max(-(-count // LARGEST), min(FEWEST, units))
    bounds = [min(units * number // shards * multiple, count) for number in range(shards + 1)] if shards else [0]
    return list(itertools.starmap(range, itertools.pairwise(bounds)))


@dataclass
class Shard:
    """A tar file that is being written, in WebDataset's layout (<image>.jpg); the same chips give the same bytes."""

    name: str
    tar: tarfile.TarFile
    done: Callable[[], None]

    def add(self, image_id: str, data: bytes) -> tuple[str, int, int]:
        """Append a picture and return where it lies: its shard, the offset of its first byte, its length in bytes."""
        member = tarfile.TarInfo(f"{image_id}.{suffix(data, image_id)}")  # mtime, uid and gid are 0, and no names
        member.size = len(data)
        member.mode = 0o644
        self.tar.addfile(member, io.BytesIO(data))
        padded = -(-len(data) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
        return self.name, self.tar.offset - padded, len(data)


def _nobody() -> None:
    """Count for nobody."""


@contextmanager
def open_shard(path: Path, done: Callable[[], None] = _nobody) -> Iterator[Shard]:
    """Open a shard to write; it takes its name when the block ends well, and leaves nothing otherwise.

    done: what a packer calls after each chip.
    """
    with whole(path) as unfinished, tarfile.open(unfinished, "w", format=tarfile.PAX_FORMAT) as tar:
        yield Shard(path.name, tar, done)


Pack = Callable[[Part, Shard], Tables]


def write_shards(
    folder: Path, parts: Sequence[Part], pack: Pack[Part], *, scratch: Path, workers: int, report: Report
) -> Tables:
    """Write a shard of each part into a folder and return their tables, each one joined in the order of the parts.

    Parameters
    ----------
    folder
        Where the shards come to lie.
    parts
        What goes into each shard.
    pack
        Adds a part's chips to a shard, calls shard.done() after each, and returns tables by name, the same names for
        each part. Like the parts it is picklable, for processes write the shards.
    scratch
        A folder for the tables of finished shards: those are not written again, so it must be empty when the parts, or
        pack, have changed.
    workers
        How many processes write at once.
    report
        Called with the number of chips that are packed, those of finished shards among them.
    """
    todo = {number: part for number, part in enumerate(parts) if not _tables(scratch, number).exists()}
    finished = sum(len(part) for number, part in enumerate(parts) if number not in todo)
    if workers == 1:
        counter = itertools.count(finished + 1)
        for number, part in todo.items():
            _write(number, part, folder=folder, scratch=scratch, pack=pack, done=lambda: report(next(counter)))
    elif todo:
        write = partial(_write_counted, folder=folder, scratch=scratch, pack=pack)
        _in_processes(write, todo, min(workers, len(todo)), lambda count: report(finished + count))
    return _joined([_tables(scratch, number) for number in range(len(parts))])


def _joined(folders: Sequence[Path]) -> Tables:
    """Read the tables that lie in folders under the same names, and join them."""
    joined = {}
    for name in sorted(path.name for path in folders[0].iterdir()) if folders else []:
        tables = [pd.read_parquet(folder / name) for folder in folders]
        joined[name.removesuffix(".parquet")] = pd.concat(
            [t for t in tables if len(t)] or tables[:1], ignore_index=True
        )
    return joined


def _tables(scratch: Path, number: int) -> Path:
    return scratch / f"shard-{number:05d}"


def _write(number: int, part: Part, *, folder: Path, scratch: Path, pack: Pack[Part], done: Callable[[], None]) -> None:
    """Write one shard, then its tables: they say that it is whole."""
    with open_shard(folder / f"shard-{number:05d}.tar", done) as shard:
        tables = pack(part, shard)
    with whole(_tables(scratch, number)) as unfinished:
        unfinished.mkdir()
        for name, table in tables.items():
            table.to_parquet(unfinished / f"{name}.parquet", index=False)


def _in_processes(write: Callable[[int, Part], None], todo: Mapping[int, Part], workers: int, report: Report) -> None:
    """Write shards in processes, and report how far they are."""
    # Spawned, not forked: whoever packs may have threads (TensorFlow's, say) that a fork would leave locked.
    context = get_context("spawn")
    count = context.Value("q", 0)
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(count,)) as pool:
        waiting = {pool.submit(write, number, part) for number, part in todo.items()}
        try:
            while waiting:
                finished, waiting = wait(waiting, timeout=LOOK)
                report(count.value)
                for future in finished:
                    future.result()
        except BrokenProcessPool as error:
            raise InputError(
                "A process that packs chips died; was it killed, or is the memory full? Run the step again, it goes on "
                "where it stopped; to use less memory, set IGARAPE_WORKERS lower"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


_count: Any = None  # of this process: the counter that all share


def _start(count: Any) -> None:
    """Set up a process that packs: one thread for OpenCV, as the others have chips of their own, and a common end."""
    global _count  # noqa: PLW0603 - a pool's initializer has no other place to put what its tasks need
    _count = count
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process at once when the one that started it is gone: it must not write beside the next run."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _write_counted(number: int, part: Part, *, folder: Path, scratch: Path, pack: Pack[Part]) -> None:
    """Write a shard in a process of the pool."""

    def one() -> None:
        with _count.get_lock():
            _count.value += 1

    _write(number, part, folder=folder, scratch=scratch, pack=pack, done=one)
