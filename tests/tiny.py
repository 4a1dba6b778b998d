"""The smallest learner there is, for tests that need one."""

from typing import Any

from igarape.learners.experiment import Network, NetworkKnobs

KNOBS: dict[str, Any] = {
    "learning_rate": 0.01,
    "warm_up": 0.1,
    "head_epochs": 0.0,
    "head_rate": 0.01,
    "dropout": 0.0,
    "width": 0.25,
    "decay": 0.0,
    "ema": 0.0,
    "loss": "bce",
    "smoothing": 0.0,
    "dihedral": True,
    "jitter": 0.05,
    "smallest": 1.0,
    "balance": 0.0,
    "tta": False,
}
CONTENT: dict[str, Any] = {
    "backbone": "plain",
    "weights": "none",
    "chips": "ingest",
    "labels": "all",
    "size": 32,
    "objective": "f2",
    "epochs": 2,
    "batch": 8,
    "knobs": KNOBS,
}


def tiny(knobs: dict[str, Any] | None = None, **changes: Any) -> Network:
    """Make a plain network's experiment with changes."""
    return Network(**(CONTENT | changes | {"knobs": NetworkKnobs(**(KNOBS | (knobs or {})))}))
