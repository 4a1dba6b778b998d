"""Scenes: what stands on a piece of ground, in which shares, and the sky over it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from igarape.chips.drawn import landuse, scenery, sky
from igarape.chips.drawn.canvas import Canvas, Floats, blank

NODES = 4  # the transmission of a chip is known at NODES x NODES places
NATIVE = 256  # pixels of a chip as it is drawn
# Of how many scenes each is the theme. In truth they are far rarer; a small set could not teach them that rarely.
THEMES = {"logging": 0.07, "diggings": 0.08, "blossom": 0.045, "burn": 0.09, "pit": 0.08, "storm": 0.075, "none": 0.56}
SKIES = {"hazy": 0.07, "overcast": 0.052, "broken": 0.20, "open": 0.678}
LANDS = {"farmed": 0.55, "wild": 0.45}  # farmed, if the theme allows it


@dataclass(frozen=True)
class Scene:
    """A drawn scene of edge x edge pixels, before its chips are cut.

    ground: the clear picture J, float32 (edge, edge, 3). surface: the Surface of each pixel.
    clouds: over it all. t: transmission at the nodes, those at the chips' common borders shared. airlight: RGB.
    """

    ground: Floats
    surface: npt.NDArray[np.uint8]
    clouds: sky.Clouds
    t: Floats
    airlight: tuple[float, float, float]


def draw_scene(number: int, side: int, *, seed: int) -> Scene:
    """Draw one scene of side x side chips."""
    rng = np.random.default_rng([seed, number])
    theme, over, land = _deal(number, seed)
    canvas = blank(rng, side * NATIVE)
    _lay_out(canvas, theme, land, side=side)
    ground = sky.sensed(canvas)
    clouds = sky.no_clouds(canvas)
    nodes = side * (NODES - 1) + 1
    t, airlight = np.ones((nodes, nodes), np.float32), (1.0, 1.0, 1.0)
    if over == "overcast":
        clouds = sky.overcast(canvas)
    elif over == "broken":
        clouds = sky.broken_clouds(canvas, cover=float(rng.uniform(0.05, 0.4)))
    elif over == "hazy":
        t, airlight = sky.haze_grid(rng, nodes), sky.airlight(rng)
    return Scene(ground=ground, surface=canvas.surface, clouds=clouds, t=t, airlight=airlight)


def _deal(number: int, seed: int) -> tuple[str, str, str]:
    """Deal a scene its theme, its sky and its land, so evenly that any run of scenes has about the wanted shares.

    Each is read off an additive sequence of an irrational step (Weyl 1916); the golden section's is the most even.
    """
    steps = np.array([(np.sqrt(5) - 1) / 2, np.sqrt(2) - 1, np.sqrt(3) - 1])
    point = (np.random.default_rng(seed).random(3) + number * steps) % 1
    theme, over, land = (
        list(shares)[int(np.searchsorted(np.cumsum(list(shares.values())[:-1]), value, side="right"))]
        for shares, value in zip((THEMES, SKIES, LANDS), point, strict=True)
    )
    return theme, over, land


def _lay_out(canvas: Canvas, theme: str, land: str, *, side: int) -> None:
    """Draw the ground of a scene: forest, then what the theme and chance put into it."""
    rng = canvas.rng
    scenery.forest(canvas)
    settled = land == "farmed" and theme in ("none", "burn", "pit")
    if rng.random() < 0.06 * side:
        scenery.bare_slope(canvas, radius=rng.uniform(50, 130), place=canvas.anywhere())
    if theme == "storm":
        scenery.storm_gap(canvas, length=rng.uniform(70, 200))
    if settled:
        _settle(canvas)
    if theme != "diggings" and rng.random() < 0.2:
        _water(canvas)
    if theme != "blossom":
        for _ in range(rng.poisson((0.35 if settled else 0.14) * side)):
            landuse.plots(canvas, canvas.anywhere(), count=int(rng.integers(3, 10)))
    if not settled and rng.random() < 0.08:
        course = landuse.road(canvas, bend=rng.uniform(0.02, 0.15), width=int(rng.integers(4, 7)))
        if rng.random() < 0.35:
            landuse.houses(canvas, course, count=int(rng.integers(3, 12)))
    _theme(canvas, theme)


def _settle(canvas: Canvas) -> None:
    """Draw farmland with roads between its fields, and now and then a village or a town."""
    rng = canvas.rng
    lines = landuse.fields(canvas, reach=rng.uniform(150, 420))
    chosen = rng.permutation(len(lines))[: rng.choice([0, 0, 1, 1, 2])]
    for index in chosen:
        course = np.linspace(lines[index][0], lines[index][1], canvas.edge // 2)
        landuse.pave(canvas, course, width=int(rng.integers(4, 7)))
        if rng.random() < 0.7:
            landuse.houses(canvas, course, count=int(rng.integers(3, 16)))
    if rng.random() < 0.16:
        landuse.town(canvas, radius=rng.uniform(50, 150))


def _water(canvas: Canvas) -> None:
    """Draw a stream, a river or a lake."""
    rng = canvas.rng
    if rng.random() < 0.2:
        scenery.lake(canvas, radius=rng.uniform(30, 110), place=canvas.anywhere())
    else:
        scenery.river(canvas, width=int(np.exp(rng.uniform(np.log(9), np.log(70)))), muddy=False)


def _theme(canvas: Canvas, theme: str) -> None:
    """Draw what a scene was chosen to show; its smaller things last, so that nothing covers them."""
    rng = canvas.rng
    if theme == "logging":
        for _ in range(rng.integers(2, 5)):
            landuse.skid_tracks(canvas, length=rng.uniform(120, 320))
    elif theme == "diggings":
        course = scenery.river(canvas, width=int(rng.integers(4, 26)), muddy=rng.random() < 0.8)
        landuse.diggings(canvas, course, reach=rng.uniform(20, 55))
    elif theme == "blossom":
        scenery.blossom(canvas, crowns=int(rng.uniform(0.0008, 0.0025) * canvas.edge**2))
    elif theme == "burn":
        for _ in range(rng.integers(1, 4)):
            landuse.burn(canvas, canvas.anywhere(), radius=rng.uniform(22, 60))
    elif theme == "pit":
        landuse.road(canvas, bend=0.25, width=4)
        landuse.pit(canvas, radius=rng.uniform(60, 130))
