"""The student's bundle answers what its network answers, by the ensemble's rule; and it is measured."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import unlabelled
from students import taught

from igarape.chips.store import Store
from igarape.config.datasets import read_dataset
from igarape.config.params import read_params
from igarape.ensemble.decision import Rule
from igarape.errors import InputError
from igarape.learners.distillation import FILE
from igarape.learners.networks.merging import merge
from igarape.learners.predictor import Predictor
from igarape.serving import holdout
from igarape.serving.assembly import BundleSpec
from igarape.serving.bundle import Bundle
from igarape.serving.holdout import PackedChips
from igarape.serving.manifest import read_manifest
from igarape.serving.student import build_student, measure
from igarape.tables import Probabilities, read_catalog
from igarape.workspace import Workspace

WriteModel = Callable[[Path, int, int, int], Probabilities]
NAMES = ["test_0", "test_1", "test_2"]
LABELS = unlabelled.VOCABULARY.labels
RULE = Rule("threshold", unlabelled.VOCABULARY, 2.0, threshold=0.4)
STUDENT = taught(LABELS, size=unlabelled.SIZE)


@pytest.fixture
def built(tmp_path: Path, write_model: WriteModel) -> Workspace:
    """Give a project where a student was taught, and its bundle built."""
    here = unlabelled.lay_out(Workspace(tmp_path), NAMES)
    write_model(here.folder("distill") / FILE, unlabelled.SIZE, len(LABELS), 7)
    params = read_params(Path(__file__).parents[2] / "params.yaml")
    dataset = read_dataset("toy", here.datasets)
    shared = BundleSpec.of(params, dataset, RULE, merge, alerts={}, views=8)
    build_student(here, shared, STUDENT)
    return here


def raw(here: Workspace) -> Store:
    """Return the store of the pictures."""
    return Store(here.chips("raw"), read_catalog(here.catalog(), LABELS))


def test_the_bundle_answers_what_the_network_answers(built: Workspace) -> None:
    """Nothing stands between its probabilities and the ensemble's rule: no calibrator, no other learner."""
    images = np.stack([raw(built).rgb(name) for name in NAMES])
    expected = Predictor([built.folder("distill") / FILE]).predict(images, tta=False, batch=8)
    bundle = Bundle.load(built.student)
    np.testing.assert_allclose(bundle.probabilities(list(images)), expected, atol=1e-6)
    tags = [unlabelled.VOCABULARY.decode(row) for row in RULE.apply(expected)]
    assert bundle.tag(list(images))["tags"].tolist() == tags
    assert [learner.name for learner in bundle.manifest.learners] == ["pupil"]


def test_its_manifest_is_that_of_any_bundle(built: Workspace) -> None:
    """Nothing is left out of one network, and a file that was changed is refused."""
    manifest = read_manifest(built.student)
    assert manifest.left_out == () and set(manifest.files) == {"learners/pupil/folds.onnx", "stacker/stacker.json"}
    with (built.student / "stacker/stacker.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    with pytest.raises(InputError, match=r"stacker\.json"):
        Bundle.load(built.student)


def test_bundles_are_measured_in_turn(built: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fastest of several times of each chip, then the median; the first round does not count. Sizes are bytes."""
    spent = [9.0, 9.0, 0.002, 0.030, 0.004, 0.010]  # seconds: two bundles in turn, three rounds
    clock = iter(np.cumsum([part for each in spent for part in (0.0, each)]).tolist())
    monkeypatch.setattr("igarape.serving.holdout.time.perf_counter", lambda: next(clock))
    monkeypatch.setattr(holdout, "ROUNDS", 2)
    store = raw(built)
    bundle = Bundle.load(built.student, threads=1)
    sizes, times = measure([bundle, bundle], NAMES[:1], packed=PackedChips(store, store))
    assert times == pytest.approx([2.0, 10.0])
    files = [path for path in built.student.rglob("*") if path.is_file()]
    assert sizes == [sum(len(path.read_bytes()) for path in files) / 1e6] * 2
