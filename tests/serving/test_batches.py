"""Answers in batches: one bad picture costs one row, memory does not grow, and what is finished is not done again."""

import itertools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from igarape.chips.pictures import Pixels
from igarape.errors import InputError
from igarape.executors import Here
from igarape.serving import batches
from igarape.serving.batches import Answerers, tag_batches
from igarape.serving.bundle import AT_ONCE, BATCH, Bundle, DecodedChip

COUNT = 4 * BATCH + 10
NAMES = [f"chip_{number}" for number in range(COUNT)]
CSV, PARQUET = "answers.csv", "answers.parquet"


class Pictures:
    """Made-up pictures, read by name; it notes what is read, and fails for some."""

    def __init__(self, bad: Sequence[str] = ()) -> None:
        self.read: list[str] = []
        self.shares: list[Sequence[str]] = []
        self._bad = bad
        self._lock = threading.Lock()

    def only(self, names: Sequence[str]) -> "Pictures":
        """Return some."""
        self.shares.append(names)
        return self

    def load(self, _bundle: Bundle | None, name: str) -> DecodedChip:
        """Draw the picture of a name."""
        with self._lock:
            self.read.append(name)
        if name in self._bad:
            raise InputError(f"{name}: is bad")
        seed = int(name.split("_")[1])
        return DecodedChip(np.random.default_rng(seed).integers(0, 256, (16, 16, 3)).astype(np.uint8), None, (16, 16))


@pytest.fixture
def bundle(bundle_folder: Path) -> Bundle:
    """Give the small bundle."""
    return Bundle.load(bundle_folder, threads=1)


@pytest.fixture
def tag(tmp_path: Path, bundle: Bundle) -> Callable[..., list[str]]:
    """Give a function that tags into a folder of batches of its own."""

    def run(pictures: Pictures, out: Path, names: Sequence[str] = NAMES, **how: object) -> list[str]:
        parts = tmp_path / "parts"
        parts.mkdir(exist_ok=True)
        quiet = {"bundle": bundle, "parts": parts, "complain": lambda _: None, "report": lambda *_: None}
        return tag_batches(names, pictures, out, **(quiet | how))  # type: ignore[arg-type]

    return run


def test_the_table_is_what_the_bundle_answers(tag: Callable[..., list[str]], tmp_path: Path, bundle: Bundle) -> None:
    """In the order of names, as CSV and as Parquet; progress counts pictures."""
    seen: list[tuple[int, int]] = []
    assert tag(Pictures(), tmp_path / CSV, report=lambda *done: seen.append(done)) == []
    tag(Pictures(), tmp_path / PARQUET)
    expected = bundle.tag([Pictures().load(None, name).image for name in NAMES])
    for table in (pd.read_csv(tmp_path / CSV), pd.read_parquet(tmp_path / PARQUET)):
        assert list(table.columns) == ["image_name", *bundle.columns]
        assert list(table["image_name"]) == NAMES
        assert list(table["tags"]) == list(expected["tags"])
        p = table.filter(like="p_").to_numpy()
        np.testing.assert_allclose(p, expected.filter(like="p_").to_numpy(), atol=1e-6)
    assert seen == [*((number * BATCH, COUNT) for number in range(1, 5)), (COUNT, COUNT)]
    assert pd.read_parquet(tmp_path / PARQUET).dtypes["p_sun"] == np.float32


