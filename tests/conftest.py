"""Parts that several tests need: tiny models, a small bundle, an outbox, a full disk, a registry, a browser."""

import re
import resource
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

import hypothesis
import mlflow
import numpy as np
import onnx
import pytest
import tifs
import xgboost
from contest import answers_of, compete
from filelock import FileLock
from mlflow import MlflowClient
from onnx import TensorProto, helper, numpy_helper
from opinions import boosted
from small_stream import NAME, lay_out

from igarape.chips.pictures import Pixels
from igarape.config.documents import OperatingPoint
from igarape.ensemble.decision import Rule
from igarape.labels import Vocabulary
from igarape.learners.networks.merging import merge
from igarape.learners.novelty import Novelty
from igarape.learners.trees.forest import Trees
from igarape.learners.trees.statistics import names, statistics
from igarape.scores.answers import TABLE
from igarape.serving.assembly import BundleSpec, build_bundle
from igarape.serving.manifest import Learner, Reference
from igarape.serving.registration import register
from igarape.tables import Probabilities, write_table
from igarape.tracking.address import new_experiment
from igarape.tracking.outbox import Outbox
from igarape.workspace import Workspace

# A machine that does other things beside the tests is slow now and then: that is no fault of what is tested. A change
# is judged by the same examples each time; the workflow of each week looks for new ones, --hypothesis-profile looking.
hypothesis.settings.register_profile("igarape", deadline=None, derandomize=True)
hypothesis.settings.register_profile("looking", deadline=None)
hypothesis.settings.load_profile("igarape")

VOCABULARY = Vocabulary(exclusive=("sun", "fog"), alone=("fog",), common=("tree", "pond"), rare=("kiln",))
HAZE = {
    "patch": 3,
    "top": 0.01,
    "darkest": 0.5,
    "brightest": 0.9,
    "tint": 0.05,
    "colour": 0.5,
    "window": 5,
    "clear": 0.05,
    "opaque": 0.1,
    "floor": 0.2,
    "radius": 4,
    "epsilon": 1e-2,
    "subsample": 1,
    "quality": 95,
}
SIZE = 16
WHITE = 12800
LEVELS = {"10": (40.0, 50.0, 60.0), "50": (90.0, 100.0, 110.0), "90": (190.0, 200.0, 210.0)}
REFERENCE = Reference(metres=3.0, levels=LEVELS, answers=None)
Kind = tuple[str, Literal["raw", "dehazed", "nir"], int, bool]

WriteModel = Callable[[Path, int, int, int], Probabilities]
WriteTrees = Callable[[Path, int, int, int], Path]
Once = Callable[[str, Callable[[Path], None]], Path]


def write_model(path: Path, size: int, outputs: int, seed: int) -> Probabilities:
    """Write a fold model, sigmoid(pixels @ weights), and return its weights (size * size * 3, outputs)."""
    pixels = size * size * 3
    weights = np.random.default_rng(seed).normal(0, 3 / (128 * pixels**0.5), (pixels, outputs)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["pictures"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
            helper.make_node("Sigmoid", ["logits"], ["p"]),
        ],
        "linear",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, [None, size, size, 3])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, [None, outputs])],
        [numpy_helper.from_array(weights, "weights")],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), str(path))
    return weights


@pytest.fixture(name="write_model", scope="session")
def _write_model() -> WriteModel:
    """Give write_model."""
    return write_model


def write_trees(stem: Path, size: int, outputs: int, seed: int) -> Path:
    """Write a fold model of trees that were boosted on noise, and return its path."""
    rng = np.random.default_rng(seed)
    table = statistics(rng.integers(0, 256, (20, size, size, 3), dtype=np.uint8))
    matrix = xgboost.DMatrix(table, rng.random((20, outputs)) < 0.5, feature_names=names())
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1, "eta": 1.0}, matrix, num_boost_round=3)
    return Trees.of(booster, size=size, labels=outputs).export(stem)


@pytest.fixture(name="write_trees", scope="session")
def _write_trees() -> WriteTrees:
    """Give write_trees."""
    return write_trees


