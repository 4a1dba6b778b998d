"""The student: the experiment that may teach one, and data/distill/student.json, which says what was taught.

It stands apart from the other documents: where config.documents means something else, learners are made anew.
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from igarape.config.documents import Document, Labels, Scores
from igarape.config.experiments import read_experiments
from igarape.config.network_kinds import Network
from igarape.config.schema import Section
from igarape.errors import InputError
from igarape.labels import Vocabulary


class StudentManifest(Section):
    """A trained student, and what it learned from.

    tta: whether its answers are the mean over the eight symmetries. settings: its experiment, put together. truth: the
    share of the true labels in what it learned. labelled, unlabelled: how many chips of the folds it saw, and without
    labels. learned: learners.audit.rows_hash of those of the folds. parity: how far its ONNX file answers from Keras.
    """

    name: str
    chips: Literal["raw", "dehazed", "nir"]
    size: int
    labels: Labels = Field(strict=False)
    tta: bool
    settings: dict[str, Any]
    truth: float
    labelled: int
    unlabelled: int
    learned: str
    parity: float


class Student(Document):
    """data/distill/student.json: the student; None where params.yaml asks for none."""

    student: StudentManifest | None


class StudentScores(Section):
    """The student's scores beside the ensemble's, on the hold-out.

    ensemble, student: of each f2 with its interval f2_low and f2_high, map, ece and brier, and mb, the megabytes of its
    bundle. f2, map: what the student has more, as mean, low and high of a 95 % interval. by_views: as Metrics has it.
    """

    ensemble: Scores
    student: Scores
    f2: Scores
    map: Scores
    by_views: dict[str, dict[str, Scores]]


def read_student(name: str | None, vocabulary: Vocabulary, folder: Path, *, nir: bool) -> Network | None:
    """Read the experiment of a student, experiments/NAME.yaml; None is none.

    Parameters
    ----------
    name
        The experiment's.
    vocabulary
        The data set's labels.
    folder
        Of the YAMLs.
    nir
        Whether the data set names TIFs with near-infrared.

    Raises
    ------
    InputError
        When it is no network of all labels with one value for each hyperparameter, or the data set cannot serve it.
    """
    if name is None:
        return None
    where, experiment = folder / f"{name}.yaml", read_experiments((name,), vocabulary, folder, nir=nir)[name]
    if not isinstance(experiment, Network) or experiment.labels != "all":
        raise InputError(
            f"{where}: a student is a network of all labels, found {experiment.kind} of {experiment.labels} labels. "
            "Name another experiment under distill.experiment in params.yaml"
        )
    if searched := sorted(experiment.hyperparameters.searched()):
        raise InputError(
            f"{where}: hyperparameters.{searched[0]}: a student is not searched for: expected one value, found a "
            "space. Give it one value, such as the search of its parent found in data/search/PARENT/best.json"
        )
    return experiment
