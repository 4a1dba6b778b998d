"""A version becomes champion when it holds against the champion, for a reason that is kept."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from contest import NAME, answers_of, crowned, decide, enroll, enter, holders, outcomes, pack, patient, ruled, worse
from mlflow import MlflowClient

from igarape.chips.pictures import Pixels
from igarape.errors import InputError
from igarape.files import write_json
from igarape.serving.bundle import Bundle
from igarape.serving.history import history
from igarape.serving.promotion import rollback
from igarape.tables import HOLDOUT
from igarape.workspace import Workspace


def test_the_first_version_becomes_champion_and_a_worse_one_does_not(contest: Workspace) -> None:
    """Without any option. The refusal says what fails; the table what was compared; no alias is moved."""
    said: list[str] = []
    assert decide(contest, "1", say=said.append).startswith(f"{NAME}: version 1 is the champion. To ask it: ")
    assert said.pop() == f"{NAME}: version 1\n  there is no champion yet to compare it with"
    assert decide(contest, "1") == f"{NAME}: version 1 is the champion already"
    write_json({"name": NAME, "version": 1}, contest.folder("register") / "version.json")
    with pytest.raises(InputError, match=r"version 2 is refused: F2.*Version 1 stays champion.*--force --reason"):
        decide(contest, say=said.append)
    assert said[0].startswith(f"{NAME}: version 2 is the challenger, but what lies in data/ is version 1.")
    assert holders() == {"challenger": 2, "champion": 1}
    lines = said.pop().splitlines()
    assert lines[:2] == [f"{NAME}: version 2 against the champion, version 1", "  24 hold-out chips of version 2"]
    assert lines[3].split()[0] == "F2" and lines[3].endswith("FAILS")
    assert lines[-1].split()[0] == "MB" and lines[-1].endswith("passes")
    said.clear()
    decide(contest, "2", force=True, reason="to look at it")
    assert holders() == {"challenger": 2, "champion": 2, "previous": 1}
    assert "version 2 was. To undo: igarape rollback" in decide(contest, "1")
    assert holders() == {"challenger": 2, "champion": 1, "previous": 2}


def test_a_student_is_compared_with_the_student_that_is_champion(
    registry: Path, bundle_folder: Path, images: list[Pixels]
) -> None:
    """On the hold-out, without what the champion learned from; the ensemble's versions and history stay as they are."""
    here = Workspace(registry)
    enter(1)
    labels = Bundle.load(bundle_folder, threads=1).vocabulary.labels
    asked = answers_of(bundle_folder, pack(here, images, np.zeros((5, 5)), labels))
    student, rows = f"{NAME}-student", np.arange(5)
    before = replace(asked, folds=np.where(rows < 4, HOLDOUT, 0))
    enroll(here, bundle_folder, before, name=student)
    enroll(here, ruled(bundle_folder, here.root / "second", 0.9), worse(asked), name=student)
    said: list[str] = []
    done = decide(here, "1", student=True)
    assert done.startswith(f"{student}: version 1 is the champion. ") and done.endswith("igarape serve --model student")
    refusal = r"student: version 2 is refused: F2.*igarape promote --model student --force --reason"
    with pytest.raises(InputError, match=refusal):
        decide(here, student=True, say=said.append)
    lines = said[0].splitlines()
    assert lines[:2] == [f"{student}: version 2 against the champion, version 1", "  4 hold-out chips of version 2"]
    assert "1 more are left out: version 1 learned from them" in lines[2]
    decide(here, student=True, force=True, reason="to look at it")
    assert "version 1 is the champion again" in rollback(here, patient(), reason="", student=True)
    assert [line.split()[5] for line in history(student, here.root)[1:]] == ["2", "1", "1", "-"]
    assert "champion" not in holders() and history(NAME, here.root)[0].startswith("  no verdict yet")


def test_a_dry_run_moves_nothing_and_is_kept(contest: Workspace) -> None:
    """Whether it would pass or not; with force too."""
    MlflowClient().set_registered_model_alias(NAME, "champion", "1")
    with pytest.raises(InputError, match="version 2 would be refused: F2"):
        decide(contest, dry_run=True)
    MlflowClient().set_registered_model_alias(NAME, "champion", "2")
    assert decide(contest, "1", dry_run=True) == f"{NAME}: version 1 passes. It was a dry run: nothing was changed"
    assert holders() == {"challenger": 2, "champion": 2}
    assert ["dry run: passes" in line for line in outcomes(contest)] == [True, False]
    assert "dry run: refused" in outcomes(contest)[1]


def test_force_needs_a_reason(contest: Workspace) -> None:
    """Before anything is looked at."""
    with pytest.raises(InputError, match=r"--force: expected why .*--reason TEXT"):
        decide(contest, force=True)
    assert holders() == {"challenger": 2}


def test_what_cannot_be_compared_passes_by_force_only(contest: Workspace) -> None:
    """A champion whose files are gone; the verdict says why nothing was compared."""
    client = MlflowClient()
    client.create_model_version(NAME, "nowhere")
    client.set_registered_model_alias(NAME, "champion", "3")
    with pytest.raises(InputError, match=r"version 3 is no model of igarape.*igarape promote --force --reason"):
        decide(contest)
    assert holders()["champion"] == 3
    said: list[str] = []
    decide(contest, force=True, reason="the old one is lost", say=said.append)
    assert "  not compared: " in said[0] and "--force" not in said[0]
    assert holders() == {"challenger": 2, "champion": 2, "previous": 3}


@pytest.mark.usefixtures("registry")
def test_what_cannot_be_moved_is_said(registry: Path) -> None:
    """No challenger, no such version, nothing to roll back to."""
    here = Workspace(registry)
    with pytest.raises(InputError, match=r"no challenger to promote\. Run: make repro"):
        decide(here)
    enter(1)
    with pytest.raises(InputError, match="no version 9; there are 1"):
        decide(here, "9")
    decide(here)
    with pytest.raises(InputError, match="nothing to roll back to"):
        rollback(here, patient(), reason="")
    assert holders() == {"challenger": 1, "champion": 1}
    MlflowClient().delete_registered_model_alias(NAME, "champion")
    MlflowClient().set_registered_model_alias(NAME, "previous", "1")
    with pytest.raises(InputError, match=r"no version is the champion.* To promote that: igarape promote --version 1"):
        rollback(here, patient(), reason="")


def test_rollback_lets_the_two_change_places(registry: Path) -> None:
    """So a second rollback undoes the first."""
    here = crowned(registry)
    assert rollback(here, patient(), reason="no") == f"{NAME}: version 1 is the champion again; version 2 was"
    assert holders() == {"challenger": 2, "champion": 1, "previous": 2}
    rollback(here, patient(), reason="")
    assert holders() == {"challenger": 2, "champion": 2, "previous": 1}
    assert len(history(NAME, here.root)) == 3