@pytest.fixture(scope="session")
def bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a bundle for pictures of 16 x 16: learners raw, dehazed and rare, of two folds; XGBoost; a threshold."""
    kinds: tuple[Kind, ...] = (
        ("plain", "raw", 16, True),
        ("clear", "dehazed", 8, False),
        ("rare", "raw", 8, True),
    )
    return make_bundle(tmp_path_factory, kinds, nir=None)


@pytest.fixture(scope="session")
def nir_bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a bundle like that one of a learner on pictures and one on near-infrared."""
    kinds: tuple[Kind, ...] = (("plain", "raw", 16, True), ("leafy", "nir", 8, True))
    return make_bundle(tmp_path_factory, kinds, nir={"white": WHITE})


@pytest.fixture(scope="session")
def alert_bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a bundle like that one of one learner, with two alerts; that of kiln goes off always, the other never."""
    point = OperatingPoint(
        asked=0.8,
        threshold=0.0,
        positives=3,
        precision=None,
        precision_interval=None,
        recall=0.5,
        recall_interval=(0.1, 0.9),
    )
    never = point.model_copy(update={"threshold": 1.0})
    kinds: tuple[Kind, ...] = (("plain", "raw", 16, True),)
    return make_bundle(tmp_path_factory, kinds, nir=None, alerts={"sun": never, "kiln": point})


@pytest.fixture(scope="session")
def tabular_bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a bundle like that one of a network and of trees."""
    kinds: tuple[Kind, ...] = (("plain", "raw", 16, True), ("tabular", "raw", 32, False))
    return make_bundle(tmp_path_factory, kinds, nir=None)


def make_bundle(
    factory: pytest.TempPathFactory,
    kinds: Sequence[Kind],
    *,
    nir: dict[str, int] | None,
    alerts: dict[str, OperatingPoint] | None = None,
) -> Path:
    """Build a bundle of two fold models for each kind of learner: its name, the chips it sees, its size, tta.

    The one named tabular is trees; the others are linear networks.
    """
    parts = factory.mktemp("parts")
    learners = []
    for seed, (name, chips, size, tta) in enumerate(kinds):
        labels = VOCABULARY.subset("rare" if name == "rare" else "all")
        paths = []
        for fold in range(2):
            stem, shape = parts / name / f"fold-{fold}", (size, len(labels), 10 * seed + fold)
            paths.append(stem.with_suffix(".onnx"))
            if name == "tabular":
                paths[fold] = write_trees(stem, *shape)
            else:
                write_model(paths[fold], *shape)
        learners.append(
            Learner(name=name, chips=chips, size=size, labels=labels, tta=tta, files=tuple(map(str, paths)))
        )
    rng = np.random.default_rng(0)
    boosted(
        {learner.name: rng.random((200, len(learner.labels)), dtype=np.float32) for learner in learners},
        rng.random((200, len(VOCABULARY.labels))) < 0.4,
        learners={learner.name: learner.labels for learner in learners},
        labels=VOCABULARY.labels,
    ).save(parts / "stacker")
    folder = factory.mktemp("evaluate") / "bundle"
    shared = BundleSpec(
        dataset="toy",
        size=SIZE,
        reading={"resize": "refuse", "bands": (), "white": None},
        dehaze=HAZE,
        nir=nir,
        rule=Rule("threshold", VOCABULARY, 2.0, threshold=0.4),
        alerts=alerts or {},
        views=8,
        novelty=usual_noise(),
        merge=merge,
        reference=REFERENCE,
    )
    build_bundle(folder, shared, learners=learners, stacker=parts / "stacker")
    return folder


def usual_noise() -> Novelty:
    """Say that pictures of noise are usual."""
    noise = np.random.default_rng(0).integers(0, 256, (24, SIZE, SIZE, 3), dtype=np.uint8)
    return Novelty.fit(noise[:16], noise[16:])


@pytest.fixture(autouse=True)
def _own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget afterwards where MLflow, when it loads a model, puts that model's copy of igarape."""
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def plugin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder of one's own: a plugin is looked for in the folder that we stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def empty_database(once: Once) -> Path:
    """Let MLflow make a database; that takes seconds, a copy does not."""

    def make(folder: Path) -> None:
        MlflowClient(f"sqlite:///{folder}/mlflow.db")

    return once("template", make) / "mlflow.db"


