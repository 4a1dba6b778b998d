"""A scene is judged by its answers and by how far its tiles lie from the training's: the worse of both counts."""

from copy import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import VOCABULARY

from igarape.scores.drift import DriftReference, fit_drift_reference
from igarape.serving.bundle import Bundle
from igarape.serving.input_drift import InputDrift, Window, drift_of_table, drift_warning, gauges, input_drift
from igarape.serving.loading import load_bundle
from igarape.serving.manifest import Answers
from igarape.serving.reference import drift_reference

LABELS = [f"p_{label}" for label in VOCABULARY.labels]


def scene(moved: float = 0.0, *, ood: float = 0.4, count: int = 40, seed: int = 0) -> pd.DataFrame:
    """Draw a map's tiles of one scene, sunny."""
    rng = np.random.default_rng(seed)
    ground = rng.normal(0, 1, 3) + rng.normal(0, 0.7, (count, 3)) + moved
    p = np.concatenate([np.tile([0.9, 0.1], (count, 1)), 1 / (1 + np.exp(-ground))], axis=1).astype(np.float32)
    return pd.DataFrame(p, columns=LABELS).assign(tile=[f"0_{place}" for place in range(count)], ood=ood)


@pytest.fixture(scope="module")
def usual() -> DriftReference:
    """Give what is usual of such scenes."""
    scenes = [scene(count=4, seed=seed) for seed in range(160)]
    p = pd.concat(scenes)[LABELS].to_numpy(dtype=np.float32)
    names = [str(seed) for seed in range(160) for _ in range(4)]
    found = fit_drift_reference(p, names, np.repeat(np.arange(160) % 2 == 0, 4), VOCABULARY)
    assert found is not None
    return found


def drift(tiles: pd.DataFrame, usual: DriftReference | None) -> InputDrift:
    """Judge the tiles of a map."""
    p, ood = tiles[LABELS].to_numpy(dtype=np.float32), tiles["ood"].to_numpy(dtype=np.float64)
    return input_drift(tiles["tile"].tolist(), p, ood, usual=usual, words=VOCABULARY)


@pytest.fixture(scope="module")
def knowing(bundle_folder: Path, usual: DriftReference) -> Bundle:
    """Give the small bundle, as one that knows what is usual."""
    bundle = load_bundle(str(bundle_folder))
    tables = {name: getattr(usual, name).tolist() for name in ("means", "between", "within")}
    answers = Answers(**tables, shape=usual.shape, scale=usual.scale, groups=usual.groups)
    reference = bundle.manifest.reference
    assert reference is not None
    known = reference.model_copy(update={"answers": answers})
    bundle.manifest = bundle.manifest.model_copy(update={"reference": known})
    return bundle


@pytest.mark.parametrize(
    ("tiles", "verdict"),
    [
        (scene(), "in range"),
        (scene(6.0), "not like training"),
        (scene(ood=1.0), "not like training"),
        (scene().assign(ood=np.where(np.arange(40) < 6, 1.0, 0.3)), "unusual"),
        (scene(6.0).assign(ood=np.nan), "not like training"),
    ],
)
def test_the_worse_of_both_counts(tiles: pd.DataFrame, verdict: str, usual: DriftReference) -> None:
    """Answers that are off, tiles that lie far, or most of them very far."""
    found = drift(tiles, usual)
    assert found.verdict == verdict and len(found.strangest) == 10 and not found.why


def test_the_strangest_tile_comes_first(usual: DriftReference) -> None:
    """Those that were not looked at are not among them."""
    tiles = scene()
    tiles.loc[7, LABELS[2:]] = [0.999, 0.001, 0.999]
    tiles.loc[8:, [*LABELS, "ood"]] = np.nan
    found = drift(tiles, usual)
    assert found.strangest[0][0] == "0_7" and len(found.strangest) == 8


def test_where_nobody_can_tell_it_says_why(usual: DriftReference) -> None:
    """A training of too few scenes, and a scene of clouds; the tiles that lie farthest are named all the same."""
    found = drift(scene(), None)
    assert (
        found.verdict is None and found.chance is None and "too few scenes" in found.why and len(found.strangest) == 10
    )
    assert drift(scene(ood=1.0), None).verdict == "not like training"
    assert drift(scene().assign(p_sun=0.1, p_fog=0.9, ood=np.nan), usual).why == "no ground was seen"


def answered(tiles: pd.DataFrame) -> pd.DataFrame:
    """Give a table of answers to pictures with these probabilities."""
    return tiles.assign(image_name=tiles["tile"].replace("0_21", "null"), tags="", warning="")


@pytest.mark.parametrize("ending", ["csv", "parquet", "PARQUET"])
def test_a_folder_of_other_pictures_is_told_with_those_to_label_first(
    tmp_path: Path, knowing: Bundle, ending: str
) -> None:
    """Nothing is said of one that is in range, nor of an empty one."""
    table = tmp_path / f"answers.{ending}"
    for tiles, begins in ((scene(), ""), (scene().iloc[:0], ""), (scene(6.0), "taken together these pictures are not")):
        rows = answered(tiles)
        rows.to_csv(table, index=False) if ending == "csv" else rows.to_parquet(table)
        found = drift_of_table(table, knowing)
        assert (found is None) == (not len(rows))
        line = drift_warning(found) if found else ""
        assert line.startswith(begins) and bool(line) == bool(begins)
    first = [name.replace("0_21", "null") for name, _ in drift(scene(6.0), usual_of_bundle(knowing)).strangest]
    assert line.split("first: ")[1] == ", ".join(first) and first[0] == "null"


def usual_of_bundle(bundle: Bundle) -> DriftReference:
    """Return what is usual of a bundle's answers."""
    assert bundle.manifest.reference is not None and bundle.manifest.reference.answers is not None
    return drift_reference(bundle.manifest.reference.answers)


def test_a_server_judges_what_it_has_seen_lately(knowing: Bundle, usual: DriftReference) -> None:
    """Old pictures are forgotten, and those that another model answered."""
    window = Window()
    assert gauges(*window.snapshot()) == {}
    window.add(answered(scene(6.0)), knowing)
    assert gauges(*window.snapshot())["drift"] == 2
    for seed in range(30):
        window.add(answered(scene(seed=seed)), knowing)
    found = gauges(*window.snapshot())
    assert found["drift"] == 0 and 1000 <= found["drift_pictures"] < 1040 and found["drift_chance"] > 0.05
    window.add(answered(scene(6.0)), copy(knowing))
    assert gauges(*window.snapshot())["drift_pictures"] == 40
