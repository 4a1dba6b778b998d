"""code: a file for each step, and for the learners' steps one for each experiment."""

import pytest
import tiny
import yaml

from igarape.code import code_hash
from igarape.errors import InputError
from igarape.learners.keys import learner_code
from igarape.stages import code as stage
from igarape.workspace import PER_EXPERIMENT, STEPS, Workspace


def test_each_step_and_each_listed_experiment_has_its_file(coloured: Workspace) -> None:
    """It holds the hash of its code: a network's is not that of trees."""
    stage.run(coloured)
    files = {
        str(path.relative_to(coloured.folder("code"))) for path in coloured.folder("code").rglob("*") if path.is_file()
    }
    names = ("tiny", "rare", "colours")
    of_learners = {f"{step}/{name}" for step in PER_EXPERIMENT for name in names}
    assert (
        files
        == {"corrections"} | {step for step in STEPS if step != "code" and step not in PER_EXPERIMENT} | of_learners
    )
    written = {name: coloured.code("train", name).read_text(encoding="utf-8") for name in names}
    assert written["tiny"] == written["rare"] != written["colours"]
    assert coloured.code("split").read_text(encoding="utf-8") == code_hash("igarape.stages.split")


def test_a_data_set_that_is_not_there_is_told_before_dvc_removes_chips(coloured: Workspace) -> None:
    """DVC removes what ingest made, and then misses the file; so the first step asks for it, and suggests a name."""
    text = coloured.params.read_text(encoding="utf-8")
    coloured.params.write_text(text.replace("dataset: toy", "dataset: tooy"), encoding="utf-8")
    with pytest.raises(InputError, match=r"datasets/tooy\.yaml: not found; did you mean toy\?"):
        stage.run(coloured)


def test_what_is_corrected_stands_there_too_and_as_well_where_nothing_is(coloured: Workspace) -> None:
    """The same list is the same file, however its rows lie; so DVC packs anew when it means something else."""
    listed, written = coloured.corrections("toy"), coloured.code("corrections")
    texts = []
    for rows in ([], ["b,sun,0,1", "a,tree,1,0"], ["a,tree,1,0", "b,sun,0,1"]):
        if rows:
            listed.write_text("\n".join(["image_id,label,from,to", *rows, ""]), encoding="utf-8")
        stage.run(coloured)
        texts.append(written.read_text(encoding="utf-8"))
    assert texts[0] == "image_id,label,from,to\n" and texts[1] == texts[2] == f"{texts[0]}a,tree,1,0\nb,sun,0,1\n"


def test_the_key_of_an_unfinished_result_holds_the_same_hash(coloured: Workspace) -> None:
    """DVC and what goes on after a kill have one answer to the question which code made this."""
    from igarape.config.experiments import read_experiment

    stage.run(coloured)
    experiment = read_experiment("colours", coloured.experiments)
    assert coloured.code("search", "colours").read_text(encoding="utf-8") == learner_code("search", experiment)


def test_other_weights_under_the_same_name_train_their_learner_anew(coloured: Workspace) -> None:
    """DVC sees neither the file nor the folder that it lies in. One that is not there is for the learner's steps."""
    weights = coloured.root / "mine.weights.h5"
    hyperparameters = tiny.HYPERPARAMETERS | {"width": 1.0}
    begun = tiny.CONTENT | {"backbone": "mobilenet", "weights": str(weights), "hyperparameters": hyperparameters}
    for name in ("tiny", "student"):
        (coloured.experiments / f"{name}.yaml").write_text(yaml.safe_dump(begun), encoding="utf-8")
    params = yaml.safe_load(coloured.params.read_text(encoding="utf-8"))
    params["distill"]["experiment"] = "student"
    coloured.params.write_text(yaml.safe_dump(params), encoding="utf-8")
    written = []
    for content in (b"first", b"second", b"second", None):
        if content is None:
            weights.unlink()
        else:
            weights.write_bytes(content)
        stage.run(coloured)
        files = (path for path in coloured.folder("code").rglob("*") if path.is_file())
        written.append({path.relative_to(coloured.folder("code")): path.read_bytes() for path in files})
    changed = {str(path) for path in written[0] if written[0][path] != written[1][path]}
    assert changed == {"search/tiny", "train/tiny", "distill"}
    assert written[1] == written[2] != written[3]


def test_learners_that_are_listed_no_more_have_no_say(coloured: Workspace) -> None:
    """Their hashes go, which later steps depend on; what they have learned stays."""
    params = yaml.safe_load(coloured.params.read_text(encoding="utf-8"))
    assert {path.name for path in coloured.all_trained.iterdir()} == set(params["experiments"])
    before = coloured.trained("tiny").read_text(encoding="utf-8")
    left = [name for name in params["experiments"] if name != "colours"]
    coloured.params.write_text(yaml.safe_dump(params | {"experiments": left}), encoding="utf-8")
    stage.run(coloured)
    assert {path.name for path in coloured.all_trained.iterdir()} == set(left)
    assert coloured.trained("tiny").read_text(encoding="utf-8") == before
    assert coloured.learner("colours").exists()