@pytest.fixture
def registry(empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with params.yaml for the data set toy, and an empty registry in mlflow.db that MLflow uses."""
    found_registry(empty_database, tmp_path, monkeypatch)
    return tmp_path


def found_registry(empty_database: Path, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Lay params.yaml and an empty database into a folder, and let MLflow use that."""
    shutil.copy(empty_database, folder)
    settings = (Path(__file__).parents[1] / "params.yaml").read_text(encoding="utf-8")
    (folder / "params.yaml").write_text(re.sub("(?m)^dataset: .*$", "dataset: toy", settings), encoding="utf-8")
    patch.delenv("MLFLOW_RUN_ID", raising=False)
    patch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")


@pytest.fixture(scope="session")
def contested(once: Once, empty_database: Path, bundle_folder: Path) -> Path:
    """Make a project with two versions, of which the second is worse."""

    def make(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            found_registry(empty_database, folder, patch)
            compete(Workspace(folder), bundle_folder, draw(40))

    return once("contested", make)


@pytest.fixture
def contest(contested: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give a copy of that project, which MLflow uses."""
    here = shutil.copytree(contested, tmp_path / "project")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{here}/mlflow.db")
    return Workspace(here)


@pytest.fixture
def champion(registry: Path, bundle_folder: Path) -> Path:
    """Register the small bundle and promote it; give the registry's folder."""
    crown(bundle_folder, registry)
    return registry


@pytest.fixture
def nir_champion(registry: Path, nir_bundle_folder: Path) -> Path:
    """Register the bundle that needs near-infrared and promote it; give the registry's folder."""
    crown(nir_bundle_folder, registry)
    return registry


def crown(bundle: Path, folder: Path, **tags: str) -> None:
    """Register a bundle in a folder's registry and make it the champion, as the first version of a model becomes it.

    tags: the version's.
    """
    experiment = new_experiment("igarape/register", MlflowClient(), mlflow.get_tracking_uri())
    table = folder / TABLE
    write_table(answers_of(bundle, draw(5)).table(), table)
    with mlflow.start_run(experiment_id=experiment) as run:
        register(bundle, table, name="igarape-toy", tags=tags, description="small", run_id=run.info.run_id)
    MlflowClient().set_registered_model_alias("igarape-toy", "champion", "1")


def draw(n: int, size: int = SIZE) -> list[Pixels]:
    """Draw pictures of noise over a ramp: no two alike, and none the same when turned."""
    noise = np.random.default_rng(5).integers(0, 128, (n, size, size, 3))
    return list((noise + np.arange(0, 128, 128 // size)[None, :size, None, None]).astype(np.uint8))


@pytest.fixture
def images() -> list[Pixels]:
    """Give five pictures of the size that the bundle takes."""
    return draw(5)


@pytest.fixture
def tif_files(images: list[Pixels]) -> list[bytes]:
    """Give a TIF of four bands of each of those pictures."""
    return [tifs.written(tifs.sensed(image, seed)) for seed, image in enumerate(images)]


class Page(HTMLParser):
    """What a browser would see: the text, the tags, and every address that it would load or link."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags, self.addresses, self.open = "", set[str](), list[str](), list[str]()
        self.attributes = set[str]()
        self.feed(html.replace("<wbr/>", ""))  # where a line may go on: nothing to be seen
        self.close()
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect tag, attributes and addresses; remember what stays open (voids and self-closed SVG parts do not)."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "data", "poster"}]
        if tag not in {"meta", "img", "link", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a part that closes itself."""
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost tag, which must be this one."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect what is read, not the style."""
        if self.open and self.open[-1] != "style":
            self.text += data + " "


@pytest.fixture(scope="session")
def browse() -> type[Page]:
    """Give what a browser would see of a page."""
    return Page


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Once:
    """Give what lets one of all workers make a folder, NAME, which each of them may look at and copy."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent

    def made(name: str, make: Callable[[Path], None]) -> Path:
        folder, done = shared / "once" / name, shared / f"{name}.done"
        with FileLock(shared / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a worker that failed
                folder.mkdir(parents=True)
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def small_stream(once: Once) -> Path:
    """Run a small stream from its first step to its last; for looking, and for copying."""
    return once(NAME, lay_out)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """Give an outbox that nothing has been written into."""
    begun = Outbox.begin(tmp_path / "spool" / "search.1")
    yield begun
    begun.close(remove=False)


@pytest.fixture
def bounded() -> Iterator[Callable[[int], None]]:
    """Give what bounds the size of files, as a full disk does; the bound is lifted afterwards."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
