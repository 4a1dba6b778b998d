"""Teaching: what the ensemble answers to chips without labels, for a student to learn."""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from igarape.chips.store import Store
from igarape.config.datasets import Dataset
from igarape.config.documents import LearnerManifest
from igarape.config.params import Params
from igarape.ensemble.decision import Rule
from igarape.learners.views import ALL
from igarape.progress import Report
from igarape.scores.metrics import BETA
from igarape.scores.rules import isolated_threshold
from igarape.serving.assembly import BundleSpec, Merge, build_bundle, learner_part
from igarape.serving.batches import refuse, tag_batches
from igarape.serving.bundle import Bundle
from igarape.serving.submission import Chips
from igarape.tables import Probabilities, read_catalog
from igarape.workspace import Workspace


def find_unlabelled(workspace: Workspace, dataset: Dataset, kinds: Collection[str]) -> Chips:
    """Find the chips without labels; with nir among the kinds that are seen, those that have near-infrared."""
    labels = dataset.labels.vocabulary().labels
    catalog = read_catalog(workspace.catalog(), labels)
    names = list(catalog.loc[catalog["split"] == "test", "image_id"])
    raw = Store(workspace.chips("raw"), catalog)
    if "nir" not in kinds:
        return Chips(raw, None, names)
    planes = read_catalog(workspace.catalog("nir"), labels)
    with_planes = set(planes["image_id"])
    return Chips(raw, Store(workspace.chips("nir"), planes), [name for name in names if name in with_planes])


def teacher_probabilities(
    chips: Chips,
    workspace: Workspace,
    params: Params,
    dataset: Dataset,
    *,
    learners: Mapping[str, LearnerManifest],
    notes: Path,
    merge: Merge,
    report: Report,
) -> Probabilities:
    """Return the ensemble's calibrated probabilities, float32 (chips, labels); a killed run's are gone on with.

    Parameters
    ----------
    chips
        What is answered.
    workspace, params, dataset
        Where the learners and the stack lie, and how chips are read.
    learners
        Their manifests, by their names.
    notes
        A folder for what is answered; it must be empty when anything else has changed.
    merge
        As assembly.BundleSpec has it.
    report
        Called with (chips done, of how many).

    Raises
    ------
    InputError
        For a chip that cannot be read.
    """
    vocabulary, table = dataset.labels.vocabulary(), notes / "answers.parquet"
    if not table.exists():
        # Probabilities are asked for, not tags: any rule does, and the step decide need not have run.
        rule = Rule("fixed", vocabulary, BETA, threshold=isolated_threshold(BETA))
        build_bundle(
            notes / "teacher",
            BundleSpec.of(params, dataset, rule, merge, alerts={}, views=ALL),
            learners=[learner_part(workspace.folder("train", name), manifest) for name, manifest in learners.items()],
            stacker=workspace.folder("stack") / "stacker",
        )
        bundle, parts = Bundle.load(notes / "teacher", threads=1), notes / "parts"
        parts.mkdir(exist_ok=True)
        tag_batches(chips.names, chips, table, bundle=bundle, parts=parts, complain=refuse, report=report)
    answers = pd.read_parquet(table).set_index("image_name").loc[list(chips.names)]
    return np.asarray(answers[[f"p_{label}" for label in vocabulary.labels]], dtype=np.float32)
