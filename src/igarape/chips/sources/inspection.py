"""A look at pictures that nobody has described yet: their sizes, their depth, how bright they are."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log10

import numpy as np

from igarape.chips.catalog import BRIGHT, QUARTER
from igarape.chips.colours import COLOURS, NoMaskError
from igarape.chips.pictures import Resize, decode, is_deep, is_flat
from igarape.chips.sources.origins import Origin
from igarape.chips.tif import is_tif, metres_a_pixel, read_header
from igarape.errors import InputError

LOOKED_AT = 1000  # pictures at most, evenly spaced in the order of their names
ODD = 0.05  # of the pictures: more than that is no fault of single ones
MEASURED = 100  # of those, to see how bright 16 bits are


@dataclass(frozen=True)
class Inspection:
    """Sizes (width, height) with how many have them, and what follows: one size, what becomes of others, a white.

    looked: how many were read. broken: why ingest will leave some of those out, by their names. by_header:
    whether TIFs of more than three bands were read by what their headers say. metres: the side of a pixel on the
    ground, where GeoTIFFs say it and all that were read agree.
    """

    sizes: Mapping[tuple[int, int], int]
    size: int
    resize: Resize
    white: int | None
    looked: int
    broken: Mapping[str, str]
    by_header: bool
    metres: float | None


def inspect_pictures(pictures: Mapping[str, Origin], *, bands: Sequence[str], size: int | None) -> Inspection:
    """Decode some of the pictures and see what they have in common.

    size: the side that the user wants. Raises InputError when none of them can be read, and where what
    headers call alpha is a band like the others.
    """
    names = _some(sorted(pictures), LOOKED_AT)
    sizes: Counter[tuple[int, int]] = Counter()
    deep: list[tuple[str, bytes]] = []
    broken: dict[str, str] = {}
    by_header = False
    unmasked: list[InputError] = []
    grounds: set[float | None] = set()
    for name in names:
        try:
            data = pictures[name].read()
            image = decode(data, name, bands=bands)
        except InputError as error:
            unmasked += [error] * isinstance(error, NoMaskError)
            broken[name] = str(error).removeprefix(f"{name}: ")
            continue
        if is_flat(image) and not is_deep(data):  # of which the first white may leave nothing
            broken[name] = "shows one colour only"
        height, width = image.shape[:2]
        sizes[width, height] += 1
        grounds.add(metres_a_pixel(data, name) if is_tif(data) else None)
        by_header |= not bands and is_tif(data) and read_header(data, name).samples > len(COLOURS)
        if is_deep(data) and len(deep) < MEASURED:
            deep.append((name, data))
    if not sizes:
        first = next((f"{name}: {why}" for name, why in broken.items()), "none")
        raise InputError(f"none of the pictures can be read ({len(names)} tried). The first: {first}")
    if len(unmasked) > ODD * len(names):  # then it is none in the others either, where a band may be full by chance
        raise InputError(f"{unmasked[0].problem} (so in {len(unmasked)} of {len(names)} pictures)", unmasked[0].remedy)
    side = Counter(min(one) for one in sizes.elements()).most_common(1)[0][0] if size is None else size
    resize = _resize(sizes, side)
    return Inspection(
        sizes=dict(sizes.most_common()),
        size=side,
        resize=resize,
        white=_white(deep, bands),
        looked=len(names),
        broken=broken,
        by_header=by_header,
        metres=_agreed(grounds) if resize == "refuse" else None,  # scaled pixels are of another side
    )


def _agreed(grounds: Collection[float | None]) -> float | None:
    """Return the pixel's side in metres that all say, to three digits; None where some say none or another one."""
    known = {float(f"{metres:.3g}") for metres in grounds if metres}
    return known.pop() if len(known) == 1 and None not in grounds else None


def _some(names: Sequence[str], most: int) -> Sequence[str]:
    """Return at most so many names, evenly spaced."""
    return [names[row] for row in np.linspace(0, len(names) - 1, min(most, len(names))).astype(int)]


def _resize(sizes: Mapping[tuple[int, int], int], side: int) -> Resize:
    """Choose what becomes of chips of another size: squares are scaled, others lose their ends."""
    if set(sizes) == {(side, side)}:
        return "refuse"
    return "fit" if all(width == height for width, height in sizes) else "crop"


def _white(deep: Sequence[tuple[str, bytes]], bands: Sequence[str]) -> int | None:
    """Measure which value of 16 bits should be white: what nearly all chips stay below, rounded up to three digits.

    None where the chips use more than a quarter of the whole range as it is.
    """
    white: int | None = None
    for _ in range(2):  # a first look is as coarse as 8 bits are, the second is fine
        if not deep:
            break
        levels = [np.quantile(decode(data, name, bands=bands, white=white)[::4, ::4], BRIGHT) for name, data in deep]
        level = float(np.quantile(levels, BRIGHT))
        if white is None and level >= QUARTER:
            return None
        white = max(1, min(65535, ceil((level + 1) * (white or 65535) / 255)))
    return white and min(65535, _round_up(white))


def _round_up(value: int) -> int:
    """Round up to three digits."""
    step = int(10 ** max(0, int(log10(value)) - 2))
    return -(-value // step) * step
