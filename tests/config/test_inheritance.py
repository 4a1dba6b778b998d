"""`like: PARENT`: a child says what it changes, and everything else is its parent's."""

from pathlib import Path
from typing import Any

import pytest
import tiny
import yaml

from igarape.config.experiments import read_experiment, read_experiments
from igarape.config.inheritance import leaves, merged, origins, read_sources
from igarape.config.network_kinds import Network
from igarape.config.spaces import Choice
from igarape.errors import InputError
from igarape.labels import Vocabulary

VOCABULARY = Vocabulary(exclusive=(), alone=(), common=("tree",), rare=("kiln",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write an experiment that is like none, one that is like it, and one that is like that."""
    write(tmp_path, "parent", **tiny.CONTENT)
    write(tmp_path, "child", like="parent", chips="dehazed", hyperparameters={"dropout": {"choice": [0.1, 0.3]}})
    write(tmp_path, "grandchild", like="child", size=64, hyperparameters={"dropout": 0.3, "tta": True})
    return tmp_path


def write(folder: Path, name: str, **content: Any) -> None:
    """Write an experiment."""
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


def network(name: str, folder: Path) -> Network:
    """Read a network."""
    experiment = read_experiment(name, folder)
    assert isinstance(experiment, Network)
    return experiment


def fault(name: str, folder: Path) -> str:
    """Return how reading fails, without the folder."""
    with pytest.raises(InputError) as caught:
        read_experiment(name, folder)
    return str(caught.value).replace(f"{folder}/", "")


def test_a_child_is_its_parent_but_for_what_it_says(folder: Path) -> None:
    """Keys are put over the parent's one by one, those of a training too."""
    parent, child = network("parent", folder), network("child", folder)
    space = parent.hyperparameters.model_copy(update={"dropout": Choice(choice=(0.1, 0.3))})
    assert child == parent.model_copy(update={"chips": "dehazed", "hyperparameters": space})


def test_a_chain_is_followed_to_its_end(folder: Path) -> None:
    """A value takes the place of a space, and the other way round; what nobody changes is the first one's."""
    last = network("grandchild", folder)
    assert (last.chips, last.size, last.epochs) == ("dehazed", 64, tiny.CONTENT["epochs"])
    assert last.hyperparameters.pick({}) == tiny.values(dropout=0.3, tta=True)
    assert network("child", folder).hyperparameters.options("dropout") == (0.1, 0.3)


def test_each_setting_knows_the_file_it_is_from(folder: Path) -> None:
    """The nearest one that says it."""
    known = origins(read_sources("grandchild", folder))
    assert (known["size"], known["chips"], known["epochs"]) == ("grandchild", "child", "parent")
    assert (known["hyperparameters.dropout"], known["hyperparameters.decay"]) == ("grandchild", "parent")
    assert "like" not in known


def test_what_nobody_says_is_the_default(tmp_path: Path) -> None:
    """A backbone is enough, and without a file's value there is no origin."""
    write(tmp_path, "short", backbone="plain")
    assert network("short", tmp_path) == Network(backbone="plain")
    assert set(origins(read_sources("short", tmp_path))) == {"backbone"}


def test_a_circle_is_shown_whole(folder: Path) -> None:
    """With the file that closes it; an experiment that is like itself is the shortest."""
    write(folder, "parent", **tiny.CONTENT | {"like": "grandchild"})
    told = "parent.yaml: 1 problem\n  like  leads in a circle (child -> parent -> grandchild -> child)"
    assert fault("child", folder).startswith(told.replace("parent.yaml", "grandchild.yaml"))
    write(folder, "parent", **tiny.CONTENT | {"like": "parent"})
    assert "parent.yaml: 1 problem\n  like  leads in a circle (parent -> parent)" in fault("grandchild", folder)


def test_a_parent_that_is_not_there_meets_those_that_are(folder: Path) -> None:
    """In the file that names it."""
    write(folder, "child", like="parnet")
    told = "child.yaml: 1 problem\n  like  should be an experiment that there is (got 'parnet'); did you mean parent?"
    assert fault("grandchild", folder) == told
    write(folder, "child", like=["parent"])
    assert fault("child", folder).startswith("child.yaml: 1 problem\n  like  should be a valid string")


def test_a_fault_of_like_comes_with_the_others(folder: Path) -> None:
    """What the file says by itself is checked all the same."""
    write(folder, "child", like="parnet", sise=64, hyperparameters={"dropout": 2})
    assert fault("child", folder).splitlines() == [
        "child.yaml: 3 problems",
        "  like                     should be an experiment that there is (got 'parnet'); did you mean parent?",
        "  hyperparameters.dropout  should lie in 0.0..0.9 (got 2)",
        "  sise                     is not known; did you mean size?",
    ]


def test_all_faults_of_a_child_are_told_at_once_as_its_own(folder: Path) -> None:
    """By the names of its keys."""
    write(folder, "child", like="parent", sise=64, batch=0, hyperparameters={"dropuot": 0.1, "decay": 7})
    assert fault("child", folder).splitlines() == [
        "child.yaml: 4 problems",
        "  batch                    should be at least 1 (got 0)",
        "  hyperparameters.decay    should lie in 0.0..1.0 (got 7)",
        "  hyperparameters.dropuot  is not known; did you mean hyperparameters.dropout?",
        "  sise                     is not known; did you mean size?",
    ]


def test_a_parents_fault_is_told_once_as_the_parents(folder: Path) -> None:
    """However many experiments are like it."""
    write(folder, "parent", **tiny.CONTENT | {"epochs": 0})
    with pytest.raises(InputError) as caught:
        read_experiments(("parent", "child", "grandchild"), VOCABULARY, folder, nir=False)
    assert str(caught.value).count("problem") == str(caught.value).count("parent.yaml: 1 problem") == 1


def test_a_learner_of_another_kind_cannot_be_like_a_network(folder: Path) -> None:
    """The parent's hyperparameters would mean nothing to it."""
    write(folder, "child", like="parent", backbone="tabular")
    told = "child.yaml: 1 problem\n  backbone  should be of the kind that parent is"
    assert fault("child", folder).startswith(told)


def test_leaves_and_merging_take_what_a_file_says_as_it_is() -> None:
    """Faulty content is the schema's business: it must get there."""
    assert leaves({"size": 64, "hyperparameters": {"decay": 0.1}}) == {"size": 64, "hyperparameters.decay": 0.1}
    assert leaves({"hyperparameters": 3}) == {"hyperparameters": 3}
    assert merged({"hyperparameters": {"decay": 0.1}}, {"hyperparameters": None}) == {"hyperparameters": None}
