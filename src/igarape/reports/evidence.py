"""The evidence for the verdict: all that the steps before predicted and decided, and what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from igarape.chips.corrections import read_applied
from igarape.chips.store import Store
from igarape.config.datasets import Dataset
from igarape.config.documents import CALIBRATED, Decision, LearnerManifest, Origin, StackSummary
from igarape.config.params import Params
from igarape.ensemble.decision import Rule, cross_fit_rule
from igarape.ensemble.omission import WITHOUT
from igarape.ensemble.stacker import Stacker
from igarape.labels import Booleans, Vocabulary
from igarape.reports import verdict as report
from igarape.reports.alarms import ALARM_RATE, alarms
from igarape.reports.analysis import analyse
from igarape.reports.ladder import Difference, Ladder, climb, in_words
from igarape.reports.noise import find_noise
from igarape.reports.operating import marks
from igarape.reports.reliability import reliable
from igarape.reports.worst import worst
from igarape.scores.figures import f2_by_chip
from igarape.scores.metrics import mean_average_precision
from igarape.tables import (
    FAULT,
    HOLDOUT,
    Probabilities,
    learner_probabilities,
    probability_columns,
    read_catalog,
    read_folds,
    read_predictions,
    read_table,
    truth,
)
from igarape.workspace import Workspace


@dataclass(frozen=True)
class Evidence:
    """All that was predicted, in the order of the folds table: truth y (n, labels), folds (n,).

    stacked: each stack's probabilities (n, labels). manifests: what train wrote of each learner. learners: each one's
    probabilities (n, its labels).
    without: the blend without a learner, by its name.
    stack, decision: what those steps wrote. rule: the chosen one, fitted on all folds.
    """

    image_ids: Sequence[str]
    folds: npt.NDArray[np.int64]
    y: Booleans
    stacked: Mapping[str, Probabilities]
    manifests: Mapping[str, LearnerManifest]
    learners: Mapping[str, Probabilities]
    stack: StackSummary
    decision: Decision
    rule: Rule
    without: Mapping[str, Probabilities] = field(default_factory=dict)

    @property
    def p(self) -> Probabilities:
        """Return the probabilities that are used: those of the chosen stack, calibrated."""
        return self.stacked[CALIBRATED]

    @property
    def general(self) -> dict[str, Probabilities]:
        """Return the probabilities of the learners of all labels."""
        return {name: p for name, p in self.learners.items() if self.manifests[name].scope == "all"}

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

    @cached_property
    def answers(self) -> Booleans:
        """Return what the rule answers in the folds, each fitted on the others."""
        rows, rule = self.inside, self.rule
        return cross_fit_rule(
            rule.name, self.y[rows], self.p[rows], self.folds[rows], vocabulary=rule.vocabulary, beta=rule.beta
        )


def judge(workspace: Workspace, evidence: Evidence, params: Params, dataset: Dataset, origin: Origin) -> report.Verdict:
    """Score the hold-out, and put everything together that the report shows.

    Parameters
    ----------
    workspace
        Where the chips lie, whose faults are counted.
    evidence
        What has been predicted, and by what.
    params
        The seed, and how often to resample.
    dataset
        Its note stands in the report.
    origin
        Commit, data and runs that led here.
    """
    vocabulary, holdout = evidence.rule.vocabulary, ~evidence.inside
    y, p = evidence.y[holdout], evidence.p[holdout]
    predicted = evidence.rule.apply(p)
    ladder = _ladder(evidence, params)
    analysis = analyse(evidence, Stacker.load(workspace.folder("stack") / "stacker"), params)
    reliability = reliable(
        evidence.y,
        evidence.stacked[evidence.stack.chosen],
        evidence.p,
        inside=evidence.inside,
        kinds=evidence.stack.calibration,
    )
    store = Store(workspace.chips("raw"), read_catalog(workspace.catalog(), vocabulary.labels))
    left_out = read_table(workspace.chips("raw") / "faults.parquet", FAULT, key=FAULT)["left_out"].astype(bool)
    return report.Verdict(
        dataset=params.dataset,
        note=dataset.note,
        metrics=_metrics(evidence, predicted, ladder, params)
        | {"calibration": reliability.figures}
        | analysis.to_json(),
        per_label=report.per_label_table(y, p, predicted=predicted, labels=vocabulary.labels),
        stacker=evidence.stack.chosen,
        rule=evidence.rule.name,
        threshold=evidence.rule.threshold,
        beta=evidence.rule.beta,
        differences=_differences(evidence, vocabulary, params),
        ladder=ladder,
        words=in_words(
            ladder, stacker=evidence.stack.chosen, kept=tuple(evidence.stack.kept), labels=len(vocabulary.labels)
        ),
        alarms=alarms(
            evidence.y,
            evidence.general | {f"the stack, {evidence.stack.chosen}": evidence.p},
            inside=evidence.inside,
            targets=vocabulary.targets("all"),
        ),
        reliability=reliability,
        alarm_rate=ALARM_RATE,
        weights=evidence.stack.weights,
        kept=evidence.stack.kept,
        partial={
            name: len(manifest.labels) for name, manifest in evidence.manifests.items() if manifest.scope != "all"
        },
        fitted=int(evidence.inside.sum()),
        folds=int(evidence.folds.max()) + 1,
        split=params.split.by,
        marks=marks(
            evidence.y,
            evidence.p,
            evidence.folds,
            alerts=evidence.decision.alerts,
            vocabulary=vocabulary,
            seed=params.seed,
        ),
        analysis=analysis,
        worst=worst(
            evidence.held,
            y,
            answers=predicted,
            vocabulary=vocabulary,
            picture=store.rgb,
        ),
        noise=find_noise(
            evidence.image_ids,
            evidence.folds,
            y=evidence.y,
            p=evidence.p,
            vocabulary=vocabulary,
            corrections=read_applied(workspace.applied),
            picture=store.rgb,
        ),
        left_out=int(left_out.sum()),
        reported=int((~left_out).sum()),
        origin=origin,
    )


def gather(workspace: Workspace, params: Params, vocabulary: Vocabulary) -> Evidence:
    """Read what the steps before predicted and decided."""
    folds = read_folds(workspace.folds)
    image_ids = list(folds["image_id"])
    catalog = read_catalog(workspace.catalog(), vocabulary.labels).set_index("image_id")
    stack = StackSummary.read(workspace.folder("stack") / "stack.json")
    stacked = read_predictions(workspace.folder("stack") / "predictions.parquet", folds)
    columns = probability_columns(stacked)
    decision = Decision.read(workspace.folder("decide") / "rule.json")
    tables = {name: read_predictions(workspace.predictions(name), folds) for name in params.experiments}
    found = {
        str(name): table.set_index("image_id").loc[image_ids, columns].to_numpy()
        for name, table in stacked.groupby("learner")
    }
    return Evidence(
        image_ids=image_ids,
        folds=folds["fold"].to_numpy(),
        y=truth(catalog.loc[image_ids], vocabulary.labels),
        stacked={name: p for name, p in found.items() if not name.startswith(WITHOUT)},
        without={name.removeprefix(WITHOUT): p for name, p in found.items() if name.startswith(WITHOUT)},
        manifests={name: LearnerManifest.read(workspace.learner(name)) for name in params.experiments},
        learners=learner_probabilities(tables, image_ids),
        stack=stack,
        decision=decision,
        rule=Rule.from_json(decision.rule.model_dump(), vocabulary),
    )


def _metrics(evidence: Evidence, predicted: Booleans, ladder: Ladder, params: Params) -> dict[str, Any]:
    """Build reports/metrics.json; predicted are the answers on the hold-out."""
    rows = ~evidence.inside
    return report.metrics_document(
        evidence.y[rows],
        evidence.p[rows],
        predicted=predicted,
        oof={
            "f2": evidence.decision.rules[evidence.rule.name]["f2"],
            "map": mean_average_precision(evidence.y[~rows], evidence.p[~rows]),
        },
        learners={name: {"f2": one.f2, "map": one.map} for name, one in evidence.manifests.items()},
        stackers=evidence.stack.stackers,
        rules=evidence.decision.rules,
        rare=evidence.stack.rare,
        ladder=ladder.to_json(),
        resamples=params.evaluate.resamples,
        seed=params.seed,
    )


def _differences(evidence: Evidence, vocabulary: Vocabulary, params: Params) -> dict[str, Difference]:
    """Compare the learners of all labels by paired bootstrap over the chips in the folds, out of fold."""
    inside, targets = evidence.inside, vocabulary.targets("all")
    each = {name: f2_by_chip(evidence.y[inside], p[inside], targets=targets) for name, p in evidence.general.items()}
    return report.against_best(each, resamples=params.evaluate.resamples, seed=params.seed) if each else {}


def _ladder(evidence: Evidence, params: Params) -> Ladder:
    """Compare the stacks, and the rule that is used, with the best learner, out of fold."""
    inside = evidence.inside
    return climb(
        evidence.y[inside],
        learners={name: p[inside] for name, p in evidence.general.items()},
        stackers={name: evidence.stacked[name][inside] for name in evidence.stack.stackers},
        decided={f"{evidence.stack.chosen}, {evidence.rule.name}": evidence.answers},
        targets=evidence.rule.vocabulary.targets("all"),
        resamples=params.evaluate.resamples,
        seed=params.seed,
    )
