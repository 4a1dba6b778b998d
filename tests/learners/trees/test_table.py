"""The statistics that trees learn from are those of each chip, taken once."""

from pathlib import Path

import numpy as np
import pytest

from igarape.learners.trees import table
from igarape.learners.trees.statistics import names, statistics
from igarape.learners.trees.table import statistics_of


def test_statistics_of_mapped_pictures_are_kept_and_are_those_of_each_chip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the bit, however many are taken at once; no rows have none."""
    path = tmp_path / "data/.resized/ingest/32-abc.npy"
    path.parent.mkdir(parents=True)
    np.save(path, np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8))
    images, rows = np.asarray(np.load(path, mmap_mode="r")), np.array([3, 0, 3])
    monkeypatch.setattr(table, "AT_ONCE", 2)
    expected = statistics(images[row] for row in rows)
    np.testing.assert_array_equal(statistics_of(images, rows), expected)
    np.testing.assert_array_equal(statistics_of(np.array(images), rows), expected)
    assert len(list(path.parent.glob("32-abc.statistics-*.npy"))) == 1
    monkeypatch.setattr(table, "statistics", None)
    np.testing.assert_array_equal(statistics_of(images, rows), expected)
    assert statistics_of(images, np.arange(0)).shape == (0, len(names()))
