"""A scene is judged by its answers and by how far its tiles lie from the training's: the worse of both counts."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import VOCABULARY

from igarape.scores.drift import Usual, learn_usual
from igarape.sites.model import Model, load_model
from igarape.sites.verdict import drift

LABELS = [f"p_{label}" for label in VOCABULARY.labels]


def scene(moved: float = 0.0, *, ood: float = 0.4, count: int = 40, seed: int = 0) -> pd.DataFrame:
    """Draw a map's tiles of one scene, sunny."""
    rng = np.random.default_rng(seed)
    ground = rng.normal(0, 1, 3) + rng.normal(0, 0.7, (count, 3)) + moved
    p = np.concatenate([np.tile([0.9, 0.1], (count, 1)), 1 / (1 + np.exp(-ground))], axis=1).astype(np.float32)
    return pd.DataFrame(p, columns=LABELS).assign(tile=[f"0_{place}" for place in range(count)], ood=ood)


@pytest.fixture(scope="module")
def usual() -> Usual:
    """Give what is usual of such scenes."""
    scenes = [scene(count=4, seed=seed) for seed in range(160)]
    p = pd.concat(scenes)[LABELS].to_numpy(dtype=np.float32)
    names = [str(seed) for seed in range(160) for _ in range(4)]
    found = learn_usual(p, names, np.repeat(np.arange(160) % 2 == 0, 4), VOCABULARY)
    assert found is not None
    return found


@dataclasses.dataclass(frozen=True)
class Knowing(Model):
    """A model that knows what is usual."""

    known: Usual | None = None

    @property
    def usual(self) -> Usual | None:
        """Return it."""
        return self.known


@pytest.fixture(scope="module")
def knowing(bundle_folder: Path, usual: Usual) -> Knowing:
    """Give the small bundle, as one that knows what is usual."""
    return Knowing(**vars(load_model(str(bundle_folder), Path())), known=usual)


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
def test_the_worse_of_both_counts(tiles: pd.DataFrame, verdict: str, knowing: Knowing) -> None:
    """Answers that are off, tiles that lie far, or most of them very far."""
    found = drift(tiles, knowing)
    assert found["verdict"] == verdict and len(found["strangest"]) == 10 and "why" not in found


def test_the_strangest_tile_comes_first(knowing: Knowing) -> None:
    """Those that were not looked at are not among them."""
    tiles = scene()
    tiles.loc[7, LABELS[2:]] = [0.999, 0.001, 0.999]
    tiles.loc[8:, [*LABELS, "ood"]] = np.nan
    found = drift(tiles, knowing)
    assert found["strangest"][0]["tile"] == "0_7" and len(found["strangest"]) == 8


def test_where_nobody_can_tell_it_says_why(knowing: Knowing) -> None:
    """A training of too few scenes, and a scene of clouds; the tiles that lie farthest are named all the same."""
    silent = dataclasses.replace(knowing, known=None)
    found = drift(scene(), silent)
    assert found["verdict"] is found["chance"] is None and "too few scenes" in found["why"]
    assert len(found["strangest"]) == 10
    assert drift(scene(ood=1.0), silent)["verdict"] == "not like training"
    clouds = scene().assign(p_sun=0.1, p_fog=0.9, ood=np.nan)
    assert drift(clouds, knowing)["why"] == "no ground was seen"
