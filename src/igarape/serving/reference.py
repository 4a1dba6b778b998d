"""What the training chips are like: metres a pixel, how bright they are, and what a bundle usually answers."""

from collections.abc import Sequence

import numpy as np

from igarape.chips.store import Store
from igarape.config.datasets import Dataset
from igarape.labels import Booleans, Vocabulary
from igarape.scores.drift import DriftReference, fit_drift_reference
from igarape.serving.manifest import Answers, Reference
from igarape.tables import Probabilities, read_groups
from igarape.workspace import Workspace

CHIPS = 512  # that are looked at
STEP = 4  # every so many rows and columns of pixels
DIGITS = 6
# Of the middle: the ends are clouds and shadows, of which a scene may have none.
PERCENTILES = (5, 10, 25, 50, 75, 90)


def learn_reference(
    workspace: Workspace, dataset: Dataset, image_ids: Sequence[str], *, p: Probabilities, held: Booleans, raw: Store
) -> Reference:
    """Look at what chips are like, and at what is usual of the answers to them.

    Parameters
    ----------
    workspace
        Where it stands what hangs together.
    dataset
        Theirs.
    image_ids
        All that have labels; of those that were trained on some are looked at.
    p, held
        What the bundle answers, (n, labels), and which of them are held out, (n,).
    raw
        The store of their pictures.
    """
    together = read_groups(workspace.groups, image_ids)
    known = [image_ids[row] for row in np.flatnonzero(~held).tolist()]
    return Reference(
        metres=dataset.resolution,
        levels=_levels(known, raw),
        answers=_answers(p, together, held, dataset.labels.vocabulary()),
    )


def without_answers(reference: Reference | None) -> Reference | None:
    """Return what chips are like, for a bundle that answers otherwise than the one that was asked."""
    return reference and reference.model_copy(update={"answers": None})


def _levels(image_ids: Sequence[str], store: Store) -> dict[str, tuple[float, float, float]]:
    """Return the levels of red, green and blue of chips, by percentile."""
    places = np.unique(np.linspace(0, len(image_ids) - 1, min(CHIPS, len(image_ids))).astype(int))
    pixels = [store.rgb(image_ids[place])[::STEP, ::STEP].reshape(-1, 3) for place in places]
    levels = np.percentile(np.concatenate(pixels), PERCENTILES, axis=0).round(2).tolist()
    return {str(name): (red, green, blue) for name, (red, green, blue) in zip(PERCENTILES, levels, strict=True)}


def _answers(p: Probabilities, groups: Sequence[str], held: Booleans, vocabulary: Vocabulary) -> Answers | None:
    """Learn what is usual of a bundle's answers; None where nobody can say it."""
    usual = fit_drift_reference(p, groups, held, vocabulary)
    if usual is None:
        return None
    tables = {name: getattr(usual, name).round(DIGITS).tolist() for name in ("means", "between", "within")}
    return Answers(**tables, shape=usual.shape, scale=usual.scale, groups=usual.groups)


def drift_reference(answers: Answers) -> DriftReference:
    """Return what is usual as scores.drift has it."""
    means, between, within = (np.array(table) for table in (answers.means, answers.between, answers.within))
    return DriftReference(means, between, within, answers.shape, answers.scale, answers.groups)
