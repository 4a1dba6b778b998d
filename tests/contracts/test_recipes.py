"""docs/extending.md: each recipe is followed as it stands there, in a project of its own."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import tiny
from small_stream import environment

from igarape.config.datasets import read_dataset
from igarape.config.experiments import read_experiment
from igarape.config.hyperparameters import LOSS, NetworkValues
from igarape.config.inheritance import merged
from igarape.config.network_kinds import Network
from igarape.learners.keys import learner_code
from igarape.stages import ingest, use
from igarape.workspace import Workspace

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
RECIPES: Mapping[str, str] = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", TEXT, flags=re.DOTALL | re.MULTILINE))
BLOCK = re.compile(r"^```(\w+) (\S+)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
CLI = "from igarape.cli import main; main()"
TINY = {"size": 32, "batch": 8, "hyperparameters": {"learning_rate": 0.01, "dropout": 0.0, "tta": False}}


def edited(text: str, diff: str) -> str:
    """Return a text with the hunks of a diff applied; what a hunk begins from should stand there once."""
    lines = text.splitlines()
    for hunk in diff.split("@@\n"):
        rows = hunk.splitlines()
        old, new = ([row[1:] for row in rows if row[0] != sign] for sign in "+-")
        places = [place for place in range(len(lines)) if lines[place : place + len(old)] == old]
        assert len(places) == 1, f"stands there {len(places)} times: {old}"
        lines[places[0] : places[0] + len(old)] = new
    return "\n".join(lines) + "\n"


def follow(recipe: str, folder: Path) -> None:
    """Write the files of a recipe into a project, and change those that it changes."""
    blocks = BLOCK.findall(RECIPES[recipe])
    assert blocks
    for language, name, text in blocks:
        path = folder / name.replace("$IGARAPE_DATA", "chips")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            edited(path.read_text(encoding="utf-8"), text) if language == "diff" else text, encoding="utf-8"
        )


@pytest.fixture
def project(plugin_folder: Path) -> Path:
    """Give a project: its parameters, data sets and experiments; its plugins are found."""
    for part in ("datasets", "experiments"):
        shutil.copytree(ROOT / part, plugin_folder / part)
    shutil.copy(ROOT / "params.yaml", plugin_folder)
    return plugin_folder


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Give a copy of all that a change of igarape touches."""
    for part in ("src", "tests", "bench", "datasets", "experiments", "docs"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("params.yaml", "dvc.yaml", "MLproject", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def run(folder: Path, *words: str) -> str:
    """Run Python in a copy of the package, and return what it prints."""
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_recipes_are_those_that_are_followed() -> None:
    """None stands there without a test."""
    assert list(RECIPES) == ["A data set", "A backbone", "A loss", "A hyperparameter", "A step"]


def test_a_data_set_is_used_and_its_chips_are_listed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four pictures, their labels, and no fault."""
    follow("A data set", project)
    monkeypatch.setenv("IGARAPE_DATA", str(project / "chips"))
    monkeypatch.setenv("IGARAPE_WORKERS", "1")
    (project / "chips/mine/chips").mkdir()
    for number in range(4):
        picture = np.random.default_rng(number).integers(0, 256, (64, 64, 3)).astype(np.uint8)
        cv2.imwrite(f"{project}/chips/mine/chips/chip_{number}.jpg", picture)
    here = Workspace(project)
    use.run(here, "mine")
    ingest.run(here)
    catalog = pd.read_parquet(here.catalog()).set_index("image_id")
    assert sorted(catalog.index) == [f"chip_{number}" for number in range(4)]
    labels = read_dataset("mine", here.datasets).labels.vocabulary().labels
    assert {label for label in labels if catalog.loc["chip_0", f"y_{label}"]} == {"forest", "river"}
    assert pd.read_parquet(project / "data/ingest/faults.parquet").empty


def trained(name: str, folder: Path, **hyperparameters: Any) -> tuple[Any, Any, list[Mapping[str, float]]]:
    """Train an experiment for an epoch, at a small size; return it, the chips it saw, and what it logged."""
    from igarape.learners.learning import Training, fit

    read = read_experiment(name, folder / "experiments")
    changes = merged(TINY, {"hyperparameters": hyperparameters})
    experiment = Network.model_validate(merged({"backbone": read.backbone}, changes))
    images = np.random.default_rng(1).integers(0, 256, (16, 32, 32, 3)).astype(np.uint8)
    logged: list[Mapping[str, float]] = []
    training = Training(
        images,
        np.random.default_rng(2).random((16, 3)) < 0.5,
        tiny.targets(3),
        train=np.arange(12),
        validation=np.arange(12, 16),
        epochs=1,
        patience=None,
        seed=1,
        log=lambda _, metrics: logged.append(metrics),
    )
    values = NetworkValues.model_validate(experiment.hyperparameters.fixed())
    return fit(training, experiment=experiment, hyperparameters=values), images, logged


def test_a_backbone_is_trained_and_exported(project: Path) -> None:
    """And its file is part of what its results are known by."""
    from igarape.learners.networks.sessions import open_models

    follow("A backbone", project)
    vit, plain = (read_experiment(name, project / "experiments") for name in ("vit", "plain"))
    assert vit.sources() == (project / "my_models.py",)
    assert learner_code("train", vit) != learner_code("train", plain)
    learned, images, (metrics,) = trained("vit", project)
    assert np.isfinite(list(metrics.values())).all()
    answers = open_models([learned.export(project / "vit")], threads=1).mean(images, tta=False)
    np.testing.assert_allclose(answers, learned.predict(images, np.arange(16), tta=False), atol=1e-4)


def test_a_loss_is_trained_with(project: Path) -> None:
    """The search may pick it; chips that are ranked rightly cost nothing."""
    import keras

    follow("A loss", project)
    experiment = read_experiment("plain_ap", project / "experiments")
    assert experiment.sources() == (project / "my_losses.py",)
    _, _, (metrics,) = trained("plain_ap", project, loss="my_losses:smooth_ap")
    assert 0 < metrics["loss"] < 1
    y, p = [[1.0, 0.0, 1.0]] * 2, [[0.9, 0.1, 0.8], [0.1, 0.9, 0.5]]
    losses = LOSS.load("my_losses:smooth_ap")(*map(keras.ops.convert_to_tensor, (y, p)))
    np.testing.assert_allclose(losses, [0.0, 1 - (1 / 2 + 2 / 3) / 2], atol=0.06)


def test_a_hyperparameter_is_known_to_yamls_and_reaches_what_it_is_for(package: Path) -> None:
    """As a choice, and as a value of the optimiser."""
    follow("A hyperparameter", package)
    shown = run(package, "-c", CLI, "show", "plain_clip")
    assert "clip: {choice: [0.5, 1.0, 2.0]}" in shown and "hyperparameters.clip: 0.0 -> " in shown
    program = (
        "from igarape.config.hyperparameters import NetworkValues\n"
        "from igarape.learners.networks.optimizers import make_optimizer\n"
        "print([make_optimizer(NetworkValues(clip=clip), 10).global_clipnorm for clip in (0.0, 1.0)])"
    )
    assert run(package, "-c", program).strip() == "[None, 1.0]"


def test_a_step_has_its_command_and_keeps_the_contracts(package: Path) -> None:
    """In all the places that a step is named, and its own test passes."""
    follow("A step", package)
    assert "List the labels with the fewest chips." in run(package, "-c", CLI, "rarest", "--help")
    contracts = [f"tests/contracts/test_{name}.py" for name in ("names", "knobs", "deps")]
    assert "failed" not in run(package, "-m", "pytest", "-q", *contracts, "tests/stages/test_rarest.py")
