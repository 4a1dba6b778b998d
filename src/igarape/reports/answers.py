"""From what a stream has decided to the answers table that it is compared by."""

import numpy as np

from igarape.chips.fingerprints import read_fingerprints
from igarape.reports.results import Results
from igarape.scores.answers import Answers
from igarape.workspace import Workspace


def answers_of(results: Results, workspace: Workspace, dataset: str) -> Answers:
    """Answer every labelled chip by the rule that is used, out of fold where it lies in a fold."""
    ids, answers = results.image_ids, results.rule.apply(results.p)
    answers[results.inside] = results.answers
    prints = read_fingerprints(workspace.chips("raw") / "fingerprints.parquet", ids)
    return Answers(
        dataset=dataset,
        labels=results.rule.vocabulary.labels,
        image_ids=ids,
        groups=results.groups,
        pixels=prints.pixels.astype(np.int64),
        folds=results.folds,
        y=results.y,
        p=results.p,
        answers=answers,
    )
