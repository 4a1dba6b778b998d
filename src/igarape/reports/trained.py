"""A learner as search and train have left it, if that is what its YAML says today."""

from dataclasses import dataclass

import pandas as pd

from igarape.config.best import read_best
from igarape.config.documents import LearnerManifest
from igarape.config.experiments import read_experiment, resolved_yaml
from igarape.config.kinds import Experiment
from igarape.errors import InputError
from igarape.predictions import read_predictions
from igarape.workspace import Workspace


@dataclass(frozen=True)
class Trained:
    """A learner: its experiment, what it became, and its predictions of each chip of the folds and the hold-out."""

    experiment: Experiment
    manifest: LearnerManifest
    predictions: pd.DataFrame


def read_trained(workspace: Workspace, name: str, folds: pd.DataFrame) -> Trained:
    """Read what is left of a learner's search and training.

    Raises InputError, with what to type, where it was not searched or trained, or its YAML or the folds have changed
    since.
    """
    experiment = read_experiment(name, workspace.experiments)
    search, train = (f"igarape {step} --experiment {name}" for step in ("search", "train"))
    if not workspace.best(name).exists():
        raise InputError(f"{name}: was not searched yet. Type: {search} && {train}")
    text = resolved_yaml(experiment)
    if _written(workspace, "search", name) != text:
        path = workspace.experiments / f"{name}.yaml"
        raise InputError(f"{path}: has changed since {name} was searched. Type: {search} && {train}")
    if not workspace.learner(name).exists():
        raise InputError(f"{name}: was searched, and not trained yet. Type: {train}")
    manifest = LearnerManifest.read(workspace.learner(name))
    best = read_best(workspace.best(name), experiment).hyperparameters.model_dump(mode="json")
    if _written(workspace, "train", name) != text or manifest.settings.get("hyperparameters") != best:
        raise InputError(f"{name}: was searched anew since it was trained. Type: {train}")
    try:
        return Trained(experiment, manifest, read_predictions(workspace.predictions(name), folds, manifest.labels))
    except InputError as error:
        raise InputError(f"{error}. By hand: {search} && {train}") from error


def _written(workspace: Workspace, step: str, name: str) -> str | None:
    """Return the experiment as a step has written it beside its result; None where that is not there."""
    path = workspace.folder(step, name) / "experiment.yaml"
    return path.read_text(encoding="utf-8") if path.exists() else None
