"""One training of a kernel machine: a logistic regression for each label on the chips' similarity to some of them."""

import numpy as np

from igarape.config.hyperparameters import KernelValues
from igarape.config.kinds import Kernel
from igarape.labels import Booleans
from igarape.learners.kernels.landmarks import fit_landmarks
from igarape.learners.kernels.machine import KernelMap, Machine, standardised
from igarape.learners.learning import Training
from igarape.learners.moments import deviation
from igarape.learners.trees.statistics import Table
from igarape.learners.trees.table import statistics_of


def fit(training: Training, *, experiment: Kernel, hyperparameters: KernelValues) -> Machine:
    """Solve for a kernel machine on the statistics of pictures; the seed is of its choice of landmarks."""
    images, train = training.images, training.train
    learned, size, seed = statistics_of(images, train), experiment.size, training.seed
    machine = solve(learned, training.y[train], size=size, hyperparameters=hyperparameters, seed=seed)
    training.log_solved(machine.answer(learned), machine.answer(statistics_of(images, training.validation)))
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
