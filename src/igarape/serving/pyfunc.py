"""The bundle as an MLflow model. MLflow stores this file itself ("models from code"), so nothing is pickled."""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel  # type: ignore[attr-defined]  # mlflow names no __all__ there

from igarape.errors import InputError
from igarape.serving.bundle import Bundle
from igarape.serving.cells import KINDS, check_columns, file_of


class Refusal(MlflowException):
    """What is wrong with a request, in one sentence: HTTP 400.

    MLflow's server puts all of the request before an error's message; this one keeps the message that it has.
    """

    @property
    def message(self) -> str:
        """Return the sentence."""
        return str(self.args[0])

    @message.setter
    def message(self, _: str) -> None:
        """Keep it."""


class TaggerModel(PythonModel):
    """Answers a column of pictures (base64 text or bytes) with the columns of serving.answers.

    A bundle that needs near-infrared finds it in a second column, nir: TIFs of four bands.
    """

    def load_context(self, context: Any) -> None:
        """Load the bundle from the artifact of that name."""
        self.bundle = Bundle.load(Path(context.artifacts["bundle"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return a row for each picture. A bad picture is the sender's error (HTTP 400), in one sentence."""
        columns = list(KINDS) if self.bundle.needs_nir else ["image"]
        try:
            cells = _cells(model_input, columns)
            return self.bundle.answer(
                *([file_of(cell, row, column) for row, cell in enumerate(cells[column])] for column in columns)
            )
        except InputError as error:
            raise Refusal(str(error), error_code=INVALID_PARAMETER_VALUE, by="igarape") from error


def _cells(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return the columns with one file in each cell."""
    check_columns(table.columns, columns)
    try:
        # MLflow hands {"inputs": {"image": [...]}} over as one row that holds a list.
        return table[columns].explode(columns)
    except ValueError as error:
        raise InputError(f"expected as many values in each of the columns {', '.join(columns)}") from error


set_model(TaggerModel())
