"""The worst chips come first, with what is true of them and what was answered, and no other is decoded."""

import numpy as np

from igarape.chips.pictures import Pixels, decode
from igarape.labels import Vocabulary
from igarape.reports.worst import WORST, worst
from igarape.scores.metrics import f2_per_sample

VOCABULARY = Vocabulary(exclusive=(), alone=(), common=("tree", "pond"), rare=("kiln",))


def test_the_worst_come_first() -> None:
    """As many as are shown, by rising F2; each with its own picture and tags."""
    rng = np.random.default_rng(1)
    y, answers = (rng.random((40, 3)) < 0.5 for _ in range(2))
    names, asked = [f"chip-{row}" for row in range(40)], []

    def picture(image_id: str) -> Pixels:
        asked.append(image_id)
        return np.full((8, 8, 3), 5 * names.index(image_id), dtype=np.uint8)

    found = worst(names, y, answers=answers, vocabulary=VOCABULARY, picture=picture)
    assert [chip.f2 for chip in found] == np.sort(f2_per_sample(y, answers))[:WORST].tolist()
    assert asked == [chip.image_id for chip in found]
    for chip in found:
        row = names.index(chip.image_id)
        assert chip.true == VOCABULARY.names(y[row]) and chip.predicted == VOCABULARY.names(answers[row])
        assert abs(int(decode(chip.image, chip.image_id).mean()) - 5 * row) <= 2
