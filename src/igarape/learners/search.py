"""The search over an experiment's hyperparameters: a keras-tuner oracle proposes, our trials train and are tracked.

Each finished trial is kept as a file, and each question to the oracle and each score as a line of a log (ask_tell). A
search that was killed replays that log, and trains only the trials that were not finished. keras-tuner's own saved
state is not used: it loses the trial that was at work when the process was killed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from igarape.config.hyperparameters import Value, Values
from igarape.config.kinds import Experiment
from igarape.config.spaces import Space
from igarape.errors import InputError
from igarape.executors import Executor
from igarape.labels import Booleans, Targets
from igarape.learners.ask_tell import AskTell, Proposal
from igarape.learners.examples import Images, Rows
from igarape.learners.learning import Log, Training, fit
from igarape.learners.oracles import Budget, make_oracle, planned
from igarape.learners.trials import Row, TrialRun, Trials
from igarape.progress import DetailedReport
from igarape.scores.figures import validation_figures

EVENTS = "events.jsonl"


@dataclass(frozen=True)
class Found:
    """What a search found: the best hyperparameters, their score, and one row per trial."""

    hyperparameters: Values
    score: float
    trial: str
    trials: pd.DataFrame


def search(
    images: Images,
    y: Booleans,
    *,
    experiment: Experiment,
    targets: Targets,
    train: Rows,
    validation: Rows,
    budget: Budget,
    folder: Path,
    trial_run: TrialRun,
    report: DetailedReport,
    executor: Executor | None = None,
) -> Found:
    """Train networks and return the hyperparameters that score best.

    A score is the experiment's objective as scores.figures computes it, of the last epoch's weights, by test-time
    augmentation where tta says so; the epochs' metrics are without. A trial that fails or diverges is a row without a
    score.

    Parameters
    ----------
    images
        Pictures, uint8 (n, size, size, 3).
    y
        Which labels hold, of shape (n, labels).
    experiment
        Says what may vary, and the objective.
    targets
        The labels that y has columns of.
    train, validation
        The rows that trials learn from, and those that they are scored on.
    budget
        How much the search may spend.
    folder
        Outlives a killed search, which goes on there where it stopped; it must be empty when anything else has changed.
    trial_run
        Called with (name, values), opens the record of one trial.
    report
        Called with (epochs done, of how many, what is going on).
    executor
        Trains, several trials at once or one after the other; None: this process. What is found does not depend on it.

    Raises
    ------
    InputError
        When three trials in a row fail, when none has a score, when no validation row holds any label, and at once when
        a trial raises one, for that is about what all trials share: weights, or a batch that does not fit the memory.
    """
    _require_positives(y[validation])
    train_one = partial(
        _train, images, y, experiment=experiment, targets=targets, train=train, validation=validation, seed=budget.seed
    )
    oracle = make_oracle(experiment, budget, folder)
    bound = planned(oracle, budget.epochs)
    with Trials(train_one, trial_run, folder, report, planned=bound, executor=executor) as trials:
        logged = AskTell(oracle, folder / EVENTS, kept=trials.kept)
        _run_trials(logged, trials, experiment.hyperparameters, epochs=budget.epochs, parallel=budget.parallel)
    return _found(trials, experiment.hyperparameters)


def _require_positives(y: Booleans) -> None:
    """Refuse validation chips (n, labels) that hold no label: no trial would have a score."""
    if not y.any():
        raise InputError(
            f"search: none of the {len(y)} validation chips holds any of the experiment's labels. Bring more chips "
            "that do, or take the experiment out of params.yaml"
        )


def _train(
    images: Images,
    y: Booleans,
    picked: Mapping[str, Value],
    epochs: int,
    log: Log,
    *,
    experiment: Experiment,
    targets: Targets,
    train: Rows,
    validation: Rows,
    seed: int,
) -> float:
    """Train an experiment with hyperparameters that were picked, and return its score."""
    hyperparameters = experiment.hyperparameters.pick(picked)
    training = Training(
        images,
        y,
        targets,
        train=train,
        validation=validation,
        epochs=epochs,
        patience=None,  # trials are compared at equal length
        seed=seed,
        log=log,
    )
    trained = fit(training, experiment=experiment, hyperparameters=hyperparameters)
    p = trained.predict(images, validation, tta=hyperparameters.averaged())
    return validation_figures(y[validation], p, targets=targets)[f"val_{experiment.objective}"]


def _run_trials(oracle: AskTell, trials: Trials, hyperparameters: Space[Values], *, epochs: int, parallel: int) -> None:
    """Try what the oracle proposes until it has nothing more to propose, so many trials at once.

    It is told of trials in the order in which it proposed them, whichever ends first. So what it proposes depends on
    how many are open, and not on who trains them and how fast.
    """

    def begin(proposal: Proposal) -> None:
        proposed = proposal.hyperparameters
        values = hyperparameters.pick(proposed).model_dump()
        # Hyperband lets the best trials of a round go on. No models are kept, so they are trained anew, for as many
        # epochs as they would then have had, along a schedule of that length.
        trials.begin(proposal.number, proposed, values, proposed.get("tuner/epochs", epochs))

    for number in oracle.told:
        trials.end(number)
    for proposal in oracle.open.values():
        begin(proposal)
    while True:
        while len(oracle.open) < parallel and (another := oracle.ask()):
            begin(another)
        if not oracle.open:
            return
        number = min(oracle.open)
        oracle.tell(number, trials.end(number)["score"])


def _found(trials: Trials, space: Space[Values]) -> Found:
    """Name the best trial, and lay out the table of all."""
    best = trials.best()
    table = pd.DataFrame([_laid_out(row) for row in trials.rows]).astype({"score": float})
    return Found(space.pick(best["hyperparameters"]), score=best["score"], trial=best["trial"], trials=table)


def _laid_out(row: Row) -> Row:
    """Lay out a row of the table: what became of the trial, its values, the last epoch's metrics as last_<metric>."""
    cells: Row = {name: row[name] for name in ("trial", "status", "score", "seconds", "memory_mb", "epochs", "error")}
    # A hyperparameter may have a metric's name: loss.
    return cells | dict(row["hyperparameters"]) | {f"last_{name}": value for name, value in row["metrics"].items()}
