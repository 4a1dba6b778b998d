"""A scene: a georeferenced raster, opened and checked before any pixel is read."""

import hashlib
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import rasterio
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import ProjError
from rasterio._err import CPLE_BaseError
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader

from igarape.errors import InputError, reason
from igarape.files import sha256
from igarape.sites.bands import Bands, find_bands
from igarape.sites.dates import find_date
from igarape.sites.units import Units, read_units

VRT = ".vrt"
DEPTHS = ("uint8", "uint16")
CONVERT = "Convert it first, such as: gdal_translate -ot UInt16 -scale SCENE.tif OTHER.tif"
MOST_OF_A_BLOCK = 256 * 2**20  # bytes of one block, which GDAL decodes at once
# GDAL's own memory of blocks, in MB: two rows of them in the width that is read at once, of 4 bands of 16 bits.
ENVIRONMENT = {"GDAL_CACHEMAX": 16 * 2**20, "GDAL_DISABLE_READDIR_ON_OPEN": "TRUE", "GDAL_TIFF_INTERNAL_MASK": "YES"}


@dataclass(frozen=True)
class Scene:
    """A scene that can be mapped.

    metres: the side of a pixel on the ground. What tells pixels that hold nothing is one of three: alpha, the number of
    a band; where masked, a mask of the file's own; else nodata, a value, 0 where the file names none. units: what its
    values mean.
    """

    path: Path
    dataset: DatasetReader
    bands: Bands
    date: date
    metres: float
    alpha: int | None
    masked: bool
    nodata: int
    units: Units

    @property
    def deep(self) -> bool:
        """Say whether its samples have 16 bits."""
        return bool(self.dataset.dtypes[0] != "uint8")

    @property
    def crs(self) -> str:
        """Return its coordinate reference system: EPSG:32718 where it has such a name, else WKT."""
        return str(self.dataset.crs.to_string())

    @property
    def sides(self) -> tuple[float, float, float, float]:
        """Return left, bottom, right, top of it, in its system, whichever way its rows and columns run."""
        left, bottom, right, top = self.dataset.bounds
        return min(left, right), min(bottom, top), max(left, right), max(bottom, top)


@contextmanager
def open_scene(path: Path, *, bands: Bands | None, day: str | None) -> Iterator[Scene]:
    """Open a scene, and look at what it says of itself.

    Parameters
    ----------
    path
        Whatever GDAL reads.
    bands
        Which band is which; None: the file says it.
    day
        When it was taken; None: the file says it, or its name.

    Raises
    ------
    InputError
        For what cannot be mapped: the sentence says what was expected.
    """
    if not (path.is_file() or path.is_dir()):  # at a pipe GDAL would wait; what a folder is taken for, is told below
        raise InputError(f"{path}: not found, or no file; expected a scene, such as a GeoTIFF")
    with rasterio.Env(**ENVIRONMENT):
        with _told(path), warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # which is refused below, in a line of ours
            dataset = rasterio.open(path)
        with dataset:
            with _told(path):
                scene = _described(path, dataset, bands, day)
            yield scene


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say of a file that is none, or damaged, that it is; a damaged header fails in each library's own way."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise InputError(f"{path}: its path is not in UTF-8, and GDAL takes no other. Rename it") from error
    except (RasterioError, CPLE_BaseError, ProjError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: no scene that GDAL reads, or cut short, or damaged ({reason(error)}){_meant(path)}"
        ) from error


def _meant(path: Path) -> str:
    """Return what to name instead of a path that is known to be no scene, which a folder may be; else nothing."""
    if path.is_dir():
        return f". Is it a folder of scenes? Name these: {path}/*.tif"
    return ". Is it a STAC item? Name the scene that it describes" if path.suffix.lower() == ".json" else ""


def _described(path: Path, dataset: DatasetReader, bands: Bands | None, day: str | None) -> Scene:
    """Look at what a scene says of itself; bands, day: as of open_scene."""
    where = str(path)
    _check_samples(dataset, where)
    _check_place(dataset, where)
    found = find_bands(
        bands, where, descriptions=dataset.descriptions, colours=[colour.name for colour in dataset.colorinterp]
    )
    taken = find_date(day, where, name=path.name, imagery=dataset.tags(ns="IMAGERY"))
    alpha = _alpha(dataset, found)
    masked = alpha is None and MaskFlags.per_dataset in dataset.mask_flag_enums[0] and _own_mask(dataset)
    said = float(dataset.nodata or 0)  # GDAL passes over most of what no sample can be
    nodata = int(said) if said.is_integer() else 0
    units = read_units(dataset, found, where)
    return Scene(path, dataset, found, taken, _metres(dataset, where), alpha, masked, nodata, units)


