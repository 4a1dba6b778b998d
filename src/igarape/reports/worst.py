"""The chips with the worst answers, with their pictures."""

from collections.abc import Callable, Sequence

import numpy as np

from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.labels import Booleans, Vocabulary
from igarape.reports.verdict import Chip
from igarape.scores.metrics import f2_per_sample

WORST = 12
THUMBNAIL = 85  # JPEG quality


def worst(
    image_ids: Sequence[str],
    y: Booleans,
    *,
    answers: Booleans,
    vocabulary: Vocabulary,
    picture: Callable[[str], Pixels],
) -> list[Chip]:
    """Return the chips with the lowest F2, WORST at most, the worst first.

    Parameters
    ----------
    image_ids
        The chips' names.
    y, answers
        Truth and answers, each of shape (n, labels).
    vocabulary
        The labels.
    picture
        Returns the pixels of a chip; it is asked for those that are shown only.
    """
    scores = f2_per_sample(y, answers)
    return [
        Chip(
            image_id=image_ids[row],
            image=encode_jpeg(picture(image_ids[row]), THUMBNAIL),
            f2=float(scores[row]),
            true=vocabulary.names(y[row]),
            predicted=vocabulary.names(answers[row]),
        )
        for row in np.argsort(scores, kind="stable")[:WORST].tolist()
    ]
