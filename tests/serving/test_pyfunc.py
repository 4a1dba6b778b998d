"""The MLflow model takes base64 text or bytes, and blames the sender for a bad picture in one sentence."""

import base64
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.serving.bundle import Bundle
from igarape.serving.pyfunc import TaggerModel


@pytest.fixture
def model(bundle_folder: Path) -> TaggerModel:
    """Load the model as MLflow does."""
    tagger = TaggerModel()
    tagger.load_context(SimpleNamespace(artifacts={"bundle": str(bundle_folder)}))
    return tagger


def test_text_and_bytes_are_answered_alike(model: TaggerModel, bundle_folder: Path, images: list[Pixels]) -> None:
    """A request may mix them; the answer is the bundle's."""
    chips = [encode_jpeg(image, 95) for image in images]
    cells = [base64.b64encode(chip).decode() if row % 2 else chip for row, chip in enumerate(chips)]
    answer = model.predict(None, pd.DataFrame({"image": cells}))
    pd.testing.assert_frame_equal(answer, Bundle.load(bundle_folder).answer(chips))


def test_a_list_in_one_row_is_many_pictures(model: TaggerModel, images: list[Pixels]) -> None:
    """MLflow hands {"inputs": {"image": [...]}} over as one row; each picture of it is answered."""
    texts = [base64.b64encode(encode_jpeg(image, 95)).decode() for image in images]
    answer = model.predict(None, pd.DataFrame({"image": [texts]}))
    pd.testing.assert_frame_equal(answer, model.predict(None, pd.DataFrame({"image": texts})))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("###", "row 1: expected the bytes or the base64 text of a JPEG, PNG or TIF, found a text of 3 characters"),
        ("ção", "row 1: expected the bytes or the base64 text"),
        (5, "row 1: expected the bytes or the base64 text of a JPEG, PNG or TIF, found a number"),
        (None, "row 1: expected the bytes or the base64 text"),
        ("aGVsbG8=", "row 1: expected a JPEG, PNG or TIF, found 5 bytes"),
        (b"", "row 1: expected a JPEG, PNG or TIF, found an empty file"),
    ],
)
def test_a_bad_picture_is_the_senders_fault(
    model: TaggerModel, images: list[Pixels], cell: object, message: str
) -> None:
    """The status is 400, and the message is one line that names the row."""
    with pytest.raises(MlflowException) as caught:
        model.predict(None, pd.DataFrame({"image": [encode_jpeg(images[0], 95), cell]}, dtype=object))
    assert caught.value.get_http_status_code() == 400  # type: ignore[no-untyped-call]
    assert caught.value.message.startswith(message)
    assert "\n" not in caught.value.message


@pytest.fixture
def leafy(nir_bundle_folder: Path) -> TaggerModel:
    """Load a model that needs near-infrared."""
    tagger = TaggerModel()
    tagger.load_context(SimpleNamespace(artifacts={"bundle": str(nir_bundle_folder)}))
    return tagger


def test_near_infrared_comes_in_a_second_column(
    leafy: TaggerModel, nir_bundle_folder: Path, images: list[Pixels], tif_files: list[bytes]
) -> None:
    """As text or bytes, row by row or as lists in one row; the answer is the bundle's."""
    chips = [encode_jpeg(image, 95) for image in images]
    expected = Bundle.load(nir_bundle_folder).answer(chips, tif_files)
    texts = {
        name: [base64.b64encode(data).decode() for data in files]
        for name, files in (("image", chips), ("nir", tif_files))
    }
    mixed = pd.DataFrame({"nir": [tif_files[0], *texts["nir"][1:]], "image": [*texts["image"][:-1], chips[-1]]})
    pd.testing.assert_frame_equal(leafy.predict(None, mixed), expected)
    one_row = pd.DataFrame({name: [files] for name, files in texts.items()})
    pd.testing.assert_frame_equal(leafy.predict(None, one_row), expected)


def test_missing_near_infrared_is_the_senders_fault(
    leafy: TaggerModel, images: list[Pixels], tif_files: list[bytes]
) -> None:
    """No column, an empty cell, a picture in its place, fewer TIFs than images: one line that says which."""
    chips = [encode_jpeg(image, 95) for image in images[:2]]
    requests: dict[str, dict[str, Any]] = {
        "expected a column nir with a TIF of four bands in each row, found none of that name among 1": {"image": chips},
        "row 1, nir: expected the bytes or the base64 text of a TIF of four bands, found nothing": {
            "image": chips,
            "nir": [tif_files[0], None],
        },
        "row 0, nir: expected a TIF of four bands, found a jpg": {"image": chips, "nir": chips},
        "expected as many values in each of the columns image, nir": {"image": [chips], "nir": [tif_files[:1]]},
    }
    for message, columns in requests.items():
        with pytest.raises(MlflowException) as caught:
            leafy.predict(None, pd.DataFrame(columns, dtype=object))
        assert caught.value.get_http_status_code() == 400  # type: ignore[no-untyped-call]
        assert caught.value.message.startswith(message)
        assert "\n" not in caught.value.message


def test_a_model_that_sees_pictures_only_passes_other_columns_over(model: TaggerModel, images: list[Pixels]) -> None:
    """MLflow drops what the signature does not name; so does the model itself. Without pictures it says so."""
    chips = pd.DataFrame({"image": [encode_jpeg(images[0], 95)], "nir": [None]})
    pd.testing.assert_frame_equal(model.predict(None, chips), model.predict(None, chips[["image"]]))
    with pytest.raises(
        MlflowException, match="expected a column image with a JPEG, PNG or TIF in each row, found none of"
    ):
        model.predict(None, chips[["nir"]])
