"""The bundle as an MLflow model. MLflow stores this file itself ("models from code"), so nothing is pickled."""

import base64
import binascii
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel  # type: ignore[attr-defined]  # mlflow names no __all__ there

from igarape.errors import InputError
from igarape.serving.bundle import Bundle

COLUMN = "image"


class TaggerModel(PythonModel):
    """Answers a column of pictures (base64 text or bytes) with tags and p_<label>..."""

    def load_context(self, context: Any) -> None:
        """Load the bundle from the artifact of that name."""
        self.bundle = Bundle.load(Path(context.artifacts["bundle"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return a row for each picture. A bad picture is the sender's error (HTTP 400), in one sentence."""
        # MLflow hands {"inputs": {"image": [...]}} over as one row that holds a list.
        cells = model_input[COLUMN].explode()
        try:
            return self.bundle.answer([_bytes(cell, row) for row, cell in enumerate(cells)])
        except InputError as error:
            raise MlflowException(str(error), error_code=INVALID_PARAMETER_VALUE) from error


def _bytes(cell: object, row: int) -> bytes:
    """Return the bytes of an encoded picture that came as bytes or as base64 text."""
    if isinstance(cell, bytes):
        return cell
    try:
        return base64.b64decode(cell, validate=True)  # type: ignore[arg-type]  # a wrong type is the error below
    except (binascii.Error, TypeError, ValueError) as error:
        raise InputError(
            f"row {row}: expected the bytes or the base64 text of a JPEG, PNG or TIF, found {type(cell).__name__} "
            f"{str(cell)[:20]!r}"
        ) from error


set_model(TaggerModel())
