"""Tasks that tests hand to other processes, which import them from here."""

import os
import time
from collections.abc import Callable
from typing import Any

from igarape.errors import InputError

Tell = Callable[[Any], None]


def count(tell: Tell, to: int) -> int:
    """Tell the numbers up to one, and return that."""
    for number in range(to):
        tell(number)
    return to


def fail(tell: Tell, word: str) -> None:
    """Fail."""
    tell("before")
    raise InputError(word)


def die(tell: Tell) -> None:
    """End the process."""
    tell("begun")
    os._exit(9)


def sleep(tell: Tell, seconds: float) -> int:
    """Sleep, and return the number of the process."""
    time.sleep(seconds)
    return os.getpid()