def _check_samples(dataset: DatasetReader, where: str) -> None:
    """Refuse samples that are no brightness of 8 or 16 bits, and blocks that would not fit into the memory."""
    kinds = sorted(set(dataset.dtypes))
    if ColorInterp.palette in dataset.colorinterp:
        raise InputError(
            f"{where}: its pixels are numbers of a palette's colours, expected brightness in bands. Convert it first: "
            "gdal_translate -expand rgb SCENE.tif OTHER.tif"
        )
    if len(kinds) > 1 or kinds[0] not in DEPTHS:
        raise InputError(
            f"{where}: expected samples of 8 or 16 bits without a sign (uint8 or uint16), found {', '.join(kinds)}"
            f"{'; no NaN has a place there' if kinds[0].startswith('float') else ''}. {CONVERT}"
        )
    rows, columns = dataset.block_shapes[0]
    size = rows * columns * np.dtype(kinds[0]).itemsize * (dataset.count if _mixed(dataset) else 1)
    if size > MOST_OF_A_BLOCK and dataset.compression is not None:
        raise InputError(
            f"{where}: is packed in blocks of {rows} x {columns} pixels, which GDAL decodes at once, {size >> 20} MB. "
            "Lay it out in tiles: gdal_translate -of COG SCENE.tif OTHER.tif"
        )


def _mixed(dataset: DatasetReader) -> bool:
    """Say whether a block holds all bands."""
    return dataset.interleaving is not None and dataset.interleaving.name == "pixel"


def _check_place(dataset: DatasetReader, where: str) -> None:
    """Refuse a scene of which nobody says where it lies."""
    if dataset.crs is None:
        raise InputError(
            f"{where}: no coordinate reference system, so that nobody knows where it lies. Give it one: "
            "gdal_edit.py -a_srs EPSG:32718 SCENE.tif"
        )
    if dataset.transform.is_identity or dataset.transform.determinant == 0:
        raise InputError(
            f"{where}: no georeference: nothing says where its corners lie. Give it one: "
            "gdal_edit.py -a_ullr LEFT TOP RIGHT BOTTOM SCENE.tif"
        )


def _alpha(dataset: DatasetReader, bands: Bands) -> int | None:
    """Return the number of the alpha band: writers call any fourth one so, so that one that is used is none."""
    places = [number for number, colour in enumerate(dataset.colorinterp, 1) if colour == ColorInterp.alpha]
    return next((number for number in places if number not in bands.used), None)


def _own_mask(dataset: DatasetReader) -> bool:
    """Say whether the mask is one of the file's own, and not made of an alpha band."""
    return MaskFlags.alpha not in dataset.mask_flag_enums[0]


def _metres(dataset: DatasetReader, where: str) -> float:
    """Return the side of a pixel on the ground; refuse a scene that lies nowhere on Earth."""
    metres = ground(dataset)
    if not np.isfinite(metres):
        left, top = dataset.transform.c, dataset.transform.f
        raise InputError(
            f"{where}: says that its corner lies at {left:g}, {top:g} in {dataset.crs.to_string()}, which is nowhere "
            "on Earth. Give it the right ones: gdal_edit.py -a_srs EPSG:32718 -a_ullr LEFT TOP RIGHT BOTTOM SCENE.tif"
        )
    return metres


def ground(dataset: DatasetReader) -> float:
    """Return the side of a pixel in the scene's middle, in metres on the ground: the mean of both sides."""
    a, b, left, d, e, top = dataset.transform[:6]
    column, row = dataset.width / 2, dataset.height / 2
    x, y = left + a * column + b * row, top + d * column + e * row
    to_degrees = Transformer.from_crs(CRS.from_wkt(dataset.crs.to_wkt()), 4326, always_xy=True)
    longitude, latitude = to_degrees.transform([x, x + a, x + b], [y, y + d, y + e])
    geod = Geod(ellps="WGS84")
    _, _, along = geod.inv(longitude[0], latitude[0], longitude[1], latitude[1])
    _, _, down = geod.inv(longitude[0], latitude[0], longitude[2], latitude[2])
    return float(along + down) / 2


def hashes(scene: Scene, hashed: Callable[[Path], str] = sha256) -> dict[str, str]:
    """Return the SHA-256 of each file that the scene consists of, by where it lies from the scene, its own first.

    Those that a VRT names are among them. hashed: returns that of a file.
    """
    return _hashes(scene.path, scene.dataset.files, hashed)


def identity(path: Path, hashed: Callable[[Path], str] = sha256) -> str:
    """Return the SHA-256 that a scene is known by: its file's; of a VRT, which only names others, of all files.

    hashed: returns that of a file. A VRT that cannot be opened is known by itself: who maps it says what is wrong.
    """
    if path.suffix.lower() != VRT:
        return hashed(path)
    try:
        with rasterio.Env(**ENVIRONMENT), rasterio.open(path) as dataset:
            files = list(dataset.files)
    except (RasterioError, CPLE_BaseError, UnicodeError):
        files = []
    return known_by(path, _hashes(path, files, hashed))


def known_by(path: Path, files: Mapping[str, str]) -> str:
    """Return what identity does, of the hashes of a scene's files."""
    own, *parts = (digest for name, digest in files.items() if not name.startswith(f"{path.name}."))  # no .aux.xml
    if path.suffix.lower() != VRT or not parts:
        return own
    return hashlib.sha256("\n".join([own, *parts]).encode()).hexdigest()


def _hashes(path: Path, files: Iterable[str], hashed: Callable[[Path], str]) -> dict[str, str]:
    """Return the SHA-256 of a scene's own file, then of those others that are there, by where they lie from it."""
    own = path.resolve()
    others = sorted({Path(name).resolve() for name in files} - {own})
    return {os.path.relpath(part, own.parent): hashed(part) for part in [own, *others] if part == own or part.is_file()}
