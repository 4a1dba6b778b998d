"""Scenes as GeoTIFFs: what tests of sites map."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio import Affine

from igarape.chips.pictures import Pixels

CRS = "EPSG:32718"
LEFT, TOP, METRES = 510_000.0, 9_081_000.0, 3.0


def write_scene(path: Path, bands: npt.NDArray[Any], *, names: Sequence[str] = (), **profile: Any) -> Path:
    """Write bands (n, height, width) as a GeoTIFF of 3 m in UTM, dated by its name; profile: as rasterio has it."""
    count, height, width = bands.shape
    usual: dict[str, Any] = {
        "driver": "GTiff",
        "crs": CRS,
        "transform": Affine(METRES, 0, LEFT, 0, -METRES, TOP),
        "photometric": "MINISBLACK",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", count=count, height=height, width=width, dtype=bands.dtype, **(usual | profile)
    ) as file:
        file.write(bands)
        if names:
            file.descriptions = tuple(names)
    return path


def write_item(path: Path, href: str, *, bands: Sequence[str], day: str = "2024-05-31", **changes: Any) -> Path:
    """Write a STAC item of one scene, with its bands by STAC 1.1; changes: of what stands in it."""
    asset = {"href": href, "roles": ["data"], "bands": [{"eo:common_name": name} for name in bands]}
    content = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "properties": {"datetime": f"{day}T14:00:00Z"},
        "assets": {"scene": asset, "thumb": {"href": "thumb.png", "roles": ["thumbnail"]}},
    }
    path.write_text(json.dumps(content | changes), encoding="utf-8")
    return path


def mosaic(chips: Sequence[Pixels], across: int) -> npt.NDArray[np.uint8]:
    """Lay chips (size, size, 3) side by side, so many a row: bands red, green, blue of shape (3, height, width)."""
    rows = [np.concatenate(chips[start : start + across], axis=1) for start in range(0, len(chips), across)]
    return np.ascontiguousarray(np.moveaxis(np.concatenate(rows), -1, 0))


def map_files(folder: Path) -> dict[str, bytes]:
    """Return the files of maps, and of what else lies in their folder, without the seconds that maps took."""
    whole = [path for path in folder.rglob("*") if path.is_file() and ".unfinished" not in path.parts]
    found = {str(path.relative_to(folder)): path.read_bytes() for path in whole}
    told = {name: data for name, data in found.items() if name.endswith("map.json")}
    return found | {name: json.dumps(json.loads(data) | {"seconds": 0}).encode() for name, data in told.items()}


def write_vrt(path: Path, parts: Sequence[Path], heights: Sequence[int], width: int) -> Path:
    """Write a VRT of scenes of three bands of 8 bits, one below the other."""
    bands = []
    for number in (1, 2, 3):
        above, sources = 0, []
        for part, height in zip(parts, heights, strict=True):
            size = f'xSize="{width}" ySize="{height}"'
            sources.append(
                f'<SimpleSource><SourceFilename relativeToVRT="1">{part.name}</SourceFilename>'
                f'<SourceBand>{number}</SourceBand><SrcRect xOff="0" yOff="0" {size}/>'
                f'<DstRect xOff="0" yOff="{above}" {size}/></SimpleSource>'
            )
            above += height
        bands.append(f'<VRTRasterBand dataType="Byte" band="{number}">{"".join(sources)}</VRTRasterBand>')
    transform = f"{LEFT}, {METRES}, 0, {TOP}, 0, {-METRES}"
    path.write_text(
        f'<VRTDataset rasterXSize="{width}" rasterYSize="{sum(heights)}"><SRS>{CRS}</SRS>'
        f"<GeoTransform>{transform}</GeoTransform>{''.join(bands)}</VRTDataset>",
        encoding="utf-8",
    )
    return path
