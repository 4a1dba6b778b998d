"""Igarape: from labelled satellite chips to a registered, served tagger.

What most people need from Python, under one name each; docs/tutorial.ipynb uses them. A name is loaded when it is first
asked for (PEP 562), so that `import igarape` takes no time. Nothing inside the package imports from here: the modules
say where things are.
"""

from importlib import import_module
from os import environ
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what __getattr__ does, for those who read types
    from igarape.chips.dehaze import dehaze
    from igarape.chips.split import make_folds as split
    from igarape.config.experiments import read_experiment
    from igarape.config.kinds import Experiment
    from igarape.learners.crossfit import cross_fit
    from igarape.learners.folds import Recipe
    from igarape.scores import metrics
    from igarape.serving.loading import load_bundle
    from igarape.workspace import Workspace

    __version__: str

# ONNX Runtime tells its makers of each model, by names and hashes, and MLflow tells its own of runs, where nobody
# forbids it. They look when they are loaded, which is after this. Who wants it sets the variables.
environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

__all__ = [
    "Experiment",
    "Recipe",
    "Workspace",
    "__version__",
    "cross_fit",
    "dehaze",
    "load_bundle",
    "metrics",
    "read_experiment",
    "split",
]

# Of each name, the module that holds it, and what it is called there; a module by itself has no second part.
PLACES = {
    "Experiment": "igarape.config.kinds:Experiment",
    "Recipe": "igarape.learners.folds:Recipe",
    "Workspace": "igarape.workspace:Workspace",
    "cross_fit": "igarape.learners.crossfit:cross_fit",
    "dehaze": "igarape.chips.dehaze:dehaze",
    "load_bundle": "igarape.serving.loading:load_bundle",
    "metrics": "igarape.scores.metrics",
    "read_experiment": "igarape.config.experiments:read_experiment",
    "split": "igarape.chips.split:make_folds",
}


if not TYPE_CHECKING:  # to whom every name would be known

    def __getattr__(name: str) -> Any:
        """Load what a name stands for, and keep it; raise AttributeError for a name that is not known."""
        if name == "__version__":
            found: Any = _version()
        elif name in PLACES:
            module, _, inside = PLACES[name].partition(":")
            found = import_module(module)
            found = getattr(found, inside) if inside else found
        else:
            from igarape.errors import did_you_mean

            raise AttributeError(f"module 'igarape' has no attribute {name!r}{did_you_mean(name, __all__)}")
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    """List the names that are not loaded yet too."""
    return sorted({*globals(), *__all__})


def _version() -> str:
    """Return the version of what is installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(__name__)
    except PackageNotFoundError as error:
        raise AttributeError(
            "igarape.__version__: these are igarape's sources, as a served model brings them; the package itself is "
            "not installed here"
        ) from error
