"""Chips that are drawn: cut from drawn scenes, named by what is seen in them, with the truth about their haze."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from igarape.chips.catalog import pack_chips
from igarape.chips.chip import Chip, Encoded
from igarape.chips.drawn.canvas import Floats, Surface
from igarape.chips.drawn.scene import NATIVE, NODES, Scene, draw_scene
from igarape.chips.pictures import Pixels, encode_jpeg, resize
from igarape.chips.shards import Shard, Tables
from igarape.labels import Vocabulary

QUALITY = 95
LABELS = {  # what each label looks like from above, and from how many pixels on a person can see it
    "primary": (Surface.CANOPY, 1500),
    "agriculture": (Surface.FIELD, 500),
    "road": (Surface.ROAD, 120),
    "water": (Surface.RIVER, 250),
    "cultivation": (Surface.PLOT, 150),
    "habitation": (Surface.ROOF, 30),
    "bare_ground": (Surface.SOIL, 250),
    "selective_logging": (Surface.TRACK, 60),
    "artisinal_mine": (Surface.DIGGING, 100),
    "blooming": (Surface.BLOSSOM, 30),
    "slash_burn": (Surface.SCAR, 80),
    "conventional_mine": (Surface.PIT, 200),
    "blow_down": (Surface.FALLEN, 500),
}
OPAQUE = 0.5  # ground under a cloud that hides more than this is not seen
HIDDEN = 0.88  # a chip with more of it hidden shows nothing but cloud
WISP = 300  # pixels of cloud that a person notices


@dataclass(frozen=True)
class Haze:
    """The haze laid on a chip: t, float32 (4, 4), at evenly spaced places from corner to corner; its airlight (RGB)."""

    t: Floats
    airlight: tuple[float, float, float]


@dataclass(frozen=True)
class DrawnChip:
    """A chip and the truth about its haze."""

    chip: Chip
    haze: Haze


def draw_chips(numbers: range, side: int, *, seed: int, size: int) -> Iterator[DrawnChip]:
    """Draw the chips of some numbers, cut from scenes.

    A chip's bytes depend on its number, the side, the seed and the size only.

    Parameters
    ----------
    numbers
        Which chips.
    side
        A scene is cut into side x side chips.
    seed
        Of all that is drawn by chance.
    size
        Side of a chip in pixels.
    """
    for number in range(numbers.start // side**2, -(-numbers.stop // side**2)):
        first = number * side**2
        yield from (
            chip for index, chip in enumerate(_scene_chips(number, side, seed, size), first) if index in numbers
        )


def pack_drawn(numbers: range, shard: Shard, *, side: int, seed: int, vocabulary: Vocabulary, size: int) -> Tables:
    """Draw chips into a shard; the truth about their haze is a table more than pack_chips returns.

    Parameters
    ----------
    numbers
        Which chips.
    shard
        Takes their bytes, as pack_chips does it.
    side, seed
        As draw_chips takes them.
    vocabulary
        The labels that the catalog has columns of.
    size
        Side of a chip in pixels.
    """
    drawn = list(draw_chips(numbers, side, seed=seed, size=size))
    tables = pack_chips([one.chip for one in drawn], shard, vocabulary=vocabulary, size=size)
    return tables | {"haze": haze_table(drawn)}


def transmission(grid: Floats, size: int) -> Floats:
    """Interpolate a grid (4, 4) bilinearly to a map (size, size); the outer nodes lie on the chip's edges."""
    places = (np.arange(size) + 0.5) / size * (len(grid) - 1)
    weights = np.stack([np.interp(places, np.arange(len(grid)), row) for row in np.eye(len(grid))], axis=1)
    return np.asarray(weights @ grid @ weights.T, np.float32)


def lay_haze(rgb: Floats, t: Floats, airlight: tuple[float, float, float]) -> Floats:
    """Lay haze on a clear picture J (h, w, 3) in [0, 1]: I = J t + A (1 - t), with t (h, w) and A per channel."""
    share = t[..., None]
    return np.asarray(rgb * share + np.array(airlight, np.float32) * (1 - share), np.float32)


def haze_table(drawn: Iterable[DrawnChip]) -> pd.DataFrame:
    """Tabulate the haze of chips: image_id, t_00..t_33 (row, column), airlight_r, airlight_g, airlight_b."""
    places = [f"t_{row}{column}" for row in range(NODES) for column in range(NODES)]
    names = ["image_id", *places, "airlight_r", "airlight_g", "airlight_b"]
    rows = [[one.chip.image_id, *one.haze.t.ravel().tolist(), *one.haze.airlight] for one in drawn]
    table = pd.DataFrame(rows, columns=names)
    return table.astype(dict.fromkeys(names[1:], np.float32))


def _scene_chips(number: int, side: int, seed: int, size: int) -> list[DrawnChip]:
    """Draw one scene and cut it into chips, row by row."""
    scene = draw_scene(number, side, seed=seed)
    places = [(row, column) for row in range(side) for column in range(side)]
    return [
        DrawnChip(
            chip=Chip(
                image_id=f"drawn_{number * side**2 + index:05d}",
                split="train",
                group=f"scene_{number:04d}",
                tags=tags(scene, place),
                origin=Encoded(encode_jpeg(_picture(scene, place, size), QUALITY)),
            ),
            haze=haze(scene, place),
        )
        for index, place in enumerate(places)
    ]


def haze(scene: Scene, place: tuple[int, int]) -> Haze:
    """Return the haze over the chip at a place (row, column) of a scene."""
    row, column = (NODES - 1) * place[0], (NODES - 1) * place[1]
    return Haze(t=scene.t[row : row + NODES, column : column + NODES], airlight=scene.airlight)


def tags(scene: Scene, place: tuple[int, int]) -> tuple[str, ...]:
    """Name what one can see in the chip at a place (row, column) of a scene."""
    window = _window(place)
    hidden = scene.clouds.alpha[window] > OPAQUE
    if hidden.mean() > HIDDEN:
        return ("cloudy",)
    weather = "haze" if scene.t.min() < 1 else "clear"
    if np.count_nonzero(scene.clouds.alpha[window] > OPAQUE / 2) > WISP:
        weather = "partly_cloudy"
    seen = np.bincount(scene.surface[window][~hidden], minlength=len(Surface))
    return (weather, *(label for label, (surface, least) in LABELS.items() if seen[surface] >= least))


def _picture(scene: Scene, place: tuple[int, int], size: int) -> Pixels:
    """Return the chip at a place (row, column) as RGB (size, size, 3): ground, haze, clouds."""
    window = _window(place)
    hazy = lay_haze(scene.ground[window], transmission(haze(scene, place).t, NATIVE), scene.airlight)
    over = scene.clouds.part(window).over(hazy)
    return resize(np.round(np.clip(over, 0, 1) * 255).astype(np.uint8), size)


def _window(place: tuple[int, int]) -> tuple[slice, slice]:
    """Return the pixels of the chip at a place (row, column)."""
    row, column = place[0] * NATIVE, place[1] * NATIVE
    return slice(row, row + NATIVE), slice(column, column + NATIVE)
