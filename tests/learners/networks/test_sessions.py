"""Networks as ONNX: what each one is, and what they answer together. tests/learners/test_predictor.py asks them too."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from igarape.errors import InputError
from igarape.learners.networks.devices import graphics_cards
from igarape.learners.networks.sessions import open_models
from igarape.tables import Probabilities

WriteModel = Callable[[Path, int, int, int], Probabilities]
PICTURES = np.random.default_rng(3).integers(0, 256, (7, 8, 8, 3), dtype=np.uint8)


def test_each_network_states_its_size_and_its_labels(tmp_path: Path, write_model: WriteModel) -> None:
    """In the order of the paths, whether they fit together or not."""
    paths = [tmp_path / "fold-0.onnx", tmp_path / "fold-1.onnx"]
    write_model(paths[0], 8, 4, 0)
    write_model(paths[1], 16, 5, 1)
    assert open_models(paths, threads=1).shapes == [(8, 4), (16, 5)]


@pytest.mark.parametrize("tta", [False, True])
def test_the_mean_is_over_networks_and_views(tmp_path: Path, write_model: WriteModel, tta: bool) -> None:
    """That of both is half of each one's."""
    paths = [tmp_path / "fold-0.onnx", tmp_path / "fold-1.onnx"]
    for seed, path in enumerate(paths):
        write_model(path, 8, 4, seed)
    each = [open_models([path], threads=1).mean(PICTURES, tta=tta) for path in paths]
    np.testing.assert_allclose(open_models(paths, threads=1).mean(PICTURES, tta=tta), np.mean(each, axis=0), atol=1e-7)
    assert np.abs(each[0] - each[1]).max() > 0.01


def test_a_damaged_network_is_refused(tmp_path: Path) -> None:
    """By its path, with the step that writes it."""
    (tmp_path / "fold-0.onnx").write_bytes(b"no network")
    with pytest.raises(InputError, match=r"fold-0\.onnx: not a model .* Run: dvc repro train"):
        open_models([tmp_path / "fold-0.onnx"], threads=1)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("gpu", r"IGARAPE_ONNX=gpu: expected cpu or cuda"),
        ("cuda", r"IGARAPE_ONNX=cuda: .* (pip install onnxruntime-gpu|finds no graphics card)"),
    ],
)
def test_a_device_that_is_not_there_is_refused(
    tmp_path: Path, write_model: WriteModel, monkeypatch: pytest.MonkeyPatch, asked: str, message: str
) -> None:
    """Nobody who asks for a card waits for processors unawares."""
    if asked == "cuda" and graphics_cards():
        pytest.skip("this machine has a graphics card")
    path = tmp_path / "fold-0.onnx"
    write_model(path, 8, 4, 0)
    monkeypatch.setenv("IGARAPE_ONNX", asked)
    with pytest.raises(InputError, match=message):
        open_models([path], threads=1)
