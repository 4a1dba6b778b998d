"""How the student stands beside the ensemble: known figures, and a student that may have seen the hold-out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from students import taught

from igarape.chips.fingerprints import fingerprint, fingerprint_table
from igarape.config.documents import CALIBRATED, Decision, RuleSettings, StackSummary
from igarape.config.params import read_params
from igarape.config.student import Student, StudentManifest
from igarape.ensemble.decision import Rule
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.learners.audit import rows_hash
from igarape.predictions import prediction_table
from igarape.reports.results import Results
from igarape.reports.student import (
    StudentPredictions,
    compare_student,
    read_student_predictions,
    student_lines,
    write_answers,
)
from igarape.scores.answers import TABLE, read_answers
from igarape.tables import write_table
from igarape.workspace import Workspace

LABELS = ("tree", "pond", "kiln")
VOCABULARY = Vocabulary(exclusive=(), alone=(), common=LABELS[:2], rare=LABELS[2:])
PARAMS = read_params(Path(__file__).parents[2] / "params.yaml")
Y = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 1]], dtype=np.bool_)
SURE = np.where(Y, 0.9, 0.1).astype(np.float32)
IDS = [f"chip-{row}" for row in range(6)]
FOLDS = np.array([0, -1, 0, -1, 1, -1])
HELD = FOLDS < 0


@pytest.fixture
def results() -> Results:
    """Give an ensemble that is always right, and half of whose chips are held out."""
    return Results(
        image_ids=IDS,
        groups=IDS,
        folds=FOLDS,
        y=Y,
        stacked={CALIBRATED: SURE},
        manifests={},
        learners={},
        stack=StackSummary(chosen="mean", stackers={}, weights={}, kept={}, calibration={}),
        decision=Decision(rule=RuleSettings(name="fixed", beta=2.0, threshold=0.2, thresholds={}), rules={}, alerts={}),
        rule=Rule("fixed", VOCABULARY, 2.0, threshold=0.2),
    )


def manifest(*seen: str) -> StudentManifest:
    """Say that a student has seen these chips."""
    return taught(LABELS, labelled=len(seen), learned=rows_hash(seen))


def write(here: Workspace, student: StudentManifest | None, p: np.ndarray = SURE[HELD]) -> None:
    """Write what the step distill writes, the hold-out's rows in another order than the folds', and the folds."""
    write_table(pd.DataFrame({"image_id": IDS, "fold": FOLDS}), here.folds)
    rows = np.flatnonzero(HELD)[::-1]
    table = prediction_table([IDS[row] for row in rows], FOLDS[rows], learner="pupil", labels=LABELS, p=p[::-1])
    write_table(table, here.folder("distill") / "predictions.parquet")
    Student(student=student).write(here.folder("distill") / "student.json")


def test_a_student_that_answers_alike_has_no_more_and_no_less(results: Results) -> None:
    """The difference is 0, and so are both ends of its interval."""
    student = compare_student(StudentPredictions(manifest(), SURE[HELD]), results, PARAMS, [20.0, 5.0], [100.0, 8.0])
    assert student.f2 == student.map == (0.0, 0.0, 0.0)
    assert student.figures["student"] == {**student.figures["ensemble"], "mb": 5.0}
    assert student.figures["ensemble"]["f2"] == student.figures["ensemble"]["map"] == 1.0
    assert student.figures["ensemble"]["ece"] == pytest.approx(0.1)
    (said,) = student_lines(student)
    assert "F2 1.0000" in said and "8.0 ms a chip in place of 100.0" in said


def test_what_it_has_less_is_told_with_an_interval(results: Results) -> None:
    """It misses the pond of one of three chips: that chip's F2 is 0 in place of 1, and metrics.json says so."""
    p = SURE[HELD].copy()
    p[0] = (0.9, 0.1, 0.1)
    told = compare_student(StudentPredictions(manifest(), p), results, PARAMS, [1.0, 1.0], [1.0, 1.0]).to_json()
    assert told.f2["mean"] == pytest.approx(-1 / 3)
    assert told.f2["low"] < told.f2["mean"] < told.f2["high"]
    assert told.student["f2"] == pytest.approx(2 / 3)
    assert told.student["f2_low"] <= told.student["f2"] <= told.student["f2_high"]
    assert told.map["mean"] < 0
    assert not any("ms" in figures for figures in (told.student, told.ensemble))


def test_the_student_is_read_in_the_order_of_the_folds(results: Results, tmp_path: Path) -> None:
    """Its probabilities of the hold-out, whatever order they stand in."""
    p = np.arange(9, dtype=np.float32).reshape(3, 3) / 9
    write(Workspace(tmp_path), manifest("chip-4", "chip-2", "chip-0"), p)
    found = read_student_predictions(Workspace(tmp_path), results)
    assert found is not None
    np.testing.assert_array_equal(found.p, p)


def test_without_a_student_there_is_nothing_to_tell(results: Results, tmp_path: Path) -> None:
    """As where params.yaml asks for none."""
    write(Workspace(tmp_path), None)
    assert read_student_predictions(Workspace(tmp_path), results) is None
    assert student_lines(None) == []


@pytest.mark.parametrize("seen", [("chip-0", "chip-2"), ("chip-0", "chip-1", "chip-2", "chip-4")])
def test_a_student_that_saw_other_chips_is_refused(results: Results, tmp_path: Path, seen: tuple[str, ...]) -> None:
    """Fewer, or one of the hold-out."""
    write(Workspace(tmp_path), manifest(*seen))
    with pytest.raises(InputError, match=r"distill: pupil learned from \d chips that are not the 3 of the folds"):
        read_student_predictions(Workspace(tmp_path), results)


def test_predictions_of_other_chips_are_refused(results: Results, tmp_path: Path) -> None:
    """Those of the folds have no place there."""
    here = Workspace(tmp_path)
    write(here, manifest("chip-0", "chip-2", "chip-4"))
    changed = replace(results, folds=np.where(FOLDS < 0, 0, -1))
    with pytest.raises(InputError, match="not the 3 of the folds"):
        read_student_predictions(here, changed)


def test_its_answers_are_those_of_the_hold_out_and_its_folds_what_it_learned_from(
    results: Results, tmp_path: Path
) -> None:
    """By the ensemble's rule. Chips, truth and folds are the ensemble's, whose own table stays as it is without one."""
    here, p = Workspace(tmp_path), (1 - SURE[HELD]).astype(np.float32)
    rng = np.random.default_rng(1)
    prints = {name: fingerprint(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)) for name in IDS}
    write_table(fingerprint_table(prints), here.chips("raw") / "fingerprints.parquet")
    write_answers(here, results, "toy", None)
    assert not here.student_answers.exists()
    write_answers(
        here,
        results,
        "toy",
        compare_student(StudentPredictions(manifest(), p), results, PARAMS, [1.0, 1.0], [1.0, 1.0]),
    )
    ensemble, student = read_answers(here.folder("evaluate") / TABLE), read_answers(here.student_answers)
    assert student.digest() == ensemble.digest() and student.folds.tolist() == FOLDS.tolist()
    assert np.array_equal(ensemble.p, SURE) and np.array_equal(student.holdout.p, p)
    assert np.array_equal(student.holdout.answers, results.rule.apply(p))
    assert not np.array_equal(student.holdout.answers, ensemble.holdout.answers)
    inside = ~HELD
    assert np.array_equal(student.p[inside], SURE[inside])
    assert np.array_equal(student.answers[inside], ensemble.answers[inside])
