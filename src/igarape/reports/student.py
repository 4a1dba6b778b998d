"""The student against the ensemble, on the hold-out: F2, mAP, calibration, size and speed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from igarape.config.params import Params
from igarape.config.student import Student, StudentManifest, StudentScores
from igarape.errors import InputError
from igarape.learners.audit import rows_hash
from igarape.learners.views import ByMode
from igarape.predictions import probability_columns, read_predictions
from igarape.reports.answers import answers_of
from igarape.reports.modes import ModeComparison, as_served, compare_modes
from igarape.reports.results import Results
from igarape.scores.answers import TABLE
from igarape.scores.comparison import Difference, paired_bootstrap
from igarape.scores.metrics import brier, calibration_error, f2_per_sample, mean_average_precision
from igarape.scores.ranking import paired_map, rank
from igarape.tables import HOLDOUT, Probabilities, read_folds, write_table
from igarape.workspace import Workspace

NAMES = ("ensemble", "student")


class StudentPredictions(NamedTuple):
    """A student's manifest, and its probabilities p (n, labels) of the hold-out, in the order of the folds.

    asked: what its bundle answers in each inference mode; None where it has one mode only.
    """

    manifest: StudentManifest
    p: Probabilities
    asked: ByMode | None = None


@dataclass(frozen=True)
class StudentComparison:
    """The student against the ensemble on the hold-out, for the report.

    p: the student's probabilities, (n, labels). figures: the scores of both, by NAMES. f2, map: the student's less the
    ensemble's. milliseconds: a chip, by NAMES. modes: what each inference mode costs; None where there is only one.
    """

    manifest: StudentManifest
    p: Probabilities
    figures: Mapping[str, Mapping[str, float]]
    f2: Difference
    map: Difference
    milliseconds: Mapping[str, float]
    modes: ModeComparison | None = None

    def to_json(self) -> StudentScores:
        """Return what reports/metrics.json keeps.

        Without the milliseconds: they differ each time, and what is as before should look so.
        """
        figures = {name: dict(self.figures[name]) for name in NAMES}
        by_views = self.modes.to_json() if self.modes else {}
        return StudentScores(**figures, f2=self.f2._asdict(), map=self.map._asdict(), by_views=by_views)


def read_student_predictions(workspace: Workspace, results: Results) -> StudentPredictions | None:
    """Read what the step distill wrote; None where there is no student.

    Raises InputError where it has seen other labelled chips than those of the folds.
    """
    folder = workspace.folder("distill")
    manifest = Student.read(folder / "student.json").student
    if manifest is None:
        return None
    if manifest.learned != rows_hash(results.known):
        raise InputError(
            f"{folder}: {manifest.name} learned from {manifest.labelled} chips that are not the {len(results.known)} "
            "of the folds, so it may have seen the hold-out. Run: dvc repro -f distill"
        )
    folds = read_folds(workspace.folds)
    table = read_predictions(folder / "predictions.parquet", folds[folds["fold"] == HOLDOUT])
    p: Probabilities = table.set_index("image_id").loc[results.held, probability_columns(table)].to_numpy()
    return StudentPredictions(manifest, p)


def compare_student(
    student: StudentPredictions,
    results: Results,
    params: Params,
    megabytes: Sequence[float],
    milliseconds: Sequence[float],
) -> StudentComparison:
    """Compare the student with the ensemble on the hold-out, each answering by the ensemble's rule.

    Parameters
    ----------
    student
        The student.
    results
        The truth, and what the ensemble answers.
    params
        The seed, and how often to resample.
    megabytes, milliseconds
        Of the ensemble's bundle and the student's: its size, and what a chip takes.
    """
    rows = ~results.inside
    draws = results.draws(rows, params)
    p = as_served(student.p, student.asked)
    y, each = results.y[rows], dict(zip(NAMES, (results.p[rows], p), strict=True))
    f2 = {name: f2_per_sample(y, results.rule.apply(p)) for name, p in each.items()}
    figures = {
        name: {
            "f2": float(f2[name].mean()),
            **dict(zip(("f2_low", "f2_high"), draws.mean_interval(f2[name]), strict=True)),
            "map": mean_average_precision(y, p),
            "ece": float(calibration_error(y, p).mean()),
            "brier": float(brier(y, p).mean()),
            "mb": size,
        }
        for (name, p), size in zip(each.items(), megabytes, strict=True)
    }
    ranked = rank(y, each, draws)
    return StudentComparison(
        manifest=student.manifest,
        p=p,
        figures=figures,
        f2=paired_bootstrap(f2["student"], f2["ensemble"], draws),
        map=paired_map(ranked["student"], ranked["ensemble"]),
        milliseconds=dict(zip(NAMES, milliseconds, strict=True)),
        modes=compare_modes(y, student.asked, results.rule, draws),
    )


def write_answers(workspace: Workspace, results: Results, dataset: str, student: StudentComparison | None) -> None:
    """Write the ensemble's answers table, and the student's, where there is one.

    To the hold-out that has the student's own answers. The rows of the folds stay the ensemble's, out of fold: they are
    what it was taught, and the fold says that it has learned from the chip. No version is compared by those.

    Parameters
    ----------
    workspace
        Where to.
    results
        What the ensemble answers.
    dataset
        Its name.
    student
        What the student answers; None where there is none.
    """
    answers = answers_of(results, workspace, dataset)
    write_table(answers.table(), workspace.folder("evaluate") / TABLE)
    if student is not None:
        p, tags = answers.p.copy(), answers.answers.copy()
        p[~results.inside], tags[~results.inside] = student.p, results.rule.apply(student.p)
        write_table(replace(answers, p=p, answers=tags).table(), workspace.student_answers)


def student_lines(student: StudentComparison | None) -> list[str]:
    """Return the student's scores and speed as a line for the terminal; no line without a student."""
    if student is None:
        return []
    own, ms = student.figures["student"], student.milliseconds
    scores = f"hold-out F2 {own['f2']:.4f}, mAP {own['map']:.4f}"
    against = f"against the ensemble F2 {student.f2}, mAP {student.map}"
    return [f"student: {scores}; {against}; {ms['student']:.1f} ms a chip in place of {ms['ensemble']:.1f}"]
