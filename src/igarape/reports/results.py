"""The results of the steps before: all that they predicted and decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from igarape.config.documents import CALIBRATED, Decision, LearnerManifest, StackSummary
from igarape.config.params import Params
from igarape.ensemble.decision import Rule, cross_fit_rule
from igarape.ensemble.leave_one_out import RARE, WITHOUT
from igarape.labels import Booleans, Vocabulary
from igarape.predictions import read_probabilities
from igarape.scores.draws import Draws
from igarape.tables import HOLDOUT, Probabilities, read_catalog, read_folds, read_groups, truth
from igarape.workspace import Workspace


@dataclass(frozen=True)
class Results:
    """All that was predicted, in the order of the folds table: truth y (n, labels), folds (n,), groups (n,).

    stacked: each stack's probabilities (n, labels). manifests: what train wrote of each learner. learners: each one's
    probabilities (n, its labels).
    without: the blend without a learner, by its name. without_rare: the chosen stack, not calibrated, without the
    learners of rare labels; None where there are none.
    stack, decision: what those steps wrote. rule: the chosen one, fitted on all folds.
    """

    image_ids: Sequence[str]
    groups: Sequence[str]
    folds: npt.NDArray[np.int64]
    y: Booleans
    stacked: Mapping[str, Probabilities]
    manifests: Mapping[str, LearnerManifest]
    learners: Mapping[str, Probabilities]
    stack: StackSummary
    decision: Decision
    rule: Rule
    without: Mapping[str, Probabilities] = field(default_factory=dict)
    without_rare: Probabilities | None = None

    @property
    def p(self) -> Probabilities:
        """Return the probabilities that are used: those of the chosen stack, calibrated."""
        return self.stacked[CALIBRATED]

    @property
    def general(self) -> dict[str, Probabilities]:
        """Return the probabilities of the learners of all labels."""
        return {name: p for name, p in self.learners.items() if self.manifests[name].scope == "all"}

    @property
    def partial(self) -> dict[str, int]:
        """Return the learners that predict only some labels, and how many."""
        return {name: len(each.labels) for name, each in self.manifests.items() if each.scope != "all"}

    @property
    def inside(self) -> Booleans:
        """Return which rows lie in the folds."""
        return np.asarray(self.folds != HOLDOUT, dtype=np.bool_)

    @property
    def known(self) -> list[str]:
        """Return the names of the chips of the folds."""
        return [self.image_ids[row] for row in np.flatnonzero(self.inside).tolist()]

    @property
    def held(self) -> list[str]:
        """Return the names of the chips of the hold-out."""
        return [self.image_ids[row] for row in np.flatnonzero(~self.inside).tolist()]

    def draws(self, which: Booleans, params: Params) -> Draws:
        """Return draws of some of the chips, by the stream's settings; which: (n,)."""
        groups = np.asarray(self.groups)[which]
        return Draws(groups, resamples=params.evaluate.resamples, seed=params.seed)

    @cached_property
    def answers(self) -> Booleans:
        """Return what the rule answers in the folds, each fitted on the others."""
        rows, rule = self.inside, self.rule
        return cross_fit_rule(
            rule.name, self.y[rows], self.p[rows], self.folds[rows], vocabulary=rule.vocabulary, beta=rule.beta
        )


def read_results(workspace: Workspace, params: Params, vocabulary: Vocabulary) -> Results:
    """Read what the steps before predicted and decided."""
    folds = read_folds(workspace.folds)
    image_ids = list(folds["image_id"])
    catalog = read_catalog(workspace.catalog(), vocabulary.labels).set_index("image_id")
    stack = StackSummary.read(workspace.folder("stack") / "stack.json")
    found = read_probabilities(workspace.folder("stack") / "predictions.parquet", folds, vocabulary.labels)
    without = {name.removeprefix(WITHOUT): p for name, p in found.items() if name.startswith(WITHOUT)}
    decision = Decision.read(workspace.folder("decide") / "rule.json")
    manifests = {name: LearnerManifest.read(workspace.learner(name)) for name in params.experiments}
    return Results(
        image_ids=image_ids,
        groups=read_groups(workspace.groups, image_ids),
        folds=folds["fold"].to_numpy(),
        y=truth(catalog.loc[image_ids], vocabulary.labels),
        stacked={name: p for name, p in found.items() if not name.startswith(WITHOUT)},
        without_rare=without.pop(RARE, None),
        without=without,
        manifests=manifests,
        learners={
            name: read_probabilities(workspace.predictions(name), folds, each.labels)[name]
            for name, each in manifests.items()
        },
        stack=stack,
        decision=decision,
        rule=Rule.from_json(decision.rule.model_dump(), vocabulary),
    )
