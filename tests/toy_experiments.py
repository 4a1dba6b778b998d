"""An experiment that is good, and what is said of it with changes."""

from typing import Any

import pytest
import tiny

from igarape.config.network_kinds import Network
from igarape.config.schema import validate
from igarape.errors import InputError
from igarape.labels import Vocabulary

HYPERPARAMETERS: dict[str, Any] = tiny.HYPERPARAMETERS | {"dropout": {"choice": [0.4, 0.0, 0.2]}, "width": 1}
GOOD: dict[str, Any] = tiny.CONTENT | {"backbone": "mobilenet", "size": 64, "hyperparameters": HYPERPARAMETERS}
WITH_RARE = Vocabulary(exclusive=("sun",), alone=(), common=("tree",), rare=("kiln",))
WITHOUT_RARE = Vocabulary(exclusive=(), alone=(), common=("tree",), rare=())


def read(**changes: object) -> Network:
    """Validate the good experiment with changes."""
    return validate(Network, GOOD | changes, "e.yaml")


def refused(**changes: object) -> list[str]:
    """Return the faults that the changes bring about, without the first line."""
    with pytest.raises(InputError) as caught:
        read(**changes)
    return str(caught.value).splitlines()[1:]
