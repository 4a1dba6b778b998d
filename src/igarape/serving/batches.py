"""Answers for many pictures: each thread reads a few and answers them, and of finished batches what is said is kept.

Only a few pictures for each thread are in memory, however many there are. Batches are the same however often a run was
killed, and on whichever machine they are answered, so the table is too, to the byte.
"""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol, Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from igarape.config.params import workers
from igarape.errors import InputError
from igarape.executors import Callback, Executor, Here, in_turn
from igarape.files import atomic_path, read_json, write_json, write_text
from igarape.progress import Report
from igarape.serving.answers import is_number
from igarape.serving.bundle import AT_ONCE, BATCH, Bundle, DecodedChip

SHARE = 32  # batches of one task of a cluster
PARQUET = ".parquet"


class Source(Protocol):
    """Where pictures are from."""

    def load(self, bundle: Bundle, name: str) -> DecodedChip:
        """Read a picture as a bundle sees it; what raises InputError or OSError costs its own row only."""
        ...

    def only(self, names: Sequence[str]) -> Self:
        """Return a source of some of the pictures, which travels to other machines."""
        ...


@dataclass(frozen=True)
class Answerers:
    """Who answers in the place of this process, which open the bundle by themselves, each with so many threads."""

    executor: Executor
    open_bundle: Callable[[], Bundle]
    threads: int


class Answered(NamedTuple):
    """Some pictures: the answers to those that can be read, and why the others cannot, by name."""

    rows: pd.DataFrame
    failed: dict[str, str]


def tag_batches(
    names: Sequence[str],
    source: Source,
    out: Path,
    *,
    bundle: Bundle,
    columns: Sequence[str] | None = None,
    parts: Path,
    complain: Callable[[str], None],
    report: Report,
    answerers: Answerers | None = None,
) -> list[str]:
    """Write a table of answers, in the order of names; return the names of the pictures that cannot be read.

    Parameters
    ----------
    names
        Of the pictures, each once.
    source
        Gives the pictures, to several threads.
    out
        The table: Parquet where its name ends so, else CSV. It takes its name when it is whole.
    bundle
        What answers, to IGARAPE_WORKERS threads at once: it is best opened for one processor.
    columns
        Those that are wanted; None: image_name, and all that the bundle answers.
    parts
        A folder, where finished batches are kept. A batch that lies there is not answered again, so it must be empty
        when anything else has changed.
    complain
        Called with why a picture cannot be read, also one of a batch that lies in parts. What it raises ends all.
    report
        Called with (pictures done, of how many).
    answerers
        None: this process.

    Raises
    ------
    InputError
        When the disk is full.
    """
    columns = columns or ["image_name", *bundle.columns]
    suffix = PARQUET if out.suffix.lower() == PARQUET else ".csv"
    batches = {parts / f"{start:08d}{suffix}": names[start : start + BATCH] for start in range(0, len(names), BATCH)}
    failed: dict[Path, list[str]] = {}

    def on_batch(part: Path) -> None:
        why = read_json(part.with_suffix(".json"))
        for said in why.values():
            complain(said)
        failed[part] = list(why)
        report(min(len(failed) * BATCH, len(names)), len(names))

    for part in batches:
        if part.exists():
            on_batch(part)
    todo = {part: batch for part, batch in batches.items() if part not in failed}
    _answer_shares(todo, source, bundle=bundle, columns=columns, answerers=answerers, on_batch=on_batch)
    _join(list(batches), out, columns)
    return [name for part in batches for name in failed[part]]


def refuse(why: str) -> None:
    """Complain of a picture so that all ends: for whom none may be left out."""
    raise InputError(why)


def _answer_shares(
    batches: Mapping[Path, Sequence[str]],
    source: Source,
    *,
    bundle: Bundle,
    columns: Sequence[str],
    answerers: Answerers | None,
    on_batch: Callable[[Path], None],
) -> None:
    """Have batches answered, some of them to a task, in this process or by answerers; on_batch is called with each."""
    by = answerers or Answerers(Here(), lambda: bundle, workers())
    work = partial(_answer_all, columns=columns, open_bundle=by.open_bundle, threads=by.threads)
    parts, futures = list(batches), []
    for start in range(0, len(parts), SHARE):
        share = {part: batches[part] for part in parts[start : start + SHARE]}
        some = source.only([name for each in share.values() for name in each]) if answerers else source
        futures.append(by.executor.submit(work, share, some, name=f"batch {start}", on_message=on_batch))
    for future in in_turn(by.executor, futures):
        future.result()


def _answer_all(
    send: Callback,
    batches: Mapping[Path, Sequence[str]],
    source: Source,
    *,
    columns: Sequence[str],
    open_bundle: Callable[[], Bundle],
    threads: int,
) -> None:
    """Answer batches that have not been answered, and send the path of each.

    A thread takes no more than a network does at once, so that it soon ends where all is to end, and the others have
    something to do where all is one batch.
    """
    bundle = open_bundle()
    pool = ThreadPoolExecutor(threads)
    pending = {
        part: [
            pool.submit(_answer, batch[start : start + AT_ONCE], source, bundle)
            for start in range(0, len(batch), AT_ONCE)
        ]
        for part, batch in batches.items()
    }
    try:
        for part, some in pending.items():
            _write([each.result() for each in some], part, columns)
            send(part)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # what threads still answer, nobody asks for: they write nothing


def _answer(names: Sequence[str], source: Source, bundle: Bundle) -> Answered:
    """Read some pictures, and answer them."""
    seen, failed = dict[str, DecodedChip](), dict[str, str]()
    for name in names:
        try:
            seen[name] = source.load(bundle, name)
        except (InputError, OSError) as error:
            failed[name] = str(error)
    return Answered(bundle.tag_decoded(seen.values()).assign(image_name=list(seen)), failed)


def _write(batch: Sequence[Answered], part: Path, columns: Sequence[str]) -> None:
    """Write the answers of a batch, a CSV without its first line; before them, what cannot be read, and why."""
    write_json({name: why for some in batch for name, why in some.failed.items()}, part.with_suffix(".json"))
    there = [some.rows for some in batch if len(some.rows)] or [batch[0].rows]  # an empty table has no types
    rows = pd.concat(there)[list(columns)]
    if part.suffix == PARQUET:
        with atomic_path(part) as unfinished:
            pq.write_table(pa.Table.from_pandas(rows, schema=_schema(rows.columns), preserve_index=False), unfinished)
    else:
        write_text(rows.to_csv(index=False, header=False, lineterminator="\n"), part)


def _join(parts: Sequence[Path], out: Path, columns: Sequence[str]) -> None:
    """Join batches to a table, one after the other."""
    with atomic_path(out) as unfinished:
        if parts[0].suffix == PARQUET:
            with pq.ParquetWriter(unfinished, _schema(columns)) as table:
                for part in parts:
                    table.write_table(pq.read_table(part))
        else:
            with unfinished.open("wb") as joined:
                joined.write(pd.DataFrame(columns=list(columns)).to_csv(index=False, lineterminator="\n").encode())
                for part in parts:
                    with part.open("rb") as answers:
                        shutil.copyfileobj(answers, joined)


def _schema(columns: Iterable[str]) -> pa.Schema:
    """Return the types of a table's columns: where all pictures of a batch are at fault, no value tells them."""
    return pa.schema([(name, pa.float32() if is_number(name) else pa.string()) for name in columns])
