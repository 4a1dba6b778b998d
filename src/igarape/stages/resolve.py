"""resolve: each listed experiment, put together, and the chips that it sees. experiments/, chips -> data/resolve/."""

from functools import cache

from igarape.config.datasets import read_dataset
from igarape.config.documents import Resolved
from igarape.config.experiments import read_experiments
from igarape.config.kinds import Experiment
from igarape.config.params import read_params
from igarape.config.student import read_student
from igarape.errors import InputError
from igarape.files import digest, fresh_folder
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Write a file for each listed experiment, and the student's: its learner is made anew when that has changed.

    So a comment in a YAML reruns nothing, a changed parent reruns its children, and dehazing anew reruns those learners
    only that see dehazed chips. Raises InputError with the faults of all listed experiments, and for labels that none
    of them predicts: that cannot be stacked, which should show before the first epoch.
    """
    params = read_params(workspace.params)
    dataset = read_dataset(params.dataset, workspace.datasets)
    vocabulary = dataset.labels.vocabulary()
    experiments = read_experiments(params.experiments, vocabulary, workspace.experiments, nir=bool(dataset.tifs))
    named = params.distill.experiment
    found = read_student(named, vocabulary, workspace.experiments, nir=bool(dataset.tifs))
    student: dict[str, Experiment] = {named: found} if named and found else {}
    predicted = {label for experiment in experiments.values() for label in experiment.targets(vocabulary).labels}
    if orphans := [label for label in vocabulary.labels if label not in predicted]:
        raise InputError(
            f"{workspace.params}: experiments: {', '.join(experiments)}: none of them predicts {', '.join(orphans)}. "
            "List one with labels: all besides"
        )
    packed = cache(lambda kind: _digest(workspace, kind))
    fresh_folder(workspace.folder("resolve"))
    for name, experiment in {**experiments, **student}.items():
        settings = experiment.model_dump(mode="json")
        resolved = Resolved(experiment=name, settings=settings, chips=packed(experiment.chips))
        resolved.write(workspace.resolved(name))


def _digest(workspace: Workspace, kind: str) -> str:
    """Return a hash of packed chips: their shards, and the table that says what lies in them."""
    folder = workspace.chips(kind)
    return digest([workspace.catalog(kind), *sorted(folder.glob("*.tar"))])
