"""Where a learner looked: what its probabilities lose when a part of the picture is covered.

Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014, section 4.2. It asks a model for
answers and nothing else, so it serves networks, trees and kernel machines alike.
"""

from collections.abc import Callable

import numpy as np

from igarape.chips.pictures import Pixels
from igarape.ensemble.linear import logit
from igarape.scores.metrics import Floats
from igarape.tables import Probabilities


def occlusion(predict: Callable[[Pixels], Probabilities], image: Pixels, *, grid: int) -> Floats:
    """Return how much the logit of each label falls when a cell of a picture is covered: (labels, grid, grid).

    A cell is covered with the picture's mean colour, which is the least that can be said of it. Above 0: the label was
    seen there; below 0: something there spoke against it.

    Parameters
    ----------
    predict
        From RGB pictures, uint8 (n, height, width, 3), to probabilities (n, labels).
    image
        The picture, uint8 (height, width, 3), of at least grid pixels a side.
    grid
        Cells a side.
    """
    rows, columns = (np.linspace(0, side, grid + 1).round().astype(int) for side in image.shape[:2])
    covered = np.repeat(image[None], grid * grid + 1, axis=0)
    mean = image.reshape(-1, 3).mean(axis=0).round().astype(np.uint8)
    for cell in range(grid * grid):
        row, column = divmod(cell, grid)
        covered[cell, rows[row] : rows[row + 1], columns[column] : columns[column + 1]] = mean
    logits = logit(predict(covered))  # the last one is the picture as it is
    falls: Floats = (logits[-1] - logits[:-1]).T.reshape(-1, grid, grid)
    return falls
