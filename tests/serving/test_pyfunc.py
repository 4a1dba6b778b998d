"""The MLflow model takes base64 text or bytes, and blames the sender for a bad picture in one sentence."""

import base64
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from igarape.chips.pictures import Picture, encode_jpeg
from igarape.serving.bundle import Bundle
from igarape.serving.pyfunc import TaggerModel


@pytest.fixture
def model(bundle_folder: Path) -> TaggerModel:
    """Load the model as MLflow does."""
    tagger = TaggerModel()
    tagger.load_context(SimpleNamespace(artifacts={"bundle": str(bundle_folder)}))
    return tagger


def test_text_and_bytes_are_answered_alike(model: TaggerModel, bundle_folder: Path, pictures: list[Picture]) -> None:
    """A request may mix them; the answer is the bundle's."""
    chips = [encode_jpeg(picture, 95) for picture in pictures]
    cells = [base64.b64encode(chip).decode() if row % 2 else chip for row, chip in enumerate(chips)]
    answer = model.predict(None, pd.DataFrame({"image": cells}))
    pd.testing.assert_frame_equal(answer, Bundle.load(bundle_folder).answer(chips))


def test_a_list_in_one_row_is_many_pictures(model: TaggerModel, pictures: list[Picture]) -> None:
    """MLflow hands {"inputs": {"image": [...]}} over as one row; each picture of it is answered."""
    texts = [base64.b64encode(encode_jpeg(picture, 95)).decode() for picture in pictures]
    answer = model.predict(None, pd.DataFrame({"image": [texts]}))
    pd.testing.assert_frame_equal(answer, model.predict(None, pd.DataFrame({"image": texts})))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("###", "row 1: expected the bytes or the base64 text of a JPEG, PNG or TIF, found str '###'"),
        ("ção", "row 1: expected the bytes or the base64 text"),
        (5, "row 1: expected the bytes or the base64 text of a JPEG, PNG or TIF, found int '5'"),
        (None, "row 1: expected the bytes or the base64 text"),
        ("aGVsbG8=", "row 1: expected a JPEG, PNG or TIF, found 5 bytes"),
        (b"", "row 1: expected a JPEG, PNG or TIF, found an empty file"),
    ],
)
def test_a_bad_picture_is_the_senders_fault(
    model: TaggerModel, pictures: list[Picture], cell: object, message: str
) -> None:
    """The status is 400, and the message is one line that names the row."""
    with pytest.raises(MlflowException) as caught:
        model.predict(None, pd.DataFrame({"image": [encode_jpeg(pictures[0], 95), cell]}, dtype=object))
    assert caught.value.get_http_status_code() == 400  # type: ignore[no-untyped-call]
    assert caught.value.message.startswith(message)
    assert "\n" not in caught.value.message
