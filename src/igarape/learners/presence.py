"""A learner is whole: each fold's model lies beside what it predicted. Without it nothing of that could be checked."""

from collections.abc import Mapping

from igarape.config.documents import LearnerManifest
from igarape.errors import InputError
from igarape.learners.audit import fold_models
from igarape.workspace import Workspace


def check_models(workspace: Workspace, manifests: Mapping[str, LearnerManifest]) -> None:
    """Refuse a learner that lacks a fold's model: raise InputError that names it.

    manifests: by the learner's name.
    """
    for name, manifest in manifests.items():
        folder = workspace.folder("train", name)
        found = [path.stem for path in fold_models(folder)]
        lost = [f"fold-{fold}" for fold in range(len(manifest.folds)) if f"fold-{fold}" not in found]
        if lost:
            raise InputError(
                f"{folder}: has no model {', '.join(lost)}, so that nobody can check what it predicted. "
                f"Run: dvc repro -f train@{name}"
            )
