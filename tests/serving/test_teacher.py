"""What the ensemble answers to chips without labels: its calibrated probabilities, once, in the order of the chips."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import unlabelled

from igarape.config.datasets import read_dataset
from igarape.config.documents import LearnerManifest
from igarape.config.params import read_params
from igarape.ensemble.calibrator import Calibrator
from igarape.ensemble.linear import mean_weights
from igarape.ensemble.stacker import Stacker
from igarape.errors import InputError
from igarape.learners.networks.merging import merge
from igarape.learners.predictor import Predictor
from igarape.serving import teacher as module
from igarape.serving.submission import Chips
from igarape.serving.teacher import find_unlabelled, teacher_probabilities
from igarape.tables import Probabilities
from igarape.workspace import Workspace

WriteModel = Callable[[Path, int, int, int], Probabilities]
LABELS = unlabelled.VOCABULARY.labels
PARAMS = read_params(Path(__file__).parents[2] / "params.yaml")
MANIFEST = LearnerManifest(
    name="plain",
    chips="raw",
    size=unlabelled.SIZE,
    scope="all",
    labels=LABELS,
    tta=False,
    f2=0.5,
    map=0.5,
    settings={},
    folds=(),
)


@pytest.fixture
def taught(tmp_path: Path, write_model: WriteModel) -> Workspace:
    """Give a project with chips that have no labels, a learner of two folds, and a stack that calibrates."""
    here = unlabelled.lay_out(Workspace(tmp_path), ["test_2", "test_0", "test_1"])
    for fold in range(2):
        write_model(here.folder("train", "plain") / f"fold-{fold}.onnx", unlabelled.SIZE, len(LABELS), fold)
    stacker(here).save(here.folder("stack") / "stacker")
    return here


def stacker(here: Workspace) -> Stacker:
    """Return the stack: of one learner, whose logits are halved and shifted."""
    learners = {"plain": LABELS}
    calibrators = tuple(Calibrator("platt", (0.5, 0.3)) for _ in LABELS)
    return Stacker("mean", LABELS, learners, mean_weights(learners, LABELS), calibrators=calibrators)


def ask(here: Workspace, chips: Chips) -> Probabilities:
    """Ask the ensemble."""
    notes = here.data / "notes"
    notes.mkdir(exist_ok=True)
    dataset, learners = read_dataset("toy", here.datasets), {"plain": MANIFEST}
    return teacher_probabilities(
        chips, here, PARAMS, dataset, learners=learners, notes=notes, merge=merge, report=lambda _done, _total: None
    )


def test_chips_without_labels_are_found(taught: Workspace) -> None:
    """Where a learner sees near-infrared, those only that have it."""
    dataset = read_dataset("toy", taught.datasets)
    assert sorted(find_unlabelled(taught, dataset, {"raw"}).names) == ["test_0", "test_1", "test_2"]
    unlabelled.add_planes(taught, without=["test_1"])
    found = find_unlabelled(taught, dataset, {"raw", "nir"})
    assert sorted(found.names) == ["test_0", "test_2"] and found.nir is not None


def test_the_answers_are_those_of_the_calibrated_stack(taught: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the chips; what is answered is not answered again."""
    chips = find_unlabelled(taught, read_dataset("toy", taught.datasets), {"raw"})
    images = np.stack([chips.raw.rgb(name) for name in chips.names])
    models = [taught.folder("train", "plain") / f"fold-{fold}.onnx" for fold in range(2)]
    each = {"plain": Predictor(models).predict(images, tta=False, batch=8)}
    expected = stacker(taught).predict(each)
    np.testing.assert_allclose(ask(taught, chips), expected, atol=1e-6)
    monkeypatch.setattr(module, "tag_batches", None)
    backwards = replace(chips, names=list(chips.names)[::-1])
    np.testing.assert_allclose(ask(taught, backwards), expected[::-1], atol=1e-6)


def test_a_chip_that_cannot_be_read_ends_it(taught: Workspace) -> None:
    """It was packed: something is wrong with the project."""
    chips = find_unlabelled(taught, read_dataset("toy", taught.datasets), {"raw"})
    with pytest.raises(InputError, match=r"holds no chip 'gone'"):
        ask(taught, replace(chips, names=["gone"]))
