"""resolve: an experiment changes when its values or its chips do, and not when others' do."""

import pytest
import yaml

from igarape.config.documents import Resolved
from igarape.errors import InputError
from igarape.stages import dehaze
from igarape.stages import resolve as stage
from igarape.workspace import Workspace


def resolved(here: Workspace) -> dict[str, Resolved]:
    """Run the step, and return what it wrote of each experiment."""
    stage.run(here)
    return {name: Resolved.read(here.resolved(name)) for name in ("tiny", "rare")}


def test_dehazing_anew_changes_those_that_see_dehazed_chips_only(copy: Workspace) -> None:
    """Tiny sees raw chips, rare dehazed ones."""
    before = resolved(copy)
    assert resolved(copy) == before
    params = yaml.safe_load(copy.params.read_text(encoding="utf-8"))
    params["dehaze"]["floor"] = 0.5
    copy.params.write_text(yaml.safe_dump(params), encoding="utf-8")
    dehaze.run(copy)
    after = resolved(copy)
    assert after["tiny"] == before["tiny"]
    assert after["rare"].chips != before["rare"].chips and after["rare"].settings == before["rare"].settings


def test_a_comment_changes_nothing_a_value_its_own_experiment(copy: Workspace) -> None:
    """The file holds values."""
    before = resolved(copy)
    path = copy.experiments / "tiny.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(f"# something else\n{text}", encoding="utf-8")
    assert resolved(copy) == before
    path.write_text(text.replace("dropout: 0.1", "dropout: 0.3"), encoding="utf-8")
    after = resolved(copy)
    assert after["rare"] == before["rare"] and after["tiny"] != before["tiny"]


def test_a_changed_parent_changes_its_children(copy: Workspace) -> None:
    """Where an experiment is like another, what that one says is part of it."""
    path = copy.experiments / "tiny.yaml"
    (copy.experiments / "rare.yaml").write_text("like: tiny\nlabels: rare\n", encoding="utf-8")
    before = resolved(copy)
    path.write_text(path.read_text(encoding="utf-8").replace("dropout: 0.1", "dropout: 0.3"), encoding="utf-8")
    after = resolved(copy)
    assert all(after[name].settings["hyperparameters"]["dropout"] == 0.3 for name in after)
    assert all(before[name].settings["hyperparameters"]["dropout"] == 0.1 for name in before)


def test_all_faults_of_all_listed_experiments_are_told_at_once(copy: Workspace) -> None:
    """Before the first epoch of any of them."""
    for name in ("tiny", "rare"):
        path = copy.experiments / f"{name}.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("size: 32", "size: 33"), encoding="utf-8")
    with pytest.raises(InputError, match=r"(?s)tiny\.yaml: 1 problem.*rare\.yaml: 1 problem"):
        stage.run(copy)


def test_learners_that_leave_labels_to_nobody_are_refused_before_they_are_trained(copy: Workspace) -> None:
    """And what was resolved before stays."""
    before = resolved(copy)
    params = yaml.safe_load(copy.params.read_text(encoding="utf-8")) | {"experiments": ["rare"]}
    copy.params.write_text(yaml.safe_dump(params), encoding="utf-8")
    with pytest.raises(
        InputError, match=r"params\.yaml: experiments: rare: none of them predicts sun, fog, tree, pond\."
    ):
        stage.run(copy)
    assert Resolved.read(copy.resolved("tiny")) == before["tiny"]
