"""A version becomes champion only when it scores no less, can be undone, and works where igarape is not installed."""

import base64
import socket
import subprocess
import sys
import time
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from igarape.chips.pictures import Pixels, decode, is_flat
from igarape.errors import InputError
from igarape.serving.bundle import Bundle
from igarape.serving.registry import champion_uri, load, model_name, promote, register, rollback
from igarape.tracking.address import new_experiment

NAME = model_name("toy")


def enter(*scores: float | None) -> None:
    """Enter versions 1, 2, ... with these hold-out scores (None: without one); the last is the challenger."""
    client = MlflowClient()
    client.create_registered_model(NAME)
    for score in scores:
        tags = {} if score is None else {"holdout_f2": str(score)}
        version = client.create_model_version(NAME, "nowhere", tags=tags).version
        client.set_registered_model_alias(NAME, "challenger", str(version))


def holders() -> dict[str, int]:
    """Return which version has which alias."""
    return {alias: int(version) for alias, version in MlflowClient().get_registered_model(NAME).aliases.items()}


@pytest.mark.usefixtures("registry")
def test_a_version_says_where_it_came_from(bundle_folder: Path) -> None:
    """It is the challenger, belongs to the run, and carries tags and a description; a second takes the alias over."""
    experiment = new_experiment("igarape/register", MlflowClient(), mlflow.get_tracking_uri())
    for expected in ("1", "2"):
        with mlflow.start_run(experiment_id=experiment) as run:
            version = register(bundle_folder, name=NAME, score=0.9, tags={"dataset": "toy"}, description="first")
        assert version == expected
        found = MlflowClient().get_model_version_by_alias(NAME, "challenger")
        assert (str(found.version), found.run_id, found.description) == (expected, run.info.run_id, "first")
        assert found.tags == {"dataset": "toy", "holdout_f2": "0.9"}


@pytest.mark.usefixtures("champion")
def test_the_loaded_champion_is_the_bundle(bundle_folder: Path, images: list[Pixels]) -> None:
    """By alias and by number, the registry gives back what was registered."""
    expected = Bundle.load(bundle_folder).tag(images)
    for uri in (champion_uri(NAME), f"models:/{NAME}/1"):
        pd.testing.assert_frame_equal(load(uri).tag(images), expected)


@pytest.mark.usefixtures("champion")
def test_a_model_holds_what_it_needs_and_no_more() -> None:
    """Its requirements are pinned and without TensorFlow; nothing in it is a pickle; its example shows something."""
    folder = Path(mlflow.artifacts.download_artifacts(champion_uri(NAME)))
    lines = (folder / "requirements.txt").read_text().split()
    assert all("==" in line for line in lines)
    assert {line.split("==")[0] for line in lines} >= {"mlflow", "onnxruntime", "tifffile", "xgboost"}
    assert not {"tensorflow", "keras", "dvc", "igarape"} & {line.split("==")[0] for line in lines}
    assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle")]
    model = mlflow.pyfunc.load_model(champion_uri(NAME))
    assert len(model.predict(model.input_example)) == 1
    assert not is_flat(decode(base64.b64decode(model.input_example["image"][0]), "example"))


@pytest.mark.usefixtures("nir_champion")
def test_a_model_that_needs_near_infrared_asks_for_it() -> None:
    """In its signature and its example; a request without the column is refused."""
    model = mlflow.pyfunc.load_model(champion_uri(NAME))
    assert model.metadata.get_input_schema().input_names() == ["image", "nir"]
    assert len(model.predict(model.input_example)) == 1
    with pytest.raises(MlflowException, match="nir"):
        model.predict(model.input_example[["image"]])


@pytest.mark.slow
def test_it_works_where_igarape_is_not_installed(champion: Path) -> None:
    """The model brings its own code."""
    program = (
        "import sys, importlib.util, pathlib\n"
        "sys.path = [entry for entry in sys.path if not pathlib.Path(entry, 'igarape').exists()]\n"
        "sys.meta_path = [finder for finder in sys.meta_path if 'editable' not in repr(finder)]\n"
        "assert importlib.util.find_spec('igarape') is None\n"
        "import mlflow\n"
        f"model = mlflow.pyfunc.load_model('{champion_uri(NAME)}')\n"
        "print(model.predict(model.input_example).columns[0])\n"
        "import igarape; print('mlruns' in igarape.__file__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=champion, timeout=100
    )
    assert done.stdout.split() == ["tags", "True"]


