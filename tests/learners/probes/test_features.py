"""Features are computed once, and kept beside the pictures that they are computed of."""

from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest

from igarape.chips.pictures import encode_jpeg
from igarape.chips.resized import load_pictures
from igarape.chips.shards import open_shard
from igarape.config.network_kinds import Probe
from igarape.learners.examples import Images
from igarape.learners.probes import features
from igarape.learners.probes.features import features_of

WriteWeights = Callable[[int], Path]

ROWS = np.array([4, 1, 1])


def pictures(folder: Path, seed: int) -> Images:
    """Pack six chips and load them as a learner does."""
    chips = np.random.default_rng(seed).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shard.tar").unlink(missing_ok=True)
    with open_shard(folder / "shard.tar") as shard:
        rows = [(f"chip-{row}", *shard.add(f"chip-{row}", encode_jpeg(chip, 90))) for row, chip in enumerate(chips)]
    catalog = pd.DataFrame(rows, columns=["image_id", "shard", "offset", "length"])
    return load_pictures(folder, catalog, list(catalog["image_id"]), size=32).images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Name a store's folder."""
    return tmp_path / "data/ingest"


def kept(folder: Path) -> list[str]:
    """Return the names of the files of features."""
    return sorted(path.name for path in (folder.parent / ".resized/ingest").glob("*.features-*.npy"))


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mock]:
    """Count how often features are computed."""
    counted = Mock(wraps=features.opened)
    monkeypatch.setattr(features, "opened", counted)
    return counted


def test_features_are_computed_once_for_all_who_ask(folder: Path, small_probe: Probe, computed: Mock) -> None:
    """Rows in the order asked for; the next training, and the next process, finds the file."""
    images = pictures(folder, 0)
    first = features_of(images, ROWS, small_probe)
    again = features_of(pictures(folder, 0), np.arange(6), small_probe)
    assert first.dtype == np.float32 and first.shape == (3, 6)
    np.testing.assert_array_equal(again[ROWS], first)
    assert computed.call_count == 1 and len(kept(folder)) == 1


def test_other_weights_are_another_file(
    folder: Path, small_probe: Probe, write_weights: WriteWeights, computed: Mock
) -> None:
    """The file counts by what it holds, under whatever name."""
    images = pictures(folder, 0)
    before = features_of(images, ROWS, small_probe)
    write_weights(2)
    assert not np.allclose(features_of(images, ROWS, small_probe), before)
    assert computed.call_count == 2 and len(kept(folder)) == 2


def test_features_of_other_chips_are_removed(folder: Path, small_probe: Probe, computed: Mock) -> None:
    """With their pictures."""
    features_of(pictures(folder, 0), ROWS, small_probe)
    before = kept(folder)
    features_of(pictures(folder, 1), ROWS, small_probe)
    assert computed.call_count == 2 and len(kept(folder)) == 1 and kept(folder) != before


def test_pictures_in_memory_have_the_same_features_and_leave_no_file(
    folder: Path, small_probe: Probe, computed: Mock
) -> None:
    """Nor do some of a file's: a name would say of them what holds of all."""
    images = pictures(folder, 0)
    in_memory = features_of(np.array(images), ROWS, small_probe)
    some = features_of(images[1:], ROWS - 1, small_probe)
    assert kept(folder) == []
    np.testing.assert_array_equal(in_memory, features_of(images, ROWS, small_probe))
    np.testing.assert_array_equal(in_memory, some)


def test_no_rows_have_no_features(small_probe: Probe) -> None:
    """A training without validation rows asks for them."""
    images = np.zeros((2, 32, 32, 3), dtype=np.uint8)
    assert features_of(images, np.arange(0), small_probe).shape == (0, 6)
