"""A small project in which the tracked steps have run, from packed chips to the decision."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import clusters
import numpy as np
import onnx
import pandas as pd
import pytest
import tifs
import tiny
import yaml
from onnx import numpy_helper
from servers import Server

from igarape.chips.catalog import pack_chips
from igarape.chips.chip import Chip, Encoded
from igarape.chips.corrections import apply_corrections
from igarape.chips.faults import fault_table
from igarape.chips.pictures import decode, encode_jpeg
from igarape.chips.shards import open_shard
from igarape.config.best import Best
from igarape.config.documents import RunFacts
from igarape.labels import Vocabulary
from igarape.learners import folds
from igarape.learners import search as searching
from igarape.learners.learning import Training
from igarape.stages import decide, dehaze, distill, nir, search, split, stack, train
from igarape.tables import Fault, Probabilities, write_table
from igarape.workspace import Workspace

ROOT = Path(__file__).parents[2]
LABELS = {"exclusive": ["sun", "fog"], "alone": ["fog"], "common": ["tree", "pond"], "rare": ["kiln"]}
VOCABULARY = Vocabulary(**{name: tuple(labels) for name, labels in LABELS.items()})
DATASET = {
    "source": {"kind": "drawn", "chips": 60, "side": 2},
    "note": "",
    "resolution": None,
    "size": 64,
    "labels": LABELS,
    "params": {"experiments": ["tiny", "rare"]},
}
TINY = tiny.CONTENT | {
    "objective": "map",
    "batch": 16,
    "hyperparameters": tiny.HYPERPARAMETERS
    | {"learning_rate": {"low": 0.003, "high": 0.03, "scale": "log"}, "dropout": 0.1},
}
RARE = TINY | {
    "labels": "rare",
    "chips": "dehazed",
    "hyperparameters": TINY["hyperparameters"] | {"learning_rate": 0.01},
}
COLOURS = tiny.TABULAR | {"hyperparameters": tiny.TREE_HYPERPARAMETERS | {"depth": {"choice": [1, 2]}}}
LEAFY = RARE | {"chips": "nir"}
CHANGES = {
    "seed": 1,
    "dataset": "toy",
    "experiments": ["tiny", "rare"],
    "split": {"folds": 2, "holdout": 0.25, "by": "scene", "hamming": 40, "ratio": 0.7, "correlation": 0.5},
    "search": {"tuner": "random", "trials": 2, "budget": 0.5, "parallel": 1},
    "train": {"budget": 1.0, "validation": 0.2, "patience": 5},
}
LOCK = """\
schema: '2.0'
stages:
  ingest:
    outs:
    - {path: data/ingest, hash: md5, md5: aaa.dir, size: 5}
"""

FAULTS = (
    Fault("gone", "cannot be read", "fetch it again", left_out=True),
    Fault("chip-00", "may be two labels", "look at it", left_out=False),
    Fault("chip-01", "may be two labels", "look at it", left_out=False),
)

WriteModel = Callable[[Path, int, int, int], Probabilities]
OddStream = Callable[..., Workspace]


def chips() -> Iterator[Chip]:
    """Make 60 chips, two of them to a scene: fog is bright, and a kiln is a red spot."""
    rng = np.random.default_rng(3)
    for row in range(60):
        scene = row // 2
        tags = (
            ["fog"]
            if scene % 5 == 0
            else ["sun", *(["tree"] if scene % 2 else ["pond"]), *(["kiln"] if scene % 3 == 1 else [])]
        )
        image = rng.integers(150, 256, (64, 64, 3)) if "fog" in tags else rng.integers(0, 106, (64, 64, 3))
        if "kiln" in tags:
            image[20:40, 20:40] = (255, 0, 0)
        data = encode_jpeg(image.astype(np.uint8), 95)
        yield Chip(
            image_id=f"chip-{row:02d}", origin=Encoded(data), tags=tuple(tags), split="train", group=f"scene-{scene}"
        )


def configure(here: Workspace, name: str, content: Any) -> None:
    """Write a YAML file, as it stands in the configuration, below a comment."""
    path = here.root / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"# Asks: {name}?\n{yaml.safe_dump(content, sort_keys=False)}", encoding="utf-8")


def lay_out(
    here: Workspace,
    *,
    labels: Mapping[str, list[str]] = LABELS,
    learners: Mapping[str, Any] = MappingProxyType({"tiny": TINY, "rare": RARE}),
    packed: Callable[[], Iterator[Chip]] = chips,
) -> None:
    """Write the configuration of a small project, pack its chips, and report some faults."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")) | CHANGES
    params |= {"experiments": list(learners)}
    params["stack"] |= {"rounds": 5, "use": "best"}
    params["evaluate"] |= {"resamples": 100, "check": 8}
    contents = {"params": params, "datasets/toy": DATASET | {"labels": dict(labels)}}
    contents |= {f"experiments/{name}": content for name, content in learners.items()}
    for name, content in contents.items():
        configure(here, name, content)
    here.lock.write_text(LOCK, encoding="utf-8")
    vocabulary = Vocabulary(**{name: tuple(each) for name, each in labels.items()})
    with open_shard(here.chips("raw") / "shard-00000.tar") as shard:
        tables = pack_chips(packed(), shard, vocabulary=vocabulary, size=64)
    tables["faults"] = pd.concat([tables["faults"], fault_table(FAULTS)], ignore_index=True)
    tables = apply_corrections(tables, {}, vocabulary, where="")
    for name, table in tables.items():
        write_table(table, here.chips("raw") / f"{name}.parquet")


