"""From what a stream has decided to the answers table that it is compared by."""

import numpy as np

from igarape.chips.fingerprints import read_fingerprints
from igarape.reports.evidence import Evidence
from igarape.scores.answers import Answers
from igarape.workspace import Workspace


def answers_of(evidence: Evidence, workspace: Workspace, dataset: str) -> Answers:
    """Answer every labelled chip by the rule that is used, out of fold where it lies in a fold."""
    ids, answers = evidence.image_ids, evidence.rule.apply(evidence.p)
    answers[evidence.inside] = evidence.answers
    prints = read_fingerprints(workspace.chips("raw") / "fingerprints.parquet", ids)
    return Answers(
        dataset=dataset,
        labels=evidence.rule.vocabulary.labels,
        image_ids=ids,
        pixels=prints.pixels.astype(np.int64),
        folds=evidence.folds,
        y=evidence.y,
        p=evidence.p,
        answers=answers,
    )
