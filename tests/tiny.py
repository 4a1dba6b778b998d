"""The smallest learner there is, for tests that need one."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from igarape.chips.pictures import Pixels
from igarape.config.hyperparameters import FisherValues, KernelValues, NetworkValues, ProbeValues, TreeValues
from igarape.config.kinds import Fisher, Kernel, Tabular
from igarape.config.network_kinds import Network, Probe
from igarape.config.spaces import Space
from igarape.labels import Booleans, Targets
from igarape.learners.examples import Rows
from igarape.learners.learning import Training

M = TypeVar("M")

HYPERPARAMETERS: dict[str, Any] = {
    "learning_rate": 0.01,
    "warm_up": 0.1,
    "floor": 0.0,
    "head_epochs": 0,
    "head_rate": 0.01,
    "dropout": 0.0,
    "width": 0.25,
    "decay": 0.0,
    "ema": 0.0,
    "loss": "bce",
    "smoothing": 0.0,
    "dihedral": True,
    "jitter": 0.05,
    "zoom": 0.0,
    "frozen": 0.0,
    "smallest": 1.0,
    "mixup": 0.0,
    "balance": 0.0,
    "repeat": 0.0,
    "tta": False,
}
CONTENT: dict[str, Any] = {
    "backbone": "plain",
    "weights": "none",
    "chips": "raw",
    "labels": "all",
    "size": 32,
    "objective": "f2",
    "epochs": 2,
    "batch": 8,
    "hyperparameters": HYPERPARAMETERS,
}


def tiny(hyperparameters: dict[str, Any] | None = None, **changes: Any) -> Network:
    """Make a plain network's experiment with changes."""
    return Network(
        **(CONTENT | changes | {"hyperparameters": Space[NetworkValues](**(HYPERPARAMETERS | (hyperparameters or {})))})
    )


def values(**changes: Any) -> NetworkValues:
    """Give the plain network's hyperparameters with changes."""
    return NetworkValues(**(HYPERPARAMETERS | changes))


Logged = list[tuple[int, Mapping[str, float]]]


def fitted(
    fit: Callable[..., M], images: Pixels, truth: Booleans, *, train: Rows, validation: Rows, seed: int, **how: Any
) -> tuple[M, Logged]:
    """Fit once, to small pictures, and return what was learned with what was logged."""
    logged: Logged = []
    training = Training(
        images,
        truth,
        targets(truth.shape[1]),
        train=train,
        validation=validation,
        epochs=1,
        patience=None,
        seed=seed,
        log=lambda epoch, metrics: logged.append((epoch, metrics)),
    )
    return fit(training, **how), logged


def targets(count: int, exclusive: int = 0) -> Targets:
    """Name so many labels, of which the first ones exclude each other."""
    labels = tuple(f"label_{number}" for number in range(count))
    return Targets(labels, exclusive=labels[:exclusive])


TREE_HYPERPARAMETERS: dict[str, Any] = {
    "learning_rate": 0.3,
    "depth": 2,
    "child_weight": 0.5,
    "subsample": 1.0,
    "columns": 0.5,
    "l2": 1.0,
}
TABULAR: dict[str, Any] = {
    "backbone": "tabular",
    "chips": "raw",
    "labels": "all",
    "size": 32,
    "objective": "f2",
    "epochs": 4,
    "batch": 8,
    "hyperparameters": TREE_HYPERPARAMETERS,
}


def tabular(hyperparameters: dict[str, Any] | None = None, **changes: Any) -> Tabular:
    """Make the experiment of a few small trees with changes."""
    return Tabular(
        **(
            TABULAR
            | changes
            | {"hyperparameters": Space[TreeValues](**(TREE_HYPERPARAMETERS | (hyperparameters or {})))}
        )
    )


def tree_values(**changes: Any) -> TreeValues:
    """Give the hyperparameters of the small trees with changes."""
    return TreeValues(**(TREE_HYPERPARAMETERS | changes))


KERNEL: dict[str, Any] = {"backbone": "kernel", "size": 32, "batch": 8}


def kernel(hyperparameters: dict[str, Any] | None = None, **changes: Any) -> Kernel:
    """Make the experiment of a kernel machine of small chips with changes."""
    return Kernel(**(KERNEL | changes | {"hyperparameters": Space[KernelValues](**(hyperparameters or {}))}))


FISHER: dict[str, Any] = {"backbone": "fisher", "size": 32, "batch": 8}


def fisher(hyperparameters: dict[str, Any] | None = None, **changes: Any) -> Fisher:
    """Make the experiment of a head on Fisher vectors of small chips, of few words, with changes."""
    space = Space[FisherValues](**({"words": 4, "components": 4} | (hyperparameters or {})))
    return Fisher(**(FISHER | changes | {"hyperparameters": space}))


PROBE_HYPERPARAMETERS: dict[str, Any] = {"l2": 1.0, "balance": 0.0}
PROBE: dict[str, Any] = {
    "backbone": "probe",
    "features": "mobilenet",
    "weights": "imagenet",
    "chips": "raw",
    "labels": "all",
    "size": 32,
    "objective": "f2",
    "epochs": 1,
    "batch": 8,
    "hyperparameters": PROBE_HYPERPARAMETERS,
}


def probe(hyperparameters: dict[str, Any] | None = None, **changes: Any) -> Probe:
    """Make the experiment of a probe of small chips with changes."""
    space = Space[ProbeValues](**(PROBE_HYPERPARAMETERS | (hyperparameters or {})))
    return Probe(**(PROBE | changes | {"hyperparameters": space}))
