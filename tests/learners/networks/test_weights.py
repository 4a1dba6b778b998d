"""Where published weights are looked for."""

from pathlib import Path

import pytest

from igarape.learners.networks.weights import FILE, find_imagenet


def test_imagenet_weights_are_looked_for_in_igarape_weights_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then in Keras's cache; in neither there is none."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("IGARAPE_WEIGHTS", raising=False)
    assert find_imagenet("mobilenet") is None
    own, cached = tmp_path / "own", tmp_path / "keras/models"
    for folder in (cached, own):
        folder.mkdir(parents=True)
        (folder / FILE.format("mobilenet")).write_bytes(b"weights")
    assert find_imagenet("mobilenet") == cached / "mobilenet_imagenet_notop.weights.h5"
    monkeypatch.setenv("IGARAPE_WEIGHTS", str(own))
    assert find_imagenet("mobilenet") == own / "mobilenet_imagenet_notop.weights.h5"
