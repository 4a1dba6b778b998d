"""What is answered is kept part by part, and not asked again."""

from pathlib import Path

import numpy as np
import pytest
from scenes import write_scene

from igarape.serving.bundle import Bundle
from igarape.sites import answers
from igarape.sites.bands import Bands
from igarape.sites.placement import own_grid
from igarape.sites.raster import on_grid
from igarape.sites.scene import open_scene


def test_a_part_that_is_kept_is_not_answered_again(
    tmp_path: Path, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run asks nothing and gives the same; tiles that hold nothing are rows without an answer."""
    for name in ("DOWN", "ACROSS"):
        monkeypatch.setattr(answers, name, 2)
    ground = np.random.default_rng(0).integers(1, 256, (3, 40, 48), dtype=np.uint8)
    ground[:, :16, :16] = 0
    path, bundle, kept = (
        write_scene(tmp_path / "a.tif", ground),
        Bundle.load(bundle_folder, threads=1),
        tmp_path / "kept",
    )
    kept.mkdir()
    told: list[int] = []
    with open_scene(path, bands=Bands(1, 2, 3), day="2024-05-31") as scene:
        raster = on_grid(scene, own_grid(scene, metres=3.0, size=16, stride=16))
        first = answers.answer_tiles(raster, bundle, kept, tables=None, report=lambda done, _: told.append(done))
        monkeypatch.setattr(bundle, "probabilities", None)
        again = answers.answer_tiles(raster, bundle, kept, tables=None, report=lambda done, _: told.append(done))
    assert told == [0, 4, 6, 8, 9, 9]
    assert first.tiles.equals(again.tiles) and (first.counts == again.counts).all()
    assert first.tiles["tags"].isna().tolist() == [True, *[False] * 8] and first.tiles["ood"].notna().sum() == 8
