"""history shows what was decided about the model of the data set in params.yaml."""

from pathlib import Path

import pytest
from contest import decide, enter

from igarape.config.params import read_params
from igarape.errors import InputError
from igarape.serving.promotion import rollback
from igarape.stages import history
from igarape.workspace import Workspace


def test_each_decision_has_a_line(registry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Below the model's name, newest first."""
    here = Workspace(registry)
    enter(2)
    history.run(here)
    assert capsys.readouterr().out == "igarape-toy\n  no verdict yet. Run: igarape promote\n"
    decide(here, "1")  # the stages load a version first, and nothing lies behind these
    decide(here, "2", force=True, reason="first words")
    rollback(here, read_params(here.params), reason="second words")
    capsys.readouterr()
    history.run(here)
    name, _, *rows = capsys.readouterr().out.splitlines()
    assert name == "igarape-toy"
    assert ["second words" in rows[0], "first words" in rows[1], "promoted" in rows[2]] == [True, True, True]


def test_the_champions_address_is_one_that_mlflow_takes(registry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing else is printed; where there is none, the error says what to type."""
    here = Workspace(registry)
    enter(1)
    with pytest.raises(InputError, match=r"no champion yet\. Run: igarape promote"):
        history.run(here, champion=True)
    decide(here)
    capsys.readouterr()
    history.run(here, champion=True)
    assert capsys.readouterr().out == "models:/igarape-toy@champion\n"


def test_a_student_has_a_history_of_its_own(registry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was decided about the ensemble is not in it."""
    here = Workspace(registry)
    enter(1)
    enter(1, name="igarape-toy-student")
    decide(here)
    capsys.readouterr()
    history.run(here, model="student")
    said = "  no verdict yet. Run: igarape promote --model student"
    assert capsys.readouterr().out.splitlines() == ["igarape-toy-student", said]
