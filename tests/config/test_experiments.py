"""experiments/: what a learner's YAML may say, and how each fault is told."""

from pathlib import Path
from typing import Any

import pytest
import tiny
import yaml
from toy_experiments import GOOD, HYPERPARAMETERS, WITH_RARE, WITHOUT_RARE, read, refused

from igarape.config.experiments import read_experiment, read_experiments, read_question
from igarape.config.kinds import Tabular
from igarape.config.network_kinds import Network
from igarape.config.networks import NETWORKS
from igarape.errors import InputError


def write(folder: Path, name: str, **changes: object) -> None:
    """Write an experiment."""
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(GOOD | changes), encoding="utf-8")


def test_an_experiment_is_read_by_its_name(tmp_path: Path) -> None:
    """A misspelled one meets the names that are there; the folder may be given as text."""
    write(tmp_path, "small")
    assert read_experiment("small", tmp_path) == read_experiment("small", str(tmp_path)) == read()
    with pytest.raises(InputError, match=r"smal\.yaml: not found; did you mean small\?"):
        read_experiment("smal", tmp_path)


def test_what_an_experiment_asks_is_its_first_words(tmp_path: Path) -> None:
    """In one line, without the commands, what was seen, and comments beside settings; nothing where it asks nothing."""
    text = "# Asks: is it\n# so? It changes a.\n# Run: igarape search\n# Scored: 1\na: 1 # one\n# more\n"
    (tmp_path / "asks.yaml").write_text(text, encoding="utf-8")
    write(tmp_path, "silent")
    assert read_question("asks", tmp_path) == "Asks: is it so? It changes a."
    assert read_question("silent", tmp_path) == ""


def test_the_faults_of_all_listed_experiments_come_together(tmp_path: Path) -> None:
    """Each fault names its file, whether it lies in the file or between the file and the data set."""
    write(tmp_path, "good")
    write(tmp_path, "bad", epochs=0)
    write(tmp_path, "rare", labels="rare")
    write(tmp_path, "infrared", chips="nir")
    write(tmp_path, "pretrained", weights=str(tmp_path / "there.weights.h5"))
    learners = ("good", "rare", "infrared")
    assert tuple(read_experiments(learners, WITH_RARE, tmp_path, nir=True)) == learners
    with pytest.raises(InputError) as caught:
        read_experiments((*learners, "pretrained", "bad", "godo"), WITHOUT_RARE, tmp_path, nir=False)
    text = str(caught.value)
    assert all(f"{tmp_path / name}.yaml: " in text for name in ("bad", "rare", "infrared", "pretrained", "godo"))
    assert f"{tmp_path / 'good'}.yaml" not in text


def write_trees(folder: Path, **changes: object) -> Path:
    """Write an experiment of trees."""
    (folder / "trees.yaml").write_text(yaml.safe_dump(tiny.TABULAR | changes), encoding="utf-8")
    return folder


