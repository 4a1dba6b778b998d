"""What tests read a journal by."""

from collections.abc import Sequence

from igarape.tracking.outbox import Entry, Journal
from igarape.tracking.sender import deliver


def left(journal: Journal) -> list[Entry]:
    """Read all that was not sent."""
    found: list[Entry] = []
    deliver(journal, found.extend)
    return found


def steps(entries: Sequence[Entry]) -> list[int]:
    """Return the entries' steps."""
    return [entry["step"] for entry in entries]
