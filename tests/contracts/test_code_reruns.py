"""A rerun stops where nothing changed: what `dvc repro` runs after code has changed, in a real DVC repository."""

import json
from pathlib import Path

import pytest
from small_stream import ALWAYS, NETWORKS, TREES, change, repro, run, stale, steps

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_comments_templates_and_tracking_rerun_nothing(project: Path) -> None:
    """What is said, shown or recorded is no reason to train."""
    package = project / "src/igarape"
    change(package / "learners/networks/losses.py", "FOCUS = 2.0", "# Gamma, as its authors call it.\nFOCUS = 2.0")
    change(package / "learners/search.py", '"""The search over', '"""This is the search over')
    change(package / "reports/verdict.html.jinja", "</h1>", " </h1>")
    change(package / "tracking/sender.py", "LULL = 1.0", "LULL = 1.5")
    change(package / "errors.py", "; known are: ", "; there are: ")
    assert repro(project) == ALWAYS


def test_a_search_that_finds_the_same_trains_nothing(project: Path) -> None:
    """Its run in MLflow is another one; what it found is not."""
    facts = project / "data/runs/search@tiny.json"
    before = json.loads(facts.read_text(encoding="utf-8"))
    run(project, "dvc", "repro", "--force", "--single-item", "search@tiny")
    assert json.loads(facts.read_text(encoding="utf-8")) != before
    assert repro(project, "train@tiny") == ALWAYS


def test_other_losses_train_networks_and_no_trees(project: Path) -> None:
    """The code of a learner is that of its kind."""
    change(project / "src/igarape/learners/networks/losses.py", "FOCUS = 2.0", "FOCUS = 2.5")
    assert stale(project) == steps(*NETWORKS)


def test_other_trees_train_no_network(project: Path) -> None:
    """That code is no network's."""
    before = stale(project)
    change(project / "src/igarape/learners/trees/boosting.py", "BINS = 64", "BINS = 32")
    assert stale(project) - before == steps(TREES)


def test_a_plug_trains_its_own_learner_when_its_meaning_changes(project: Path) -> None:
    """A comment in it, or in what it imports, does not; it is found beside params.yaml."""
    (project / "my_blocks.py").write_text("POWER = 2\n", encoding="utf-8")
    text = "import keras\nfrom my_blocks import POWER\n\ndef small(images, *, width):\n"
    text += "    return keras.layers.GlobalAveragePooling2D()((images / 255.0) ** POWER)\n"
    (project / "my_models.py").write_text(text, encoding="utf-8")
    change(project / "experiments/tiny.yaml", "backbone: plain", "backbone: my_models:small")
    assert steps("tiny") <= stale(project)
    run(project, "dvc", "commit", "--force", *steps("tiny"))
    before = stale(project)
    change(project / "my_models.py", "\n\ndef small", "\n\n# Colours, squared.\ndef small")
    change(project / "my_blocks.py", "POWER = 2", "POWER = 2  # of each colour")
    assert stale(project) == before and not before & steps("tiny")
    change(project / "my_blocks.py", "POWER = 2", "POWER = 3")
    assert stale(project) - before == steps("tiny")
