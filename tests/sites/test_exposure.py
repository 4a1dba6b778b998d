"""A site's scenes of 16 bits have one stretch, which clouds don't move."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import SIZE, draw
from scenes import mosaic, write_scene
from site_looks import quiet, write_site
from site_settings import site
from watched import TOY, write_scenes

from igarape.files import read_json
from igarape.sites.exposure import site_stretch, with_stretch
from igarape.sites.inbox import list_arrivals
from igarape.sites.mapping import MAP, TILES
from igarape.sites.model import Model, load_model
from igarape.sites.scene_list import Mappers
from igarape.sites.site_folder import SiteFolder
from igarape.sites.watch import identified, map_new, mapper, unmapped_scenes

CLEAR, CLOUDY, LATER = "2024-02-01.tif", "2024-03-01.tif", "2024-08-01.tif"


@pytest.fixture(scope="module")
def model(bundle_folder: Path) -> Model:
    """Give the small bundle, of chips of 16 x 16 pixels of 3 m."""
    return load_model(str(bundle_folder))


@pytest.fixture
def place(tmp_path: Path) -> SiteFolder:
    """Give a site, and an inbox of one ground in 16 bits: under a clear sky, under half a cloud, and after a fire."""
    place = write_site(tmp_path, site(**TOY))
    ground = 900 + 24 * mosaic(draw(6), 3).astype(np.uint16)
    cloud = ground.copy()
    cloud[:, :, 2 * SIZE :] = 60_000
    for name, bands in ((CLEAR, ground), (CLOUDY, cloud), (LATER, ground // 2)):
        write_scene(tmp_path / "inbox" / name, bands)
    return place


def answers(place: SiteFolder, name: str) -> pd.DataFrame:
    """Return what the map of a scene says of each tile."""
    (folder,) = place.folder.glob(f"maps/{Path(name).stem}-*")
    return pd.read_parquet(folder / TILES).set_index("tile")


def test_ground_is_as_bright_beside_a_cloud_as_under_a_clear_sky(place: SiteFolder, model: Model) -> None:
    """As there is one stretch, which is kept in the YAML with its comments, and is fitted once."""
    path = place.sites / "here.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "# keep me\n", encoding="utf-8")
    arrivals, _ = list_arrivals(place.sites.parent / "inbox", fetched=Path)
    found, told = with_stretch(place, arrivals, model)
    assert f"fitted to {CLEAR}: the darkest of 2" in told
    again = SiteFolder.read("here", place.sites)
    assert again.site == found.site and "# keep me" in path.read_text(encoding="utf-8")
    assert with_stretch(again, arrivals, model) == (again, "")
    new = unmapped_scenes(again, identified(arrivals)[0], replay=False)
    mapped = mapper(again, Mappers.alone(model), commit="", report=quiet)
    assert not map_new(again, new, mapped, again.looks).failed
    stretch = site_stretch(again)
    assert stretch is not None
    for told_of in place.folder.glob(f"maps/*/{MAP}"):
        assert read_json(told_of)["stretch"] == stretch.to_json()
    columns = ["p_tree", "p_kiln", "p_fog"]
    seen = ["0_0", "0_1", "1_0", "1_1"]
    clear, beside = (answers(place, name).loc[seen, columns] for name in (CLEAR, CLOUDY))
    np.testing.assert_allclose(clear, beside, atol=1e-6)


def test_a_stretch_that_fits_badly_is_told(place: SiteFolder, model: Model) -> None:
    """As one of a single day often does, which all later days share."""
    (day,) = [one for one in list_arrivals(place.sites.parent / "inbox", fetched=Path)[0] if one.path.name == CLOUDY]
    assert "It fits badly (0." in with_stretch(place, [day], model)[1]


def test_scenes_of_8_bits_need_none(tmp_path: Path, model: Model) -> None:
    """Nothing is written; nor is what cannot be read in the way."""
    place = write_site(tmp_path, site(**TOY))
    write_scenes(tmp_path / "inbox")
    (tmp_path / "inbox/broken-2024-04-01.tif").write_bytes(b"II*\0 no more")
    before = (place.sites / "here.yaml").read_bytes()
    arrivals, _ = list_arrivals(tmp_path / "inbox", fetched=Path)
    assert with_stretch(place, arrivals, model) == (place, "")
    assert (place.sites / "here.yaml").read_bytes() == before
