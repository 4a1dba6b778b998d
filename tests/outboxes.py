"""What tests read a outbox by."""

from collections.abc import Sequence

from igarape.tracking.outbox import Entry, Outbox
from igarape.tracking.sender import deliver


def left(outbox: Outbox) -> list[Entry]:
    """Read all that was not sent."""
    found: list[Entry] = []
    deliver(outbox, found.extend)
    return found


def steps(entries: Sequence[Entry]) -> list[int]:
    """Return the entries' steps."""
    return [entry["step"] for entry in entries]
