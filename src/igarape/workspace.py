"""A project's folder: what each step reads and writes, from wherever it is asked."""

import os
from dataclasses import dataclass
from pathlib import Path

from igarape.errors import InputError

# In the order in which `dvc repro` runs them.
STEPS = (
    "code",
    "ingest",
    "dehaze",
    "nir",
    "split",
    "describe",
    "resolve",
    "search",
    "train",
    "stack",
    "decide",
    "distill",
    "evaluate",
    "register",
)
PER_EXPERIMENT = ("search", "train")
PARAMS = "params.yaml"
# Which step packs each kind of chips that a learner can see.
PACKED_BY = {"raw": "ingest", "dehazed": "dehaze", "nir": "nir"}


@dataclass(frozen=True)
class Workspace:
    """The folder that holds params.yaml, and the names of all that lies below it.

    A step's results lie in data/STEP, or data/STEP/EXPERIMENT; what only tells of a run (its id in MLflow), on which no
    later step depends, in data/runs.
    """

    root: Path

    def __init__(self, root: str | Path) -> None:
        """Take a folder, as a path or as its text."""
        object.__setattr__(self, "root", Path(root))  # the class is frozen

    @classmethod
    def find(cls, start: str | Path | None = None) -> "Workspace":
        """Return the workspace that a folder (None: where we stand) lies in, with a path relative to where we stand.

        Raises InputError when neither it nor a folder above it holds params.yaml.
        """
        here = Path(start or "").resolve()
        for folder in (here, *here.parents):
            if (folder / PARAMS).is_file():
                return cls(Path(os.path.relpath(folder)))
        raise InputError(
            f"{PARAMS}: not found in {here}, nor in a folder above it. Run igarape in the project's folder, or in one "
            "below it"
        )

    @property
    def params(self) -> Path:
        """Return params.yaml."""
        return self.root / PARAMS

    @property
    def datasets(self) -> Path:
        """Return the folder of the data sets' YAMLs."""
        return self.root / "datasets"

    def corrections(self, dataset: str) -> Path:
        """Return the list of a data set's labels that are corrected; it may be missing."""
        return self.datasets / f"{dataset}.corrections.csv"

    @property
    def experiments(self) -> Path:
        """Return the folder of the experiments' YAMLs."""
        return self.root / "experiments"

    @property
    def sites(self) -> Path:
        """Return the folder of the YAMLs of sites that are watched, and of what is known of them."""
        return self.root / "sites"

    @property
    def lock(self) -> Path:
        """Return dvc.lock."""
        return self.root / "dvc.lock"

    @property
    def data(self) -> Path:
        """Return the folder of all results."""
        return self.root / "data"

    @property
    def reports(self) -> Path:
        """Return the folder of what people read."""
        return self.root / "reports"

    @property
    def outbox(self) -> Path:
        """Return the folder of what MLflow has not been told yet."""
        return self.data / ".unsent"

    @property
    def spool(self) -> Path:
        """Return the folder that archives are unpacked into."""
        return self.data / ".unfinished" / "spool"

    def folder(self, step: str, experiment: str | None = None) -> Path:
        """Return the folder that a step writes, for an experiment where it runs for each."""
        return self.data / step / experiment if experiment else self.data / step

    def run(self, step: str, experiment: str | None = None) -> Path:
        """Return what tells of the latest run of a step."""
        return self.data / "runs" / f"{step}@{experiment}.json" if experiment else self.data / "runs" / f"{step}.json"

    def code(self, step: str, experiment: str | None = None) -> Path:
        """Return the hash of the code of a step."""
        return self.folder("code") / step / experiment if experiment else self.folder("code") / step

    def chips(self, kind: str) -> Path:
        """Return the folder of packed chips: raw, dehazed or nir."""
        return self.folder(PACKED_BY[kind])

    def catalog(self, kind: str = "raw") -> Path:
        """Return the table of packed chips: raw, dehazed or nir."""
        return self.chips(kind) / "catalog.parquet"

    @property
    def inventory(self) -> Path:
        """Return what tells which files the chips were packed from."""
        return self.data / "source.json"

    @property
    def applied(self) -> Path:
        """Return the table of corrections that were applied to the catalogs."""
        return self.folder("ingest") / "corrections.parquet"

    @property
    def folds(self) -> Path:
        """Return the table of folds."""
        return self.folder("split") / "folds.parquet"

    @property
    def groups(self) -> Path:
        """Return the table of groups: what belongs together, and was dealt together."""
        return self.folder("split") / "groups.parquet"

    @property
    def aside(self) -> Path:
        """Return the table of labelled chips that are in no fold and not held out: those of labels.thin."""
        return self.folder("split") / "aside.parquet"

    def resolved(self, experiment: str) -> Path:
        """Return an experiment as it is when all that its YAML builds on is put together."""
        return self.folder("resolve") / f"{experiment}.json"

    def best(self, experiment: str) -> Path:
        """Return what the search of an experiment has found."""
        return self.folder("search", experiment) / "best.json"

    def learner(self, experiment: str) -> Path:
        """Return the manifest of a trained learner."""
        return self.folder("train", experiment) / "learner.json"

    @property
    def all_trained(self) -> Path:
        """Return the folder of hashes of the listed learners' results, on which DVC lets later steps depend."""
        return self.data / "trained"

    def trained(self, experiment: str) -> Path:
        """Return the hash of a listed learner's result."""
        return self.all_trained / experiment

    def predictions(self, experiment: str) -> Path:
        """Return a learner's predictions."""
        return self.folder("train", experiment) / "predictions.parquet"

    @property
    def bundle(self) -> Path:
        """Return the folder of the whole ensemble."""
        return self.folder("evaluate") / "bundle"

    @property
    def student(self) -> Path:
        """Return the folder of the student as a bundle; it is missing where there is no student."""
        return self.folder("evaluate") / "student"

    @property
    def student_answers(self) -> Path:
        """Return the answers table of the student, which its version carries under the name that the ensemble's has."""
        return self.folder("evaluate") / "of_student" / "answers.parquet"

    @property
    def doubts(self) -> Path:
        """Return the labels that the models doubt, for people to review."""
        return self.reports / "doubts.csv"

    @property
    def review(self) -> Path:
        """Return the page on which people review them."""
        return self.reports / "review.html"

    @property
    def metrics(self) -> Path:
        """Return the verdict in figures."""
        return self.reports / "metrics.json"
