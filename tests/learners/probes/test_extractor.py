"""A frozen backbone as ONNX: the mean of eight views, within the model."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import tiny

from igarape import code
from igarape.chips.pictures import symmetries
from igarape.config.network_kinds import Probe
from igarape.errors import InputError
from igarape.learners.networks.backbones import build_body
from igarape.learners.networks.sessions import open_models
from igarape.learners.probes.extractor import extractor, known_by, write_probe
from igarape.learners.probes.features import opened
from igarape.learners.probes.heads import Head

WriteWeights = Callable[[int], Path]

CHIPS = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)


def test_features_are_the_mean_over_the_views(small_probe: Probe) -> None:
    """Of what Keras says of each."""
    body = build_body(small_probe.features, small_probe.weights, width=1.0, frozen=1.0)
    expected = np.mean([body(view.astype(np.float32), training=False) for view in symmetries(CHIPS)], axis=0)
    with opened(extractor(small_probe)) as model:
        assert model.shapes == [(32, 6)]
        np.testing.assert_allclose(model.mean(CHIPS, tta=False), expected, atol=1e-5)


def test_features_stay_when_a_chip_is_turned_or_mirrored(small_probe: Probe) -> None:
    """But for the order of a sum of eight; without the loop they would not."""
    with opened(extractor(small_probe)) as model:
        every = [model.mean(np.ascontiguousarray(view), tta=False) for view in symmetries(CHIPS)]
    for each in every[1:]:
        np.testing.assert_allclose(each, every[0], rtol=1e-5, atol=1e-6)


def test_how_many_chips_go_through_together_does_not_matter(small_probe: Probe) -> None:
    """To the last bit."""
    with opened(extractor(small_probe)) as model:
        one_by_one = np.concatenate([model.mean(CHIPS[row : row + 1], tta=False) for row in range(5)])
        np.testing.assert_array_equal(one_by_one, model.mean(CHIPS, tta=False))


def test_a_published_network_is_written_whole(tmp_path: Path) -> None:
    """The loop around it is ONNX as the checker wants it."""
    weights = tmp_path / "mobilenet.weights.h5"
    body = build_body("mobilenet", "none", width=1.0, frozen=1.0)
    body.layers[-1].save_weights(weights)
    model = extractor(tiny.probe(weights=str(weights)))
    onnx.checker.check_model(model, full_check=True)
    with opened(model) as opened_model:
        np.testing.assert_allclose(
            opened_model.mean(CHIPS, tta=False)[0],
            np.mean([body(view[:1].astype(np.float32), training=False)[0] for view in symmetries(CHIPS)], axis=0),
            atol=1e-4,
        )


def test_equal_probes_are_equal_files(small_probe: Probe, tmp_path: Path) -> None:
    """So that what is made of them is not made anew; the answers are those of the dense layer."""
    rng = np.random.default_rng(1)
    weights, bias = (rng.normal(size=shape).astype(np.float32) for shape in ((6, 3), (3,)))
    for name in ("one.onnx", "other.onnx"):
        write_probe(extractor(small_probe), tmp_path / name, head=Head(weights, bias))
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "other.onnx").read_bytes()
    with opened(extractor(small_probe)) as model:
        scores = model.mean(CHIPS, tta=False) @ weights + bias
    answers = open_models([tmp_path / "one.onnx"], threads=1)
    assert answers.shapes == [(32, 3)]
    np.testing.assert_allclose(answers.mean(CHIPS, tta=False), 1 / (1 + np.exp(-scores)), atol=1e-6)


def test_other_weights_or_another_source_are_other_features(small_probe: Probe, write_weights: WriteWeights) -> None:
    """Under the same names, in the same process; a comment changes nothing."""
    source = Path("my_features.py")
    code._meaning.cache_clear()
    before, model = known_by(small_probe), extractor(small_probe)
    source.write_text(f"# small\n{source.read_text(encoding='utf-8')}", encoding="utf-8")
    code._meaning.cache_clear()
    assert known_by(small_probe) == before and extractor(small_probe) is model
    write_weights(2)
    other = known_by(small_probe)
    assert other != before and extractor(small_probe) != model
    source.write_text(f"{source.read_text(encoding='utf-8')}\nMORE = 1\n", encoding="utf-8")
    code._meaning.cache_clear()
    assert known_by(small_probe) != other


def test_weights_of_another_network_are_refused(small_probe: Probe) -> None:
    """By one line that names the file."""
    with pytest.raises(InputError, match=r"small\.weights\.h5: these are not weights of mobilenet without top"):
        extractor(tiny.probe(weights=small_probe.weights))


def test_layers_give_their_means_and_maxima(small_probe: Probe) -> None:
    """In the order in which they are named, of each view, and the mean over the views; they are other features."""
    probe = small_probe.model_copy(update={"layers": ("edges", "signed")})
    assert len({known_by(each) for each in (small_probe, probe, probe.model_copy(update={"layers": ("edges",)}))}) == 3
    with opened(extractor(small_probe)) as plain, opened(extractor(probe)) as model:
        means, found = plain.mean(CHIPS, tta=False), model.mean(CHIPS, tta=False)
    assert found.shape == (5, 2 * 6 + 2 * 3)
    np.testing.assert_allclose(found[:, :6], means, rtol=1e-5)
    assert (found[:, 6:12] > found[:, :6]).any()
    np.testing.assert_allclose(found[:, 12:15], CHIPS.mean(axis=(1, 2)) / 127.5 - 1, atol=1e-5)
    np.testing.assert_allclose(found[:, 15:], CHIPS.max(axis=(1, 2)) / 127.5 - 1, atol=1e-5)


@pytest.mark.parametrize("name", ["edge", "pooled"])
def test_a_layer_that_is_not_there_is_told_with_some_that_are(small_probe: Probe, name: str) -> None:
    """One without rows and columns has no mean over them."""
    with pytest.raises(InputError, match=rf"layers: {name}: not a layer of my_features:small that has .*edges"):
        extractor(small_probe.model_copy(update={"layers": (name,)}))
