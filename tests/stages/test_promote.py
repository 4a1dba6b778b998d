"""promote moves the champion of the data set in params.yaml, and of no other."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from igarape.errors import InputError
from igarape.stages import promote
from igarape.workspace import Workspace


def enter(name: str, *scores: float) -> None:
    """Enter versions 1, 2, ... with these hold-out scores; the last is the challenger."""
    client = MlflowClient()
    client.create_registered_model(name)
    for number, score in enumerate(scores, start=1):
        client.create_model_version(name, "nowhere", tags={"holdout_f2": str(score)})
        client.set_registered_model_alias(name, "challenger", str(number))


def champion(name: str) -> int | None:
    """Return the version that is champion."""
    version = MlflowClient().get_registered_model(name).aliases.get("champion")
    return None if version is None else int(version)


def test_the_challenger_of_this_data_set_is_promoted(registry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """params.yaml says toy; another data set's model stays as it is."""
    enter("igarape-toy", 0.8, 0.9)
    enter("igarape-other", 0.8)
    promote.run(Workspace(registry), version=None, force=False)
    assert (champion("igarape-toy"), champion("igarape-other")) == (2, None)
    assert capsys.readouterr().out == "igarape-toy: version 2 is the champion\n"


def test_a_version_can_be_named_and_forced(registry: Path) -> None:
    """Without force the lower score is refused."""
    enter("igarape-toy", 0.8, 0.9)
    promote.run(Workspace(registry), version=None, force=False)
    with pytest.raises(InputError, match=r"0\.8000.*0\.9000"):
        promote.run(Workspace(registry), version=1, force=False)
    promote.run(Workspace(registry), version=1, force=True)
    assert champion("igarape-toy") == 1