@pytest.mark.usefixtures("registry")
def test_the_first_promotion_passes_and_the_second_remembers() -> None:
    """Promote makes the challenger champion, and the champion before it previous; an equal score passes."""
    enter(0.8, 0.8)
    assert "version 1 is the champion" in promote(NAME, version="1")
    assert holders() == {"challenger": 2, "champion": 1}
    assert "version 1 was" in promote(NAME)
    assert holders() == {"challenger": 2, "champion": 2, "previous": 1}


@pytest.mark.usefixtures("registry")
def test_promoting_the_champion_changes_nothing() -> None:
    """In particular, it does not make the champion its own predecessor."""
    enter(0.8, 0.9)
    promote(NAME, version="1")
    promote(NAME)
    assert "already" in promote(NAME)
    assert holders() == {"challenger": 2, "champion": 2, "previous": 1}


@pytest.mark.usefixtures("registry")
def test_a_lower_score_is_refused_unless_forced() -> None:
    """The refusal gives both scores, and moves nothing."""
    enter(0.8567, 0.8432)
    promote(NAME, version="1")
    with pytest.raises(
        InputError, match=r"version 2 has hold-out F2 0\.8432, the champion \(version 1\) 0\.8567.*--force"
    ):
        promote(NAME)
    assert holders() == {"challenger": 2, "champion": 1}
    promote(NAME, force=True)
    assert holders() == {"challenger": 2, "champion": 2, "previous": 1}


@pytest.mark.usefixtures("registry")
def test_a_version_without_a_score_is_refused_unless_forced() -> None:
    """What was registered by hand cannot be compared."""
    enter(0.8, None)
    promote(NAME, version="1")
    with pytest.raises(InputError, match="version 2 has no tag holdout_f2"):
        promote(NAME)
    promote(NAME, force=True)
    assert holders()["champion"] == 2


@pytest.mark.usefixtures("registry")
def test_rollback_lets_the_two_change_places() -> None:
    """So a second rollback undoes the first."""
    enter(0.8, 0.9)
    promote(NAME, version="1")
    promote(NAME)
    assert "version 1 is the champion again" in rollback(NAME)
    assert holders() == {"challenger": 2, "champion": 1, "previous": 2}
    rollback(NAME)
    assert holders() == {"challenger": 2, "champion": 2, "previous": 1}


@pytest.mark.usefixtures("registry")
def test_what_cannot_be_moved_is_said() -> None:
    """No challenger, no such version, nothing to roll back to."""
    with pytest.raises(InputError, match=r"no challenger to promote\. Run: make repro"):
        promote(NAME)
    enter(0.8)
    with pytest.raises(InputError, match="no version 9; there are 1"):
        promote(NAME, version="9", force=True)
    promote(NAME)
    with pytest.raises(InputError, match="nothing to roll back to"):
        rollback(NAME)
    assert holders() == {"challenger": 1, "champion": 1}


@pytest.mark.usefixtures("registry")
def test_an_alias_that_nobody_has_is_said() -> None:
    """Without a champion the error says how to get one; with other aliases it makes a suggestion."""
    with pytest.raises(
        InputError, match=rf"models:/{NAME}@champion: no champion yet\. Run: make repro, then: igarape prom"
    ):
        load(f"models:/{NAME}@champion")
    enter(0.8)
    with pytest.raises(InputError, match="no champion yet"):
        champion_uri(NAME)
    with pytest.raises(InputError, match="no such alias; did you mean challenger"):
        load(f"models:/{NAME}@chalenger")


def test_looking_for_a_champion_makes_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a wrong folder, MLflow would leave an empty mlflow.db behind."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(InputError, match="no champion yet"):
        load(f"models:/{NAME}@champion", tmp_path)
    with pytest.raises(InputError, match="no such file yet"):
        load(f"models:/{NAME}/1", tmp_path)
    with pytest.raises(InputError, match="no such file yet"):
        rollback(NAME, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_does_not_answer_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow's own retries would take minutes."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    start = time.monotonic()
    with pytest.raises(InputError, match=rf"{port}: cannot be reached .*MLFLOW_TRACKING_URI"):
        load(f"models:/{NAME}@champion")
    assert time.monotonic() - start < 10


def test_a_foreign_model_is_refused(registry: Path) -> None:
    """A model that igarape did not register has no bundle."""
    code, model = registry / "double.py", registry / "double"
    code.write_text(
        "import mlflow\n\n"
        "class Double(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, context, model_input, params=None):\n"
        "        return model_input\n\n"
        "mlflow.models.set_model(Double())\n"
    )
    mlflow.pyfunc.save_model(str(model), python_model=str(code), pip_requirements=["mlflow"])
    with pytest.raises(InputError, match="expected a model that igarape registered"):
        load(str(model))
