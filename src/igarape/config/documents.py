"""The JSON documents that steps hand over: each is written and read by its schema, and refused otherwise."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field

from igarape.config.schema import Section, validate
from igarape.errors import InputError
from igarape.files import read_json, write_json

Labels = tuple[str, ...]
# The name under which data/stack/predictions.parquet holds what is used further.
CALIBRATED = "calibrated"
Scores = dict[str, float]


class Document(Section):
    """A JSON file with a schema."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a document; raise InputError when it is not there, or not as its schema says."""
        content = read_json(path)
        try:
            return validate(cls, content, str(path))
        except InputError as error:
            raise InputError(f"{error}\nIf another igarape wrote it, run the step that writes it once more") from error

    def write(self, path: Path) -> None:
        """Write the document, under its name only when it is whole."""
        write_json(self.model_dump(mode="json"), path)


class RunFacts(Document):
    """data/runs: what tells of the latest run of a step, and on which nothing depends."""

    run_id: str


class Resolved(Document):
    """data/resolve/E.json: an experiment put together, and the hash of the chips that it sees."""

    experiment: str
    settings: dict[str, Any]
    chips: str


class FoldFacts(Section):
    """How many rows a fold's model learned from, and a hash of their names: learners.audit.rows_hash."""

    rows: int
    learned: str


class LearnerManifest(Document):
    """data/train/E/learner.json: what a learner's fold models see, predict, and score out of fold.

    scope: all labels, the rare ones, or some by name. settings: the experiment, put together, with the values that were
    searched. folds: what each fold's model learned from.
    """

    name: str
    chips: Literal["raw", "dehazed", "nir"]
    size: int
    scope: Literal["all", "rare", "named"]
    labels: Labels = Field(strict=False)
    tta: bool
    f2: float
    map: float
    settings: dict[str, Any]
    folds: tuple[FoldFacts, ...] = Field(strict=False)


class StackSummary(Document):
    """data/stack/stack.json: the chosen stacker, each one's figures out of fold, and what is in it.

    weights: of each label, those of the learners' logits in the blend. kept: the labels that keep the blend though
    trees were tried, and why. calibration: of each label, the kind of its calibrator. What is used further are the
    chosen stack's probabilities, calibrated: the predictions of CALIBRATED.
    """

    chosen: str
    stackers: dict[str, Scores]
    weights: dict[str, Scores]
    kept: dict[str, str]
    calibration: dict[str, str]


class RuleSettings(Section):
    """A decision rule: its name, the beta that it was made for, and its thresholds where it has any.

    threshold: one for all free labels. thresholds: one for each of them.
    """

    name: str
    beta: float
    threshold: float | None
    thresholds: Scores


class OperatingPoint(Section):
    """A label's lowest threshold with the precision that was asked for, and what such a one finds out of fold.

    threshold: fitted on all folds. precision, recall: of thresholds that were fitted on the other folds, with 95 %
    intervals; no precision where they answer nothing. positives: chips in the folds that have the label.
    """

    asked: float
    threshold: float
    positives: int
    precision: float | None
    precision_interval: tuple[float, float] | None = Field(strict=False)
    recall: float
    recall_interval: tuple[float, float] | None = Field(strict=False)


class Decision(Document):
    """data/decide/rule.json: the chosen rule, each one's scores out of fold, and the alerts by label.

    rules: of each its F2; with a beta that is not 2 the F-beta too, which is then what the best is chosen by.
    """

    rule: RuleSettings
    rules: dict[str, Scores]
    alerts: dict[str, OperatingPoint]


class Origin(Document):
    """data/evaluate/lineage.json: commit, DVC's hashes of the data, and the MLflow runs that led to a bundle."""

    git_commit: str
    uncommitted_changes: bool
    dvc: dict[str, str]
    runs: dict[str, str]


class HoldOut(Section):
    """The hold-out's figures: F2 with its 95 % interval, mean average precision, and the number of chips."""

    f2: float
    map: float
    n: int
    f2_low: float
    f2_high: float


class Metrics(Document):
    """reports/metrics.json: the verdict in figures."""

    holdout: HoldOut
    oof: Scores
    learners: dict[str, Scores]
    stackers: dict[str, Scores]
    rules: dict[str, Scores]
    rare: dict[str, Scores]
    ladder: dict[str, Scores]
    calibration: dict[str, Scores]


class Version(Document):
    """data/register/version.json: the registered version, and the alias that it was given."""

    name: str
    version: int
    alias: str
