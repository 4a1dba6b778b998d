"""A pickled task: large arrays stay in files."""

import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tasks import total

from igarape.cluster.pickling import ByReference, mapped, pickled
from igarape.executors import in_turn, local


def unpickled(content: bytes) -> np.ndarray:
    """Return the array that a task was given."""
    task, words = pickle.loads(content)  # noqa: S301
    assert words == ("a",)
    return np.asarray(task.keywords["images"])


def test_what_is_mapped_travels_as_a_path(tmp_path: Path) -> None:
    """However large it is; it is mapped again, and cannot be written to."""
    images = np.random.default_rng(0).integers(0, 256, (50, 32, 32, 3), dtype=np.uint8)
    np.save(tmp_path / "images.npy", images)
    seen = np.asarray(np.load(tmp_path / "images.npy", mmap_mode="r"))
    content = pickled((partial(print, images=seen), ("a",)), tmp_path / "none")
    assert len(content) < 1000 and not (tmp_path / "none").exists()
    assert np.array_equal(unpickled(content), images) and not unpickled(content).flags.writeable


def test_what_is_in_memory_becomes_a_file_once(tmp_path: Path) -> None:
    """The same array for many tasks is one file; a part of a mapped one is an array of its own; a small one travels."""
    y = np.random.default_rng(0).random((5000, 7)) < 0.5
    content = [pickled((partial(print, images=y), ("a",)), tmp_path) for _ in range(3)]
    assert len(list(tmp_path.iterdir())) == 1 and max(map(len, content)) < 1000
    assert np.array_equal(unpickled(content[0]), y)
    part = unpickled(content[0])[100:4000]
    assert np.array_equal(unpickled(pickled((partial(print, images=part), ("a",)), tmp_path)), y[100:4000])
    assert len(list(tmp_path.iterdir())) == 2
    assert np.array_equal(unpickled(pickled((partial(print, images=y[:3]), ("a",)), tmp_path)), y[:3])
    assert len(list(tmp_path.iterdir())) == 2


def test_processes_map_what_they_are_given(tmp_path: Path) -> None:
    """An array in memory becomes a file; what tasks send is heard."""
    array, sent = np.arange(5000.0), list[int]()
    with local(2) as executor:
        own = ByReference(executor, tmp_path)
        futures = [own.submit(partial(total, array=array), name="sum", on_message=sent.append) for _ in range(3)]
        assert [future.result() for future in in_turn(own, futures)] == [(array.sum(), True)] * 3
    assert sent == [5000] * 3
    assert len(list(tmp_path.iterdir())) == 1


def test_decoded_chips_are_copied_once_to_a_nodes_own_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one is named; other arrays are read where they lie."""
    shelf = tmp_path / "data/.resized/ingest"
    shelf.mkdir(parents=True)
    chips, other = np.arange(6000, dtype=np.uint8), np.arange(3000)
    np.save(shelf / "64-abc.npy", chips)
    np.save(tmp_path / "other.npy", other)
    monkeypatch.setenv("IGARAPE_SCRATCH", str(tmp_path / "disk"))
    for _ in range(2):
        np.testing.assert_array_equal(mapped(str(shelf / "64-abc.npy")), chips)
        (shelf / "64-abc.npy").unlink(missing_ok=True)  # what is there is not asked for again
    np.testing.assert_array_equal(mapped(str(tmp_path / "other.npy")), other)
    copied = [path.name for path in (tmp_path / "disk").rglob("*.npy")]
    assert copied == ["64-abc.npy"]
