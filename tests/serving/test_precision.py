"""A bundle's networks come to compute in 8-bit integers; what cannot stays as it is."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from convolving import write_convolving

from igarape.chips.pictures import Pixels
from igarape.files import write_json
from igarape.learners.networks.quantisation import quantise
from igarape.learners.views import Mode
from igarape.serving.bundle import Bundle
from igarape.serving.holdout import PackedChips
from igarape.serving.manifest import list_files, read_manifest
from igarape.serving.precision import quantised


@pytest.fixture
def bundle(bundle_folder: Path, tmp_path: Path) -> Bundle:
    """Give a bundle of which one network of three convolves, that which sees dehazed chips of 8 pixels."""
    folder = tmp_path / "bundle"
    shutil.copytree(bundle_folder, folder)
    manifest = read_manifest(folder)
    (clear,) = [learner for learner in manifest.learners if learner.chips == "dehazed"]
    write_convolving(folder / clear.files[0], clear.size, len(clear.labels))
    changed = manifest.model_copy(update={"files": list_files(folder)})
    write_json(changed.model_dump(mode="json"), folder / "bundle.json")
    return Bundle.load(folder, threads=1)


def test_what_convolves_computes_in_integers(bundle: Bundle, packed: PackedChips, images: list[Pixels]) -> None:
    """The manifest says who; answers are nearly those of before, which the bundle in floats still gives."""
    before = bundle.probabilities(images)
    untouched = (bundle.folder / "learners/plain/folds.onnx").read_bytes()
    seen: list[tuple[int, int]] = []
    known = [f"chip-{row}" for row in range(len(images))]
    changed = quantised(bundle, known, quantise, packed=packed, threads=1, report=lambda *done: seen.append(done))
    assert changed.manifest.quantised == ("clear",) and changed.mode == Mode(8, "int8") and bundle.mode == Mode(8)
    gap = np.abs(changed.probabilities(images) - before)
    assert 0 < gap.max() < 0.02
    np.testing.assert_array_equal(bundle.probabilities(images), before)
    assert (bundle.folder / "learners/plain/folds.onnx").read_bytes() == untouched
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_where_nothing_convolves_all_stays(bundle_folder: Path, packed: PackedChips, tmp_path: Path) -> None:
    """Byte by byte."""
    shutil.copytree(bundle_folder, tmp_path / "bundle")
    found = quantised(
        Bundle.load(tmp_path / "bundle"), ["chip-0"], quantise, packed=packed, threads=1, report=lambda *_: None
    )
    assert found.mode == Mode(8) and found.manifest == read_manifest(bundle_folder)
