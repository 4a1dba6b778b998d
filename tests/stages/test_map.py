"""map: scenes to maps with a registered model; one bad scene costs one row of the list, not the run."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from click.testing import CliRunner
from conftest import draw
from scenes import mosaic, write_item, write_scene

from igarape.cli import main
from igarape.errors import InputError
from igarape.serving.bundle import Bundle
from igarape.stages import map as stage
from igarape.workspace import Workspace

BANDS, DAY = "r=1,g=2,b=3", "2024-05-31"


@pytest.fixture
def scene(champion: Path) -> Path:
    """Lay twelve chips as one scene beside a registry."""
    return write_scene(champion / "inbox/scene.tif", mosaic(draw(12), 4))


def test_the_champion_maps_a_scene(scene: Path, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the command line: all files are there, and the tiles' tags are those that predict gives to the chips."""
    monkeypatch.chdir(scene.parent)
    words = ["map", "scene.tif", "--bands", BANDS, "--date", DAY, "--stride", "16", "--out", "maps", "--gpkg"]
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    folder = scene.parent / "maps/scene"
    files = ["item.json", "map.json", "map.tif", "tags.geojson", "tags.gpkg", "tiles.parquet"]
    assert sorted(path.name for path in folder.iterdir()) == files
    said = json.loads((folder / "map.json").read_text(encoding="utf-8"))
    counts = ", ".join(f"{tag} {count}" for tag, count in said["tags"].items())
    assert f"maps/scene/map.json: 12 of 12 tiles looked at: {counts}\n" in result.output
    assert said["model"] == "models:/igarape-toy/1" and said["date"] == DAY and said["scene"] == "scene.tif"
    tiles = pd.read_parquet(folder / "tiles.parquet")
    assert said["tags"] == tiles["tags"].str.split(" ").explode().value_counts().to_dict()
    assert list(tiles["tags"]) == list(Bundle.load(bundle_folder).tag(draw(12))["tags"])
    with rasterio.open(folder / "map.tif") as layers:
        assert layers.shape == (3, 4)


def test_a_scene_that_fails_is_a_row_with_a_reason(scene: Path) -> None:
    """The others go on; the list says of each where its map is, or why there is none."""
    folder = scene.parents[1]
    grey = write_scene(folder / "inbox/grey.tif", np.full((1, 40, 40), 9, dtype=np.uint8))
    last = write_scene(folder / "inbox/last.tif", mosaic(draw(4), 2))
    with pytest.raises(InputError, match=r"1 of 3 scenes have no map: \S+grey\.tif\. \S+scenes\.csv says why"):
        stage.run(Workspace(folder), [scene, grey, last], out=folder / "maps", bands=BANDS, date=DAY)
    table = pd.read_csv(folder / "maps/scenes.csv", keep_default_na=False)
    assert list(table["scene"]) == [str(scene), str(grey), str(last)]
    assert list(table["map"]) == [str(folder / "maps/scene"), "", str(folder / "maps/last")]
    assert table["why"][0] == table["why"][2] == "" and "expected a band 3, found 1 bands" in table["why"][1]
    assert (folder / "maps/last/map.json").exists() and not (folder / "maps/grey").exists()


def test_a_stac_item_says_the_day_and_the_bands_of_its_scene(scene: Path) -> None:
    """Once, where its scene is given too; an item of none is a row with a reason; what is typed wins over an item."""
    here = Workspace(scene.parents[1])
    items = {
        name: write_item(scene.with_name(f"{name}.json"), href, bands=("red", "green", "blue"), day="2023-02-01")
        for name, href in (("near", "./scene.tif"), ("broken", "./none.tif"))
    }
    with pytest.raises(InputError, match=r"1 of 2 scenes have no map: \S+broken\.json\. \S+scenes\.csv says why"):
        stage.run(here, [*items.values(), scene], out=here.root / "maps")
    table = pd.read_csv(here.root / "maps/scenes.csv", keep_default_na=False)
    assert list(table["scene"]) == [str(items["broken"]), str(scene)]
    assert list(table["map"]) == ["", str(here.root / "maps/scene")]
    assert "names ./none.tif, which is not there" in table["why"].iloc[0]
    for out, typed, day in (("maps", None, "2023-02-01"), ("typed", DAY, DAY)):
        stage.run(here, [items["near"]], out=here.root / out, date=typed)
        said = json.loads((here.root / out / "scene/map.json").read_text(encoding="utf-8"))
        assert said["date"] == day and said["looked"] > 0
    with pytest.raises(InputError, match=r"^\S+broken\.json: names \./none\.tif, which is not there$"):
        stage.run(here, [items["broken"]], out=here.root / "alone")


def test_one_scene_that_fails_is_one_error(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line; two of one name, and a stretch that is none, are refused before anything is mapped."""
    here = Workspace(scene.parents[1])
    monkeypatch.setattr(stage, "load_model", None)  # nothing of this waits for a model
    with pytest.raises(InputError, match=r"^\S+none\.tif: not found"):
        stage.run(here, [scene.with_name("none.tif")], out=here.root / "maps")
    with pytest.raises(InputError, match=r"^--out /proc/maps: no file can be made in /proc"):
        stage.run(here, [scene], out=Path("/proc/maps"))
    with pytest.raises(InputError, match=r"^scene: two scenes of one name"):
        stage.run(here, [scene, scene.parent / "b/scene.tif"], out=here.root / "maps")
    stretch = here.root / "other.json"
    stretch.write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"other\.json: no stretch in it"):
        stage.run(here, [scene], out=here.root / "maps", stretch=stretch)
    assert not (here.root / "maps").exists()
