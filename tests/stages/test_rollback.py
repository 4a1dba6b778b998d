"""rollback undoes a promotion of the data set in params.yaml."""

from pathlib import Path

import pytest
from contest import NAME, crown_second, holders
from mlflow import MlflowClient

from igarape.errors import InputError
from igarape.stages import rollback
from igarape.workspace import Workspace


def test_the_previous_champion_is_put_back(contest: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """Champion and previous change places, and the command says so."""
    crown_second()
    rollback.run(contest, reason="enough")
    assert holders() == {"challenger": 2, "champion": 1, "previous": 2}
    assert capsys.readouterr().out == "igarape-toy: version 1 is the champion again; version 2 was\n"


def test_a_version_whose_files_are_gone_does_not_become_champion(champion: Path) -> None:
    """What a server could not load is found before anything moves."""
    client = MlflowClient()
    client.create_model_version(NAME, "nowhere")
    client.set_registered_model_alias(NAME, "previous", "2")
    before = holders()
    with pytest.raises(InputError, match=r"^models:/igarape-toy/2: .* Version 1 stays champion$"):
        rollback.run(Workspace(champion))
    assert holders() == before


def test_without_a_promotion_there_is_nothing_to_undo(registry: Path) -> None:
    """The error says what sets the previous champion."""
    with pytest.raises(InputError, match="igarape-toy: nothing to roll back to"):
        rollback.run(Workspace(registry))


def test_a_student_is_put_back_by_itself(registry: Path) -> None:
    """Without a promotion of its own there is nothing to undo, and the error names its option."""
    with pytest.raises(InputError, match=r"toy-student: nothing to roll back .*igarape promote --model student"):
        rollback.run(Workspace(registry), model="student")