def test_the_backbone_says_what_a_learner_is_made_of(tmp_path: Path) -> None:
    """A network has its keys and hyperparameters, boosted trees have theirs; the common part is the same."""
    write(tmp_path, "small")
    trees = read_experiment("trees", write_trees(tmp_path))
    assert isinstance(trees, Tabular) and isinstance(read_experiment("small", tmp_path), Network)
    assert trees == tiny.tabular()
    assert trees.targets(WITH_RARE) == read().targets(WITH_RARE)
    with pytest.raises(InputError, match="weights  is not known"):
        read_experiment("trees", write_trees(tmp_path, weights="none"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("lkie: trees", "lkie      is not known; did you mean like?"),
        ("hyperparamters: {}", "hyperparamters  is not known; did you mean hyperparameters?"),
        ("extends: trees", "extends   is not known; known are: backbone, "),
    ],
)
def test_a_key_that_no_kind_has_is_told_where_the_backbone_is_missing(text: str, line: str, tmp_path: Path) -> None:
    """Who misspells like leaves the backbone out, too."""
    (tmp_path / "child.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_experiment("child", tmp_path)
    _, first, last = str(caught.value).splitlines()
    assert first.strip().startswith(line)
    assert last.split() == ["backbone", "is", "missing"]


@pytest.mark.parametrize("changes", [{"backbone": "tabulr"}, {"backbone": "tabulr", "epochs": 0}])
def test_an_unknown_backbone_meets_those_of_all_kinds(changes: dict[str, Any], tmp_path: Path) -> None:
    """Before anything else: what the other keys may be depends on it."""
    with pytest.raises(InputError) as caught:
        read_experiment("trees", write_trees(tmp_path, **changes))
    first, line = str(caught.value).splitlines()
    assert first.endswith("trees.yaml: 1 problem")
    assert line.startswith("  backbone  should be one that there is")
    assert line.endswith("did you mean tabular? (got 'tabulr')")


@pytest.mark.parametrize(
    ("hyperparameters", "line"),
    [
        ({"depth": 2.5}, "  hyperparameters.depth  should be a whole number, or a choice of whole numbers (got 2.5)"),
        (
            {"depth": {"choice": [2, 2.5]}},
            "  hyperparameters.depth  should be a whole number, or a choice of whole numbers",
        ),
        (
            {"depth": {"low": 2, "high": 4, "scale": "linear"}},
            "  hyperparameters.depth  should be a whole number, or a choice of whole numbers",
        ),
        ({"columns": 0}, "  hyperparameters.columns  should lie in 0.01..1.0 (got 0)"),
        ({"dropout": 0.1}, "  hyperparameters.dropout  is not known; known are: "),
    ],
)
def test_trees_have_knobs_of_their_own(hyperparameters: dict[str, Any], line: str, tmp_path: Path) -> None:
    """Each has its bounds, and half a level of a tree there is not."""
    with pytest.raises(InputError) as caught:
        read_experiment("trees", write_trees(tmp_path, hyperparameters=tiny.TREE_HYPERPARAMETERS | hyperparameters))
    assert str(caught.value).splitlines()[1].startswith(line)


MODEL = "def small(images, *, width):\n    return images\n"


@pytest.fixture
def project(plugin_folder: Path) -> Path:
    """Give a project's folder, with modules of the user's beside it."""
    (plugin_folder / "my_models.py").write_text(MODEL, encoding="utf-8")
    (plugin_folder / "my_losses.py").write_text("def mild(y, p):\n    return y\n", encoding="utf-8")
    return plugin_folder


def test_a_backbone_and_a_loss_may_be_the_users(project: Path) -> None:
    """Their files are the experiment's sources; the loss may stand in a choice."""
    plugin = read(
        backbone="my_models:small", hyperparameters=HYPERPARAMETERS | {"width": 0.5, "loss": "my_losses:mild"}
    )
    assert plugin.sources() == (project / "my_losses.py", project / "my_models.py")
    either = read(hyperparameters=HYPERPARAMETERS | {"loss": {"choice": ["bce", "my_losses:mild"]}})
    assert either.sources() == (project / "my_losses.py",)
    assert read().sources() == tiny.tabular().sources() == ()


def test_a_plug_that_is_not_there_is_told_with_files_and_signature(project: Path) -> None:
    """The experiment's file, the module's file, the nearest name, and how it should be written."""
    write(project, "vit", backbone="my_models:smal")
    with pytest.raises(InputError) as caught:
        read_experiment("vit", project)
    first, line = str(caught.value).splitlines()
    assert first == f"{project / 'vit.yaml'}: 1 problem"
    assert line.startswith(
        "  backbone  my_models.py has no smal; did you mean small?; expected def smal(images, *, width)"
    )
    write(project, "vit", backbone="my_models:smal", epochs=0)
    with pytest.raises(InputError, match="2 problems"):
        read_experiment("vit", project)
    (line,) = refused(hyperparameters=HYPERPARAMETERS | {"loss": {"choice": ["bce", "my_losses:wild"]}})
    assert line.startswith(
        "  hyperparameters.loss  my_losses.py has no wild; did you mean mild?; expected def wild(y, p)"
    )


def test_a_backbone_of_the_users_has_no_published_weights(project: Path) -> None:
    """A file may hold some."""
    (line,) = refused(backbone="my_models:small", weights="imagenet")
    assert "weights should be none, or the path of a weights file: my_models:small has no published weights" in line
    assert read(backbone="my_models:small", weights="mine.weights.h5").files() == (Path("mine.weights.h5"),)


def test_every_network_of_keras_is_an_experiment(project: Path) -> None:
    """By its name alone."""
    for name, network in NETWORKS.items():
        assert Network.model_validate({"backbone": name, "size": network.least}).backbone == name
