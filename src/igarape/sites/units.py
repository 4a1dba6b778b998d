"""What the values of a scene of 16 bits mean: a file may name a scale and an offset for each band.

Values are brought to one unit, so that scenes whose files name other ones have one stretch, and no band is brighter
than another by its numbers alone. It is that of files which name nothing, as reflectance mostly comes: 10,000 is 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rasterio.io import DatasetReader

from igarape.errors import InputError
from igarape.sites.bands import Bands

Deep = npt.NDArray[np.uint16]
Reals = npt.NDArray[np.float64]
PART = 10_000  # of a reflectance of 1
SCALES, FARTHEST = (1e-9, 1e6), 1e9  # between which a scale makes sense, and beyond which no offset does


@dataclass(frozen=True)
class Units:
    """gain * value + shift, for each used band: what its values are in the unit that all scenes have."""

    gain: tuple[float, ...]
    shift: tuple[float, ...]

    @property
    def plain(self) -> bool:
        """Say whether values are what they mean."""
        return set(self.gain) == {1.0} and set(self.shift) == {0.0}

    def to_json(self) -> Mapping[str, Sequence[float]] | None:
        """Return what a JSON file keeps of them; None: they are plain."""
        return None if self.plain else {"gain": list(self.gain), "shift": list(self.shift)}

    def meant(self, values: npt.NDArray[Any]) -> Reals:
        """Return what values of the first of the bands mean: of shape (bands, n)."""
        count = len(values)
        gain, shift = (np.array(each[:count])[:, None] for each in (self.gain, self.shift))
        return np.asarray(gain * values + shift)

    def tables(self) -> list[Deep] | None:
        """Return what each value of 16 bits means, as 16 bits, a table of 65536 a band; None: just that."""
        if self.plain:
            return None
        values = np.arange(2**16, dtype=np.float64)
        lines = [gain * values + shift for gain, shift in zip(self.gain, self.shift, strict=True)]
        return [np.clip(np.rint(line), 0, 2**16 - 1).astype(np.uint16) for line in lines]


PLAIN = Units((1.0,) * 4, (0.0,) * 4)


def read_units(dataset: DatasetReader, bands: Bands, where: str) -> Units:
    """Return the units of a scene; of 8 bits all are plain, as those are pictures.

    Raises InputError that begins with where, for a scale or an offset that is no number, or that no sensor has.
    """
    if dataset.dtypes[0] == "uint8":
        return PLAIN
    said = [(float(dataset.scales[band - 1]), float(dataset.offsets[band - 1])) for band in bands.used]
    for band, (scale, offset) in zip(bands.used, said, strict=True):
        if not (SCALES[0] <= scale <= SCALES[1] and abs(offset) <= FARTHEST):  # of NaN neither holds
            raise InputError(
                f"{where}: says that the scale of band {band} is {scale:g} and its offset {offset:g}: then values mean "
                "nothing. Give it the right ones, or none: gdal_edit.py -scale 1 -offset 0 SCENE.tif"
            )
    parts = [1 if scale == 1 else PART for scale, _ in said]  # a scale of 1 leaves the unit as it is
    gain = tuple(float(f"{part * scale:.12g}") for part, (scale, _) in zip(parts, said, strict=True))
    return Units(gain, tuple(part * offset for part, (_, offset) in zip(parts, said, strict=True)))