def test_others_answer_shares_of_the_batches_and_the_table_is_the_same(
    tag: Callable[..., list[str]], tmp_path: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each share is given its own pictures alone; what cannot be read is told in the order of names."""
    monkeypatch.setattr(batches, "SHARE", 2)
    bad, seen = [NAMES[3], NAMES[2 * BATCH], NAMES[-1]], list[tuple[int, int]]()
    tag(Pictures(bad), tmp_path / "here.csv")
    (tmp_path / "elsewhere").mkdir()
    pictures, elsewhere = Pictures(bad), Answerers(Here(), lambda: bundle, threads=2)
    how = {"parts": tmp_path / "elsewhere", "answerers": elsewhere, "report": lambda *done: seen.append(done)}
    assert tag(pictures, tmp_path / CSV, **how) == bad
    assert (tmp_path / CSV).read_bytes() == (tmp_path / "here.csv").read_bytes()
    assert [len(share) for share in pictures.shares] == [2 * BATCH, 2 * BATCH, 10]
    assert [done for done, _ in seen] == [BATCH, 2 * BATCH, 3 * BATCH, 4 * BATCH, COUNT]


def test_the_answer_for_a_picture_does_not_depend_on_its_batch(
    tag: Callable[..., list[str]], tmp_path: Path, bundle: Bundle
) -> None:
    """Alone, or among others."""
    tag(Pictures(), tmp_path / PARQUET)
    table = pd.read_parquet(tmp_path / PARQUET).set_index("image_name")
    for name in (NAMES[0], NAMES[BATCH], NAMES[-1]):
        alone = bundle.tag([Pictures().load(None, name).image]).iloc[0]
        assert alone["tags"] == table.loc[name, "tags"]
        p = [column for column in table.columns if column.startswith("p_")]
        np.testing.assert_allclose(table.loc[name, p].astype(float), alone[p].astype(float), atol=1e-6)


def test_few_pictures_are_held_at_a_time(
    tag: Callable[..., list[str]], tmp_path: Path, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For each thread as many as a network takes at once, also while another thread answers; none has nothing to do."""
    monkeypatch.setenv("IGARAPE_WORKERS", "3")
    pictures, held, together = Pictures(), list[int](), threading.Barrier(3)

    class Watched(Bundle):
        def tag(self, images: Sequence[Pixels], *rest: Any, **how: Any) -> pd.DataFrame:
            if next(entered) < 3:
                together.wait(20)
            with lock:
                held.append(len(pictures.read) - sum(done))
                done.append(len(images))
            return super().tag(images, *rest, **how)

    done, lock, entered = list[int](), threading.Lock(), itertools.count()
    tag(pictures, tmp_path / CSV, bundle=Watched.load(bundle_folder, threads=1))
    assert sorted(done) == [10, *[AT_ONCE] * (4 * BATCH // AT_ONCE)]
    assert max(held) <= 3 * AT_ONCE


@pytest.mark.parametrize("name", [CSV, PARQUET])
def test_what_cannot_be_read_costs_its_own_row(tag: Callable[..., list[str]], tmp_path: Path, name: str) -> None:
    """Though it be a whole batch; the next run says again why."""
    bad = [*NAMES[:BATCH], NAMES[-1]]
    said: list[str] = []
    assert tag(Pictures(bad), tmp_path / name, complain=said.append) == bad
    assert said == [f"{each}: is bad" for each in bad]
    table = pd.read_csv(tmp_path / name) if name == CSV else pd.read_parquet(tmp_path / name)
    assert list(table["image_name"]) == NAMES[BATCH:-1]
    again: list[str] = []
    assert tag(Pictures(), tmp_path / name, complain=again.append) == bad and again == said


@pytest.mark.parametrize("name", [CSV, PARQUET])
def test_a_run_that_is_stopped_goes_on_and_ends_in_the_same_bytes(
    tag: Callable[..., list[str]], tmp_path: Path, name: str
) -> None:
    """Of the finished batches no picture is read again."""
    (tmp_path / "whole").mkdir()
    tag(Pictures(), tmp_path / name, parts=tmp_path / "whole")
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()

    def stop(done: int, _total: int) -> None:
        if done == 2 * BATCH:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tag(Pictures(), tmp_path / name, report=stop)
    assert not (tmp_path / name).exists()
    pictures = Pictures()
    tag(pictures, tmp_path / name)
    assert (tmp_path / name).read_bytes() == whole
    assert sorted(pictures.read) == sorted(NAMES[2 * BATCH :])


def test_who_stops_it_does_not_wait_for_pictures_that_are_read(tag: Callable[..., list[str]], tmp_path: Path) -> None:
    """A batch takes seconds, or a minute; what is whole is there already."""
    going = threading.Event()

    class Slow(Pictures):
        def load(self, bundle: Bundle | None, name: str) -> DecodedChip:
            if NAMES.index(name) >= BATCH:
                assert going.wait(60)
            return super().load(bundle, name)

    def stop(done: int, _total: int) -> None:
        assert done == BATCH
        raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            tag(Slow(), tmp_path / CSV, report=stop)
        assert not going.is_set() and (tmp_path / "parts" / "00000000.csv").exists()
    finally:
        going.set()


def test_alerts_stand_after_the_tags(tag: Callable[..., list[str]], tmp_path: Path, alert_bundle_folder: Path) -> None:
    """Where the bundle has any."""
    tag(Pictures(), tmp_path / CSV, NAMES[:3], bundle=Bundle.load(alert_bundle_folder, threads=1))
    table = pd.read_csv(tmp_path / CSV, keep_default_na=False)
    assert list(table.columns)[:3] == ["image_name", "tags", "alerts"]


def test_columns_can_be_chosen_and_empty_tables_have_theirs(tag: Callable[..., list[str]], tmp_path: Path) -> None:
    """Where no picture could be read, too."""
    tag(Pictures(NAMES[:2]), tmp_path / CSV, NAMES[:2], columns=["image_name", "tags"])
    assert (tmp_path / CSV).read_text() == "image_name,tags\n"
