"""Tasks that tests hand to other processes, which import them from here."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from igarape.errors import InputError

Callback = Callable[[Any], None]


def count(send: Callback, to: int) -> int:
    """Send the numbers up to one, and return that."""
    for number in range(to):
        send(number)
    return to


def fail(send: Callback, word: str) -> None:
    """Fail."""
    send("before")
    raise InputError(word)


def die(send: Callback) -> None:
    """End the process."""
    send("begun")
    os._exit(9)


def sleep(send: Callback, seconds: float) -> int:
    """Sleep, and return the number of the process."""
    time.sleep(seconds)
    return os.getpid()


def silent(*_asked: str | None) -> dict[str, str]:
    """Stand in for igarape.cluster.agreement.facts: nothing to say here, and no answer from a node."""
    if "RAY_RAYLET_PID" in os.environ:
        time.sleep(60)
    return {}


def here(send: Callback) -> tuple[int, str, str]:
    """Return the process, the folder and the threads."""
    return os.getpid(), str(Path.cwd()), os.environ["TF_NUM_INTRAOP_THREADS"]


def total(send: Callback, *, array: npt.NDArray[np.float64]) -> tuple[float, bool]:
    """Send how many numbers an array has; return their sum, and whether it is mapped."""
    send(len(array))
    return array.sum(), isinstance(array.base, np.memmap) or not array.flags.owndata


def die_once(send: Callback, died: Path) -> str:
    """Send four numbers, and end the process after the second, the first time."""
    for number in range(4):
        send(number)
        if number == 1 and not died.exists():
            died.touch()
            time.sleep(1)
            os._exit(9)
    return "done"
