"""Near-infrared, packed: the planes of each chip that has a TIF, and a table of how its bands lie over its picture."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from igarape.chips.chip import Origin
from igarape.chips.faults import fault_table, unusable
from igarape.chips.nir import Bands, measure_shift, planes
from igarape.chips.pictures import bands, encode_png
from igarape.chips.shards import Shard, Tables
from igarape.chips.store import Store
from igarape.errors import InputError
from igarape.tables import Fault

LIES = ["shard", "offset", "length"]
ALIGNMENT = {"image_id": str, "dx": float, "dy": float, "response": float, "flagged": bool}


def pack_planes(
    chips: pd.DataFrame,
    shard: Shard,
    *,
    source: Path,
    names: Sequence[str],
    white: int,
    shift: float,
    response: float,
) -> Tables:
    """Pack the planes of chips that have a TIF, without loss; a TIF that cannot be used becomes a fault.

    Parameters
    ----------
    chips
        Rows of the catalog of the chips' pictures, and in a column tif the origin of each one's bands.
    shard
        Takes the planes, and hears of each chip that is done with.
    source
        The folder of the packed pictures.
    names
        Of the TIFs' bands, in their order; without them the headers count.
    white
        The near-infrared value that becomes 255.
    shift, response
        A chip is flagged whose bands lie more than so many pixels off, or whose correlation is below this.

    Returns
    -------
    Tables
        Rows of catalog, alignment and faults.
    """
    store = Store(source, chips)
    places, shifts, faults = [], [], []
    for image_id, tif in zip(chips["image_id"], chips["tif"], strict=True):
        rgb = store.rgb(image_id)
        found = _read(image_id, tif, (rgb.shape[0], rgb.shape[1]), names)
        if isinstance(found, Fault):
            faults.append(found)
        else:
            places.append((image_id, *shard.add(image_id, encode_png(planes(found, white=white)))))
            off = measure_shift(rgb, found)
            shifts.append((image_id, off.dx, off.dy, off.response, off.far(pixels=shift, response=response)))
        shard.done()
    own = chips.columns.drop("tif")
    catalog = chips.drop(columns=["tif", *LIES]).merge(pd.DataFrame(places, columns=["image_id", *LIES]), on="image_id")
    alignment = pd.DataFrame(shifts, columns=list(ALIGNMENT))
    return {"catalog": catalog[own], "alignment": alignment, "faults": fault_table(faults)}


def no_planes(catalog: pd.DataFrame) -> Tables:
    """Return the tables of a set without near-infrared; catalog: that of its pictures."""
    alignment = pd.DataFrame({name: np.empty(0, dtype=kind) for name, kind in ALIGNMENT.items()})
    return {"catalog": catalog.iloc[:0], "alignment": alignment, "faults": fault_table([])}


def _read(image_id: str, tif: Origin, size: tuple[int, int], names: Sequence[str]) -> Bands | Fault:
    """Return a chip's bands, or why it has to do without; size: height and width of its picture."""
    try:
        found = bands(tif.read(), image_id, names)
    except InputError as error:
        return unusable(image_id, error, origin=tif, remedy="replace the TIF, or remove it", what="its TIF: ")
    if found.shape[:2] != size:
        (height, width), (high, wide) = found.shape[:2], size
        problem = f"its TIF: expected {wide} x {high} as the chip has, found {width} x {height}"
        return Fault(image_id, problem, "cut the TIF to the chip", left_out=True)
    return found
