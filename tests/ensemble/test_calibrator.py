"""A calibrator: known values, the order of answers, and the disk."""

import numpy as np
import pytest

from igarape.ensemble.calibrator import KINDS, Calibrator
from igarape.errors import InputError

P = np.array([0.0, 0.1, 0.4, 0.8, 1.0], dtype=np.float32)
MADE = {
    "none": Calibrator("none"),
    "temperature": Calibrator("temperature", (0.5, 0.0)),
    "platt": Calibrator("platt", (2.0, -1.0)),
    "beta": Calibrator("beta", (1.0, 2.0, 0.5)),
    "isotonic": Calibrator("isotonic", (0.0, 0.5, 1.0, 0.1, 0.2, 0.9)),
}


def test_each_kind_has_known_values() -> None:
    """At 0.8, whose odds are 4; the isotonic curve is straight between its corners."""
    expected = {
        "none": 0.8,
        "temperature": 2 / 3,
        "platt": 16 / (16 + np.e),
        "beta": 1 / (1 + np.exp(-(np.log(0.8) - 2 * np.log(0.2) + 0.5))),
        "isotonic": 0.2 + 0.7 * 0.6,
    }
    for kind, value in expected.items():
        assert MADE[kind].apply(P)[3] == pytest.approx(value, abs=1e-6), kind


@pytest.mark.parametrize("kind", KINDS)
def test_it_rises_and_stays_a_probability(kind: str) -> None:
    """From exactly 0 to exactly 1, each answer by itself, and the same after the disk."""
    answers = MADE[kind].apply(P)
    assert (np.diff(answers) > 0).all()
    assert ((answers >= 0) & (answers <= 1)).all()
    assert all(MADE[kind].apply(P[row : row + 1])[0] == answers[row] for row in range(len(P)))
    assert (Calibrator.from_json(MADE[kind].to_json()).apply(P) == answers).all()


def test_another_kind_is_refused() -> None:
    """The error names those that there are."""
    with pytest.raises(InputError, match=r"expected one of none, temperature, .*found 'lemon'"):
        Calibrator.from_json({"kind": "lemon", "values": []})
