"""The features of pictures: computed once for all trainings, and kept beside the pictures that they are computed of."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import onnx

from igarape.chips.resized import mapped_from, one_at_a_time
from igarape.code import code_hash
from igarape.config.network_kinds import Probe
from igarape.files import digest, whole
from igarape.learners.examples import Images, Rows
from igarape.learners.networks.sessions import Sessions, open_models
from igarape.learners.probes.extractor import extractor, known_by

Table = npt.NDArray[np.float32]

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
    pictures = mapped_from(images)
    if pictures is None:
        return _computed(images, rows, experiment)
    key = digest([code_hash(__name__), known_by(experiment)])
    path = pictures.with_name(f"{pictures.stem}.features-{key}.npy")
    with one_at_a_time(path.with_name("features.lock")):  # who wants the same waits; who wants others has no processor
        if not path.exists():
            table = _computed(images, np.arange(len(images)), experiment)
            with whole(path) as unfinished, unfinished.open("wb") as file:
                np.save(file, table)
    kept: Table = np.load(path, mmap_mode="r")
    return np.array(kept[rows])


def _computed(images: Images, rows: Rows, experiment: Probe) -> Table:
    """Compute the features of rows of pictures."""
    with opened(extractor(experiment)) as sessions:
        parts = [
            sessions.mean(images[rows[start : start + AT_ONCE]], tta=False) for start in range(0, len(rows), AT_ONCE)
        ]
    width = sessions.shapes[0][1]
    return np.concatenate([np.empty((0, width)), *parts]).astype(np.float32)


@contextmanager
def opened(model: onnx.ModelProto) -> Iterator[Sessions]:
    """Open a model as fold models are, so that it answers as it does within one."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "features.onnx"
        onnx.save(model, path)
        yield open_models([path], threads=0)
