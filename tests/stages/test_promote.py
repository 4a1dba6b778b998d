"""promote moves the champion of the data set in params.yaml, and of no other."""

from pathlib import Path

import pytest
from conftest import crown
from contest import NAME, enroll, enter, holders
from mlflow import MlflowClient

from igarape.errors import InputError
from igarape.scores.answers import TABLE, read_answers
from igarape.stages import promote
from igarape.workspace import Workspace


def test_the_challenger_of_this_data_set_is_promoted(contest: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """params.yaml says toy; another data set's model stays as it is. A worse one is refused, by what stands there."""
    enter(1, name="igarape-other")
    promote.run(contest, version=1)
    assert (holders()["champion"], dict(MlflowClient().get_registered_model("igarape-other").aliases)) == (
        1,
        {"challenger": 1},
    )
    assert capsys.readouterr().out.splitlines() == [
        "igarape-toy: version 1",
        "  there is no champion yet to compare it with",
        "igarape-toy: version 1 is the champion. To ask it: igarape predict FOLDER --out answers.csv, or igarape serve",
    ]
    with pytest.raises(InputError, match="version 2 is refused: F2"):
        promote.run(contest)
    printed = capsys.readouterr()
    assert printed.out.startswith("igarape-toy: version 2 against the champion, version 1\n")
    assert "chip" not in printed.err  # no bar where the champion is not asked


def test_a_version_can_be_named_and_forced(contest: Workspace) -> None:
    """With a reason, which is more than blanks."""
    promote.run(contest, version=1)
    with pytest.raises(InputError, match="--reason TEXT"):
        promote.run(contest, version=2, force=True, reason="  ")
    promote.run(contest, version=2, force=True, reason="why not")
    assert holders() == {"challenger": 2, "champion": 2, "previous": 1}


def test_a_version_that_no_server_could_load_does_not_become_champion(registry: Path, bundle_folder: Path) -> None:
    """Neither as the first one, nor by force: its files are gone, or somebody has changed bundle.json."""
    here = Workspace(registry)
    enter(1)
    with pytest.raises(InputError, match=r"^models:/igarape-toy/1: .* No version becomes champion$"):
        promote.run(here)
    crown(bundle_folder, registry)
    (manifest,) = registry.rglob("mlruns/**/bundle.json")
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"views": 8', '"views": 1'), encoding="utf-8")
    MlflowClient().delete_registered_model_alias(NAME, "champion")
    with pytest.raises(InputError, match=r"^models:/igarape-toy/2: bundle.json was registered as .* somebody changed"):
        promote.run(here, version=2, force=True, reason="why not")
    assert holders() == {"challenger": 2}


def test_the_champion_is_asked_where_it_has_no_answers(contest: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """With a bar."""
    promote.run(contest, version=1)
    MlflowClient().delete_model_version_tag("igarape-toy", "1", "answers_run")
    with pytest.raises(InputError, match="would be refused"):
        promote.run(contest, dry_run=True)
    printed = capsys.readouterr()
    assert "promote: asking the champion" in printed.err and "its bundle was asked now" in printed.out
    assert holders() == {"challenger": 2, "champion": 1}


def test_the_student_has_a_champion_of_its_own(
    contest: Workspace, bundle_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ensemble's stays; what is said names the option, so that to undo it undoes this and not that."""
    known = read_answers(contest.root / TABLE)
    for bundle in (bundle_folder, contest.root / "other"):
        enroll(contest, bundle, known, name="igarape-toy-student")
    promote.run(contest, version=1, model="student")
    promote.run(contest, version=2, force=True, reason="why not", model="student")
    assert dict(MlflowClient().get_registered_model("igarape-toy-student").aliases)["champion"] == 2
    assert "champion" not in holders()
    assert "To undo: igarape rollback --model student" in capsys.readouterr().out
