"""Scores on a published split: of a finished stream, or of one learner, on chips that none of it was trained on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from igarape.chips.sources.published import Published
from igarape.config.documents import CALIBRATED, Decision, LearnerManifest, StackSummary
from igarape.ensemble.decision import Rule, fit_rule
from igarape.ensemble.stacker import Stacker
from igarape.errors import InputError, some
from igarape.labels import Booleans, Vocabulary
from igarape.learners.audit import check_rows
from igarape.predictions import learner_probabilities, probability_columns, read_predictions
from igarape.scores.figures import figures
from igarape.scores.metrics import mean_average_precision, sample_f2
from igarape.tables import HOLDOUT, Probabilities, read_catalog, read_folds, read_groups, truth
from igarape.workspace import Workspace


@dataclass(frozen=True)
class Standing:
    """Scores on the test chips of a split.

    figures: by the name of what answers, f2 and map. seen, asked: how many of the split's chips for training were
    trained on, and how many it names. beyond: how many others were. close: how many test chips belong together with
    chips that were trained on. labels: how many have positives among the test chips.
    """

    figures: Mapping[str, Mapping[str, float]]
    chips: int
    labels: int
    seen: int
    asked: int
    beyond: int
    close: int


def score_split(
    workspace: Workspace, published: Published, *, vocabulary: Vocabulary, experiment: str | None
) -> Standing:
    """Score what was predicted of the test chips of a split, after proving that none of them was trained on.

    A test chip has to lie in the hold-out. What is scored has to have learned from the chips of the folds and no
    others: so say the hashes that its fold models noted when they were trained.

    Parameters
    ----------
    workspace
        Where predictions and fold models lie.
    published
        The split.
    vocabulary
        The data set's labels.
    experiment
        A learner; None: the finished stream, and all learners that it is made of.

    Raises
    ------
    InputError
        For a test chip that is not there or was trained on, and a learner that may have seen one.
    """
    folds = read_folds(workspace.folds)
    _check_test(published, folds.set_index("image_id")["fold"])
    known = Known(folds, read_catalog(workspace.catalog(), vocabulary.labels).set_index("image_id"), vocabulary)
    y = known.truth(published.test)
    scored: dict[str, dict[str, float]] = {}
    names: Sequence[str] = [experiment] if experiment else []
    if experiment is None:
        names = tuple(Stacker.load(workspace.folder("stack") / "stacker").learners)
        scored |= _stream(workspace, known, published)
    for name in names:
        manifest = LearnerManifest.read(workspace.learner(name))
        check_rows(manifest, list(folds["image_id"]), folds["fold"].to_numpy())
        table = read_predictions(workspace.predictions(name), folds, manifest.labels)
        p = learner_probabilities({name: table}, published.test)[name]
        columns = [vocabulary.labels.index(label) for label in manifest.labels]
        scored[name] = figures(y[:, columns], p, targets=vocabulary.targets(manifest.labels))
    return Standing(scored, len(published.test), int(y.any(axis=0).sum()), *_trained(workspace, published, folds))


@dataclass(frozen=True)
class Known:
    """The folds' table, the catalog by image_id, and the labels."""

    folds: pd.DataFrame
    catalog: pd.DataFrame
    vocabulary: Vocabulary

    def truth(self, image_ids: Iterable[str]) -> Booleans:
        """Return which labels hold on chips, of shape (n, labels)."""
        return truth(self.catalog.loc[list(image_ids)], self.vocabulary.labels)


def _check_test(published: Published, fold: pd.Series) -> None:
    """Refuse a split whose test chips are not all there, or not all held out."""
    test = pd.Index(published.test)
    absent = list(test[~test.isin(fold.index)])
    if absent:
        raise InputError(
            f"{len(absent)} of the split's {len(test)} test chips are not among the labelled chips: {some(absent)}. "
            "Scores of the others alone are not those that were published. Bring all chips, then: dvc repro"
        )
    places = fold.loc[test]
    trained = places[places != HOLDOUT]
    if len(trained):
        named = [f"{name} (fold {number})" for name, number in trained.items()]
        raise InputError(
            f"{len(trained)} of the split's {len(test)} test chips were trained on: {some(named)}. To train on this "
            "split, name its column under source.columns.split in the data set's YAML: its test chips are then held "
            "out. Then: dvc repro"
        )


def _stream(workspace: Workspace, known: Known, published: Published) -> dict[str, dict[str, float]]:
    """Score the finished stream: the stack that is used, calibrated, and the rule, which has to be one of the folds."""
    chosen = StackSummary.read(workspace.folder("stack") / "stack.json").chosen
    path = workspace.folder("decide") / "rule.json"
    rule = Rule.from_json(Decision.read(path).rule.model_dump(), known.vocabulary)
    stacked, labels = workspace.folder("stack") / "predictions.parquet", known.vocabulary.labels
    used = read_predictions(stacked, known.folds, labels, learner=CALIBRATED)
    inside, columns = used[used["fold"] != HOLDOUT], probability_columns(used)
    again = fit_rule(
        rule.name,
        known.truth(inside["image_id"]),
        inside[columns].to_numpy(),
        inside["fold"].to_numpy(),
        vocabulary=known.vocabulary,
        beta=rule.beta,
    )
    if again != rule:
        raise InputError(
            f"{path}: the rule {rule.name} was fitted on other rows than the folds'. Run: dvc repro decide"
        )
    y = known.truth(published.test)
    p: Probabilities = used.set_index("image_id").loc[list(published.test), columns].to_numpy()
    found = {"f2": sample_f2(y, rule.apply(p)), "map": mean_average_precision(y, p)}
    return {f"the stream ({chosen}, calibrated; {rule.name})": found}


def _trained(workspace: Workspace, published: Published, folds: pd.DataFrame) -> tuple[int, int, int, int]:
    """Count what was trained on, as Standing has it: seen, asked, beyond, close."""
    trained = list(folds.loc[folds["fold"] != HOLDOUT, "image_id"])
    seen = np.isin(trained, published.train)
    groups = read_groups(workspace.groups, [*published.test, *trained])
    close = np.isin(groups[: len(published.test)], groups[len(published.test) :])
    return int(seen.sum()), len(published.train), int((~seen).sum()), int(close.sum())
