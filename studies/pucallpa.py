"""Does the change engine find where a river went, on real scenes? Pucallpa, Peru, in 1985 to 2020, by a water index.

Eight Landsat mosaics of 89 m (SWIR, near-infrared, red, green; opengeos/data, MIT), a file a year: 1985.tif to
2020.tif. The tagger refuses them for their resolution, so the index stands in for its answers: MNDWI (Xu 2006), of
which two normals of one spread are fitted to all dates. A tile is 8 x 8 pixels; its look is its median.

python studies/pucallpa.py FOLDER       prints what came and went, and writes reports/pucallpa.png
"""

from datetime import date
from pathlib import Path

import click
import numpy as np
import rasterio
from PIL import Image, ImageDraw
from scipy.special import expit, logit

from igarape.errors import InputError
from igarape.sites.alerts import DIRECTIONS, Rules, Status
from igarape.sites.bands import Bands
from igarape.sites.change import Rates
from igarape.sites.evidence import Doubt, Emission, Floats
from igarape.sites.looks import Day
from igarape.sites.placement import check_resolution
from igarape.sites.scene import open_scene
from igarape.sites.state import Engine, State

SIDE, SCALE = 8, 2  # pixels of a tile; of the picture for one of the scene
BASELINE = (date(1985, 1, 1), date(1990, 12, 31))
METRES = 3.0  # of the training's pixels
RATE, OTHER = 0.02, 0.02  # changes of a tile a year, of water and of other kinds
COLOURS = {"appeared": (64, 160, 255), "vanished": (255, 140, 0)}
ROUNDS = 50


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--out", type=click.Path(path_type=Path), default=Path("reports/pucallpa.png"), show_default=True)
def main(folder: Path, out: Path) -> None:
    """Print what came and went, and draw it over the newest scene."""
    scenes = sorted(folder.glob("*.tif"))
    try:
        with open_scene(scenes[-1], bands=Bands(3, 4, 2), day="2020-07-01") as scene:
            check_resolution(scene, METRES)
    except InputError as error:
        print(f"the tagger: {error}")
    index = np.stack([_index(path) for path in scenes])
    low, high, spread, share = two_normals(index.ravel())
    separation = (high - low) / spread
    ratio = (separation / spread) * (index - (low + high) / 2)
    print(f"index: {low:.2f} and {high:.2f}, spread {spread:.2f}; water in {share:.3f} of the tiles")
    state = _watched(ratio, [int(path.stem) for path in scenes], share, separation)
    kinds = np.zeros(index.shape[1:], dtype="U8")
    for direction, change in enumerate(DIRECTIONS):
        confirmed = (state.alerts.status[direction, :, 0] == Status.CONFIRMED).reshape(kinds.shape)
        kinds[confirmed] = change
        waiting = int((state.alerts.status[direction] == Status.CANDIDATE).sum())
        print(f"{change}: {confirmed.sum()} of {confirmed.size} tiles confirmed, {waiting} candidates")
    first, last = ratio[1] > 0, ratio[-1] > 0
    agree = (kinds == "appeared") & ~first & last | (kinds == "vanished") & first & ~last
    print(f"{agree.sum()} of {(kinds != '').sum()} confirmed ones differ in the index of 1990 and 2020 too")
    _draw(scenes[-1], kinds, out)
    print(f"{out}: blue came, orange went")


def two_normals(values: Floats) -> tuple[float, float, float, float]:
    """Fit two normals of one spread (EM); return their means, the spread, and the share of the upper one."""
    low, high = (float(values[values <= 0].mean()), float(values[values > 0].mean()))
    spread, share = float(values.std()) / 2, float((values > 0).mean())
    for _ in range(ROUNDS):
        upper = expit(logit(share) + (high - low) / spread**2 * (values - (low + high) / 2))
        low, high = np.average(values, weights=1 - upper), np.average(values, weights=upper)
        spread = float(np.sqrt(np.mean((1 - upper) * (values - low) ** 2 + upper * (values - high) ** 2)))
        share = float(upper.mean())
    return float(low), float(high), spread, share


def _index(path: Path) -> Floats:
    """Return the median MNDWI of each tile, (rows, columns); what is left over at the edges is left out."""
    with rasterio.open(path) as file:
        swir, _, _, green = file.read().astype(np.float64)
    index = (green - swir) / np.maximum(green + swir, 1)
    rows, columns = (length // SIDE for length in index.shape)
    tiles = index[: rows * SIDE, : columns * SIDE].reshape(rows, SIDE, columns, SIDE)
    return np.asarray(np.median(tiles, axis=(1, 3)))


def _watched(ratio: Floats, years: list[int], share: float, separation: float) -> State:
    """Return what is known after all looks: a date in the middle of each year."""
    rate = np.array([RATE])
    engine = Engine(
        emission=Emission(np.array([share]), np.array([separation])),
        rates=Rates(np.array([share]), rate, rate, OTHER),
        doubt=Doubt(6.0, 0.25, 0.5, 1.0),
        rules=Rules(candidate=0.5, confirmed=0.975, withdrawn=0.2, looks=2, days=10_000),
        first=BASELINE[0].toordinal(),
        baseline=BASELINE[1].toordinal(),
        alone=False,
    )
    state, tiles = State.begin(ratio[0].size, engine), np.arange(ratio[0].size)
    nothing, trusted, scene = np.zeros(len(tiles)), np.ones(len(tiles), np.bool_), np.zeros(len(tiles), np.int64)
    for one, year in zip(ratio, years, strict=True):
        p = expit(one.reshape(-1, 1) + logit(share))
        state.look(Day(date(year, 7, 1).toordinal(), tiles, p, nothing, nothing, trusted, scene, cloudy=0), engine)
    return state


def _draw(path: Path, kinds: np.ndarray, out: Path) -> None:
    """Draw tiles that have changed over a scene in false colours: SWIR, near-infrared, red."""
    with rasterio.open(path) as file:
        bands = file.read([1, 2, 3])
    picture = Image.fromarray(np.moveaxis(bands, 0, -1)).resize((bands.shape[2] * SCALE, bands.shape[1] * SCALE))
    pen, side = ImageDraw.Draw(picture), SIDE * SCALE
    for row, column in np.argwhere(kinds != "").tolist():
        x, y = column * side, row * side
        pen.rectangle((x, y, x + side - 1, y + side - 1), outline=COLOURS[str(kinds[row, column])], width=2)
    out.parent.mkdir(parents=True, exist_ok=True)
    picture.save(out)


if __name__ == "__main__":
    main()
