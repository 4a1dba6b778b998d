"""Where published weights lie, which are found without TensorFlow."""

import os
from pathlib import Path

FILE = "{}_imagenet_notop.weights.h5"


def keras_cache() -> Path:
    """Return the folder in which Keras keeps downloaded weights."""
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"


def find_imagenet(name: str) -> Path | None:
    """Return <name>_imagenet_notop.weights.h5 in IGARAPE_WEIGHTS or in Keras's cache; None when it is in neither."""
    places = [keras_cache()]
    if os.environ.get("IGARAPE_WEIGHTS"):
        places.insert(0, Path(os.environ["IGARAPE_WEIGHTS"]))
    files = [place / FILE.format(name) for place in places]
    return next((file for file in files if file.is_file()), None)
