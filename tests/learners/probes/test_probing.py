"""One training of a probe."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tiny

from igarape.chips.pictures import symmetries
from igarape.config.hyperparameters import ProbeValues
from igarape.config.network_kinds import Probe
from igarape.learners.crossfit import cross_fit
from igarape.learners.examples import Rows
from igarape.learners.folds import Recipe
from igarape.learners.predictor import Predictor
from igarape.learners.probes.features import features_of
from igarape.learners.probes.heads import Head, fit_head
from igarape.learners.probes.probing import Probed, fit

RNG = np.random.default_rng(0)
RED = RNG.random(40) < 0.5
IMAGES = RNG.integers(0, 128, (40, 32, 32, 3), dtype=np.uint8)
IMAGES[RED, :, :, 0] += 127
TRUTH = np.column_stack([RED, np.zeros(40, dtype=np.bool_)])
TRAIN, VALIDATION = np.arange(30), np.arange(30, 40)


def fitted(
    experiment: Probe, validation: Rows = VALIDATION, seed: int = 0, **values: Any
) -> tuple[Probed, tiny.Logged]:
    """Solve for a head, and return it with what was logged."""
    how = {"experiment": experiment, "hyperparameters": ProbeValues(l2=0.1, **values)}
    return tiny.fitted(fit, IMAGES, TRUTH, train=TRAIN, validation=validation, seed=seed, **how)


def test_red_chips_are_told_from_others(small_probe: Probe) -> None:
    """Those that it has not seen, too; a label without any chip is next to impossible."""
    p = fitted(small_probe)[0].predict(IMAGES, VALIDATION, tta=False)
    assert ((p[:, 0] > 0.5) == RED[VALIDATION]).all()
    np.testing.assert_allclose(p[:, 1], 1 / 32, rtol=1e-5)


def test_what_was_written_answers_as_what_was_fitted(small_probe: Probe, tmp_path: Path) -> None:
    """To 1e-6, through the predictor of all networks; features are the same to the last bit, so tta adds nothing."""
    learned, _ = fitted(small_probe)
    path = learned.export(tmp_path / "fold-0")
    assert path == tmp_path / "fold-0.onnx"
    answers = Predictor([path], threads=1).predict(IMAGES, tta=False, batch=8)
    rows = np.arange(40)
    np.testing.assert_allclose(answers, learned.predict(IMAGES, rows, tta=False), atol=1e-6)
    turned = Predictor([path], threads=1).predict(np.array(symmetries(IMAGES)[3]), tta=False, batch=8)
    np.testing.assert_allclose(turned, answers, atol=1e-5)
    head = fit_head(features_of(IMAGES, TRAIN, small_probe), TRUTH[TRAIN], l2=0.1, balance=0.0)
    assert isinstance(learned.head, Head)
    np.testing.assert_array_equal(head.weights, learned.head.weights)


def test_a_kernel_is_written_with_its_landmarks(small_probe: Probe, tmp_path: Path) -> None:
    """The file tells red chips from others as the head did, on chips that it has not seen too."""
    learned, _ = fitted(small_probe, head="kernel")
    expected = learned.predict(IMAGES, np.arange(40), tta=False)
    assert ((expected[:, 0] > 0.5) == RED).all()
    answers = Predictor([learned.export(tmp_path / "fold-0")], threads=1).predict(IMAGES, tta=False, batch=8)
    np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_prototypes_are_written_with_the_lengths_of_their_features(small_probe: Probe, tmp_path: Path) -> None:
    """The file centres features and brings them to length 1; red chips are told from others, and one label has none."""
    learned, _ = fitted(small_probe, head="prototype")
    expected = learned.predict(IMAGES, np.arange(40), tta=False)
    assert ((expected[:, 0] > 0.5) == RED).all()
    answers = Predictor([learned.export(tmp_path / "fold-0")], threads=1).predict(IMAGES, tta=False, batch=8)
    np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_figures_are_logged_once(small_probe: Probe) -> None:
    """Those of the validation rows, where there are any; nothing is drawn by chance."""
    ((epoch, metrics),) = fitted(small_probe)[1]
    assert epoch == 0 and set(metrics) == {"loss", "val_loss", "val_f2", "val_map"}
    ((_, alone),) = fitted(small_probe, validation=VALIDATION[:0], seed=5)[1]
    assert dict(alone) == {"loss": pytest.approx(metrics["loss"])}


def test_validation_rows_are_not_learned_from(small_probe: Probe) -> None:
    """A search scores by them."""
    one, other = (fitted(small_probe, validation=rows)[0] for rows in (VALIDATION, VALIDATION[:0]))
    assert isinstance(one.head, Head) and isinstance(other.head, Head)
    np.testing.assert_array_equal(one.head.weights, other.head.weights)


def test_a_probe_is_cross_fitted_like_any_other(small_probe: Probe, tmp_path: Path) -> None:
    """A row is answered as by the file of a model that has not seen it, one of the hold-out as by the mean of all."""
    folds = np.arange(40) % 3 - 1
    recipe = Recipe(small_probe, ProbeValues(l2=0.1), tiny.targets(2), 1, 0.2, 1, 0, threads=1)
    p = cross_fit(IMAGES, TRUTH, folds=folds, groups=[str(row) for row in range(40)], recipe=recipe, folder=tmp_path)
    assert ((p[:, 0] > 0.5) == RED).all()
    files = [tmp_path / f"fold-{fold}.onnx" for fold in range(2)]
    expected = Predictor(files, threads=1).predict(IMAGES[::3], tta=False, batch=8)
    np.testing.assert_allclose(p[folds == -1], expected, atol=1e-6)
    np.testing.assert_allclose(
        p[folds == 0], Predictor(files[:1], threads=1).predict(IMAGES[1::3], tta=False, batch=8), atol=1e-6
    )


def test_the_files_are_asked_only_where_a_process_was_killed(
    small_probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features are kept, and a file would compute them anew; without a fold's own answers the files are asked."""
    asked: list[int] = []
    ask = Predictor.predict

    def asking(self: Predictor, *args: Any, **how: Any) -> npt.NDArray[np.float32]:
        asked.append(len(how["rows"]))
        return ask(self, *args, **how)

    monkeypatch.setattr(Predictor, "predict", asking)
    folds = np.arange(40) % 3 - 1
    recipe = Recipe(small_probe, ProbeValues(l2=0.1), tiny.targets(2), 1, 0.2, 1, 0, threads=1)

    def fitted() -> npt.NDArray[np.float32]:
        groups = [str(row) for row in range(40)]
        return cross_fit(IMAGES, TRUTH, folds=folds, groups=groups, recipe=recipe, folder=tmp_path)

    p = fitted()
    assert asked == []
    for name in ("fold-1.npy", "hold-out-1.npy", "hold-out.npy"):
        (tmp_path / "notes" / name).unlink()
    np.testing.assert_allclose(fitted(), p, atol=1e-6)
    assert asked == [13, 14]
