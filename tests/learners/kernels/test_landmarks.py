"""A logistic regression on similarity: to some rows, whichever the seed chooses, and near the one to all rows."""

import numpy as np
import numpy.typing as npt

from igarape.learners.kernels.landmarks import Landmarks, fit_landmarks

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(80, 3))
Y = np.column_stack([(ROWS**2).sum(axis=1) < 2, np.ones(80, dtype=np.bool_)])


def answer(fitted: Landmarks) -> npt.NDArray[np.float64]:
    """Return the logits of all rows."""
    square = ((ROWS[:, None] - fitted.landmarks) ** 2).sum(axis=2)
    return np.asarray(np.exp(-0.5 * square) @ fitted.weights + fitted.bias)


def test_landmarks_are_rows_and_many_of_them_are_near_all() -> None:
    """The more, the nearer; a label that all rows hold is answered with its smoothed share."""
    fits = [fit_landmarks(ROWS, Y, gamma=0.5, l2=0.5, balance=0.0, count=count, seed=1) for count in (5, 60, 1000)]
    assert [len(each.landmarks) for each in fits] == [5, 60, 80]
    assert all((landmark == ROWS).all(axis=1).any() for landmark in fits[0].landmarks)
    few, many, everyone = (answer(each) for each in fits)
    np.testing.assert_allclose(everyone[:, 1], np.log(81), rtol=1e-6)
    assert np.abs(many - everyone).mean() < 0.2 * np.abs(few - everyone).mean()
    assert ((everyone[:, 0] > 0) == Y[:, 0]).mean() > 0.9
