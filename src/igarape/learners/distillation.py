"""Distillation: one network learns what the ensemble answers (Hinton, Vinyals and Dean, arXiv:1503.02531, 2015).

Chips of the folds are answered out of fold, by models that never saw them; chips without labels by the whole ensemble.
The hold-out takes no part: its targets are no numbers, so that a loss over one of its chips would be none either.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import resize
from igarape.chips.store import Store
from igarape.code import code_hash, libraries
from igarape.config.kinds import Experiment
from igarape.config.network_kinds import Network
from igarape.config.student import Student, StudentManifest
from igarape.errors import InputError
from igarape.files import atomic_path, digest, read_json, write_json
from igarape.labels import Booleans, Targets
from igarape.learners import learning
from igarape.learners.audit import rows_hash
from igarape.learners.examples import Examples, Images, Rows
from igarape.learners.learning import Log
from igarape.learners.predictor import KINDS, Predictor
from igarape.predictions import prediction_table
from igarape.progress import Report
from igarape.scores.metrics import Reals
from igarape.tables import Probabilities, write_table

FILE = "student.onnx"
PARITY = "igarape.learners.networks.parity"  # by its name: nobody waits for TensorFlow who distils nothing
# Keras and ONNX Runtime do the same sums in another order.
TOLERANCE, CHECKED = 1e-4, 64

Soft = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Task:
    """How a student is trained. targets: all labels. truth: share of the true labels in what it learns."""

    name: str
    experiment: Network
    targets: Targets
    epochs: int
    truth: float
    seed: int


@dataclass(frozen=True)
class TrainingSet:
    """What a student learns from: rows of images, uint8 (n, size, size, 3), and of targets, (n, labels) in 0..1."""

    images: Images
    targets: Soft
    rows: Rows


def student_code(experiment: Experiment | None) -> str:
    """Return a hash of the code by which the step distill makes its result, with the experiment's plugins and weights.

    Where there is no student, networks have no say in that.
    """
    if experiment is None:
        return code_hash("igarape.stages.distill")
    modules, named = ("igarape.stages.distill", PARITY, *KINDS.values()), experiment.files()
    return code_hash(*modules, files=experiment.sources(), weights=named)


def student_key(task: Task, contents: Iterable[bytes | str]) -> str:
    """Return a hash of all that a student depends on, the versions of libraries too; contents: what it learns from."""
    known = (student_code(task.experiment), repr(libraries()), repr(task))
    return digest(chain(known, contents))


def soft_targets(y: Booleans, p: Reals, *, truth: float, inside: Booleans) -> Soft:
    """Mix truth and answers; NaN in the rows that lie in no fold.

    Parameters
    ----------
    y, p
        Truth and answers, each of shape (n, labels).
    truth
        The share of the truth, 0..1.
    inside
        Which rows lie in a fold, of shape (n,).
    """
    mixed = truth * y + (1 - truth) * p.astype(np.float64)
    mixed[~inside] = np.nan
    return mixed.astype(np.float32)


def with_unlabelled(
    known: TrainingSet, names: Sequence[str], p: Probabilities, *, store: Store, path: Path
) -> TrainingSet:
    """Put chips without labels beside the rows of known ones, as one file of pictures that is mapped.

    Parameters
    ----------
    known
        The chips of the folds.
    names, p
        Of the other chips, and what the ensemble answers to them, (names, labels).
    store
        Where they are packed.
    path
        The file, .npy; it is used as it is where it is there.
    """
    size, count = known.images.shape[1], len(known.rows)
    if not path.exists():
        with atomic_path(path) as unfinished:
            shape = (count + len(names), size, size, 3)
            pictures = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.uint8, shape=shape)
            for place, row in enumerate(known.rows):
                pictures[place] = known.images[row]
            for place, name in enumerate(names, start=count):
                pictures[place] = resize(store.rgb(name), size)
            pictures.flush()
    images = np.asarray(np.load(path, mmap_mode="r"))
    targets = np.concatenate([known.targets[known.rows], p.astype(np.float32)])
    return TrainingSet(images, targets, np.arange(len(images)))


def distil(material: TrainingSet, task: Task, *, folder: Path, notes: Path, log: Log, report: Report) -> float:
    """Train a student, and write it as FILE into a folder, unless it is there; return its parity with Keras.

    Parameters
    ----------
    material
        What it learns from.
    task
        How.
    folder, notes
        Where to, and a folder for what is not checked yet. Both must be empty when anything else has changed.
    log
        Called after each epoch.
    report
        Called with (epochs done, of how many).

    Raises
    ------
    InputError
        When the training diverges, its file does not answer as Keras does, and when fit does.
    """
    path, noted = folder / FILE, notes / "parity.json"
    if not path.exists():
        student = _train(material, task, log=log, report=report)
        written = student.export(notes / Path(FILE).stem)
        write_json(_parity(student, written, material), noted)
        written.replace(path)
    return float(read_json(noted))


def write_student(
    folder: Path, examples: Examples, task: Task, *, unlabelled: Sequence[str], parity: float, threads: int
) -> StudentManifest:
    """Write what a student, whose file lies in a folder, answers to the hold-out, and what it learned from.

    Parameters
    ----------
    folder
        Where predictions.parquet and student.json go too.
    examples
        The labelled chips, with the hold-out.
    task
        How it was trained.
    unlabelled
        The names of the chips without labels that it learned from.
    parity
        How far its file answers from Keras.
    threads
        That the prediction may use.
    """
    ids, inside, experiment = examples.image_ids, examples.folds >= 0, task.experiment
    held, tta = np.flatnonzero(~inside), experiment.hyperparameters.pick({}).averaged()
    model = Predictor([folder / FILE], threads=threads)
    p = model.predict(examples.images, rows=held, tta=tta, batch=experiment.batch)
    names = [ids[row] for row in held.tolist()]
    table = prediction_table(names, examples.folds[held], learner=task.name, labels=task.targets.labels, p=p)
    write_table(table, folder / "predictions.parquet")
    manifest = StudentManifest(
        name=task.name,
        chips=experiment.chips,
        size=experiment.size,
        labels=tuple(task.targets.labels),
        tta=tta,
        settings=experiment.model_dump(mode="json"),
        truth=task.truth,
        labelled=int(inside.sum()),
        unlabelled=len(unlabelled),
        learned=rows_hash(ids[row] for row in np.flatnonzero(inside).tolist()),
        parity=parity,
    )
    Student(student=manifest).write(folder / "student.json")
    return manifest


def _train(material: TrainingSet, task: Task, *, log: Log, report: Report) -> learning.FittedModel:
    """Train a student."""

    def record(epoch: int, metrics: Mapping[str, float]) -> None:
        log(epoch, metrics)
        report(epoch + 1, task.epochs)

    try:
        training = learning.Training(
            material.images,
            # Soft ones: a loss takes them as they are. Of validation rows, whose truth has to be true, there are none.
            cast("Booleans", material.targets),
            task.targets,
            train=material.rows,
            validation=np.array([], dtype=np.int64),
            epochs=task.epochs,
            patience=None,
            seed=task.seed,
            log=learning.finite(record),
        )
        hyperparameters = task.experiment.hyperparameters.pick({})
        return learning.fit(training, experiment=task.experiment, hyperparameters=hyperparameters)
    except FloatingPointError as error:
        way_out = "Lower hyperparameters.learning_rate in the student's YAML; then: dvc repro"
        raise InputError(f"distill: {error}. {way_out}") from error


def _parity(student: learning.FittedModel, path: Path, material: TrainingSet) -> float:
    """Return how far a student's file answers from Keras; refuse one that is not near."""
    gap: Callable[..., float] = import_module(PARITY).gap
    apart = gap(student, path, material.images[material.rows[:CHECKED]])
    if not apart <= TOLERANCE:
        raise InputError(
            f"{path}: answers differ by {apart:.6f} from Keras's, expected at most {TOLERANCE}. ONNX does not compute "
            "what the network does; name another backbone in the student's YAML"
        )
    return apart
