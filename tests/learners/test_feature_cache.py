"""What is computed of pictures once is found again, and is on the disk as it comes."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from igarape.chips.resized import mapped_file
from igarape.errors import InputError
from igarape.learners import feature_cache
from igarape.learners.examples import Images, Rows
from igarape.learners.feature_cache import Table, cached_rows, scratch

ROWS = np.array([4, 1, 1])


@pytest.fixture
def images(tmp_path: Path) -> Images:
    """Map six pictures from where load_pictures keeps them."""
    path = tmp_path / "data/.resized/ingest/8-abc.npy"
    path.parent.mkdir(parents=True)
    np.save(path, np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8))
    return np.asarray(np.load(path, mmap_mode="r"))


class Means:
    """Computes the means of pictures, two at a time, and remembers of which. lost: the part that fails."""

    def __init__(self, images: Images, *, lost: int = -1) -> None:
        self.asked: list[list[int]] = []
        self._images, self._lost = images, lost

    def __call__(self, rows: Rows) -> Iterator[Table]:
        """Yield parts."""
        yield np.empty((0, 3), dtype=np.float32)
        for start in range(0, len(rows), 2):
            if len(self.asked) == self._lost:
                raise OSError("out of luck")
            self.asked.append(rows[start : start + 2].tolist())
            yield self._images[rows[start : start + 2]].mean(axis=(1, 2)).astype(np.float32)


def test_rows_of_mapped_pictures_are_computed_once_and_are_those_of_pictures_in_memory(
    images: Images, tmp_path: Path
) -> None:
    """In the order asked for; another key is another file."""
    compute, alone = Means(images), Means(images)
    first = cached_rows(images, ROWS, name="means", key="k", compute=compute)
    assert compute.asked == [[0, 1], [2, 3], [4, 5]]
    np.testing.assert_array_equal(first, cached_rows(np.array(images), ROWS, name="means", key="k", compute=alone))
    assert alone.asked == [[4, 1], [1]]
    every = cached_rows(images, np.arange(6), name="means", key="k", compute=compute)
    np.testing.assert_array_equal(every[ROWS], first)
    assert len(compute.asked) == 3 and every.dtype == np.float32 and not isinstance(every, np.memmap)
    cached_rows(images, ROWS, name="means", key="other", compute=compute)
    cache = tmp_path / "data/.resized/ingest"
    assert [path.name for path in sorted(cache.glob("*.means-*"))] == [
        "8-abc.means-k.npy",
        "8-abc.means-other.npy",
    ]
    np.testing.assert_array_equal(np.load(cache / "8-abc.means-k.npy"), every)


def test_what_fails_half_way_leaves_no_file(images: Images, tmp_path: Path) -> None:
    """The next one who asks begins anew."""
    with pytest.raises(OSError, match="out of luck"):
        cached_rows(images, ROWS, name="means", key="k", compute=Means(images, lost=2))
    assert [path.name for path in (tmp_path / "data/.resized/ingest").iterdir() if path.suffix == ".npy"] == [
        "8-abc.npy"
    ]
    assert cached_rows(images, ROWS, name="means", key="k", compute=Means(images)).shape == (3, 3)


def test_a_large_table_lies_on_the_disk_while_it_is_used(
    images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One in memory where it is small, or where the pictures are; nothing is left, and a full disk is told before."""
    monkeypatch.setattr(feature_cache, "LARGE", 4 * 6 * 3)
    before = sorted(tmp_path.rglob("*"))
    with scratch(images, (6, 3)) as table, scratch(images, (5, 3)) as small, scratch(np.array(images), (6, 3)) as own:
        table[:] = 7
        assert isinstance(table.base, np.memmap) and table.sum() == 7 * 18 and table.dtype == np.float32
        assert mapped_file(small) is None and mapped_file(own) is None
        assert sorted(tmp_path.rglob("*")) == before

    def full(*_words: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(InputError, match=r"ingest: no room for .* \(No space left on device\)\. Make room"):
        scratch(images, (6, 3)).__enter__()
