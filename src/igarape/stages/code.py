"""code: which code makes each result, of which labels. The package's sources, experiments/, datasets/ -> data/code/."""

import os
from pathlib import Path

import click

from igarape.chips.review import correction_text, read_corrections
from igarape.chips.sources.inventory import Inventory
from igarape.code import code_hash
from igarape.config.datasets import FolderSource, read_dataset
from igarape.config.experiments import read_experiment
from igarape.config.params import read_params
from igarape.errors import InputError, reason
from igarape.files import fresh_folder, write_text
from igarape.learners.distillation import student_code
from igarape.learners.keys import learner_code
from igarape.learners.predictor import KINDS
from igarape.tracking.locations import check_encoded
from igarape.workspace import PER_EXPERIMENT, STEPS, Workspace

# What a step runs without importing it: fold models are opened, and a served model is loaded, by a module's name.
# What other streams are compared by is a result too.
BESIDES = {
    "evaluate": ("igarape.reports.answers", *KINDS.values()),
    "register": ("igarape.serving.pyfunc", *KINDS.values()),
}


def run(workspace: Workspace) -> None:
    """Write a file for each step, and for search and train one for each listed experiment, that changes as code does.

    The steps depend on these files, so comments, docstrings, tracking, pages and words of errors rerun nothing. DVC
    cannot depend on a file that may be missing: so what is corrected stands there too, where nothing is as well. The
    hashes of learners that are listed no more are removed, as no clone but this one has them.
    """
    check_encoded(workspace.root)  # by the first step of all: hours may lie before the first one that is tracked
    params = read_params(workspace.params)
    dataset = read_dataset(params.dataset, workspace.datasets)  # DVC would remove the chips before it misses that file
    if isinstance(dataset.source, FolderSource) and workspace.inventory.exists():
        _tell_changes(workspace, dataset.source, where=workspace.datasets / f"{params.dataset}.yaml")
    corrections = read_corrections(workspace.corrections(params.dataset))
    fresh_folder(workspace.folder("code"))
    write_text(correction_text(corrections), workspace.code("corrections"))
    for path in workspace.all_trained.glob("*"):
        if path.name not in params.experiments:
            path.unlink()
    for step in STEPS:
        if step in PER_EXPERIMENT:
            for name in params.experiments:
                experiment = read_experiment(name, workspace.experiments)
                write_text(learner_code(step, experiment), workspace.code(step, name))
        elif step == "distill":
            named = params.distill.experiment
            student = named and read_experiment(named, workspace.experiments)
            write_text(student_code(student or None), workspace.code(step))
        elif step != "code":
            write_text(code_hash(f"igarape.stages.{step}", *BESIDES.get(step, ())), workspace.code(step))


def _tell_changes(workspace: Workspace, source: FolderSource, *, where: Path) -> None:
    """Say which chips are not as they were packed: DVC does not see them, and would go on with what was packed."""
    root = Path(os.environ.get("IGARAPE_DATA") or os.devnull)  # where it is not set, no chips are to be seen
    try:
        now = Inventory.take(root, source)
    except (OSError, InputError) as error:
        click.echo(f"code: {root}: whether chips have changed cannot be told ({reason(error)})", err=True)
        return
    if changes := Inventory.read(workspace.inventory).changes(now):
        click.echo(
            f"code: not as ingest packed it: {'; '.join(changes)}. The stream goes on with what was packed. "
            f"To pack anew, write version: {source.version + 1} below source: in {where}, and type again: dvc repro",
            err=True,
        )
