"""scene_map: `igarape map` of a scene, against the bundle's own answers to the same tiles in memory.

By processor time, in turns in one process. Measured beside: reader and writer alone, with a model that costs nothing;
and how much memory scenes of 5,000, 10,000 and 20,000 px take above the bundle, `python bench/scene_map.py` these only.
"""

import copy
import dataclasses
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio
import xgboost
from rasterio import Affine
from rasterio.windows import Window
from turns import by_turns

from igarape.chips.pictures import Pixels
from igarape.ensemble.decision import Rule
from igarape.ensemble.linear import single_weights
from igarape.ensemble.stacker import Stacker
from igarape.labels import Vocabulary
from igarape.learners.memory import keep_memory
from igarape.learners.novelty import Novelty
from igarape.learners.trees.forest import Trees
from igarape.learners.trees.statistics import names, statistics
from igarape.serving.assembly import BundleSpec, build_bundle
from igarape.serving.bundle import BATCH
from igarape.serving.manifest import Learner, Reference
from igarape.sites.bands import Bands
from igarape.sites.mapping import MapOptions, map_scene
from igarape.sites.model import Model, load_model

SIZE, SEEN = 256, 128
ROUNDS = 5
SIDE, SIDES = 4096, (5_000, 10_000, 20_000)
LAYOUTS: dict[str, dict[str, object]] = {
    "striped": {"blockysize": 1},
    "tiled": {"tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate", "zlevel": 1},
}
VOCABULARY = Vocabulary((), (), ("road", "water"), ())
DEHAZE = {"patch": 15}
ASKED = MapOptions(bands=Bands(1, 2, 3), day="2024-05-31")


def run() -> dict[str, object]:
    """Return the processor seconds of a map of some tiles, and of the bundle's answers to them in memory."""
    cv2.setNumThreads(1)
    keep_memory()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        model = load_model(str(_bundle(folder)))
        _scene(folder / "scene.tif", SIDE)
        tiles = _tiles(folder / "scene.tif")
        model.bundle.tag(tiles[:BATCH])  # what is loaded at first use
        _map(folder / "scene.tif", free(model), folder / "first")
        timed = by_turns(
            lambda out: _map(folder / "scene.tif", model, out),
            lambda _: [model.bundle.tag(tiles[at : at + BATCH]) for at in range(0, len(tiles), BATCH)],
            rounds=ROUNDS,
            clock=time.process_time,
        )
        alone = _seconds(lambda: _map(folder / "scene.tif", free(model), folder / "alone"))
    # Both answer the same tiles: the map's tiles a second, as a share of the bundle's own.
    return {**timed, "ratio": timed["peer"] / timed["ours"], "n": len(tiles), "alone": len(tiles) / alone, **peaks()}


def peaks() -> dict[str, float]:
    """Return the megabytes that mapping takes above the bundle, by how a scene is laid out and by its side."""
    with tempfile.TemporaryDirectory() as made:
        _bundle(Path(made))
        return {f"mb_{name}_{side}": _peak(Path(made), side, name) for name in LAYOUTS for side in SIDES}


def free(model: Model) -> Model:
    """Return a model that answers at no cost."""
    bundle: Any = copy.copy(model.bundle)
    bundle.novelty = None
    bundle.probabilities = lambda images, _nir=None: np.full((len(images), 2), 0.3, dtype=np.float32)
    return dataclasses.replace(model, bundle=bundle)


def _seconds(work: Any) -> float:
    """Return the processor time that some work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def _map(scene: Path, model: Model, out: Path) -> None:
    """Map a scene into a folder."""
    map_scene(scene, out / "map", model=model, asked=ASKED, report=lambda _done, _total: None)


def _peak(folder: Path, side: int, layout: str) -> float:
    """Return the megabytes that mapping a scene of some side takes above the bundle, in a process of its own."""
    scene = folder / f"{side}.tif"
    _scene(scene, side, layout)
    words = [sys.executable, str(Path(__file__)), str(folder / "bundle"), str(scene)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    scene.unlink()
    shutil.rmtree(_out(scene))
    return float(done.stdout.split()[-1])


def _out(scene: Path) -> Path:
    """Return the folder of a scene's map."""
    return scene.parent / f"of-{scene.stem}"


def _above(bundle: Path, scene: Path) -> float:
    """Return by how many megabytes the peak of a map lies above what the loaded bundle takes."""
    keep_memory()
    model = load_model(str(bundle))
    model.bundle.tag([np.zeros((SIZE, SIZE, 3), dtype=np.uint8)] * BATCH)
    before = _megabytes("VmRSS")
    _map(scene, free(model), _out(scene))
    return _megabytes("VmHWM") - before


def _megabytes(what: str) -> float:
    """Return the memory of this process now (VmRSS), or at its peak (VmHWM): rusage counts the parent's too."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{what}:"))) / 1024


def _scene(path: Path, side: int, layout: str = "striped") -> None:
    """Write a scene of noise over slow changes."""
    noise = np.random.default_rng(0).integers(1, 60, (3, 256, side), dtype=np.uint8)
    place = {"crs": "EPSG:32718", "transform": Affine(3, 0, 510_000, 0, -3, 9_081_000)}
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=3, dtype="uint8", **LAYOUTS[layout], **place
    ) as file:
        for top in range(0, side, 256):
            rows = min(256, side - top)
            file.write(noise[:, :rows] + np.uint8(top * 190 // side), window=Window(0, top, side, rows))


def _tiles(path: Path) -> list[Pixels]:
    """Return the tiles of a scene at half a tile's stride."""
    with rasterio.open(path) as file:
        rgb = np.moveaxis(file.read(), 0, -1)
    starts = range(0, rgb.shape[0] - SIZE + 1, SIZE // 2)
    return [np.ascontiguousarray(rgb[row : row + SIZE, column : column + SIZE]) for row in starts for column in starts]


def _bundle(folder: Path) -> Path:
    """Build a bundle of one learner, trees on statistics, and of novelty: the cheapest that a stream has."""
    rng = np.random.default_rng(0)
    seen = rng.integers(0, 256, (40, SEEN, SEEN, 3), dtype=np.uint8)
    matrix = xgboost.DMatrix(statistics(seen), rng.random((40, 2)) < 0.5, feature_names=names())
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1}, matrix, num_boost_round=50)
    trees = Trees.of(booster, size=SEEN, labels=2).export(folder / "fold-0")
    labels = VOCABULARY.labels
    Stacker("single", labels, {"tabular": labels}, single_weights("tabular", {"tabular": labels}, labels)).save(
        folder / "stacker"
    )
    shared = BundleSpec(
        dataset="bench",
        size=SIZE,
        reading={"resize": "refuse", "bands": (), "white": None},
        dehaze=DEHAZE,
        nir=None,
        reference=Reference(metres=3.0, levels={}, answers=None),
        views=8,
        rule=Rule("fixed", VOCABULARY, 2.0, threshold=0.2),
        alerts={},
        novelty=Novelty.fit(seen[:30], seen[30:]),
        merge=lambda _files, _path: None,
    )
    learner = Learner(name="tabular", chips="raw", size=SEEN, labels=labels, tta=False, files=(str(trees),))
    build_bundle(folder / "bundle", shared, learners=[learner], stacker=folder / "stacker")
    return folder / "bundle"


if __name__ == "__main__":
    print(_above(Path(sys.argv[1]), Path(sys.argv[2])) if len(sys.argv) > 1 else peaks())
