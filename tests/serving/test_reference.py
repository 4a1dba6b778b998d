"""A bundle knows what its training chips are like, and what it usually answers to scenes."""

import numpy as np
import pandas as pd
import pytest
import unlabelled

from igarape.chips.store import Store
from igarape.config.datasets import read_dataset
from igarape.labels import Booleans
from igarape.scores.drift import fit_drift_reference
from igarape.serving.reference import drift_reference, learn_reference, without_answers
from igarape.tables import Probabilities, read_catalog, write_table
from igarape.workspace import Workspace

SCENES, EACH = 80, 3
NAMES = [f"chip_{number}" for number in range(SCENES * EACH)]
GROUPS = [f"scene_{number // EACH}" for number in range(SCENES * EACH)]
LABELS = unlabelled.VOCABULARY.labels


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Give a project of packed chips, three a scene."""
    here = unlabelled.lay_out(Workspace(tmp_path_factory.mktemp("project")), NAMES)
    write_table(pd.DataFrame({"image_id": NAMES, "group": GROUPS}), here.folder("split") / "groups.parquet")
    return here


@pytest.fixture(scope="module")
def p() -> Probabilities:
    """Give an answer to each chip; fog hides the ground of none."""
    answers = np.random.default_rng(0).random((len(NAMES), len(LABELS)), dtype=np.float32)
    answers[:, LABELS.index("fog")] *= 0.4
    return answers


def raw(here: Workspace) -> Store:
    """Give the store of the pictures."""
    return Store(here.chips("raw"), read_catalog(here.catalog(), LABELS))


def held(every: int) -> Booleans:
    """Hold some scenes out."""
    return np.array([number // EACH % every == 0 for number in range(len(NAMES))])


def test_levels_are_those_of_the_chips_that_were_trained_on(here: Workspace, p: Probabilities) -> None:
    """By percentile, of red, green and blue; and the resolution is the data set's."""
    dataset = read_dataset("toy", here.datasets).model_copy(update={"resolution": 3.0})
    found = learn_reference(here, dataset, NAMES, p=p, held=held(2), raw=raw(here))
    pixels = [raw(here).rgb(name)[::4, ::4].reshape(-1, 3) for name, out in zip(NAMES, held(2), strict=True) if not out]
    assert found.metres == 3.0 and list(found.levels) == ["5", "10", "25", "50", "75", "90"]
    np.testing.assert_allclose(found.levels["50"], np.percentile(np.concatenate(pixels), 50, axis=0), atol=0.01)


def test_what_is_usual_is_kept_as_it_was_learned(here: Workspace, p: Probabilities) -> None:
    """To six digits, through JSON; a data set of too few scenes has nothing to keep, nor has another model."""
    dataset = read_dataset("toy", here.datasets)
    found = learn_reference(here, dataset, NAMES, p=p, held=held(2), raw=raw(here))
    expected = fit_drift_reference(p, GROUPS, held(2), unlabelled.VOCABULARY)
    assert found.answers is not None and expected is not None and found.metres is None
    kept = drift_reference(type(found).model_validate_json(found.model_dump_json()).answers or found.answers)
    np.testing.assert_allclose(kept.between, expected.between, atol=1e-6)
    assert (kept.shape, kept.scale, kept.groups) == (expected.shape, expected.scale, 40)
    assert learn_reference(here, dataset, NAMES, p=p, held=held(40), raw=raw(here)).answers is None
    without = without_answers(found)
    assert without is not None and without.answers is None and without.levels == found.levels
    assert without_answers(None) is None
