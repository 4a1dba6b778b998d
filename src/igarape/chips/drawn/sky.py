"""What lies between the ground and the sensor: clouds and their shadows, haze, the sensor itself."""

from dataclasses import dataclass

import cv2
import numpy as np

from igarape.chips.drawn.canvas import Canvas, Floats, ramp


@dataclass(frozen=True)
class Clouds:
    """Clouds over a canvas of edge x edge pixels, each float32.

    alpha: how opaque (edge, edge). colour: in [0, 1] (edge, edge, 3). shadow: light they take away (edge, edge).
    """

    alpha: Floats
    colour: Floats
    shadow: Floats

    def over(self, rgb: Floats) -> Floats:
        """Return a picture (edge, edge, 3) with the shadows and the clouds drawn over it."""
        ground = rgb * (1 - self.shadow[..., None])
        return np.asarray(ground + self.alpha[..., None] * (self.colour - ground), np.float32)

    def part(self, window: tuple[slice, slice]) -> "Clouds":
        """Return the clouds over a part of the canvas."""
        return Clouds(alpha=self.alpha[window], colour=self.colour[window], shadow=self.shadow[window])


def no_clouds(canvas: Canvas) -> Clouds:
    """Return a clear sky."""
    nothing = np.zeros((canvas.edge, canvas.edge), np.float32)
    return Clouds(alpha=nothing, colour=np.zeros_like(canvas.rgb), shadow=nothing)


def broken_clouds(canvas: Canvas, *, cover: float) -> Clouds:
    """Return heaped clouds that cover a share of the canvas, with shadows away from the sun."""
    rng = canvas.rng
    field = canvas.noise(rng.uniform(80, 200), 6)
    soft = rng.uniform(0.3, 1.1)
    rim = float(np.quantile(field, 1 - cover))
    alpha = ramp(field, rim - soft / 2, rim + soft / 2) * rng.uniform(0.8, 1.0)
    brightness = rng.uniform(0.72, 0.92) + 0.10 * ramp(field, rim, rim + 1.0) + 0.03 * canvas.noise(40, 4)
    away = rng.uniform(25, 90) * np.array([np.cos(canvas.sun), np.sin(canvas.sun)])
    shift = np.array([[1, 0, away[0]], [0, 1, away[1]]])
    fallen = cv2.warpAffine(alpha, shift, (canvas.edge, canvas.edge))
    shadow = cv2.GaussianBlur(fallen, (0, 0), 3) * rng.uniform(0.35, 0.65)
    tint = rng.normal(1, 0.015, 3)
    colour = np.asarray(brightness[..., None] * tint, np.float32)
    return Clouds(alpha=alpha, colour=colour, shadow=np.asarray(shadow, np.float32))


def overcast(canvas: Canvas) -> Clouds:
    """Return a closed cloud deck: a sheet, or billows one can just not see through."""
    rng = canvas.rng
    field = canvas.noise(rng.uniform(30, 160), 5)
    billows = rng.uniform(0.005, 0.09)
    alpha = np.clip(rng.uniform(0.95, 1.0) + billows * field, 0.85, 1)
    brightness = rng.uniform(0.5, 0.75) + billows * field + rng.uniform(0, 0.015) * canvas.noise(8, 3)
    tint = rng.normal(1, 0.018, 3) * [0.97, 1.02, 0.98]
    colour = np.asarray(brightness[..., None] * tint, np.float32)
    return Clouds(alpha=np.asarray(alpha, np.float32), colour=colour, shadow=np.zeros_like(field))


def haze_grid(rng: np.random.Generator, nodes: int) -> Floats:
    """Return a transmission at nodes x nodes places: smooth, between 0.35 and 0.75."""
    coarse = rng.normal(0, 1, (3, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (nodes, nodes), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(rng.uniform(0.4, 0.7) + rng.uniform(0.01, 0.08) * smooth, 0.35, 0.75), np.float32)


def airlight(rng: np.random.Generator) -> tuple[float, float, float]:
    """Return the haze's own colour: grey with a tint."""
    colour = np.clip(rng.uniform(0.48, 0.72) * rng.normal(1, 0.03, 3) * [0.98, 1.03, 0.97], 0, 1)
    return float(colour[0]), float(colour[1]), float(colour[2])


def sensed(canvas: Canvas) -> Floats:
    """Return the ground (edge, edge, 3) as a sensor sees it on some day: its light, tint, veil, blur and noise."""
    rng = canvas.rng
    gain = rng.normal(1, 0.07) * rng.normal(1, 0.02, 3)
    veil = min(rng.exponential(0.02), 0.08) * np.array([0.8, 1.0, 1.1]) - 0.01
    soft = cv2.GaussianBlur(canvas.rgb, (0, 0), rng.uniform(0.65, 1.0))
    grain = rng.standard_normal(canvas.rgb.shape, dtype=np.float32) * rng.uniform(0.001, 0.006)
    return np.asarray(np.clip(soft * gain + veil + grain, 0, 1), np.float32)
