"""Colours: bands by name, alpha on black, sixteen bits to eight, upright."""

import numpy as np
import pytest

from igarape.chips.colours import narrow, on_black, upright


def test_on_black_multiplies_by_the_share_that_is_seen() -> None:
    """In whatever depth; what is hidden leaves no trace."""
    for full, samples in ((255, np.full((1, 3, 3), 255, np.uint8)), (65535, np.full((1, 3, 3), 65535, np.uint16))):
        alpha = np.zeros_like(samples[:, :, :1])
        alpha[0, 1:, 0] = full // 2, full
        assert on_black(samples, alpha)[0, :, 0].tolist() == [0, full // 2, full]


@pytest.mark.parametrize("white", [1, 255, 3000, 10000, 65535])
def test_white_becomes_255_and_nothing_more(white: int) -> None:
    """Rounded to the nearest, rising, and flat beyond."""
    samples = np.arange(65536, dtype=np.uint16)
    found = narrow(samples, white).astype(int)
    assert found[white] == 255 == found.max() and found[0] == 0 and (np.diff(found) >= 0).all()
    assert np.abs(found[: white + 1] - samples[: white + 1] / white * 255).max() <= 0.5


def test_without_a_white_the_whole_range_counts() -> None:
    """65535 is 255; what has 8 bits stays as it is."""
    samples = np.arange(65536, dtype=np.uint16)
    assert (narrow(samples) == narrow(samples, 65535)).all()
    assert (narrow(samples[:256].astype(np.uint8), 9) == np.arange(256)).all()


def test_upright_undoes_each_of_the_eight_orientations() -> None:
    """One is no turn; all eight differ."""
    image = np.arange(2 * 3, dtype=np.uint8).reshape(2, 3, 1)
    assert (upright(image, 1) == image).all()
    assert len({(upright(image, code).shape, upright(image, code).tobytes()) for code in range(1, 9)}) == 8
