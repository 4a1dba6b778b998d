"""distill: one network that learns what the whole ensemble answers. data/stack, data/train, chips -> data/distill/."""

import click
import numpy as np

from igarape.chips.store import Store
from igarape.config.datasets import read_dataset
from igarape.config.documents import CALIBRATED, LearnerManifest, RunFacts
from igarape.config.params import read_params, workers
from igarape.config.student import Student, read_student
from igarape.files import fresh_folder, resumable
from igarape.learners.distillation import (
    Task,
    TrainingSet,
    distil,
    soft_targets,
    student_key,
    with_unlabelled,
    write_student,
)
from igarape.learners.examples import load_examples
from igarape.learners.networks.merging import merge
from igarape.predictions import learner_probabilities, read_predictions
from igarape.progress import progress
from igarape.serving.teacher import find_unlabelled, teacher_probabilities
from igarape.tables import read_catalog, read_folds
from igarape.tracking.step import step_run
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Train the student that params.yaml asks for; where it asks for none, say so."""
    params = read_params(workspace.params)
    dataset = read_dataset(params.dataset, workspace.datasets)
    vocabulary, name = dataset.labels.vocabulary(), params.distill.experiment
    experiment = read_student(name, vocabulary, workspace.experiments, nir=bool(dataset.tifs))
    if name is None or experiment is None:
        _write_none(workspace)
        return
    targets, epochs = experiment.targets(vocabulary), max(1, round(experiment.epochs * params.distill.budget))
    task = Task(name, experiment, targets, epochs=epochs, truth=params.distill.truth, seed=params.seed)
    _teach(workspace, task)


def _write_none(workspace: Workspace) -> None:
    """Write that there is no student."""
    with step_run("distill", workspace=workspace, params={"distill": {"experiment": "none"}}) as opened:
        Student(student=None).write(fresh_folder(workspace.folder("distill")) / "student.json")
        RunFacts(run_id=opened.id).write(workspace.run("distill"))
    click.echo("distill: params.yaml names no experiment under distill, so there is no student")


def _teach(workspace: Workspace, task: Task) -> None:
    """Train the student on the stack's answers out of fold, and on the ensemble's to chips without labels.

    A run that was killed goes on with the chips that the ensemble has not answered.
    """
    params, name, labels = read_params(workspace.params), task.name, task.targets.labels
    dataset, kind = read_dataset(params.dataset, workspace.datasets), task.experiment.chips
    learners = {each: LearnerManifest.read(workspace.learner(each)) for each in params.experiments}
    with progress(f"distill {name}: reading chips", "chip") as report:
        examples = load_examples(workspace, task.experiment, labels=labels, report=report)
    path, folds = workspace.folder("stack") / "predictions.parquet", read_folds(workspace.folds)
    stacked = {CALIBRATED: read_predictions(path, folds, labels, learner=CALIBRATED)}
    answers, inside = learner_probabilities(stacked, examples.image_ids)[CALIBRATED], examples.folds >= 0
    chips = find_unlabelled(workspace, dataset, {kind, *(each.chips for each in learners.values())})
    others = chips.names if params.distill.unlabelled else []
    key = student_key(task, (examples.digest, answers.tobytes(), *(chips.bytes() if others else ())))
    recorded = {"seed": params.seed, "dataset": params.dataset, "distill": params.distill.model_dump()}
    recorded[name] = task.experiment.model_dump()
    with (
        resumable(workspace.folder("distill"), key) as (folder, notes),
        step_run("distill", workspace=workspace, params=recorded, notes=notes) as opened,
    ):
        soft = soft_targets(examples.y, answers, truth=task.truth, inside=inside)
        material = TrainingSet(examples.images, soft, np.flatnonzero(inside))
        if others:
            with progress(f"distill {name}: asking the ensemble", "chip") as report:
                p = teacher_probabilities(
                    chips, workspace, params, dataset, learners=learners, notes=notes, merge=merge, report=report
                )
            store = Store(workspace.chips(kind), read_catalog(workspace.catalog(kind), labels))
            material = with_unlabelled(material, others, p, store=store, path=notes / "pictures.npy")
        with progress(f"distill {name}", "epoch") as report:
            parity = distil(material, task, folder=folder, notes=notes, log=opened.log, report=report)
        manifest = write_student(folder, examples, task, unlabelled=others, parity=parity, threads=workers())
        RunFacts(run_id=opened.id).write(workspace.run("distill"))
        opened.metrics({"labelled": manifest.labelled, "unlabelled": manifest.unlabelled, "parity": parity})
        opened.artifact(folder / "predictions.parquet")
    click.echo(f"distill {name}: learned from {manifest.labelled} chips with labels and {manifest.unlabelled} without")
