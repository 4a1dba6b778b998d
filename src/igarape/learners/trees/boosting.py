"""One training of boosted trees: XGBoost on the statistics of the chips, all labels in one booster."""

from collections.abc import Sequence
from typing import Any

import xgboost

from igarape.config.hyperparameters import TreeValues
from igarape.config.kinds import Tabular
from igarape.labels import Booleans, Targets
from igarape.learners.examples import Images, Rows
from igarape.learners.learning import Log
from igarape.learners.trees.forest import Trees
from igarape.learners.trees.statistics import names
from igarape.learners.trees.table import statistics_of
from igarape.scores.figures import validation_figures

BINS = 64  # of each statistic's values; 256 took twice the time on ucmerced and scored no better
POINTS = 50  # of each curve in the log

Evaluated = tuple[xgboost.DMatrix, str]


def fit(
    images: Images,
    y: Booleans,
    *,
    experiment: Tabular,
    hyperparameters: TreeValues,
    targets: Targets,
    train: Rows,
    validation: Rows,
    epochs: int,
    patience: int | None,
    seed: int,
    log: Log,
) -> Trees:
    """Boost trees on the statistics of pictures; a label that no row holds is answered with next to nothing.

    Parameters
    ----------
    images
        Pictures, uint8 (n, size, size, 3).
    y
        Which labels hold, of shape (n, labels).
    experiment
        Says the size.
    hyperparameters
        Of the trees.
    targets
        The labels that y has columns of.
    train, validation
        The rows to learn from, and those to stop by, of which there may be none.
    epochs
        Rounds of boosting.
    patience
        Rounds without a lower logarithmic loss on the validation rows after which boosting stops; the rounds up to the
        best one are kept. None: it does not stop.
    seed
        Of the rows and columns that are drawn.
    log
        Called with (round, metrics) at most POINTS times, and after the last one: loss, and validation_figures.
    """
    learned = xgboost.QuantileDMatrix(
        statistics_of(images, train), y[train], feature_names=names(), max_bin=BINS, nthread=1
    )
    evals: list[Evaluated] = [(learned, "train")]
    callbacks: list[xgboost.callback.TrainingCallback] = []
    if len(validation):
        validated = xgboost.DMatrix(statistics_of(images, validation), y[validation], feature_names=names(), nthread=1)
        evals.append((validated, "validation"))
        if patience is not None:
            callbacks.append(xgboost.callback.EarlyStopping(rounds=patience, data_name="validation", save_best=True))
    logger = _LogRounds(log, every=-(-epochs // POINTS), validated=evals[1:], y=y[validation], targets=targets)
    booster = xgboost.train(
        _settings(hyperparameters, seed),
        learned,
        num_boost_round=epochs,
        evals=evals,
        callbacks=[logger, *callbacks],  # the logger sees the last round before the best one is gone back to
        verbose_eval=False,
    )
    return Trees.of(booster, size=experiment.size, labels=y.shape[1])


def _settings(hyperparameters: TreeValues, seed: int) -> dict[str, Any]:
    """Return the hyperparameters in XGBoost's words."""
    return {
        "objective": "binary:logistic",
        "eval_metric": "logloss",
        "tree_method": "hist",
        "multi_strategy": "one_output_per_tree",
        "learning_rate": hyperparameters.learning_rate,
        "max_depth": hyperparameters.depth,
        "min_child_weight": hyperparameters.child_weight,
        "subsample": hyperparameters.subsample,
        "colsample_bynode": hyperparameters.columns,
        "reg_lambda": hyperparameters.l2,
        "max_bin": BINS,
        "seed": seed,
        "nthread": 1,  # the order of a sum over threads would change its last bits from machine to machine
    }


class _LogRounds(xgboost.callback.TrainingCallback):
    """Logs every so many rounds, and the last one."""

    def __init__(self, log: Log, *, every: int, validated: Sequence[Evaluated], y: Booleans, targets: Targets) -> None:
        """Take the log, and the validation rows' matrix with their truth, where there is one."""
        super().__init__()
        self._log, self._every, self._validated, self._y = log, every, validated, y
        self._targets = targets
        self._pending: tuple[int, float] | None = None

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: Any) -> bool:
        """Keep the round and its loss, and log them when it is their turn; never stop."""
        self._pending = epoch, float(evals_log["train"]["logloss"][-1])
        if (epoch + 1) % self._every == 0:
            self.after_training(model)
        return False

    def after_training(self, model: xgboost.Booster) -> xgboost.Booster:
        """Log the latest round, if that has not been done."""
        if self._pending:
            epoch, loss = self._pending
            metrics = {"loss": loss}
            for rows, _ in self._validated:
                p = model.predict(rows).reshape(self._y.shape)
                metrics |= validation_figures(self._y, p, targets=self._targets)
            self._log(epoch, metrics)
            self._pending = None
        return model