def pretend(patch: pytest.MonkeyPatch, write_model: WriteModel) -> None:
    """Replace trainings by random linear models, for learners whose networks are not looked at."""

    @dataclass(frozen=True)
    class Pretended:
        seed: int
        labels: int
        from_kept: bool = False

        def predict(self, images: Any, rows: Any, *, tta: bool) -> Probabilities:
            return np.full((len(rows), self.labels), 0.5, dtype=np.float32)

        def export(self, stem: Path) -> Path:
            path = stem.with_name(f"{stem.name}.onnx")
            write_model(path, 32, self.labels, self.seed)
            return path

    def fit(asked: Training, **_: Any) -> Pretended:
        asked.log(0, {"loss": 1.0, "val_loss": 1.0, "val_f2": 0.5, "val_map": 0.5})
        return Pretended(asked.seed, asked.y.shape[1])

    patch.setattr(searching, "fit", fit)
    patch.setattr(folds, "fit", fit)


@pytest.fixture(scope="session")
def stream(
    once: Callable[[str, Callable[[Path], None]], Path],
    tmp_path_factory: pytest.TempPathFactory,
    empty_database: Path,
    write_model: WriteModel,
) -> Workspace:
    """Run the steps from dehaze to decide, and give this worker's copy. Tiny is trained, rare pretends to be."""

    def make(folder: Path) -> None:
        here = Workspace(folder)
        shutil.copy(empty_database, folder)
        with pytest.MonkeyPatch.context() as patch:
            settle(here, patch)
            lay_out(here)
            run_steps(here, write_model)

    return Workspace(Path(shutil.copytree(once("steps", make), tmp_path_factory.mktemp("stream") / "copy")))


def run_steps(here: Workspace, write_model: WriteModel) -> None:
    """Run the steps from dehaze to decide."""
    dehaze.run(here)
    nir.run(here)
    split.run(here)
    search.run(here, "tiny")
    train.run(here, "tiny")
    with pytest.MonkeyPatch.context() as patch:
        pretend(patch, write_model)
        search.run(here, "rare")
        train.run(here, "rare")
    stack.run(here)
    decide.run(here)
    distill.run(here)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """Give a cluster of three nodes on this machine: a head that does no tasks, and two of one processor."""
    with clusters.started(2) as cluster:
        yield cluster


