"""Shards: plain tar files of packed chips, written in parallel, each whole or not there.

A finished shard's tables are noted until all shards are whole. So a run that was killed, at any moment, loses the
shards it was at and no other: the next run writes those, and the result is the same to the byte.
"""

import errno
import io
import itertools
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from igarape.chips.formats import suffix
from igarape.executors import LOOK, Callback, Executor, in_turn
from igarape.files import atomic_path

Part = TypeVar("Part", bound=Sized)
Tables = dict[str, pd.DataFrame]

LARGEST = 4096  # chips in a shard; few large files keep DVC and disks fast
FEWEST = 16  # shards, so that each processor has some to write even of a small set
THERE = (errno.ENOTEMPTY, errno.EEXIST)  # what a system says where a folder has the name already


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
    with atomic_path(path) as unfinished, tarfile.open(unfinished, "w", format=tarfile.PAX_FORMAT) as tar:
        yield Shard(path.name, tar, done)


Pack = Callable[[Part, Shard], Tables]


def write_shards(
    folder: Path,
    parts: Sequence[Part],
    pack: Pack[Part],
    *,
    scratch: Path,
    executor: Executor,
    report: Callable[[int], None],
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
        each part. Like the parts it is picklable, for other processes write the shards.
    scratch
        A folder for the tables of finished shards: those are not written again, so it must be empty when the parts, or
        pack, have changed.
    executor
        Writes the shards, several at once or one after the other.
    report
        Called with the number of chips that are packed, those of finished shards among them.
    """
    finished = [_tables(scratch, number).exists() for number in range(len(parts))]
    packed = [len(part) if done else 0 for part, done in zip(parts, finished, strict=True)]

    def on_message(number: int, count: int) -> None:
        packed[number] = max(packed[number], count)  # another node that begins anew is behind the one that died
        report(sum(packed))

    write = partial(_write, folder=folder, scratch=scratch, pack=pack)
    futures = {
        executor.submit(write, number, part, name=f"shard {number}", on_message=partial(on_message, number)): number
        for number, part in enumerate(parts)
        if not finished[number]
    }
    for future in in_turn(executor, futures):
        future.result()
        on_message(futures[future], len(parts[futures[future]]))
    return _joined([_tables(scratch, number) for number in range(len(parts))])


def _joined(folders: Sequence[Path]) -> Tables:
    """Read the tables that lie in folders under the same names, and join them."""
    joined = {}
    for name in sorted(path.name for path in folders[0].iterdir()) if folders else []:
        tables = [pq.read_table(folder / name) for folder in folders]
        table = pa.concat_tables([t for t in tables if len(t)] or tables[:1])
        # Bytes stay where Arrow has them: a million objects would take as much again.
        joined[name.removesuffix(".parquet")] = table.to_pandas(
            types_mapper={pa.binary(): pd.ArrowDtype(pa.binary())}.get, ignore_metadata=True
        )
    return joined


def _tables(scratch: Path, number: int) -> Path:
    return scratch / f"shard-{number:05d}"


def _write(send: Callback, number: int, part: Part, *, folder: Path, scratch: Path, pack: Pack[Part]) -> None:
    """Write one shard, then its tables: they say that it is whole."""
    with open_shard(folder / f"shard-{number:05d}.tar", _Counter(send)) as shard:
        tables = pack(part, shard)
    with _unless_quicker(), atomic_path(_tables(scratch, number)) as unfinished:
        unfinished.mkdir()
        for name, table in tables.items():
            table.to_parquet(unfinished / f"{name}.parquet", index=False)


@contextmanager
def _unless_quicker() -> Iterator[None]:
    """Let a folder be that was whole before ours: of a node that was taken for dead, and has written the same."""
    try:
        yield
    except OSError as error:
        if error.errno not in THERE:
            raise


class _Counter:
    """Counts chips, and sends the count at once of the first, then so seldom that it costs nothing."""

    def __init__(self, send: Callback) -> None:
        self._send, self._count, self._next = send, 0, 0.0

    def __call__(self) -> None:
        """Count a chip."""
        self._count += 1
        now = time.monotonic()
        if now >= self._next:
            self._send(self._count)
            self._next = now + LOOK
