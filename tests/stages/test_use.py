"""use: another data set by one command, and a diff that shows just that."""

import difflib
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from igarape.config.params import read_params
from igarape.errors import InputError
from igarape.stages import use as stage
from igarape.workspace import Workspace

ROOT = Path(__file__).parents[2]
LABELS = {"exclusive": [], "alone": [], "common": ["tree"], "rare": ["ship"]}


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """Give a folder with the project's params.yaml and experiments."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "datasets").mkdir()
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    for name in ("one", "two"):
        shutil.copy(ROOT / "experiments/plain.yaml", tmp_path / f"experiments/{name}.yaml")
    return Workspace(tmp_path)


@pytest.fixture
def before(project: Workspace) -> str:
    """Give the text of params.yaml before anything has changed it."""
    return project.params.read_text(encoding="utf-8")


def offer(here: Workspace, name: str, params: str, full: str = "") -> None:
    """Write a data set that asks for params, and for full, given as YAML text."""
    content: dict[str, Any] = {
        "source": {"kind": "drawn", "chips": 40, "side": 2},
        "note": "",
        "resolution": None,
        "size": 64,
        "labels": LABELS,
    }
    asked = f"params:\n{params}\n" + (f"full:\n{full}\n" if full else "")
    (here.root / f"datasets/{name}.yaml").write_text(f"{yaml.safe_dump(content)}{asked}", encoding="utf-8")


def changed(here: Workspace, before: str) -> list[str]:
    """Return the lines that a diff shows."""
    after = here.params.read_text(encoding="utf-8")
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[0] in "+-" and line[:3] not in {"+++", "---"}]


def test_only_the_lines_that_the_data_set_asks_for_change(project: Workspace, before: str) -> None:
    """Comments and everything else stay as they were."""
    offer(project, "toy", "  experiments: [one, two]\n  split: {by: chip, folds: 3}")
    stage.run(project, "toy")
    after = changed(project, before)
    assert [line for line in after if line[0] == "+"] == [
        "+dataset: toy",
        "+experiments: [one, two]",
        "+  folds: 3",
        "+  by: chip",
    ]
    assert len(after) == 8
    assert read_params(project.params).split.holdout == yaml.safe_load(before)["split"]["holdout"]


def test_there_and_back_gives_the_same_file(project: Workspace, before: str) -> None:
    """What one data set changes the other changes back."""
    was = yaml.safe_load(before)
    offer(project, "toy", "  experiments: [one]\n  split: {by: chip}")
    offer(
        project,
        was["dataset"],
        yaml.safe_dump({"params": {"experiments": was["experiments"], "split": {"by": was["split"]["by"]}}})[8:],
    )
    stage.run(project, "toy")
    stage.run(project, was["dataset"])
    assert changed(project, before) == []


def test_twice_is_once(project: Workspace, before: str) -> None:
    """The second time nothing changes."""
    offer(project, "toy", "  split: {by: chip}")
    stage.run(project, "toy")
    once = project.params.read_text(encoding="utf-8")
    stage.run(project, "toy")
    assert changed(project, once) == []


@pytest.mark.parametrize("value", ["0.00001", "0.000001", "1.0e-05"])
def test_a_small_number_can_be_read_again(project: Workspace, value: str) -> None:
    """It is written as the data set spells it: YAML takes 1e-05 for a word."""
    offer(project, "toy", f"  dehaze: {{epsilon: {value}}}")
    stage.run(project, "toy")
    assert read_params(project.params).dehaze.epsilon == float(value)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ("  splt: {by: chip}", "splt  is not known; did you mean split?"),
        ("  split: {by: row}", "split.by  should be 'chip' or 'scene' (got 'row')"),
        ("  split: {by: chip, flods: 3}", "split.flods  is not known; did you mean split.folds?"),
        ("  dehaze: {epsilon: 1e-5}", "dehaze.epsilon  should be a valid number (got '1e-5')"),
        ("  split: 3", "split  should hold keys and values (got 3)"),
    ],
)
def test_what_would_not_be_valid_is_refused_and_nothing_changes(
    project: Workspace, before: str, params: str, words: str
) -> None:
    """The fault is told with the data set's file."""
    offer(project, "toy", params)
    with pytest.raises(InputError) as caught:
        stage.run(project, "toy")
    assert str(caught.value).startswith(f"{project.datasets}/toy.yaml: params: 1 problem\n")
    assert words in str(caught.value)
    assert changed(project, before) == []


def test_an_unknown_data_set_suggests_a_known_one(project: Workspace, before: str) -> None:
    """And nothing changes."""
    offer(project, "toy", "  split: {by: chip}")
    with pytest.raises(InputError, match=r"datasets/tow\.yaml: not found; did you mean toy\?"):
        stage.run(project, "tow")
    assert changed(project, before) == []


@pytest.mark.parametrize("name", ["../params", "datasets/drawn.yaml", "drawn/", ""])
def test_a_path_is_no_name_of_a_data_set(project: Workspace, name: str) -> None:
    """Another file would be read as one."""
    with pytest.raises(InputError, match=rf"^'{name}': expected small letters, digits, - and _, such as drawn$"):
        stage.run(project, name)


