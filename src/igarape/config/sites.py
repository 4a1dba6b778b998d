"""The schema of sites/NAME.yaml: a place that is watched, on which grid, for what, and from when on."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from igarape.config.schema import Section, flow, read_yaml, validate
from igarape.files import write_text

Rate = Annotated[float, Field(gt=0, le=12)]
Chance = Annotated[float, Field(gt=0, lt=1)]
Colours = tuple[float, float, float]
Point = Annotated[tuple[float, float], Field(strict=False)]


class Watched(Section):
    """A label that is watched: how often it comes and goes, and how the model answers about it.

    appears, vanishes: expected changes of a tile a year, where it can change so. prevalence: share of training chips
    that show the label, among those that show ground. auc: how well the model tells it.
    """

    appears: Rate
    vanishes: Rate
    prevalence: Chance
    auc: float = Field(gt=0.5, lt=1)


class Weather(Section):
    """Labels of the vocabulary that tell of the weather: those under which no ground is seen, and those under haze.

    alone: whether training chips of cloud have no other label, so that what is answered is what is seen.
    """

    cloud: tuple[str, ...] = Field(strict=False)
    haze: tuple[str, ...] = Field(strict=False)
    alone: bool


class Evidence(Section):
    """How much a look may say: sites.evidence.Doubt.

    seen: 0.8 where a YAML of before does not say it. other: how often a tile's ground changes in a way that is not the
    label's, a year: sites.change.Rates.
    cloudy: a tile whose cloud is more likely than this was not looked at. valid: nor was one of which a smaller share
    holds pixels.
    """

    bound: float = Field(gt=0, le=20)
    shared: float = Field(ge=0, lt=1)
    other: float = Field(ge=0, le=12)
    haze: float = Field(ge=0, le=1)
    seen: float = Field(default=0.8, gt=0, le=1)
    cloudy: float = Field(gt=0, le=1)
    valid: float = Field(ge=0, le=1)


class Alerting(Section):
    """When alerts are raised, confirmed and withdrawn: sites.alerts.Rules."""

    candidate: Chance
    confirmed: Chance
    withdrawn: Chance
    looks: int = Field(ge=1, le=1000)
    days: int = Field(ge=1, le=36500)

    @model_validator(mode="after")
    def _in_order(self) -> "Alerting":
        if not self.withdrawn < self.candidate <= self.confirmed:
            raise ValueError("should rise from withdrawn over candidate to confirmed")
        return self


class Line(Section):
    """From 16 bits to 8: gain * value + offset, each for red, green and blue."""

    gain: Colours = Field(strict=False)
    offset: Colours = Field(strict=False)


class Site(Section):
    """sites/NAME.yaml.

    crs: in metres, such as EPSG:32718. bounds: left, bottom, right, top, in its unit; the grid's origin is left, top.
    polygon: its corners in the crs, where less than the bounds is watched. pixel: metres; size, stride: of tiles, in
    pixels. bands: as of igarape map --bands; None: scenes say it themselves. baseline: its first day and its last.
    """

    crs: str
    bounds: tuple[float, float, float, float] = Field(strict=False)
    polygon: tuple[Point, ...] | None = Field(default=None, min_length=3, strict=False)
    pixel: float = Field(gt=0)
    size: int = Field(ge=16, le=4096)
    stride: int = Field(ge=1)
    bands: str | None = None
    stretch: Line | None = None
    labels: dict[str, Watched] = Field(min_length=1)
    weather: Weather
    baseline: tuple[date, date] = Field(strict=False)
    evidence: Evidence
    alerts: Alerting

    @model_validator(mode="after")
    def _in_order(self) -> "Site":
        left, bottom, right, top = self.bounds
        if not (left < right and bottom < top):
            raise ValueError("bounds should be left, bottom, right, top, of which left and bottom are the smaller ones")
        if self.baseline[0] >= self.baseline[1]:
            raise ValueError("baseline should end after it begins")
        if self.stride > self.size:
            raise ValueError("stride should be at most size, or ground lies between the tiles")
        if weather := sorted(set(self.labels) & {*self.weather.cloud, *self.weather.haze}):
            raise ValueError(f"labels should be no weather, which comes and goes by itself: {weather[0]}")
        return self


def read_site(name: str, folder: Path) -> Site:
    """Read sites/NAME.yaml."""
    path = folder / f"{name}.yaml"
    made_by = f"igarape site add {name} --scene FILE --baseline DAY DAY"
    return validate(Site, read_yaml(path, made_by=made_by), str(path))


def write_line(line: Line, path: Path) -> None:
    """Write a stretch into sites/NAME.yaml, which has none; all else there, comments too, stays as it is."""
    text, told = path.read_text(encoding="utf-8"), f"stretch: {flow(line.model_dump())}"
    replaced, count = re.subn(r"(?m)^stretch:.*$", told, text)
    write_text(replaced if count else f"{text.rstrip()}\n{told}\n", path)


def site_text(name: str, site: Site) -> str:
    """Write a site as YAML that people read and change."""
    content = site.model_dump()
    lines = [f"# {name}: drafted by `igarape site add {name}`. Everything here may be changed; see docs/sites.md."]
    for key, value in content.items():
        if key == "labels":
            lines.append("labels: # changes of a tile a year; share of training chips; how well the model tells it")
            lines += [f"  {flow(label)}: {flow(rates)}" for label, rates in value.items()]
        else:
            lines.append(f"{key}: {flow(value)}")
    return "\n".join(lines) + "\n"
