"""Imitation: how well the student does what the ensemble does, on the hold-out, and what that costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from igarape.config.params import Params
from igarape.config.student import Imitation, Lesson, Student
from igarape.errors import InputError
from igarape.learners.audit import rows_hash
from igarape.learners.views import ByMode
from igarape.predictions import probability_columns, read_predictions
from igarape.reports.answers import answers_of
from igarape.reports.evidence import Evidence
from igarape.reports.verdict import Verdict
from igarape.reports.viewing import Viewing, as_served, compare_modes
from igarape.scores.answers import TABLE
from igarape.scores.comparison import Difference, bootstrap_interval, paired_bootstrap
from igarape.scores.metrics import brier, calibration_error, f2_per_sample, mean_average_precision
from igarape.scores.ranking import paired_map, rank
from igarape.tables import HOLDOUT, Probabilities, read_folds, write_table
from igarape.workspace import Workspace

NAMES = ("ensemble", "student")


class Pupil(NamedTuple):
    """A student: what it learned, and its probabilities (n, labels) of the hold-out, in the order of the folds.

    asked: what its bundle answers in each mode; None where it has one only.
    """

    lesson: Lesson
    p: Probabilities
    asked: ByMode | None = None


@dataclass(frozen=True)
class Standing:
    """What the page shows of a student.

    p: its probabilities of the hold-out, (n, labels). f2, map: what it has more than the ensemble. milliseconds: of a
    chip, by name. viewing: what each mode costs it; None where it has one only.
    """

    lesson: Lesson
    p: Probabilities
    figures: Mapping[str, Mapping[str, float]]
    f2: Difference
    map: Difference
    milliseconds: Mapping[str, float]
    viewing: Viewing | None = None

    def to_json(self) -> Imitation:
        """Return what reports/metrics.json keeps.

        Without the milliseconds: they differ each time, and what is as before should look so.
        """
        figures = {name: dict(self.figures[name]) for name in NAMES}
        by_views = self.viewing.to_json() if self.viewing else {}
        return Imitation(**figures, f2=self.f2._asdict(), map=self.map._asdict(), by_views=by_views)


def read_pupil(workspace: Workspace, evidence: Evidence) -> Pupil | None:
    """Read what the step distill wrote; None where there is no student.

    Raises InputError where it has seen other labelled chips than those of the folds.
    """
    folder = workspace.folder("distill")
    lesson = Student.read(folder / "student.json").student
    if lesson is None:
        return None
    if lesson.learned != rows_hash(evidence.known):
        raise InputError(
            f"{folder}: {lesson.name} learned from {lesson.labelled} chips that are not the {len(evidence.known)} of "
            "the folds, so it may have seen the hold-out. Run: dvc repro -f distill"
        )
    folds = read_folds(workspace.folds)
    table = read_predictions(folder / "predictions.parquet", folds[folds["fold"] == HOLDOUT])
    p: Probabilities = table.set_index("image_id").loc[evidence.held, probability_columns(table)].to_numpy()
    return Pupil(lesson, p)


def compare_student(
    pupil: Pupil, evidence: Evidence, params: Params, megabytes: Sequence[float], milliseconds: Sequence[float]
) -> Standing:
    """Compare the student with the ensemble on the hold-out, each answering by the ensemble's rule.

    Parameters
    ----------
    pupil
        The student.
    evidence
        The truth, and what the ensemble answers.
    params
        The seed, and how often to resample.
    megabytes, milliseconds
        Of the ensemble's bundle and the student's: its size, and what a chip takes.
    """
    rows, chance = ~evidence.inside, {"resamples": params.evaluate.resamples, "seed": params.seed}
    p = as_served(pupil.p, pupil.asked)
    y, each = evidence.y[rows], dict(zip(NAMES, (evidence.p[rows], p), strict=True))
    f2 = {name: f2_per_sample(y, evidence.rule.apply(p)) for name, p in each.items()}
    figures = {
        name: {
            "f2": float(f2[name].mean()),
            **dict(zip(("f2_low", "f2_high"), bootstrap_interval(f2[name], **chance), strict=True)),
            "map": mean_average_precision(y, p),
            "ece": float(calibration_error(y, p).mean()),
            "brier": float(brier(y, p).mean()),
            "mb": size,
        }
        for (name, p), size in zip(each.items(), megabytes, strict=True)
    }
    ranked = rank(y, each, **chance)
    return Standing(
        lesson=pupil.lesson,
        p=p,
        figures=figures,
        f2=paired_bootstrap(f2["student"], f2["ensemble"], **chance),
        map=paired_map(ranked["student"], ranked["ensemble"]),
        milliseconds=dict(zip(NAMES, milliseconds, strict=True)),
        viewing=compare_modes(y, pupil.asked, evidence.rule, params),
    )


def write_answers(workspace: Workspace, evidence: Evidence, dataset: str, student: Standing | None) -> None:
    """Write the ensemble's answers table, and the student's, where there is one.

    To the hold-out that has the student's own answers. The rows of the folds stay the ensemble's, out of fold: they are
    what it was taught, and the fold says that it has learned from the chip. No version is compared by those.

    Parameters
    ----------
    workspace
        Where to.
    evidence
        What the ensemble answers.
    dataset
        Its name.
    student
        What the student answers; None where there is none.
    """
    answers = answers_of(evidence, workspace, dataset)
    write_table(answers.table(), workspace.folder("evaluate") / TABLE)
    if student is not None:
        p, tags = answers.p.copy(), answers.answers.copy()
        p[~evidence.inside], tags[~evidence.inside] = student.p, evidence.rule.apply(student.p)
        write_table(replace(answers, p=p, answers=tags).table(), workspace.student_answers)


def with_student(verdict: Verdict, student: Standing | None) -> Verdict:
    """Return a verdict with what it says of the student: in metrics.json, None where there is none."""
    told = student and student.to_json().model_dump()
    return replace(verdict, student=student, metrics={**verdict.metrics, "student": told})


def in_words(student: Standing | None) -> list[str]:
    """Say how the student does, as a terminal shows it; nothing without one."""
    if student is None:
        return []
    own, ms = student.figures["student"], student.milliseconds
    scores = f"hold-out F2 {own['f2']:.4f}, mAP {own['map']:.4f}"
    against = f"against the ensemble F2 {student.f2}, mAP {student.map}"
    return [f"student: {scores}; {against}; {ms['student']:.1f} ms a chip in place of {ms['ensemble']:.1f}"]