def test_a_faulty_params_yaml_is_mended_first(project: Workspace) -> None:
    """Its own faults are not laid at the data set's door."""
    offer(project, "toy", "  split: {by: chip}")
    project.params.write_text("seed: 1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"^\S+/params\.yaml: \d+ problems"):
        stage.run(project, "toy")


def test_the_next_command_is_told(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """What changed can be seen, and what to run."""
    offer(project, "toy", "  split: {by: chip}")
    stage.run(project, "toy")
    out = capsys.readouterr().out
    assert f"git diff {project.params}" in out
    assert "make repro" in out


def test_chips_that_lie_nowhere_yet_are_asked_for(
    project: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the data set is of pictures, and IGARAPE_DATA is not set."""
    shutil.copy(ROOT / "datasets/ucmerced.yaml", project.datasets)
    for value, said in ((str(project.root), False), ("", True)):
        monkeypatch.setenv("IGARAPE_DATA", value)
        stage.run(project, "ucmerced")
        assert ("First type: export IGARAPE_DATA=FOLDER, which holds what" in capsys.readouterr().out) == said


def test_a_learner_on_near_infrared_is_refused_where_the_data_set_names_no_tifs(
    project: Workspace, before: str
) -> None:
    """The file is named, and where TIFs would have to stand; nothing changes."""
    offer(project, "toy", "  experiments: [one, mobilenet_nir]")
    with pytest.raises(InputError, match=r"experiments/mobilenet_nir\.yaml: chips: nir: the data set names no TIFs"):
        stage.run(project, "toy")
    assert changed(project, before) == []
    path = project.root / "datasets/toy.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["source"] = {"kind": "folder", "images": "a", "tags": "b", "unlabelled": [], "nir": ["tifs"]}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    stage.run(project, "toy")
    assert read_params(project.params).experiments == ("one", "mobilenet_nir")


def test_an_experiment_that_is_not_there_or_cannot_be_served_is_refused(project: Workspace, before: str) -> None:
    """All such experiments are told at once, before anything changes."""
    offer(project, "toy", "  experiments: [plian, rare]")
    path = project.root / "datasets/toy.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("- ship", "[]").replace("rare:\n  []", "rare: []"))
    with pytest.raises(InputError) as caught:
        stage.run(project, "toy")
    assert "experiments/plian.yaml: not found; did you mean plain?" in str(caught.value)
    assert "experiments/rare.yaml" in str(caught.value)
    assert changed(project, before) == []


def test_an_alert_of_a_label_that_the_data_set_does_not_have_is_refused(project: Workspace) -> None:
    """At once, not by the step decide after hours; nothing is written."""
    offer(project, "sea", "  experiments: [one]")
    settings = yaml.safe_load(project.params.read_text(encoding="utf-8"))
    settings["decide"]["alert"] = {"slash_burn": 0.5}
    project.params.write_text(yaml.safe_dump(settings), encoding="utf-8")
    before = project.params.read_text(encoding="utf-8")
    with pytest.raises(
        InputError, match=r"decide\.alert: 'slash_burn' is no label of the data set.*known are: ship, tree"
    ):
        stage.run(project, "sea")
    assert project.params.read_text(encoding="utf-8") == before


def test_full_is_set_over_params_and_taken_back(project: Workspace) -> None:
    """What full leaves out is as params says."""
    offer(
        project,
        "toy",
        "  experiments: [one]\n  split: {folds: 3, by: chip}",
        "  experiments: [one, two]\n  split: {folds: 4}",
    )
    stage.run(project, "toy")
    once = project.params.read_text(encoding="utf-8")
    stage.run(project, "toy", full=True)
    params = read_params(project.params)
    assert (params.experiments, params.split.folds, params.split.by) == (("one", "two"), 4, "chip")
    stage.run(project, "toy")
    assert changed(project, once) == []


def test_a_data_set_without_full_is_told_so_in_one_line(project: Workspace, before: str) -> None:
    """With what to type, and nothing changes."""
    offer(project, "toy", "  split: {by: chip}")
    with pytest.raises(InputError) as caught:
        stage.run(project, "toy", full=True)
    told = f"{project.datasets}/toy.yaml: has no full, which --full asks for. Type: igarape use toy"
    assert str(caught.value) == told
    assert changed(project, before) == []


@pytest.mark.parametrize(
    ("full", "words"),
    [
        ("  split: {folds: 1}", "toy.yaml: full: 1 problem\n  split.folds  should be at least 2 (got 1)"),
        (
            "  split: {folds: 4, holdout: 0.1}",
            "full should set what params sets too, so that it is taken back; split.holdout",
        ),
        ("  experiments: [three]", "experiments/three.yaml: not found"),
    ],
)
def test_a_full_that_is_wrong_is_refused_and_nothing_changes(
    project: Workspace, before: str, full: str, words: str
) -> None:
    """As params is; and it sets nothing that the data set would leave behind."""
    offer(project, "toy", "  experiments: [one]\n  split: {folds: 3}", full)
    with pytest.raises(InputError) as caught:
        stage.run(project, "toy", full=True)
    assert words in str(caught.value)
    assert changed(project, before) == []