@pytest.fixture
def begun(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give a project in which nothing was trained yet: chips, folds, and for tiny what a search might have found."""
    here = Workspace(tmp_path / "begun")
    here.root.mkdir()
    shutil.copy(empty_database, here.root)
    settle(here, monkeypatch)
    lay_out(here, learners={"tiny": TINY})
    split.run(here)
    values = tiny.values(learning_rate=0.01, dropout=0.1)
    Best("tiny", values, score=0.5, trial="trial-0").write(here.folder("search", "tiny"))
    RunFacts(run_id="unknown").write(here.run("search", "tiny"))
    return here


@pytest.fixture(name="settle", scope="session")
def _settle() -> Callable[[Workspace, pytest.MonkeyPatch], None]:
    """Give settle."""
    return settle


def settle(here: Workspace, patch: pytest.MonkeyPatch) -> None:
    """Let steps track to a project's own database, and see no git."""
    patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{here.root}/mlflow.db")
    patch.setenv("GIT_CEILING_DIRECTORIES", str(here.root.parent))
    patch.setenv("IGARAPE_WORKERS", "2")
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
        patch.delenv(name, raising=False)


@pytest.fixture
def project(stream: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give the project in which the steps have run; for looking only."""
    settle(stream, monkeypatch)
    return stream


@pytest.fixture
def copy(stream: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give a copy of that project, to change things and run steps again."""
    here = Workspace(tmp_path / "copy")
    shutil.copytree(stream.root, here.root, ignore=shutil.ignore_patterns("mlruns", "reports"))
    settle(here, monkeypatch)
    return here


@pytest.fixture
def server(copy: Workspace, empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Let such a copy track to a real server, which runs."""
    (tmp_path / "server").mkdir()
    shutil.copy(empty_database, tmp_path / "server")
    started = Server(tmp_path / "server")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", started.uri)
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    started.start()
    yield started
    started.stop()


@pytest.fixture
def first_epoch() -> Callable[[Callable[..., Any], Callable[[], None]], Callable[..., Any]]:
    """Give what makes a training that does something, once, in the first epoch of all that it trains."""

    def of(fit: Callable[..., Any], happens: Callable[[], None]) -> Callable[..., Any]:
        told: list[int] = []

        def trained(training: Training, **words: Any) -> Any:
            def log(epoch: int, metrics: Any) -> None:
                told.append(epoch)
                if len(told) == 1:
                    happens()
                training.log(epoch, metrics)

            return fit(replace(training, log=log), **words)

        return trained

    return of


@pytest.fixture
def kill_at(copy: Workspace) -> Callable[[str, str], None]:
    """Give what runs a step for tiny in a process of its own, and kills that as soon as a file is there, not empty.

    In such a copy. Where such a file is there already: as soon as it is there again, or another one is.
    """

    def run(step: str, pattern: str) -> None:
        there = {path: path.stat().st_mtime_ns for path in copy.root.glob(pattern)}
        imports = f"from igarape.stages import {step}; from igarape.workspace import Workspace"
        program = f"{imports}; {step}.run(Workspace.find(), 'tiny')"
        with subprocess.Popen([sys.executable, "-c", program], cwd=copy.root) as process:
            while process.poll() is None:
                found = {path: path.stat() for path in copy.root.glob(pattern)}
                if any(now.st_size and there.get(path) != now.st_mtime_ns for path, now in found.items()):
                    process.kill()
                    break
                time.sleep(0.002)
        assert process.returncode == -signal.SIGKILL, f"{step} has ended before {pattern} was there"

    return run


@pytest.fixture
def coloured(copy: Workspace) -> Workspace:
    """Give such a copy where another learner, colours, has been searched and trained: trees, not a network."""
    params = yaml.safe_load(copy.params.read_text(encoding="utf-8"))
    configure(copy, "params", params | {"experiments": [*params["experiments"], "colours"]})
    configure(copy, "experiments/colours", COLOURS)
    search.run(copy, "colours")
    train.run(copy, "colours")
    return copy


@pytest.fixture
def odd(tmp_path: Path, empty_database: Path, write_model: WriteModel, monkeypatch: pytest.MonkeyPatch) -> OddStream:
    """Give what runs the steps to train where labels, tags or learners are odd; all learners pretend to be trained.

    labels, learners: as in the data set's YAML and in experiments/. tags: those of a chip, by its number and its usual
    ones. sure: whether fold models answer 0 or 1 and nothing between.
    """

    def run(
        labels: Mapping[str, list[str]],
        tags: Callable[[int, tuple[str, ...]], tuple[str, ...]],
        learners: list[str],
        *,
        sure: bool,
    ) -> Workspace:
        def write(path: Path, size: int, outputs: int, seed: int) -> Probabilities:
            weights = write_model(path, size, outputs, seed)
            if sure:
                model = onnx.load(str(path))
                (known,) = model.graph.initializer
                known.CopyFrom(numpy_helper.from_array(weights * np.float32(1e5), known.name))
                onnx.save(model, str(path))
            return weights

        here = Workspace(tmp_path / "odd")
        here.root.mkdir()
        shutil.copy(empty_database, here.root)
        settle(here, monkeypatch)
        values = {"hyperparameters": RARE["hyperparameters"] | {"tta": False}, "chips": "raw"}  # no mean of views
        named = {"tiny": TINY | values, "rare": RARE | values}
        lay_out(
            here,
            labels=labels,
            learners={name: named[name] for name in learners},
            packed=lambda: (replace(chip, tags=tags(row, tuple(chip.tags))) for row, chip in enumerate(chips())),
        )
        nir.run(here)
        split.run(here)
        with pytest.MonkeyPatch.context() as patch:
            pretend(patch, write)
            for name in learners:
                search.run(here, name)
                train.run(here, name)
        return here

    return run


@pytest.fixture
def leafless(copy: Workspace) -> Workspace:
    """Give such a copy where another learner, leafy, wants near-infrared; the data set names no TIFs."""
    configure(copy, "experiments/leafy", LEAFY)
    return copy


@pytest.fixture
def leafy(leafless: Workspace, write_model: WriteModel, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give such a copy where each chip has a TIF in chips/tifs, and leafy pretends to be trained on it."""
    source = {"kind": "folder", "images": "train", "tags": "tags.csv", "unlabelled": [], "nir": "tifs"}
    params = yaml.safe_load(leafless.params.read_text(encoding="utf-8"))
    configure(leafless, "datasets/toy", DATASET | {"source": source})
    listed = {"experiments": [*params["experiments"], "leafy"], "stack": params["stack"] | {"use": "mean"}}
    configure(leafless, "params", params | listed)  # in the mean each learner has a say
    folder = leafless.root / "chips/tifs"
    monkeypatch.setenv("IGARAPE_DATA", str(folder.parent))
    monkeypatch.setenv("IGARAPE_WORKERS", "1")
    folder.mkdir(parents=True)
    for chip in chips():
        seen = tifs.sensed(decode(chip.origin.read(), chip.image_id))
        (folder / f"{chip.image_id}.tif").write_bytes(tifs.written(seen))
    nir.run(leafless)
    pretend(monkeypatch, write_model)
    search.run(leafless, "leafy")
    train.run(leafless, "leafy")
    return leafless
