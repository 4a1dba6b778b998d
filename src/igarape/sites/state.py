"""What is known of a site: the filter, its alerts, and its condition day by day; a function of its looks alone.

state.npz    all of it, as arrays; the same looks give the same bytes, in whatever order they came
"""

import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from igarape.code import code_hash
from igarape.config.sites import Site
from igarape.errors import InputError
from igarape.files import atomic_path, digest
from igarape.labels import Booleans
from igarape.progress import Report
from igarape.sites.alerts import Alerts, Event, Rules
from igarape.sites.change import NEVER, Belief, Rates
from igarape.sites.evidence import Doubt, Emission, Floats, evidence, separation
from igarape.sites.looks import Day, Facts, by_day

Read = Callable[[Sequence[Facts]], Day]


@dataclass(frozen=True)
class Engine:
    """What turns looks into alerts: a site's settings, as arrays over its labels.

    first, baseline: the days on which the baseline begins and ends. alone: as of evidence.seen_logit. settings: of the
    site, as text: all that a state depends on but for its looks; empty where no state is kept.
    """

    emission: Emission
    rates: Rates
    doubt: Doubt
    rules: Rules
    first: int
    baseline: int
    alone: bool
    settings: str = ""

    @classmethod
    def of(cls, site: Site) -> "Engine":
        """Return a site's."""
        each = {
            name: np.array([getattr(label, name) for label in site.labels.values()])
            for name in ("appears", "vanishes", "prevalence", "auc")
        }
        return cls(
            emission=Emission(each["prevalence"], separation(each["auc"])),
            rates=Rates(each["prevalence"], each["appears"], each["vanishes"], site.evidence.other),
            doubt=Doubt(*(getattr(site.evidence, each.name) for each in fields(Doubt))),
            rules=Rules(**site.alerts.model_dump()),
            first=site.baseline[0].toordinal(),
            baseline=site.baseline[1].toordinal(),
            alone=site.weather.alone,
            settings=site.model_dump_json(exclude={"bands", "stretch"}),  # which say how scenes become looks
        )

    @property
    def key(self) -> str:
        """Return a hash of the settings, and of the code that a state follows from."""
        return digest([self.settings, code_hash(__name__)])

    def weigh(self, day: Day) -> tuple[Floats, Floats]:
        """Return what evidence says of the looks of a day, and the logarithms of their likelihood ratios."""
        return evidence(day.p, day.cloud, day.hazy, emission=self.emission, doubt=self.doubt, alone=self.alone)


@dataclass(frozen=True)
class Condition:
    """A site on a day. seen, cloudy: tiles that were looked at, and that were covered but not seen.

    known: tiles that were ever looked at. share: the expected share of those that hold each label, (labels,).
    """

    day: int
    seen: int
    cloudy: int
    known: int
    share: Floats


@dataclass
class State:
    """What is known of a site. key: of its settings. scenes: the keys of the looks in it, in the order of days."""

    key: str
    belief: Belief
    alerts: Alerts
    scenes: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    days: list[Condition] = field(default_factory=list)

    @classmethod
    def begin(cls, tiles: int, engine: Engine) -> "State":
        """Return what is known of a site before any look."""
        belief = Belief.begin(tiles, rates=engine.rates)
        return cls(engine.key, belief, Alerts.begin(tiles, len(engine.rates.begins)))

    def look(self, day: Day, engine: Engine) -> None:
        """Take in the looks of a day, which is later than those before it."""
        if day.day >= engine.first:
            log, ratio = engine.weigh(day)
            self.belief.look(day.rows, day.day, log, rates=engine.rates, baseline=engine.baseline)
            changed = self.belief.changed(day.rows)
            self.events += self.alerts.look(
                day.rows, day.day, changed, ratio > 0, rules=engine.rules, trusted=day.trusted
            )
        known: Booleans = self.belief.seen != NEVER
        share = self.belief.present()[known].mean(axis=0) if known.any() else np.full(len(engine.rates.begins), np.nan)
        self.days.append(Condition(day.day, len(day.rows), day.cloudy, int(known.sum()), share))

    def save(self, path: Path) -> None:
        """Write the state; the file takes its name when it is whole."""
        shares = np.array([day.share for day in self.days]).reshape(len(self.days), self.alerts.status.shape[-1])
        arrays = {
            "key": np.array(self.key),
            "chances": self.belief.chances,
            "seen": self.belief.seen,
            **{f"alerts_{each.name}": getattr(self.alerts, each.name) for each in fields(Alerts)},
            "scenes": np.array(self.scenes, dtype=np.str_),
            "events": np.array([event[:6] for event in self.events], dtype=np.int64).reshape(-1, 6),
            "probabilities": np.array([event.probability for event in self.events], dtype=np.float64),
            "days": np.array([[day.day, day.seen, day.cloudy, day.known] for day in self.days]).reshape(-1, 4),
            "shares": shares,
        }
        with atomic_path(path) as unfinished, unfinished.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> "State":
        """Read a state; raise InputError where it is none."""
        with _opened(path) as kept:
            return cls(
                key=str(kept["key"]),
                belief=Belief(kept["chances"], kept["seen"]),
                alerts=Alerts(*(kept[f"alerts_{each.name}"] for each in fields(Alerts))),
                scenes=kept["scenes"].tolist(),
                events=[
                    Event._make([*event, probability])
                    for event, probability in zip(kept["events"].tolist(), kept["probabilities"].tolist(), strict=True)
                ],
                days=[
                    Condition(day, seen, cloudy, known, share)
                    for (day, seen, cloudy, known), share in zip(kept["days"].tolist(), kept["shares"], strict=True)
                ],
            )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a state that is kept; raise InputError where it is none."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            yield kept
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: is no state of a site, or cut short. Remove it: looks tell it anew") from error


def state_key(path: Path) -> str:
    """Return the key of the state that is kept: of its settings, and of the igarape that wrote it."""
    with _opened(path) as kept:
        return str(kept["key"])


def caught_up(path: Path, looks: Sequence[Facts], engine: Engine, tiles: int, *, read: Read, report: Report) -> State:
    """Return the state after all looks: from the one that is kept, where the new ones are later, else from the start.

    Parameters
    ----------
    path
        Of the kept state; it may be missing.
    looks
        All that there are, in the order of days.
    engine, tiles
        The site's settings, and how many tiles it has.
    read
        Gives the looks of a day from what is known of its scenes.
    report
        Called with the days that are done, and all.
    """
    state = State.begin(tiles, engine)
    keys = [facts.key for facts in looks]
    if path.exists() and state_key(path) == state.key:
        kept = State.load(path)
        newest = date.fromordinal(kept.days[-1].day).isoformat() if kept.days else ""
        later = all(facts.date > newest for facts in looks[len(kept.scenes) :])
        if keys[: len(kept.scenes)] == kept.scenes and later:
            state = kept
    days = by_day(looks[len(state.scenes) :])
    for done, scenes in enumerate(days, start=1):
        state.look(read(scenes), engine)
        state.scenes += [facts.key for facts in scenes]
        report(done, len(days))
    return state
