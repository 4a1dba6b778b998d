"""One training of a kernel machine: a logistic regression for each label on the chips' similarity to some of them."""

from typing import Any

import numpy as np

from igarape.config.hyperparameters import KernelValues
from igarape.config.kinds import Kernel
from igarape.labels import Booleans, Targets
from igarape.learners.examples import Images, Rows
from igarape.learners.kernels.landmarks import fit_landmarks
from igarape.learners.kernels.machine import KernelMap, Machine, standardised
from igarape.learners.learning import Log, log_losses
from igarape.learners.moments import deviation
from igarape.learners.trees.statistics import Table
from igarape.learners.trees.table import statistics_of


def fit(
    images: Images,
    y: Booleans,
    *,
    experiment: Kernel,
    hyperparameters: KernelValues,
    targets: Targets,
    train: Rows,
    validation: Rows,
    seed: int,
    log: Log,
    **_others: Any,
) -> Machine:
    """Solve for a kernel machine on the statistics of pictures.

    Parameters
    ----------
    images
        Pictures, uint8 (n, size, size, 3).
    y
        Which labels hold, of shape (n, labels).
    experiment
        Says the size.
    hyperparameters
        Of the machine.
    targets
        The labels that y has columns of.
    train, validation
        The rows to learn from, and those to score, of which there may be none.
    seed
        Of the choice of landmarks.
    log
        Called once, with (0, metrics): the loss, and validation_figures on the validation rows.
    **_others
        What else a training is told: epochs and patience. A solution depends on neither.
    """
    learned = statistics_of(images, train)
    machine = solve(learned, y[train], size=experiment.size, hyperparameters=hyperparameters, seed=seed)
    answered = machine.answer(statistics_of(images, validation))
    log_losses(log, (y[train], machine.answer(learned)), (y[validation], answered), targets=targets)
    return machine


def solve(table: Table, y: Booleans, *, size: int, hyperparameters: KernelValues, seed: int) -> Machine:
    """Fit a kernel machine to statistics.

    Parameters
    ----------
    table
        Statistics, of shape (n, statistics).
    y
        Which labels hold, of shape (n, labels).
    size
        Side of the chips in pixels, which the machine notes.
    hyperparameters
        Of the machine. gamma is by the number of statistics, so that it means the same whatever that is.
    seed
        Of the choice of landmarks.
    """
    spread = deviation(table, dtype=np.float64)
    mean, scale = table.mean(axis=0, dtype=np.float64), np.where(spread > 0, spread, 1.0)
    standard = standardised(table, mean=mean, scale=scale)
    gamma = hyperparameters.gamma / table.shape[1]
    fitted = fit_landmarks(
        standard,
        y,
        gamma=gamma,
        l2=hyperparameters.l2,
        balance=hyperparameters.balance,
        count=hyperparameters.landmarks,
        seed=seed,
    )
    return Machine(KernelMap(mean, scale, fitted.landmarks, gamma), fitted.weights, fitted.bias, size)
