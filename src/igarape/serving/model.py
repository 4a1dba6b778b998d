"""The bundle as it is logged to MLflow: with its own code, its requirements, a signature and an example."""

import base64
import io
import tempfile
from collections.abc import Mapping
from pathlib import Path

import mlflow
import numpy as np
import numpy.typing as npt
import pandas as pd
from mlflow.models import Model, ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.types.schema import ColSpec, DataType, Schema

from igarape.chips.pictures import encode_jpeg
from igarape.serving.answers import is_number
from igarape.serving.bundle import Bundle
from igarape.serving.closure import copy_code, requirements


def log_model(folder: Path, *, run_id: str | None, told: Mapping[str, str]) -> ModelInfo:
    """Log the bundle in a folder to a run; None: the active one. told: goes with its files, wherever they lie."""
    bundle = Bundle.load(folder)
    with tempfile.TemporaryDirectory() as code:
        logged: ModelInfo = Model.log(
            artifact_path=None,
            name="tagger",
            flavor=mlflow.pyfunc,
            run_id=run_id,
            python_model=Path(__file__).with_name("pyfunc.py"),
            # As an address: MLflow takes a path for one too, and then reads %, # and ? in it.
            artifacts={"bundle": folder.absolute().as_uri()},
            code_paths=[str(copy_code(Path(code)))],
            pip_requirements=list(requirements()),
            metadata=dict(told),
            signature=_signature(bundle),
            input_example=_example(bundle),
        )
    return logged


def _signature(bundle: Bundle) -> ModelSignature:
    """Describe input and output.

    Text is what MLflow takes from all its forms, JSON, CSV and Parquet; it lets bytes and objects pass. No column is
    required: the model itself says what is missing, in one sentence, where MLflow would repeat the request.
    """
    columns = ["image", "nir"] if bundle.needs_nir else ["image"]
    files = Schema([ColSpec(DataType.string, column, required=False) for column in columns])
    kinds = {column: DataType.float if is_number(column) else DataType.string for column in bundle.columns}
    return ModelSignature(inputs=files, outputs=Schema([ColSpec(kind, column) for column, kind in kinds.items()]))


def _example(bundle: Bundle) -> pd.DataFrame:
    """Return a request with one picture, a ramp from black to white; its near-infrared, where needed, is one too."""
    size = bundle.manifest.size
    ramp = np.ascontiguousarray(
        np.broadcast_to(np.linspace(0, 255, size, dtype=np.uint8)[None, :, None], (size, size, 4))
    )
    files = {"image": encode_jpeg(ramp[:, :, :3], 95)} | ({"nir": _tif(ramp)} if bundle.needs_nir else {})
    return pd.DataFrame({column: [base64.b64encode(data).decode()] for column, data in files.items()})


def _tif(bands: npt.NDArray[np.uint8]) -> bytes:
    """Encode bands of shape (height, width, 4)."""
    from tifffile import imwrite

    file = io.BytesIO()
    imwrite(file, bands, photometric="minisblack", planarconfig="contig", compression="deflate")
    return file.getvalue()
