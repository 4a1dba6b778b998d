"""Check that a bundle answers the hold-out as the pipeline did, and predict it in cheaper inference modes too.

Each chip is computed once: its eight views contain the four, the two and the one.
"""

from collections.abc import Sequence

import numpy as np

from igarape.errors import InputError
from igarape.learners.novelty import sampled
from igarape.learners.views import ALL, COUNTS, PIPELINE, ByMode, Mode
from igarape.progress import Report
from igarape.serving.bundle import BATCH, Bundle, pictures_and_nir
from igarape.serving.holdout import PackedChips, milliseconds
from igarape.tables import Probabilities

# Bundle and pipeline run the same models on the same pictures; only the grouping into batches differs.
TOLERANCE = 1e-4
ASKED = 1024  # chips at most, where only the cost is asked for

BundleAnswers = tuple[Bundle, ByMode | None]  # a bundle, and its answers to the hold-out in each mode


def predict_by_mode(
    bundle: Bundle, exact: Bundle, image_ids: Sequence[str], *, p: Probabilities, packed: PackedChips, report: Report
) -> ByMode | None:
    """Predict the hold-out with each number of views; None where the bundle has one mode only, the pipeline's.

    Parameters
    ----------
    bundle, exact
        What is asked, and that of which it was made: it answers as the pipeline did. They may be the same.
    image_ids
        The chips of the hold-out. All are asked about where the bundle answers otherwise than the pipeline, else some.
    p
        What the pipeline answers to them, of shape (n, labels).
    packed
        Their pictures.
    report
        Called with (chips done, of how many).
    """
    if not bundle.uses_tta and bundle.mode.precision == PIPELINE.precision:
        return None
    counts = COUNTS if bundle.uses_tta else (bundle.mode.views,)
    names = sampled(image_ids, ASKED) if bundle.mode == PIPELINE else list(image_ids)
    places = {name: row for row, name in enumerate(image_ids)}
    rows = np.array([places[name] for name in names])
    parts = []
    for start in range(0, len(names), BATCH):
        seen = [packed.load(bundle, name) for name in names[start : start + BATCH]]
        parts.append(bundle.probabilities_by_views(*pictures_and_nir(seen), counts=counts))
        report(min(start + BATCH, len(names)), len(names))
    modes = {Mode(count, bundle.mode.precision): count for count in counts}
    answers = {mode: np.concatenate([part[count] for part in parts]) for mode, count in modes.items()}
    timed = {PIPELINE: exact.with_views(ALL)} | {mode: bundle.with_views(count) for mode, count in modes.items()}
    spent = milliseconds(list(timed.values()), packed, names)
    return ByMode(
        served=bundle.mode,
        rows=rows,
        p={PIPELINE: p[rows]} | answers,
        milliseconds={mode: float(np.median(each)) for mode, each in zip(timed, spent, strict=True)},
        quantised=bundle.manifest.quantised,
    )


def check_bundle(
    bundle: Bundle, image_ids: Sequence[str], *, p: Probabilities, packed: PackedChips, report: Report
) -> None:
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
        answer = bundle.probabilities_by_views(*pictures_and_nir([packed.load(bundle, image_id)]), counts=[ALL])[ALL][0]
        gap = float(np.abs(answer - expected).max())
        if gap > TOLERANCE:
            raise InputError(
                f"{bundle.folder}: {image_id}: the bundle's probabilities differ by {gap:.6f} from the pipeline's, "
                f"expected at most {TOLERANCE}. Something changed in between; run: dvc repro -f"
            )
        report(done, len(image_ids))
