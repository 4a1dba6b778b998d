"""One training of a fisher learner: a mixture of the training chips' patches, and a logistic regression a label."""

import numpy as np
from threadpoolctl import threadpool_limits

from igarape.config.hyperparameters import FisherValues
from igarape.config.kinds import Fisher
from igarape.labels import Booleans
from igarape.learners.feature_cache import scratch
from igarape.learners.fisher.machine import Head, Machine
from igarape.learners.fisher.mixture import Table
from igarape.learners.fisher.patches import descriptors
from igarape.learners.fisher.words import CHIPS, fit_mixture, sample
from igarape.learners.learning import Training
from igarape.learners.moments import deviation, parts
from igarape.learners.probes.heads import fit_label

# The weights are sought among sums of so many chips' vectors, of which a regression of thousands of weights is one of
# thousands of rows. With no more chips than that, these hold the best weights of all, and nothing is lost.
SPANNED = 2000


def fit(training: Training, *, experiment: Fisher, hyperparameters: FisherValues) -> Machine:
    """Fit a mixture to the patches of the training pictures, and solve for the head.

    The seed is of the chips and patches that the mixture is fitted to, and of its first means.
    """
    images, train, seed = training.images, training.train, training.seed
    rng = np.random.default_rng(seed)
    looked_at = rng.permutation(train)[:CHIPS]
    patches = sample([descriptors(images[row]) for row in looked_at], rng=rng)
    values = hyperparameters
    with threadpool_limits(1):  # small steps, and sums in the same order on all machines
        mixture = fit_mixture(patches, words=values.words, components=values.components, seed=seed)
        with scratch(images, (len(train), mixture.width)) as vectors:
            for place, row in enumerate(train):
                vectors[place] = mixture.fisher(descriptors(images[row]))
            head = solve(vectors, training.y[train], l2=values.l2, balance=values.balance, rng=rng)
            learned = head.answer_standardised(vectors)
        machine = Machine(mixture, head, experiment.size)
        training.log_solved(learned, machine.predict(images, training.validation, tta=False))
    return machine


def solve(vectors: Table, y: Booleans, *, l2: float, balance: float, rng: np.random.Generator) -> Head:
    """Fit a head to Fisher vectors (n, width), which are standardised in place: no second table fits into memory.

    Parameters
    ----------
    vectors
        Of shape (n, width), at least one row.
    y
        Which labels hold, of shape (n, labels).
    l2, balance
        As heads.fit_label takes them.
    rng
        Chooses the chips whose vectors the weights are sums of, where there are more than SPANNED.
    """
    spread = deviation(vectors, dtype=np.float32)
    scale = np.where(spread > 0, spread, np.float32(1))
    head = Head(vectors.mean(axis=0), scale, np.zeros((vectors.shape[1], 0), np.float32), np.zeros(0, np.float32))
    standard = head.standardised(vectors, into=vectors)
    chosen = rng.permutation(len(standard))[:SPANNED]
    basis, _ = np.linalg.qr(standard[chosen].T)
    turned = np.empty((len(standard), basis.shape[1]))
    for part in parts(len(standard)):
        turned[part] = standard[part] @ basis
    fitted = [fit_label(turned, holds, l2=l2, balance=balance) for holds in y.T]
    weights = basis @ np.stack([weights for weights, _ in fitted], axis=1).astype(np.float32)
    return Head(head.mean, scale, weights, np.array([bias for _, bias in fitted], dtype=np.float32))
