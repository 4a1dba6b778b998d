"""What is logged: with an example that is answered, from a folder of any name."""

import base64
import shutil
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient

from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.serving.bundle import Bundle
from igarape.serving.model import log_model
from igarape.tracking.address import new_experiment


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("name", ["a b", "é#?", "a%20b"])
def test_a_bundle_is_logged_from_a_folder_of_any_name(
    tmp_path: Path, bundle_folder: Path, images: list[Pixels], name: str
) -> None:
    """A path is no address, though it looks like one."""
    shutil.copytree(bundle_folder, tmp_path / name / "bundle")
    experiment = new_experiment("igarape/register", MlflowClient(), mlflow.get_tracking_uri())
    with mlflow.start_run(experiment_id=experiment) as run:
        logged = log_model(tmp_path / name / "bundle", run_id=run.info.run_id, told={})
    model = mlflow.pyfunc.load_model(logged.model_uri)
    expected = Bundle.load(bundle_folder).tag(images)
    pd.testing.assert_frame_equal(model.unwrap_python_model().bundle.tag(images), expected)


@pytest.mark.usefixtures("champion")
def test_only_the_code_that_answers_goes_along() -> None:
    """Neither stages nor networks."""
    folder = Path(mlflow.artifacts.download_artifacts("models:/igarape-toy/1"))
    code = {path.name for path in (folder / "code/igarape").iterdir() if path.is_dir()}
    assert "serving" in code and not {"stages", "tracking", "reports"} & code


@pytest.mark.usefixtures("registry")
def test_alerts_are_in_the_signature_and_in_the_answer(alert_bundle_folder: Path, images: list[Pixels]) -> None:
    """The served model answers as the bundle does; the signature names the column in its place."""
    experiment = new_experiment("igarape/register", MlflowClient(), mlflow.get_tracking_uri())
    with mlflow.start_run(experiment_id=experiment) as run:
        logged = log_model(alert_bundle_folder, run_id=run.info.run_id, told={})
    model = mlflow.pyfunc.load_model(logged.model_uri)
    bundle = Bundle.load(alert_bundle_folder)
    assert model.metadata.get_output_schema().input_names() == bundle.columns
    chips = [encode_jpeg(image, 95) for image in images]
    texts = [base64.b64encode(chip).decode() for chip in chips]
    pd.testing.assert_frame_equal(model.predict(pd.DataFrame({"image": texts})), bundle.answer(chips))
