"""A draft of a site's YAML: the grid of a scene, labels with what the model's own answers tell of them."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer
from scipy.stats import rankdata

from igarape.config.sites import Alerting, Evidence, Site, Watched, Weather
from igarape.errors import InputError, did_you_mean, some
from igarape.labels import Booleans, Vocabulary
from igarape.scores.answers import Answers
from igarape.sites.bands import Bands
from igarape.sites.dates import FIRST
from igarape.sites.model import Model
from igarape.sites.placement import own_grid
from igarape.sites.scene import open_scene
from igarape.sites.tiles import Grid
from igarape.tables import Probabilities

Corners = tuple[tuple[float, float], ...]

RATE = 0.05  # changes of a tile a year that are taken for granted, either way
SURE = (0.6, 0.999)  # between these an AUC is believed
CLEAR = "clear"  # the exclusive label that is no haze, in whatever case
WEAK = 0.95  # an AUC below which many changes are found late or never (docs/alerts.md)
NO_POLYGON = (ValueError, LookupError, TypeError, AttributeError, RecursionError, shapely.errors.ShapelyError)
FEW = 5  # chips with a label, and without it, that tell how well the model knows it
# What answers to one ground share, was measured on drawn sites (studies/drawn_site.py); other: of ten labels each RATE.
EVIDENCE = Evidence(bound=8.0, shared=0.25, other=0.5, haze=0.5, seen=0.8, cloudy=0.5, valid=0.5)
ALERTS = Alerting(candidate=0.5, confirmed=0.88, withdrawn=0.2, looks=2, days=180)


def draft_site(
    grid: Grid,
    labels: Mapping[str, Watched],
    *,
    polygon: Corners | None,
    bands: str | None,
    baseline: tuple[date, date],
    words: Vocabulary,
) -> Site:
    """Return a site on a grid.

    Parameters
    ----------
    grid
        As of scene_grid.
    labels
        As of watched_labels.
    polygon
        As of read_polygon; None: all of the grid is watched.
    bands
        Which band of scenes is which, as it is typed; None: scenes say it themselves.
    baseline
        The first day and the last one.
    words
        The model's labels: weather is among them.
    """
    return Site(
        crs=grid.crs,
        bounds=grid.sides,
        polygon=polygon,
        pixel=grid.pixel,
        size=grid.size,
        stride=grid.stride,
        bands=bands,
        labels=dict(labels),
        weather=Weather(
            cloud=words.alone,
            haze=tuple(label for label in words.exclusive if label not in words.alone and label.lower() != CLEAR),
            alone=bool(words.alone),
        ),
        baseline=baseline,
        evidence=EVIDENCE,
        alerts=ALERTS,
    )


def doubts(site: Site) -> list[str]:
    """Say what a draft can hardly watch: where no label means cloud, and what the model tells badly."""
    lines = []
    if not site.weather.cloud:
        lines.append(
            "the model knows no label that means cloud (alone in the data set's YAML), so a cloud may pass for a change"
        )
    if weak := [f"{label} {watched.auc:.2f}" for label, watched in site.labels.items() if watched.auc < WEAK]:
        lines.append(
            f"the model hardly tells {some(weak)} (AUC; below {WEAK} many changes are found late or never). To watch "
            "others only: --labels"
        )
    return lines


def scene_grid(scene: Path, model: Model, *, bands: Bands | None, stride: int | None) -> Grid:
    """Return a scene's own grid.

    Parameters
    ----------
    scene
        Whatever GDAL reads.
    model
        Whose tiles they are.
    bands
        Which band is which; None: the scene says it itself.
    stride
        From one tile to the next, in pixels; None: half a tile.

    Raises
    ------
    InputError
        For what is no scene, and a stride that leaves ground between tiles.
    """
    size = model.bundle.manifest.size
    # Where a scene was taken, and not when, makes a grid.
    with open_scene(scene, bands=bands, day=str(FIRST)) as opened:
        return own_grid(opened, metres=model.metres, size=size, stride=stride or size // 2)


def watched_labels(labels: Sequence[str], words: Vocabulary, answers: Answers) -> dict[str, Watched]:
    """Return how labels are watched; none: all but the weather.

    answers: of the stream that made the model, to its own chips. Raises InputError for a label that the model does not
    know, or that too few chips have.
    """
    free = [*words.common, *words.rare]
    if unknown := [label for label in labels if label not in free]:
        raise InputError(f"--labels: {unknown[0]!r} is not one that can be watched{did_you_mean(unknown[0], free)}")
    return {label: _watched(label, answers, words, chosen=bool(labels)) for label in labels or free}


def _watched(label: str, answers: Answers, words: Vocabulary, *, chosen: bool) -> Watched:
    """Return how a label is watched: what the chips that show ground tell of it."""
    if label not in answers.labels:
        raise InputError(f"the answers of data set {answers.dataset} lack {label}. Are they those of the model?")
    hidden = answers.y[:, [answers.labels.index(name) for name in words.alone]].any(axis=1)
    column = answers.labels.index(label)
    y, p = answers.y[~hidden, column], answers.p[~hidden, column]
    if min(y.sum(), (~y).sum()) < FEW:
        raise InputError(
            f"{label}: {y.sum()} of {len(y)} chips with ground have it, too few to tell how well the model knows it. "
            f"{'Leave it out of --labels' if chosen else 'Name the others by --labels'}"
        )
    auc = float(np.clip(area_under_curve(y, p), *SURE))
    return Watched(appears=RATE, vanishes=RATE, prevalence=round(float(y.mean()), 4), auc=round(auc, 4))


def area_under_curve(y: Booleans, p: Probabilities) -> float:
    """Return the chance that a chip with a label has a higher probability than one without it (Mann and Whitney)."""
    yes = int(y.sum())
    return float((rankdata(p)[y].sum() - yes * (yes + 1) / 2) / (yes * (len(y) - yes)))


def read_polygon(path: Path, crs: str) -> Corners:
    """Return the corners of the polygon in a GeoJSON file, in a crs. Raises InputError where there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        while content["type"] in {"FeatureCollection", "Feature"}:
            content = content["geometry"] if content["type"] == "Feature" else _only(content["features"], path)
        shape = shapely.geometry.shape(content)
    except (OSError, *NO_POLYGON) as error:
        raise InputError(f"{path}: expected a polygon as GeoJSON, in degrees: {error}") from error
    if shape.geom_type != "Polygon" or shape.is_empty or len(shape.interiors):
        found = f"{shape.geom_type} of no corners" if shape.is_empty else shape.geom_type
        raise InputError(f"{path}: expected one polygon without holes, found a {found}")
    corners = np.array(shape.exterior.coords)[:-1, :2]
    if len(strange := corners[~(np.abs(corners) <= (180, 90)).all(axis=1)]):  # NaN too, which Python's JSON knows
        raise InputError(f"{path}: expected longitudes and latitudes in degrees, found {strange[0].tolist()}")
    if np.ptp(corners[:, 0]) > 180:
        raise InputError(f"{path}: crosses the antimeridian. Make two sites, one on either side of it")
    x, y = Transformer.from_crs(4326, crs, always_xy=True).transform(*corners.T)
    return tuple((round(float(one), 2), round(float(other), 2)) for one, other in zip(x, y, strict=True))


def _only(features: Sequence[Any], path: Path) -> Any:
    """Return the one feature that there is."""
    if len(features) != 1:
        raise InputError(f"{path}: expected one feature, found {len(features)}. Make a site of each, or join them")
    return features[0]
