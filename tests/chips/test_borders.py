"""Borders that fit: as comparing all with all finds them, and nearly so in cells."""

from concurrent.futures import Future
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igarape.chips import borders
from igarape.chips.borders import border_tasks, fitting
from igarape.chips.cells import Lines
from igarape.executors import Callback, Executor, Here, Task, ignore_message, local

RATIO, CORRELATION = 0.7, 0.5


class Nobody(Here):
    """Is not to be asked."""

    def submit(self, task: Task, *words: Any, name: str, on_message: Callback = ignore_message) -> Future[Any]:
        """Refuse."""
        raise AssertionError(name)


def facing(count: int, seed: int) -> tuple[Lines, Lines]:
    """Draw borders of every kind of tone; of every other chip, the next one's opposite border goes on in it."""
    rng = np.random.default_rng(seed)
    ours, theirs = (_lines(rng, count) for _ in range(2))
    noise = rng.normal(0, 6, (len(ours[:-1:2]), 64))
    theirs[1::2] = np.clip(ours[: len(theirs[1::2]) * 2 : 2] + noise[: len(theirs[1::2])], 0, 255)
    return ours, theirs


def _lines(rng: np.random.Generator, count: int) -> Lines:
    smooth = cv2.blur(rng.normal(size=(count, 64)), (9, 1)) * 60 + rng.normal(size=(count, 64)) * 15
    return np.clip(rng.uniform(40, 200, (count, 1)) + smooth, 0, 255).astype(np.uint8)


def all_with_all(ours: Lines, theirs: Lines) -> set[tuple[int, int]]:
    """Follow the definition to the letter."""
    distance = ((ours[:, None].astype(int) - theirs[None]) ** 2).sum(axis=2).astype(float)
    np.fill_diagonal(distance, np.inf)
    pairs = set()
    for one, row in enumerate(distance):
        other = int(row.argmin())
        column = distance[:, other]
        third = min(np.delete(row, other).min(), np.delete(column, one).min())
        left, right = (
            line - cv2.blur(line, (9, 1), borderType=cv2.BORDER_REFLECT)
            for line in (each.astype(np.float32)[None] for each in (ours[one], theirs[other]))
        )
        agree = (left * right).sum() / max(1e-6, float(np.linalg.norm(left) * np.linalg.norm(right)))
        if row[other] < RATIO**2 * third and agree >= CORRELATION:
            pairs.add((one, other))
    return pairs


def found(ours: Lines, theirs: Lines, executor: Executor | None = None) -> set[tuple[int, int]]:
    """Return the pairs as a set; this process seeks, or who does the tasks."""
    with TemporaryDirectory() as folder:
        one, other, distance = fitting(
            ours,
            theirs,
            ratio=RATIO,
            correlation=CORRELATION,
            executor=executor or Here(),
            folder=Path(folder, "laid out"),
        )
    assert (np.diff(one) > 0).all() and len(one) == len(other) == len(distance)
    return set(zip(one.tolist(), other.tolist(), strict=True))


@settings(deadline=None, max_examples=20)
@given(st.integers(3, 60), st.integers(0, 2**32 - 1))
def test_few_borders_are_compared_all_with_all(count: int, seed: int) -> None:
    """Mutual, distinct on either side, alike in detail: the definition, and nothing else."""
    ours, theirs = facing(count, seed)
    assert found(ours, theirs) == all_with_all(ours, theirs)


def test_many_borders_are_compared_in_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the pairs that all with all finds 99 in 100 are found in cells, and few others."""
    ours, theirs = facing(4000, 1)
    exact = found(ours, theirs)
    monkeypatch.setattr(borders, "EXHAUSTIVE", 100)
    cells = found(ours, theirs)
    assert len(exact) > 1000
    assert len(exact & cells) >= 0.99 * max(len(exact), len(cells))


def test_cells_are_compared_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pairs are the same, however many borders are compared in one product."""
    ours, theirs = facing(2000, 2)
    monkeypatch.setattr(borders, "EXHAUSTIVE", 100)
    pairs = found(ours, theirs)
    monkeypatch.setattr(borders, "BLOCK", 7777)
    assert found(ours, theirs) == pairs != set()


def test_cells_that_are_all_near_to_each_other_compare_all_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pair of borders is compared once then, and a chip's own two never: the pairs are the definition's."""
    ours, theirs = facing(60, 5)
    monkeypatch.setattr(borders, "EXHAUSTIVE", 2)
    assert found(ours, theirs) == all_with_all(ours, theirs) != set()


@pytest.mark.parametrize("block", [1, 100, 2**24])
def test_all_with_all_is_compared_in_blocks_of_any_size(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row at a time, some, or all: the pairs are the definition's."""
    ours, theirs = facing(50, 4)
    monkeypatch.setattr(borders, "BLOCK", block)
    assert found(ours, theirs) == all_with_all(ours, theirs) != set()


@pytest.mark.parametrize("limit", [2, 2**16])
def test_borders_that_are_all_the_same_fit_none(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand chips of open water: nothing is distinct, in cells or not."""
    monkeypatch.setattr(borders, "EXHAUSTIVE", limit)
    water = np.full((1000, 64), 60, dtype=np.uint8)
    assert found(water, water) == set()


@pytest.mark.parametrize("limit", [40, 2**16])
@pytest.mark.parametrize(("task", "part"), [(1, 1), (100, 7), (500, 256), (999, 64), (2**14, 7)])
def test_pairs_do_not_depend_on_how_borders_are_dealt(
    limit: int, task: int, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Into one task, two or many, and in each into parts: in cells or not, the same pairs come out."""
    count = 50 if task == 1 else 1000
    ours, theirs = facing(count, 3)
    monkeypatch.setattr(borders, "EXHAUSTIVE", limit)
    whole = found(ours, theirs)
    monkeypatch.setattr(borders, "TASK", task)
    monkeypatch.setattr(borders, "PART", part)
    assert border_tasks(count) == -(-count // task)
    assert found(ours, theirs) == whole != set()


@settings(deadline=None, max_examples=20)
@given(st.integers(3, 40), st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 9))
def test_ties_are_told_from_distinct_borders_in_any_deal(count: int, seed: int, task: int, part: int) -> None:
    """Borders of few levels are often equally near: whoever meets the second one, it counts."""
    ours, theirs = (np.repeat(lines[:, :4] // 64 * 64, 16, axis=1) for lines in facing(count, seed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(borders, "TASK", task)
        patch.setattr(borders, "PART", part)
        assert found(ours, theirs) == all_with_all(ours, theirs)


@pytest.mark.parametrize("limit", [100, 2**16])
def test_processes_find_what_this_one_finds(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """They map what is laid out for them."""
    ours, theirs = facing(3000, 6)
    monkeypatch.setattr(borders, "EXHAUSTIVE", limit)
    alone = found(ours, theirs)
    monkeypatch.setattr(borders, "TASK", 500)
    with local(2) as executor:
        assert found(ours, theirs, executor) == alone != set()


def test_few_borders_are_compared_by_this_process_alone() -> None:
    """Nobody else is asked: to start a process takes longer."""
    ours, theirs = facing(100, 7)
    assert found(ours, theirs, Nobody()) == found(ours, theirs) != set()
