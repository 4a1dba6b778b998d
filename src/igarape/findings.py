"""What `igarape doctor` finds: one finding a check, however long that which is looked at keeps silent."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from igarape.errors import InputError, concealed, reason

# What to look at where no answer comes: from this machine, and from another one.
BUSY = "See whether this machine or its disk is busy with something else, and look again"
UNREACHED = "See whether the address is right, and whether a firewall drops what is sent there"

Level = Literal["good", "warning", "wrong", "unseen"]


@dataclass(frozen=True)
class Finding:
    """How something is; said: what was found and where, and unless it is good, what to type next."""

    level: Level
    said: str


def good(said: str) -> Finding:
    """Find nothing to do."""
    return Finding("good", said)


def warning(said: str) -> Finding:
    """Find what works, and may cost somebody something."""
    return Finding("warning", said)


def wrong(said: str) -> Finding:
    """Find what does not work."""
    return Finding("wrong", said)


def found(said: str, doubts: Sequence[str]) -> Finding:
    """Find what works, with what there is to say against it."""
    return warning("; ".join([said, *doubts])) if doubts else good(said)


@dataclass(frozen=True)
class Check:
    """What is looked at, how long at most (seconds), which check has to be passed first, and what silence means."""

    name: str
    look: Callable[[], Finding]
    seconds: float = 10.0
    needs: str | None = None
    silence: str = BUSY


def examine(checks: Sequence[Check]) -> Iterator[tuple[str, Finding]]:
    """Yield what each check finds, with its name, in their order; no password that stands in an address is told."""
    missed = set[str]()
    for check in checks:
        if check.needs in missed:
            finding = Finding("unseen", f"not looked at: mend {check.needs} first")
        else:
            finding = _within(check)
        if finding.level in {"wrong", "unseen"}:
            missed.add(check.name)
        yield check.name, Finding(finding.level, concealed(" ".join(finding.said.split())))


def _within(check: Check) -> Finding:
    """Look, on a thread that is left alone when its time is over: what hangs in a system call cannot be ended."""
    findings: list[Finding] = []

    def look() -> None:
        try:
            findings.append(check.look())
        except InputError as error:
            findings.append(wrong(str(error)))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is said, and the other checks go on
            findings.append(wrong(f"{type(error).__name__}: {reason(error)}"))

    thread = threading.Thread(target=look, name=check.name, daemon=True)
    thread.start()
    thread.join(check.seconds)
    if findings:
        return findings[0]
    return wrong(f"no answer within {check.seconds:g} seconds. {check.silence}")
