"""From what is known of a change to an alert: raised, confirmed, withdrawn."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from igarape.labels import Booleans
from igarape.sites.change import Integers
from igarape.sites.evidence import Floats

DIRECTIONS = ("appeared", "vanished")


class Status(IntEnum):
    """Of an alert. EXPIRED: it was not confirmed in time; another one is raised when it has become unlikely first."""

    NONE = 0
    CANDIDATE = 1
    CONFIRMED = 2
    WITHDRAWN = 3
    EXPIRED = 4


@dataclass(frozen=True)
class Rules:
    """When an alert changes its status, by the probability A that there was a change since the baseline.

    candidate, confirmed: raised, confirmed from this A on. withdrawn: below this A. looks: that say so by then, the
    newest ones in a row. days: from the look that raised it to one that still does not confirm it.
    """

    candidate: float
    confirmed: float
    withdrawn: float
    looks: int
    days: int


class Event(NamedTuple):
    """A change of an alert's status: the day, what, where (a row of the site's tiles), which of its kind, how sure."""

    day: int
    direction: int
    tile: int
    label: int
    number: int
    status: int
    probability: float


@dataclass
class Alerts:
    """The alerts of a site, each of shape (2 directions, tiles, labels).

    status: of the newest alert. number: how many there were. raised: the day of the look that raised the newest. looks:
    how many there were since, that one among them. agreeing: how many of the newest looks, in a row, say so.
    """

    status: npt.NDArray[np.int8]
    number: npt.NDArray[np.int16]
    raised: npt.NDArray[np.int32]
    looks: npt.NDArray[np.int16]
    agreeing: npt.NDArray[np.int16]

    @classmethod
    def begin(cls, tiles: int, labels: int) -> "Alerts":
        """Return the alerts of a site before any look."""
        shape = (len(DIRECTIONS), tiles, labels)
        kinds = (np.int8, np.int16, np.int32, np.int16, np.int16)
        return cls(*(np.zeros(shape, kind) for kind in kinds))

    def look(
        self, rows: Integers, day: int, changed: Floats, yes: Booleans, *, rules: Rules, trusted: Booleans
    ) -> list[Event]:
        """Take in what is known after the looks of a day, and return what it changes.

        Parameters
        ----------
        rows
            The tiles that were looked at.
        day
            Of the look.
        changed
            The probability of a change, of shape (2 directions, rows, labels).
        yes
            Whether the look says that a label is there, of shape (rows, labels).
        rules
            When a status changes.
        trusted
            Whether the scene of each look is like what the model was trained on, of shape (rows,); else nothing is
            confirmed by it.
        """
        status = self.status[:, rows]
        active = (status == Status.CANDIDATE) | (status == Status.CONFIRMED)
        raised = ~active & (status != Status.EXPIRED) & (changed >= rules.candidate)
        looks = np.where(raised, 1, self.looks[:, rows] + active)
        since = np.where(raised, day, self.raised[:, rows])
        agreeing = np.where(np.stack([yes, ~yes]), self.agreeing[:, rows] + 1, 0)
        waits = (status == Status.CANDIDATE) | raised
        confirmed = waits & (changed >= rules.confirmed) & (agreeing >= rules.looks) & trusted[:, None]
        unlikely = changed < rules.withdrawn
        late = waits & ~confirmed & (day - since > rules.days)
        new = np.select(
            [active & unlikely, (status == Status.EXPIRED) & unlikely, confirmed, late, raised],
            [Status.WITHDRAWN, Status.NONE, Status.CONFIRMED, Status.EXPIRED, Status.CANDIDATE],
            default=status,
        ).astype(np.int8)
        self.status[:, rows] = new
        self.number[:, rows] += raised.astype(np.int16)
        self.raised[:, rows], self.looks[:, rows], self.agreeing[:, rows] = since, looks, agreeing
        return self._events(rows, day, changed, told=(new != status) & (new != Status.NONE))

    def _events(self, rows: Integers, day: int, changed: Floats, *, told: Booleans) -> list[Event]:
        """Return the events of alerts whose status is told, (2, rows, labels)."""
        return [
            Event(
                day,
                direction,
                int(rows[row]),
                label,
                int(self.number[direction, rows[row], label]),
                int(self.status[direction, rows[row], label]),
                float(changed[direction, row, label]),
            )
            for direction, row, label in np.argwhere(told).tolist()
        ]
