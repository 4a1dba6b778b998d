"""A site's files.

sites/NAME.yaml                           what is watched
sites/NAME/maps/                          a map for each scene
sites/NAME/looks.parquet/                 a table of looks for each scene
sites/NAME/state.npz, alerts.parquet      what follows from the looks
sites/NAME/verdicts.csv                   what people judged
sites/NAME/inbox/                         copies of what lies in a bucket that is watched
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from igarape.config.schema import check_name
from igarape.config.sites import Site, read_site
from igarape.errors import InputError, some
from igarape.files import write_lock
from igarape.progress import Report
from igarape.sites.area import Area, site_area
from igarape.sites.bands import Bands, parse_bands
from igarape.sites.judgements import read_verdicts
from igarape.sites.ledger import write_alerts
from igarape.sites.looks import Day, Facts, by_day, list_looks, read_day
from igarape.sites.state import Engine, State, caught_up, state_key

NAMED = 8  # digits of a scene's hash in the name of its map


@dataclass(frozen=True)
class SiteFolder:
    """A site with its files. name: of sites/NAME.yaml, in the folder sites."""

    name: str
    sites: Path
    site: Site
    area: Area

    @classmethod
    def read(cls, name: str, sites: Path) -> "SiteFolder":
        """Read a site by a name that was typed; raise InputError for what is wrong with either."""
        site = read_site(check_name(name, "my_site"), sites)
        return cls(name, sites, site, site_area(site, str(sites / f"{name}.yaml")))

    @property
    def folder(self) -> Path:
        """Return the folder of all that is known of it."""
        return self.sites / self.name

    @property
    def looks(self) -> Path:
        """Return the folder of its looks."""
        return self.folder / "looks.parquet"

    def map_of(self, scene: Path, sha256: str) -> Path:
        """Return the folder of the map of a scene, by its name and its hash."""
        return self.folder / "maps" / f"{scene.stem}-{sha256[:NAMED]}"

    @property
    def inbox(self) -> Path:
        """Return the folder of copies of what lies in a bucket."""
        return self.folder / "inbox"

    @property
    def state(self) -> Path:
        """Return what is known of it."""
        return self.folder / "state.npz"

    @property
    def alerts(self) -> Path:
        """Return its alerts."""
        return self.folder / "alerts.parquet"

    @property
    def verdicts(self) -> Path:
        """Return what people judged of its alerts."""
        return self.folder / "verdicts.csv"

    @property
    def labels(self) -> list[str]:
        """Return the labels that are watched, in order."""
        return list(self.site.labels)

    @property
    def bands(self) -> Bands | None:
        """Return which band of its scenes is which; None: they say it themselves."""
        return parse_bands(self.site.bands, f"sites/{self.name}.yaml: bands") if self.site.bands else None

    @property
    def outdated(self) -> bool:
        """Say whether its YAML, or igarape, has changed since state and alerts were written."""
        return self.state.exists() and state_key(self.state) != Engine.of(self.site).key

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let nobody else change it; raise InputError when somebody is at it."""
        with write_lock(self.sites / f".{self.name}.lock", self.folder):
            yield

    def day(self, scenes: Sequence[Facts]) -> Day:
        """Return the looks of a day, from what is known of its scenes."""
        return read_day(scenes, self.looks, site=self.site, known=self.area.known)

    def days(self, looks: Sequence[Facts]) -> Iterator[Day]:
        """Yield the looks of each day, in order."""
        for scenes in by_day(looks):
            yield self.day(scenes)

    def listed(self) -> list[Facts]:
        """Return what is known of all looks, in the order of days.

        Raises InputError where the tiles of one are named on another grid than the site's is now.
        """
        looks = list_looks(self.looks)
        if strayed := [facts.scene for facts in looks if facts.grid not in {"", self.area.grid.hash}]:
            raise InputError(
                f"{self.looks}: the looks at {some(strayed)} are on another grid than sites/{self.name}.yaml says now: "
                "their tiles lie elsewhere. Put back crs, bounds, pixel, size and stride, or watch with --replay"
            )
        return looks

    def now(self, report: Report) -> State:
        """Return the state after all looks; report: called with the days that are done, and all."""
        return self._after(self.listed(), report)

    def _after(self, looks: Sequence[Facts], report: Report) -> State:
        """Return the state after some looks."""
        tiles = len(self.area.names)
        return caught_up(self.state, looks, Engine.of(self.site), tiles, read=self.day, report=report)

    def update(self, report: Report) -> tuple[State, pd.DataFrame]:
        """Take in the looks that are not in the state yet, and write state and alerts anew; return both.

        report: called with the days that are done, and all.
        """
        looks = self.listed()
        state = self._after(looks, report)
        state.save(self.state)
        table = write_alerts(
            self.alerts,
            state,
            site=self.name,
            labels=self.labels,
            area=self.area,
            engine=Engine.of(self.site),
            days=self.days(looks),
            verdicts=read_verdicts(self.verdicts),
        )
        return state, table
