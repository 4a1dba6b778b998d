"""search@E: the best knobs of an experiment. experiments/E.yaml, chips, folds -> data/search/E/."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from igarape.files import fresh_folder, write_json
from igarape.learners.examples import load_examples
from igarape.learners.experiment import read_experiment
from igarape.learners.search import Budget, TrialRun, search
from igarape.params import read_dataset, read_params
from igarape.progress import progress
from igarape.tables import write_table
from igarape.tracking import Log, Run, step_run

VALIDATION_FOLD = 0


def run(experiment: str) -> None:
    """Try knobs on the rows outside fold 0 and score them on fold 0; the hold-out takes no part."""
    params = read_params()
    settings = read_experiment(experiment)
    dataset = read_dataset(params.dataset)
    vocabulary = dataset.labels.vocabulary()
    labels = settings.targets(vocabulary)
    settings.check(vocabulary, nir=bool(dataset.tifs))
    folder = fresh_folder(Path("data/search") / experiment)
    budget = Budget(
        tuner=params.search.tuner,
        trials=params.search.trials,
        epochs=max(1, round(settings.epochs * params.search.budget)),
        seed=params.seed,
    )
    recorded = {"seed": params.seed, "dataset": params.dataset, "search": params.search.model_dump()}
    with step_run("search", params=recorded | {experiment: settings.model_dump()}, learner=experiment) as opened:
        with progress(f"search {experiment}: reading chips", "chip") as report:
            examples = load_examples(
                Path("data") / settings.chips,
                Path("data/split"),
                experiment=settings,
                labels=labels,
                report=report,
            )
        with progress(f"search {experiment}", "epoch") as report, TemporaryDirectory() as state:
            found = search(
                examples.pictures,
                examples.y,
                experiment=settings,
                exclusive=len(set(labels) & set(vocabulary.exclusive)),
                train=examples.outside(VALIDATION_FOLD),
                watch=np.flatnonzero(examples.folds == VALIDATION_FOLD),
                budget=budget,
                folder=Path(state),
                trial_run=_logs_of(opened),
                report=report,
            )
        write_table(found.trials, folder / "trials.parquet")
        best = {"knobs": dict(found.knobs), "score": found.score, "trial": found.trial, "run_id": opened.id}
        write_json({"experiment": experiment} | best, folder / "best.json")
        opened.metrics({f"best_val_{settings.objective}": found.score})
        opened.tags({"igarape.best_trial": found.trial})
        opened.table(found.trials, "trials.json")
        opened.artifact(folder)


def _logs_of(opened: Run) -> TrialRun:
    """Return what opens the record of a trial and gives its log."""

    @contextmanager
    def logs(name: str, knobs: Mapping[str, float | bool | str]) -> Iterator[Log]:
        with opened.trial(name, knobs) as trial:
            yield trial.log

    return logs
