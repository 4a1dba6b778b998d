"""Whoever trains a learner need not know what it is made of."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import grimp
import numpy as np
import pytest
import tiny

from igarape.config.experiments import KINDS
from igarape.config.kinds import Experiment
from igarape.learners import learning
from igarape.learners.learning import FittedModel, Training
from igarape.learners.predictor import Predictor

PICTURES = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
TRUTH = np.random.default_rng(1).random((20, 2)) < 0.5


def fit(experiment: Experiment) -> FittedModel:
    """Train on twenty chips for one epoch."""
    training = Training(
        PICTURES,
        TRUTH,
        tiny.targets(2),
        train=np.arange(15),
        validation=np.arange(15, 20),
        epochs=1,
        patience=1,
        seed=1,
        log=lambda _epoch, _metrics: None,
    )
    return learning.fit(training, experiment=experiment, hyperparameters=experiment.hyperparameters.pick({}))


@pytest.mark.parametrize(
    "experiment", [tiny.tabular(), tiny.kernel(), tiny.fisher()], ids=["trees", "kernel", "fisher"]
)
def test_what_is_trained_is_written_and_opened(experiment: Experiment, tmp_path: Path) -> None:
    """What the predictor answers from the file is what the model answered."""
    learned = fit(experiment)
    path = learned.export(tmp_path / "fold-0")
    p = Predictor([path], threads=1).predict(PICTURES, tta=True, batch=8)
    np.testing.assert_array_equal(p, learned.predict(PICTURES, np.arange(20), tta=True))


@pytest.mark.parametrize(
    ("module", "experiment"),
    [
        ("networks.training", tiny.tiny()),
        ("trees.boosting", tiny.tabular()),
        ("kernels.solving", tiny.kernel()),
        ("fisher.solving", tiny.fisher()),
        ("probes.probing", tiny.probe()),
    ],
    ids=["network", "trees", "kernel", "fisher", "probe"],
)
def test_each_kind_is_trained_in_its_own_room(
    module: str, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All reaches it as it was given."""
    asked: list[Any] = []
    monkeypatch.setattr(f"igarape.learners.{module}.fit", lambda *words, **named: asked.extend([*words, named]))
    fit(experiment)
    training, named = asked
    assert training.images is PICTURES and (training.epochs, training.seed) == (1, 1)
    assert named == {"experiment": experiment, "hyperparameters": experiment.hyperparameters.pick({})}


def test_trees_are_trained_without_tensorflow() -> None:
    """It takes seconds to load, longer than the trees take. Kernel machines and Fisher vectors do without it too."""
    program = (
        "import sys\n"
        "from igarape.learners import learning, crossfit\n"
        "from igarape.learners.trees import boosting\n"
        "from igarape.learners.kernels import solving\n"
        "from igarape.learners.fisher import solving\n"
        "print(sorted({'tensorflow', 'keras'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_each_kind_of_experiment_has_the_module_that_trains_it() -> None:
    """And there is no module without a kind."""
    assert set(learning.KINDS) == set(KINDS)


def test_the_code_of_a_kind_is_not_that_of_another() -> None:
    """What this module imports, however indirectly, is no kind of learner: each result knows its own."""
    graph = grimp.build_graph("igarape", cache_dir=None)
    rooms = {f"igarape.learners.{name}" for name in ("networks", "trees", "kernels", "fisher", "probes")}
    for module in ("learning", "crossfit", "search"):
        upstream = graph.find_upstream_modules(f"igarape.learners.{module}")
        assert not {one for one in upstream if one.rpartition(".")[0] in rooms}, module
