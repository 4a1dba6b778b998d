"""A kernel machine in a file: self-contained, the same answers, refused where it knows other statistics."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from igarape.errors import InputError
from igarape.learners.kernels.machine import FARTHEST, KernelMap, Machine, open_models
from igarape.learners.trees.statistics import names, statistics

PICTURES = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
TABLE = statistics(PICTURES)


def machine(labels: int = 3) -> Machine:
    """Make a machine of four landmarks, with weights by chance."""
    rng = np.random.default_rng(1)
    width = len(names())
    kernel = KernelMap(TABLE.mean(axis=0), np.maximum(TABLE.std(axis=0), 1), rng.normal(size=(4, width)), 0.25 / width)
    return Machine(kernel, rng.normal(size=(4, labels)), rng.normal(size=labels), 32)


def test_likeness_is_one_on_a_landmark_and_falls_as_the_gaussian_does() -> None:
    """With exp(-gamma d^2), for distances told by hand."""
    kernel = KernelMap(np.zeros(2), np.array([1.0, 2.0]), np.array([[1.0, 1.0], [0.0, 0.0]]), 0.5)
    table = np.array([[1.0, 2.0], [0.0, 2.0]], dtype=np.float32)
    np.testing.assert_allclose(kernel.transform(table), [[1.0, np.exp(-1.0)], [np.exp(-0.5), np.exp(-0.5)]])


def test_one_odd_statistic_does_not_make_a_chip_unlike_all_others() -> None:
    """Beyond FARTHEST deviations all values are the same; a likeness never exceeds 1, even by rounding."""
    kernel = KernelMap(np.zeros(1), np.ones(1), np.array([[FARTHEST]]), 1.0)
    far = kernel.transform(np.array([[FARTHEST], [1e9]], dtype=np.float32))
    assert (far == 1.0).all()


@pytest.mark.parametrize("labels", [1, 3])
def test_what_is_opened_answers_as_what_was_written(labels: int, tmp_path: Path) -> None:
    """To the last bit, and the same machine is the same bytes; no unfinished file is left."""
    made = machine(labels)
    path, again = (made.export(tmp_path / "new" / name) for name in ("fold-0", "again"))
    assert path == tmp_path / "new" / "fold-0.npz" and path.read_bytes() == again.read_bytes()
    assert len(list(path.parent.iterdir())) == 2
    opened = Machine.load(path)
    assert (opened.size, opened.outputs) == (32, labels)
    rows = np.array([7, 3, 11])
    p = opened.predict(PICTURES, rows, tta=False)
    assert p.dtype == np.float32 and p.shape == (3, labels) and np.ptp(p) > 0.01
    np.testing.assert_array_equal(p, made.answer(TABLE[rows]))
    assert opened.predict(PICTURES, rows[:0], tta=False).shape == (0, labels)


def test_several_machines_answer_with_their_mean(tmp_path: Path) -> None:
    """As fold models do."""
    one, other = machine(), replace(machine(), bias=np.zeros(3))
    opened = open_models([one.export(tmp_path / "fold-0"), other.export(tmp_path / "fold-1")], threads=1)
    expected = (one.answer(TABLE).astype(np.float64) + other.answer(TABLE)) / 2
    np.testing.assert_allclose(opened.mean(PICTURES, tta=True), expected, rtol=1e-6)
    assert opened.shapes == [(32, 3), (32, 3)]


def test_a_missing_or_damaged_file_is_one_clear_error(tmp_path: Path) -> None:
    """It names the file and what to run."""
    with pytest.raises(InputError, match=r"fold-0\.npz: not found.*dvc repro train"):
        Machine.load(tmp_path / "fold-0.npz")
    whole = machine().export(tmp_path / "fold-0").read_bytes()
    np.savez(tmp_path / "other.npz", weights=np.eye(2))
    np.save(tmp_path / "array.npy", np.eye(2))
    others = {"cut": whole[: len(whole) // 2], "empty": b"", "text": b"hello"}
    others |= {"array": (tmp_path / "array.npy").read_bytes(), "object": b"\x80\x04N."}
    for name, data in others.items():
        (tmp_path / f"{name}.npz").write_bytes(data)
    for name in ("other", *others):
        with pytest.raises(InputError, match=rf"{name}\.npz: not a kernel machine: .*dvc repro train"):
            Machine.load(tmp_path / f"{name}.npz")


def test_a_machine_on_other_statistics_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One less, or another order: it would answer nonsense."""
    ours = names()
    for name, known, word in (("less", ours[:-1], ours[-1]), ("order", ours[::-1], "their order")):
        with monkeypatch.context() as patch:
            patch.setattr("igarape.learners.kernels.machine.names", lambda known=known: known)
            path = machine().export(tmp_path / name)
        with pytest.raises(InputError, match=rf"{name}\.npz: expected a kernel machine on the .* statistics.*{word}"):
            Machine.load(path)
