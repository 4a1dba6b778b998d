"""A learner is read as its search and training have left it, where its YAML still says the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
import yaml

from igarape.config.best import Best
from igarape.config.documents import LearnerManifest
from igarape.config.experiments import read_experiment, resolved_yaml
from igarape.errors import InputError
from igarape.files import write_text
from igarape.predictions import prediction_table
from igarape.reports.trained import read_trained
from igarape.tables import write_table
from igarape.workspace import Workspace

FOLDS = pd.DataFrame({"image_id": ["a", "b"], "fold": [0, 1]})
SEARCH, TRAIN = "igarape search --experiment trees", "igarape train --experiment trees"


def say(here: Workspace, **changes: Any) -> None:
    """Write experiments/trees.yaml, whose search goes through depths."""
    space = {"hyperparameters": tiny.TREE_HYPERPARAMETERS | {"depth": {"choice": [1, 2]}}}
    write_text(yaml.safe_dump(tiny.TABULAR | space | changes), here.experiments / "trees.yaml")


def search(here: Workspace, depth: int) -> None:
    """Leave what a search leaves that has found a depth."""
    experiment = read_experiment("trees", here.experiments)
    values = experiment.hyperparameters.pick(tiny.TREE_HYPERPARAMETERS | {"depth": depth})
    Best("trees", values, score=0.5, trial="trial-0").write(here.folder("search", "trees"))
    write_text(resolved_yaml(experiment), here.folder("search", "trees") / "experiment.yaml")


def train(here: Workspace, depth: int, folds: pd.DataFrame = FOLDS) -> None:
    """Leave what a training leaves that was done at a depth."""
    experiment = read_experiment("trees", here.experiments)
    values = tiny.TREE_HYPERPARAMETERS | {"depth": depth}
    known = {"name": "trees", "chips": "raw", "size": 32, "scope": "all", "labels": ("sun",), "tta": False, "folds": ()}
    manifest = LearnerManifest(**known, f2=0.5, map=0.5, settings={"hyperparameters": values})  # type: ignore[arg-type]
    manifest.write(here.learner("trees"))
    write_text(resolved_yaml(experiment), here.folder("train", "trees") / "experiment.yaml")
    p = np.full((len(folds), 1), 0.5, dtype=np.float32)
    table = prediction_table(list(folds["image_id"]), folds["fold"].to_numpy(), learner="trees", labels=("sun",), p=p)
    write_table(table, here.predictions("trees"))


def test_what_is_left_of_both_steps_is_read(tmp_path: Path) -> None:
    """The experiment, what it became, and its predictions."""
    here = Workspace(tmp_path)
    say(here)
    search(here, 2)
    train(here, 2)
    found = read_trained(here, "trees", FOLDS)
    assert found.experiment.kind == "tabular" and found.manifest.settings["hyperparameters"]["depth"] == 2
    assert list(found.predictions["image_id"]) == ["a", "b"]


def test_what_is_missing_or_out_of_date_is_told_with_what_to_type(tmp_path: Path) -> None:
    """In the order in which one goes on: nothing is compared that another YAML has made."""
    here = Workspace(tmp_path)
    say(here)

    def refused(message: str) -> None:
        with pytest.raises(InputError, match=message):
            read_trained(here, "trees", FOLDS)

    refused(f"^trees: was not searched yet. Type: {SEARCH} && {TRAIN}$")
    search(here, 2)
    refused(f"^trees: was searched, and not trained yet. Type: {TRAIN}$")
    train(here, 2)
    search(here, 1)
    refused(f"^trees: was searched anew since it was trained. Type: {TRAIN}$")
    train(here, 1)
    read_trained(here, "trees", FOLDS)
    say(here, size=64)
    refused(rf"trees\.yaml: has changed since trees was searched. Type: {SEARCH} && {TRAIN}$")
    search(here, 1)
    refused(f"^trees: was searched anew since it was trained. Type: {TRAIN}$")
    train(here, 1, FOLDS.assign(fold=[1, 0]))
    refused(rf"The folds have changed since.* By hand: {SEARCH} && {TRAIN}$")


def test_an_experiment_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By the name of its file."""
    with pytest.raises(InputError, match=r"trees\.yaml: not found"):
        read_trained(Workspace(tmp_path), "trees", FOLDS)
