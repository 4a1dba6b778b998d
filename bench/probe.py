"""probe: the features of 1,680 real chips at 224 px, and the head on them, against a bare `model.predict` of all views.

Both sides see the same chips in the same eight views, by a MobileNet with ImageNet's weights, and are built before a
clock runs. They take turns, a part of the chips each, so that what else the machine does costs both. The bare side has
no head, and its views lie in memory as they are wanted.
"""

import time

import keras
import numpy as np
import numpy.typing as npt
from real import chips, labels_of

from igarape.chips.pictures import resize, symmetries
from igarape.config.network_kinds import Probe
from igarape.learners.networks.backbones import weights_file
from igarape.learners.probes.features import features_of
from igarape.learners.probes.heads import fit_head

SET, SIZE, BACKBONE = "ucmerced", 224, "mobilenet"
PARTS = 8
CLOSE = 1e-3  # that both sides may differ by: features are some units large


def run() -> dict[str, object]:
    """Return the seconds of both sides, and what of ours the head takes."""
    pictures = chips(SET)
    images = np.stack([resize(image, SIZE) for _, image in pictures.values()])
    y = np.array([[label in tags for label in labels_of(SET)] for tags, _ in pictures.values()])
    wanted, body = Probe(backbone="probe", features=BACKBONE, size=SIZE), _bare()
    start = time.perf_counter()
    features_of(images, np.arange(8), wanted)
    built = time.perf_counter() - start
    _predicted(body, images[:32])
    ours = peer = 0.0
    tables = []
    for rows in np.array_split(np.arange(len(images)), PARTS):
        start = time.perf_counter()
        tables.append(features_of(images, rows, wanted))
        middle = time.perf_counter()
        theirs = _predicted(body, images[rows])
        ours, peer = ours + middle - start, peer + time.perf_counter() - middle
        if np.abs(tables[-1] - theirs).max() > CLOSE:
            raise SystemExit("probe: the two sides have other features")
    start = time.perf_counter()
    fit_head(np.concatenate(tables), y, l2=100.0, balance=0.0)
    head = time.perf_counter() - start
    row = {"ours": ours + head, "peer": peer, "ratio": (ours + head) / peer, "unit": "s", "n": len(images)}
    return row | {"head_s": head, "built_once_s": built}


def _bare() -> keras.Model:
    """Return the network as Keras makes it, from pictures 0..255 to features."""
    network = keras.applications.MobileNet(input_shape=(SIZE, SIZE, 3), include_top=False, weights=None, pooling="avg")
    network.load_weights(weights_file(BACKBONE, "imagenet"))
    return keras.Sequential([keras.Input((SIZE, SIZE, 3)), keras.layers.Rescaling(1 / 127.5, offset=-1), network])


def _predicted(body: keras.Model, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the mean of what a network says of the eight views."""
    views = [body.predict(view.astype(np.float32), batch_size=32, verbose=0) for view in symmetries(images)]
    mean: npt.NDArray[np.float32] = np.mean(views, axis=0)
    return mean


if __name__ == "__main__":
    print(run())
