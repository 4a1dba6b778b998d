"""One training of boosted trees: XGBoost on the statistics of the chips, all labels in one booster."""

from collections.abc import Callable, Sequence
from typing import Any

import xgboost

from igarape.config.hyperparameters import TreeValues
from igarape.config.kinds import Tabular
from igarape.learners.examples import Rows
from igarape.learners.learning import Training
from igarape.learners.trees.forest import Trees
from igarape.learners.trees.statistics import names
from igarape.learners.trees.table import statistics_of
from igarape.scores.figures import validation_figures

BINS = 64  # of each statistic's values; 256 took twice the time on ucmerced and scored no better
POINTS = 50  # of each curve in the log

Evaluated = tuple[xgboost.DMatrix, str]


def fit(training: Training, *, experiment: Tabular, hyperparameters: TreeValues) -> Trees:
    """Boost trees on the statistics of pictures; a label that no row holds is answered with next to nothing.

    The seed is of the rows and columns that are drawn. At most POINTS rounds are logged, and the last one.
    """
    learned = _matrix(training, training.train, xgboost.QuantileDMatrix, max_bin=BINS)
    evals: list[Evaluated] = [(learned, "train")]
    callbacks: list[xgboost.callback.TrainingCallback] = []
    if len(training.validation):
        evals.append((_matrix(training, training.validation, xgboost.DMatrix), "validation"))
        if training.patience is not None:
            stop = xgboost.callback.EarlyStopping(rounds=training.patience, data_name="validation", save_best=True)
            callbacks.append(stop)
    booster = xgboost.train(
        _settings(hyperparameters, training.seed),
        learned,
        num_boost_round=training.epochs,
        evals=evals,
        # the logger sees the last round before the best one is gone back to
        callbacks=[_LogRounds(training, validated=evals[1:]), *callbacks],
        verbose_eval=False,
    )
    return Trees.of(booster, size=experiment.size, labels=training.y.shape[1])


def _matrix(training: Training, rows: Rows, make: Callable[..., xgboost.DMatrix], **settings: int) -> xgboost.DMatrix:
    """Return the statistics of some chips as XGBoost takes them."""
    table = statistics_of(training.images, rows)
    return make(table, training.y[rows], feature_names=names(), nthread=1, **settings)


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

    def __init__(self, training: Training, *, validated: Sequence[Evaluated]) -> None:
        """Take what says where to log, and the validation rows' matrix, where there is one."""
        super().__init__()
        self._training, self._validated = training, validated
        self._every = -(-training.epochs // POINTS)
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
                y = self._training.y[self._training.validation]
                p = model.predict(rows).reshape(y.shape)
                metrics |= validation_figures(y, p, targets=self._training.targets)
            self._training.log(epoch, metrics)
            self._pending = None
        return model
