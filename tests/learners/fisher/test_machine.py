"""A head on Fisher vectors in a file: self-contained, the same answers, refused where it knows other descriptors."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from igarape.chips.pictures import symmetries
from igarape.errors import InputError
from igarape.learners.fisher.machine import FARTHEST, Head, Machine, open_models
from igarape.learners.fisher.patches import descriptors
from igarape.learners.fisher.words import fit_mixture

PICTURES = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
PICTURES[3:, :, :, 0] //= 4


def machine(labels: int = 3) -> Machine:
    """Make a machine of three words, with weights by chance."""
    rng = np.random.default_rng(1)
    patches = [descriptors(picture) for picture in PICTURES]
    mixture = fit_mixture(np.concatenate(patches), words=3, components=4, seed=0)
    vectors = np.stack([mixture.fisher(each) for each in patches])
    weights, bias = (rng.normal(size=shape).astype(np.float32) for shape in ((mixture.width, labels), labels))
    return Machine(mixture, Head(vectors.mean(axis=0), vectors.std(axis=0), 3 * weights, bias), 32)


@pytest.mark.parametrize("labels", [1, 3])
def test_what_is_opened_answers_as_what_was_written(labels: int, tmp_path: Path) -> None:
    """To the last bit, and the same machine is the same bytes; no unfinished file is left."""
    made = machine(labels)
    path, again = (made.export(tmp_path / "new" / name) for name in ("fold-0", "again"))
    assert path == tmp_path / "new" / "fold-0.fisher" and path.read_bytes() == again.read_bytes()
    assert len(list(path.parent.iterdir())) == 2
    opened = Machine.load(path)
    assert (opened.size, opened.outputs) == (32, labels)
    rows = np.array([4, 1, 5])
    p = opened.predict(PICTURES, rows, tta=False)
    assert p.dtype == np.float32 and p.shape == (3, labels) and np.ptp(p) > 0.01
    np.testing.assert_array_equal(p, made.predict(PICTURES, rows, tta=True))
    np.testing.assert_array_equal(p[1:2], made.predict(PICTURES, rows[1:2], tta=True))
    assert opened.predict(PICTURES, rows[:0], tta=False).shape == (0, labels)


def test_a_turned_chip_is_answered_as_before() -> None:
    """But for the order of a sum."""
    made = machine()
    expected = made.predict(PICTURES, np.arange(6), tta=False)
    for view in symmetries(PICTURES):
        np.testing.assert_allclose(made.predict(view, np.arange(6), tta=False), expected, atol=1e-4)


def test_one_odd_number_does_not_outweigh_all_others() -> None:
    """Beyond FARTHEST deviations all values are the same."""
    head = Head(*(np.full(shape, 1, np.float32) for shape in (4, 4, (4, 1), 1)))
    usual = np.ones((1, 4), np.float32)
    odd, odder = (usual + np.array([far, 0, 0, 0], np.float32) for far in (FARTHEST, 1e9))
    assert head.answer(usual) < head.answer(odd) == head.answer(odder)


def test_several_machines_answer_with_their_mean(tmp_path: Path) -> None:
    """As fold models do."""
    one = machine()
    other = replace(one, head=replace(one.head, bias=np.zeros(3, np.float32)))
    opened = open_models([one.export(tmp_path / "fold-0"), other.export(tmp_path / "fold-1")], threads=1)
    each = [made.predict(PICTURES, np.arange(6), tta=False).astype(np.float64) for made in (one, other)]
    np.testing.assert_array_equal(opened.mean(PICTURES, tta=True), sum(each) / 2)
    assert opened.shapes == [(32, 3), (32, 3)] and opened.mean(PICTURES[:0], tta=False).shape == (0, 3)


def test_a_missing_or_damaged_file_is_one_clear_error(tmp_path: Path) -> None:
    """It names the file and what to run."""
    with pytest.raises(InputError, match=r"fold-0\.fisher: not found.*dvc repro train"):
        Machine.load(tmp_path / "fold-0.fisher")
    whole = machine().export(tmp_path / "fold-0").read_bytes()
    np.savez(tmp_path / "other.npz", weights=np.eye(2))
    np.save(tmp_path / "array.npy", np.eye(2))
    others = {"cut": whole[: len(whole) // 2], "empty": b"", "text": b"hello", "object": b"\x80\x04N."}
    others |= {name.split(".")[0]: (tmp_path / name).read_bytes() for name in ("other.npz", "array.npy")}
    for name, data in others.items():
        (tmp_path / f"{name}.fisher").write_bytes(data)
        with pytest.raises(InputError, match=rf"{name}\.fisher: not a machine on Fisher vectors: .*dvc repro train"):
            Machine.load(tmp_path / f"{name}.fisher")


def test_a_machine_on_other_descriptors_is_refused(tmp_path: Path) -> None:
    """It would answer nonsense."""
    made = machine()
    short = replace(made.mixture, projection=made.mixture.projection[1:])
    path = replace(made, mixture=short).export(tmp_path / "fold-0")
    with pytest.raises(InputError, match=r"fold-0\.fisher: expected descriptors of 54 numbers.* found 53.*dvc repro"):
        Machine.load(path)
