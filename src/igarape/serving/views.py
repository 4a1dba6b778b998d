"""The hold-out's chips, answered by fewer views: each is computed once, as eight of them contain four, two and one."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from igarape.learners.novelty import sampled
from igarape.learners.views import ALL, COUNTS, ByViews
from igarape.serving.bundle import BATCH, Bundle
from igarape.serving.holdout import Packed, milliseconds

ASKED = 1024  # chips at most, where only the cost is asked for

Report = Callable[[int, int], None]


def ask_by_views(
    folder: Path, image_ids: Sequence[str], *, packed: Packed, threads: int, report: Report
) -> ByViews | None:
    """Ask a bundle by each number of views; None where no learner answers by several.

    Parameters
    ----------
    folder
        The bundle's.
    image_ids
        The chips of the hold-out. All are asked about where the bundle answers by fewer views than all, else some.
    packed
        Their pictures.
    threads
        Processors that the learners may use.
    report
        Called with (chips done, of how many).
    """
    bundle = Bundle.load(folder, threads=threads)
    if not bundle.averages:
        return None
    names = list(image_ids) if bundle.manifest.views < ALL else sampled(image_ids, ASKED)
    parts = []
    for start in range(0, len(names), BATCH):
        seen = [packed.read(name, bundle) for name in names[start : start + BATCH]]
        planes = [plane for _, plane in seen if plane is not None]
        parts.append(bundle.by_views([image for image, _ in seen], planes or None, counts=COUNTS))
        report(min(start + BATCH, len(names)), len(names))
    spent = milliseconds([bundle.answering_by(count) for count in COUNTS], packed.read, names)
    places = {name: row for row, name in enumerate(image_ids)}
    return ByViews(
        rows=np.array([places[name] for name in names]),
        p={count: np.concatenate([part[count] for part in parts]) for count in COUNTS},
        milliseconds={count: float(np.median(each)) for count, each in zip(COUNTS, spent, strict=True)},
    )
