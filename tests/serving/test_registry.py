"""What the registry gives back is what was registered, and works where igarape is not installed."""

import base64
import errno
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from contest import NAME, enter
from mlflow.exceptions import MlflowException

from igarape.chips.pictures import Pixels, decode, is_flat
from igarape.errors import InputError
from igarape.serving.bundle import Bundle
from igarape.serving.registry import champion_uri, client_of, load, model_uri


@pytest.mark.usefixtures("champion")
def test_the_loaded_champion_is_the_bundle(bundle_folder: Path, images: list[Pixels]) -> None:
    """By alias and by number, the registry gives back what was registered."""
    expected = Bundle.load(bundle_folder).tag(images)
    for uri in (champion_uri(NAME), f"models:/{NAME}/1"):
        pd.testing.assert_frame_equal(load(uri).tag(images), expected)


def test_files_that_somebody_changed_are_told_by_the_models_address(champion: Path) -> None:
    """Not by the folder into which they were fetched, which is gone when that is read."""
    (file,) = (path for path in champion.rglob("novelty.npz") if "mlruns" in path.parts)
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(InputError, match=f"^models:/{NAME}/1: its files are not those .* changed: novelty.npz"):
        load(f"models:/{NAME}/1")


def test_another_bundle_in_the_place_of_the_one_that_was_registered_is_refused(champion: Path) -> None:
    """It is whole, and its files are those that it names; but nobody promoted it."""
    (file,) = (path for path in champion.rglob("bundle.json") if "mlruns" in path.parts)
    kept = file.read_text(encoding="utf-8")
    file.write_text(kept.replace('"dataset": "toy"', '"dataset": "other"'), encoding="utf-8")
    with pytest.raises(InputError, match=f"^models:/{NAME}/1: bundle.json was registered as .* register again"):
        load(champion_uri(NAME))
    file.write_text(kept, encoding="utf-8")
    assert load(champion_uri(NAME)).manifest.dataset == "toy"


@pytest.mark.usefixtures("champion")
def test_what_is_asked_for_is_the_ensemble_unless_it_is_named() -> None:
    """The ensemble and the student are looked for, and the ensemble is there. An alias is the version that has it."""
    assert model_uri(None, "toy") == model_uri("models:/igarape-toy@challenger", "toy") == "models:/igarape-toy/1"
    assert model_uri("models:/igarape-other/3", "toy") == "models:/igarape-other/3"
    with pytest.raises(InputError, match="models:/igarape-toy-student@champion: no champion yet"):
        model_uri("student", "toy")


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
def test_an_alias_that_nobody_has_is_said() -> None:
    """Without a champion the error says how to get one; with other aliases it makes a suggestion."""
    with pytest.raises(
        InputError, match=rf"models:/{NAME}@champion: no champion yet\. Run: make repro, then: igarape prom"
    ):
        load(f"models:/{NAME}@champion")
    enter(1)
    with pytest.raises(InputError, match="no champion yet"):
        champion_uri(NAME)
    with pytest.raises(InputError, match="no such alias; did you mean challenger"):
        load(f"models:/{NAME}@chalenger")


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"models:/{NAME}", rf"names no version\. Expected such as models:/{NAME}@champion or models:/{NAME}/1$"),
        (f"models:/{NAME}/", rf"names no version\. Expected such as models:/{NAME}@champion or models:/{NAME}/1$"),
        ("models:/", r"names no version\. Expected such as models:/NAME@champion or models:/NAME/1$"),
        (f"models:/{NAME}/newest", rf"names no version\. Expected such as models:/{NAME}@champion"),
        ("http://localhost:1/model", r"Expected a model's address, such as models:/NAME@champion or models:/NAME/1$"),
        ("nowhere", r"Expected a model's address, such as models:/NAME@champion or models:/NAME/1$"),
    ],
)
def test_an_address_that_names_no_version_is_told_how_to(address: str, said: str) -> None:
    """What is mistyped is no version whose files are lost: to register again would not help."""
    enter(1)
    with pytest.raises(InputError, match=said):
        load(address)


@pytest.mark.usefixtures("registry")
def test_a_full_disk_is_not_a_model_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow says it of each file; where it was full stands in one short line."""

    def download(**_: object) -> None:
        raise MlflowException(f"a: {os.strerror(errno.ENOSPC)} b: {os.strerror(errno.ENOSPC)}")

    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", download)
    with pytest.raises(
        InputError, match=r"^runs:/1/model: no room for its files in \S+\. Make room there, or: export TMP"
    ):
        load("runs:/1/model")


def test_looking_for_a_champion_makes_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a wrong folder, MLflow would leave an empty mlflow.db behind."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(InputError, match="no champion yet"):
        load(f"models:/{NAME}@champion", tmp_path)
    with pytest.raises(InputError, match="no such file yet"):
        load(f"models:/{NAME}/1", tmp_path)
    with pytest.raises(InputError, match="no such file yet"), client_of(NAME, tmp_path):
        pytest.fail("there is nothing to ask")
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
