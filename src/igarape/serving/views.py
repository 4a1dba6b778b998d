"""The hold-out's chips, answered by a bundle: by all views as the pipeline did, and by fewer.

Each chip is computed once, as eight views contain four, two and one.
"""

from collections.abc import Callable, Sequence

import numpy as np

from igarape.errors import InputError
from igarape.learners.novelty import sampled
from igarape.learners.views import ALL, COUNTS, ByViews
from igarape.serving.bundle import BATCH, Bundle
from igarape.serving.holdout import Packed, milliseconds
from igarape.tables import Probabilities

# Bundle and pipeline run the same models on the same pictures; only the grouping into batches differs.
TOLERANCE = 1e-4
ASKED = 1024  # chips at most, where only the cost is asked for

Report = Callable[[int, int], None]


def ask_by_views(bundle: Bundle, image_ids: Sequence[str], *, packed: Packed, report: Report) -> ByViews | None:
    """Ask a bundle by each number of views; None where no learner answers by several.

    Parameters
    ----------
    bundle
        What is asked.
    image_ids
        The chips of the hold-out. All are asked about where the bundle answers by fewer views than all, else some.
    packed
        Their pictures.
    report
        Called with (chips done, of how many).
    """
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


def check_bundle(bundle: Bundle, image_ids: Sequence[str], *, p: Probabilities, packed: Packed, report: Report) -> None:
    """Refuse a bundle that does not answer as the pipeline did, by all views, on chips from their raw bytes.

    Parameters
    ----------
    bundle
        What is checked.
    image_ids
        The chips.
    p
        What the pipeline answers, of shape (n, labels).
    packed
        Their pictures.
    report
        Called with (chips done, of how many).

    Raises
    ------
    InputError
        When a probability differs by more than TOLERANCE.
    """
    for done, (image_id, expected) in enumerate(zip(image_ids, p, strict=True), start=1):
        image, planes = packed.read(image_id, bundle)
        answer = bundle.by_views([image], None if planes is None else [planes], counts=[ALL])[ALL][0]
        gap = float(np.abs(answer - expected).max())
        if gap > TOLERANCE:
            raise InputError(
                f"{bundle.folder}: {image_id}: the bundle's probabilities differ by {gap:.6f} from the pipeline's, "
                f"expected at most {TOLERANCE}. Something changed in between; run: dvc repro -f"
            )
        report(done, len(image_ids))
