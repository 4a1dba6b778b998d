"""score prints macro mAP and F2 on a published split, of a stream that did not train on its test chips."""

from pathlib import Path

import pandas as pd
import pytest

from igarape.errors import InputError
from igarape.files import read_json
from igarape.stages import score
from igarape.workspace import Workspace


@pytest.fixture
def split(project: Workspace, tmp_path: Path) -> Path:
    """Write the very split that the stream was trained on: its hold-out is the test, its first fold the validation."""
    folds = pd.read_parquet(project.folds)
    parts = folds["fold"].map(lambda fold: {-1: "test", 0: "val"}.get(fold, "train"))
    path = tmp_path / "split.csv"
    pd.DataFrame({"image_name": folds["image_id"], "split": parts}).to_csv(path, index=False)
    return path


def test_the_figures_of_the_stream_and_of_each_learner_are_printed(
    project: Workspace, split: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before them, what was tested on, and what was trained on."""
    score.run(project, split=split)
    lines = capsys.readouterr().out.splitlines()
    folds = pd.read_parquet(project.folds)["fold"]
    held, inside = int((folds < 0).sum()), int((folds >= 0).sum())
    assert lines[0].startswith(f"score: {held} test chips, none trained on; ")
    assert lines[1] == f"score: trained on {inside} of the split's {inside} other chips"
    rule = read_json(project.folder("decide") / "rule.json")["rule"]["name"]
    chosen = read_json(project.folder("stack") / "stack.json")["chosen"]
    assert lines[2].startswith(f"score: the stream ({chosen}, calibrated; {rule}): mAP 0.")
    assert [line.split(":")[1] for line in lines[3:]] == [" rare", " tiny"]  # by name


def test_one_learner_can_be_scored_alone(project: Workspace, split: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its figures are those that are printed beside the stream's."""
    score.run(project, split=split)
    beside = [line for line in capsys.readouterr().out.splitlines() if line.startswith("score: tiny: ")]
    score.run(project, split=split, experiment="tiny")
    alone = capsys.readouterr().out.splitlines()
    assert alone[-1:] == beside and len(alone) == 3


def test_a_trained_test_chip_is_an_error_that_names_the_file_too(project: Workspace, split: Path) -> None:
    """Nothing is printed then."""
    table = pd.read_csv(split)
    table.loc[table["split"] == "val", "split"] = "test"
    table.to_csv(split, index=False)
    with pytest.raises(InputError, match=r"--split \S+split\.csv: \d+ of the split's \d+ test chips were trained on"):
        score.run(project, split=split)


def test_a_learner_that_is_not_there_says_what_to_run(copy: Workspace, split: Path) -> None:
    """DVC trains only what params.yaml lists. A misspelled name has its suggestion; a path is none."""
    (copy.experiments / "thought.yaml").write_text("like: tiny\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"^thought: was not trained yet. Type: igarape search --experiment thou"):
        score.run(copy, split=split, experiment="thought")
    with pytest.raises(InputError, match=r"thoughts\.yaml: not found; did you mean thought\?"):
        score.run(copy, split=split, experiment="thoughts")
    with pytest.raises(InputError, match=r"'\.\./x': expected small letters"):
        score.run(copy, split=split, experiment="../x")
