"""A rerun stops where nothing changed: what people change, and what `dvc repro` then runs, in a real DVC repository."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from small_stream import LEARNERS, NETWORKS, TREES, repro, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ALWAYS = {"code"}
TRAINED = [f"train@{name}" for name in LEARNERS]  # what follows takes a minute, and is asked for where it matters


@pytest.fixture(scope="module")
def project(small_stream: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the small stream, in which each test goes on from the one before."""
    folder = Path(shutil.copytree(small_stream, tmp_path_factory.mktemp("reruns") / small_stream.name))
    assert repro(folder) == ALWAYS
    return folder


def change(path: Path, old: str, new: str) -> None:
    """Replace a text that stands in a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path}: {old}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def learners(*names: str) -> set[str]:
    """Return both steps of each learner."""
    return {f"{step}@{name}" for name in names for step in ("search", "train")}


def test_comments_templates_and_tracking_rerun_nothing(project: Path) -> None:
    """What is said, shown or recorded is no reason to train."""
    package = project / "src/igarape"
    change(package / "learners/networks/losses.py", "FOCUS = 2.0", "# Gamma, as its authors call it.\nFOCUS = 2.0")
    change(package / "learners/search.py", '"""The search over', '"""This is the search over')
    change(package / "reports/verdict.html.jinja", "</h1>", " </h1>")
    change(package / "tracking/sender.py", "LULL = 1.0", "LULL = 1.5")
    change(package / "errors.py", "; known are: ", "; there are: ")
    assert repro(project) == ALWAYS


def test_other_losses_train_networks_and_no_trees(project: Path) -> None:
    """None uses that loss, so that they come out the same: what is made of them does not run."""
    change(project / "src/igarape/learners/networks/losses.py", "FOCUS = 2.0", "FOCUS = 2.5")
    assert repro(project) == ALWAYS | learners(*NETWORKS)


def test_other_trees_train_no_network(project: Path) -> None:
    """The code of a learner is that of its kind."""
    change(project / "src/igarape/learners/trees/boosting.py", "BINS = 64", "BINS = 32")
    ran = repro(project)
    assert learners(TREES) <= ran and not ran & learners(*NETWORKS)


def test_a_plug_trains_its_own_learner_when_its_meaning_changes(project: Path) -> None:
    """A comment in it, or in what it imports, does not; it is found beside params.yaml."""
    (project / "my_blocks.py").write_text("POWER = 2\n", encoding="utf-8")
    text = "import keras\nfrom my_blocks import POWER\n\ndef small(images, *, width):\n"
    text += "    return keras.layers.GlobalAveragePooling2D()((images / 255.0) ** POWER)\n"
    (project / "my_models.py").write_text(text, encoding="utf-8")
    change(project / "experiments/tiny.yaml", "backbone: plain", "backbone: my_models:small")
    assert repro(project, *TRAINED) & learners(*LEARNERS) == learners("tiny")
    change(project / "my_models.py", "\n\ndef small", "\n\n# Colours, squared.\ndef small")
    change(project / "my_blocks.py", "POWER = 2", "POWER = 2  # of each colour")
    assert repro(project, *TRAINED) == ALWAYS
    change(project / "my_blocks.py", "POWER = 2", "POWER = 3")
    assert repro(project, *TRAINED) & learners(*LEARNERS) == learners("tiny")


def test_a_search_that_finds_the_same_trains_nothing(project: Path) -> None:
    """Its run in MLflow is another one; what it found is not."""
    facts = project / "data/runs/search@tiny.json"
    before = json.loads(facts.read_text(encoding="utf-8"))
    run(project, "dvc", "repro", "--force", "--single-item", "search@tiny")
    assert json.loads(facts.read_text(encoding="utf-8")) != before
    assert repro(project, *TRAINED) == ALWAYS


def test_a_setting_of_dehaze_reruns_only_learners_on_dehazed_chips(project: Path) -> None:
    """The others see the chips that they saw."""
    change(project / "params.yaml", "  quality: 95", "  quality: 90")
    ran = repro(project)
    assert ran & learners(*LEARNERS) == learners("tiny_dehazed")
    assert {"dehaze", "resolve"} <= ran


def test_a_step_run_by_hand_says_how_to_keep_its_result(project: Path) -> None:
    """Without that DVC would bring back the older one; with it, the newer one stays."""
    rule = project / "data/decide/rule.json"
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    wanted = "threshold" if json.loads(rule.read_text(encoding="utf-8"))["rule"]["name"] == "fixed" else "fixed"
    change(project / "params.yaml", f"decide:\n  use: {params['decide']['use']}", f"decide:\n  use: {wanted}")
    said = run(project, "igarape", "decide")
    command = said.partition("To keep it: ")[2].strip()
    assert command == "dvc repro code && dvc commit --force decide"
    run(project, "sh", "-c", command)
    ran = repro(project)
    assert "decide" not in ran
    assert json.loads(rule.read_text(encoding="utf-8"))["rule"]["name"] == wanted


def test_a_step_that_dvc_runs_says_nothing_of_that(project: Path) -> None:
    """What it makes is DVC's already."""
    assert "To keep it" not in run(project, "dvc", "repro", "--force", "--single-item", "decide")
