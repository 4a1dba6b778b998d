"""The stretch of a scene: one line per colour from its values to the 8 bits that the model was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Pixels
from igarape.config.schema import read_yaml
from igarape.errors import InputError
from igarape.files import read_json
from igarape.sites.units import Units

Table = npt.NDArray[np.uint8]
Reals = npt.NDArray[np.float64]
WHITE = 255
YAML = ".yaml"
STRAIGHT = 0.97  # below it a stretch may be far off: of the drawn site's single days none lay above


@dataclass(frozen=True)
class Stretch:
    """8 bits = gain * value + offset, for red, green and blue, rounded and clipped. None of both: left as it is.

    Values are those of sites.units.

    of: what it was fitted to or read from, for people. straight: how well what it was fitted to lies on a line with the
    training's, of straightness; None: it was not fitted.
    """

    gain: tuple[float, ...] | None = None
    offset: tuple[float, ...] | None = None
    of: str | None = None
    straight: float | None = None

    @classmethod
    def from_json(cls, content: Any, where: str) -> "Stretch":
        """Read what to_json wrote; raise InputError that begins with where for anything else."""
        try:
            gain, offset = content["gain"], content["offset"]
            if gain is None and offset is None:
                return cls(of=where)
            numbers = [tuple(float(value) for value in part) for part in (gain, offset)]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{where}: no stretch in it. Name the map.json of a map of igarape's, or a site's YAML that has one"
            ) from error
        if any(len(part) != 3 or not np.isfinite(part).all() for part in numbers):
            raise InputError(f"{where}: expected a gain and an offset of three colours. Name another map.json")
        return cls(numbers[0], numbers[1], of=where)

    def to_json(self) -> Mapping[str, Any]:
        """Return what a JSON file keeps of it."""
        line = {"gain": self.gain and list(self.gain), "offset": self.offset and list(self.offset), "of": self.of}
        return line | {"straight": self.straight and round(self.straight, 4)}

    def tables(self, units: Units) -> Sequence[Table] | None:
        """Return what each value of 16 bits becomes, a table of 65536 a colour; None: all stays as it is."""
        if self.gain is None or self.offset is None:
            return None
        values = units.meant(np.arange(2**16, dtype=np.float64) * np.ones((len(self.gain), 1)))
        lines = [gain * each + offset for gain, each, offset in zip(self.gain, values, self.offset, strict=True)]
        return [np.clip(np.rint(line), 0, WHITE).astype(np.uint8) for line in lines]


def read_stretch(path: Path) -> Stretch:
    """Read the stretch of a map from its map.json, or of a site from its YAML; raise InputError where there is none."""
    if not path.is_file():
        raise InputError(
            f"{path}: not found; expected the map.json of another map, or sites/NAME.yaml, whose stretch is used again"
        )
    content = read_yaml(path) if path.suffix == YAML else read_json(path)
    return Stretch.from_json(content.get("stretch") if isinstance(content, dict) else None, str(path))


def doubt_line(found: Mapping[str, Any]) -> str:
    """Return what people should know of a stretch that was fitted, of to_json; nothing where all is well."""
    if found["straight"] is None or found["straight"] >= STRAIGHT:
        return ""
    return (
        f"its 16 bits are brought to 8 by a line that fits badly ({found['straight']:.3f}; {STRAIGHT} is well): the "
        "scene shows more cloud than the training's, or less, so its ground may be far too bright or too dark. Give it "
        "the stretch of a site, fitted to many days: --stretch sites/NAME.yaml"
    )


def fit(samples: npt.NDArray[Any], levels: Mapping[str, Sequence[float]], where: str) -> Stretch:
    """Fit a stretch, so that the scene's percentiles come to lie at those of the training chips (least squares).

    samples: values of the scene, as Units.meant has them, of shape (3, n). levels: for some percentiles, such as "50",
    the training chips' level of red, green and blue. Raises InputError that begins with where, for one value only.
    """
    found, wanted = _percentiles(samples, levels)
    spread = _spread(found)
    if (np.square(spread).sum(axis=0) == 0).any():
        raise InputError(
            f"{where}: a colour of it holds one value only, so that no stretch of its 16 bits can be fitted. Give that "
            "of another scene of the sensor: --stretch maps/OTHER/map.json"
        )
    gain = (spread * wanted).sum(axis=0) / np.square(spread).sum(axis=0)
    offset = wanted.mean(axis=0) - gain * found.mean(axis=0)
    return Stretch(tuple(gain.tolist()), tuple(offset.tolist()), of=where, straight=straightness(samples, levels))


def straightness(samples: npt.NDArray[Any], levels: Mapping[str, Sequence[float]]) -> float:
    """Return how well percentiles lie on a line with the training's, at most 1: their correlation, of all colours.

    Where they do not, something else is seen than in the training, such as more cloud, or none. As of fit.
    """
    found, wanted = (_spread(each) for each in _percentiles(samples, levels))
    sizes = np.sqrt(np.square(found).sum(axis=0) * np.square(wanted).sum(axis=0))
    return float(np.divide((found * wanted).sum(axis=0), sizes, out=np.zeros(3), where=sizes > 0).mean())


def _percentiles(samples: npt.NDArray[Any], levels: Mapping[str, Sequence[float]]) -> tuple[Reals, Reals]:
    """Return some percentiles of values and those of the training, (n, 3) each."""
    found = np.percentile(samples.astype(np.float64), [float(name) for name in levels], axis=1)
    return found, np.asarray(list(levels.values()), dtype=np.float64)


def _spread(levels: Reals) -> Reals:
    """Return how far percentiles (n, 3) lie from their mean: nothing at all, to the bit, where all are one."""
    above = levels - levels[0]
    return np.asarray(above - above.mean(axis=0))


def stretched(values: npt.NDArray[Any], tables: Sequence[Table] | None) -> Pixels:
    """Return values of three colours, (3, height, width), as pixels (height, width, 3)."""
    planes = values if tables is None else [table.take(plane) for table, plane in zip(tables, values, strict=True)]
    return np.asarray(cv2.merge(list(planes)))  # ten times as fast as NumPy moves an axis
