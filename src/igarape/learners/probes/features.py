"""The features of pictures, by a frozen backbone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx

from igarape.code import code_hash
from igarape.config.network_kinds import Probe
from igarape.files import digest
from igarape.learners.examples import Images, Rows
from igarape.learners.feature_cache import Table, cached_rows
from igarape.learners.networks.sessions import Sessions, open_models
from igarape.learners.probes.extractor import extractor, known_by

AT_ONCE = 16  # chips, in one view after the other


def features_of(images: Images, rows: Rows, experiment: Probe) -> Table:
    """Return the features of rows of pictures: float32 (rows, channels), of each the mean over its eight views.

    Those of pictures that load_pictures has mapped are computed for all rows, once, and kept beside their file under
    a hash of the backbone, its weights and the code. Others are computed whenever they are asked for.

    Parameters
    ----------
    images
        Pictures, uint8 (n, size, size, 3).
    rows
        Those that are wanted.
    experiment
        Says the backbone, its weights and the size.

    Raises
    ------
    InputError
        When the weights can't be had or don't fit, and when the disk is full.
    """

    def compute(wanted: Rows) -> Iterator[Table]:
        with opened(extractor(experiment)) as sessions:
            yield np.empty((0, sessions.shapes[0][1]), dtype=np.float32)
            for start in range(0, len(wanted), AT_ONCE):
                yield sessions.mean(images[wanted[start : start + AT_ONCE]], tta=False).astype(np.float32)

    key = digest([code_hash(__name__), known_by(experiment)])
    return cached_rows(images, rows, name="features", key=key, compute=compute)


@contextmanager
def opened(model: onnx.ModelProto) -> Iterator[Sessions]:
    """Open a model as fold models are, so that it answers as it does within one."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "features.onnx"
        onnx.save(model, path)
        yield open_models([path], threads=0)
