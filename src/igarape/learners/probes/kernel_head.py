"""The head of a probe that compares chips by an RBF kernel: kernel logistic regression on principal components."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from igarape.labels import Booleans
from igarape.learners.kernels.landmarks import fit_landmarks
from igarape.learners.kernels.machine import FARTHEST, rbf_kernel
from igarape.learners.probes.heads import Floats, Step, Table, scale_of
from igarape.tables import Probabilities

# At most. With all of them a head scored no better on ucmerced, and its landmarks were as long as the features.
COMPONENTS = 256
LANDMARKS = 1000  # at most


@dataclass(frozen=True)
class KernelHead:
    """Logits are weights of exp(-gamma |z - landmark|^2), z the principal components of standardised features.

    mean and scale (channels,), projection (channels, components): float32. landmarks (m, components), weights
    (m, labels), bias (labels,): float64, as weights are large where landmarks are alike.
    """

    mean: Table
    scale: Table
    projection: Table
    landmarks: Floats
    gamma: float
    weights: Floats
    bias: Floats

    @property
    def outputs(self) -> int:
        """Return how many labels it predicts."""
        return len(self.bias)

    def answer(self, features: Table) -> Probabilities:
        """Return probabilities (n, labels) for features (n, channels)."""
        standard = np.clip((features - self.mean) / self.scale, -FARTHEST, FARTHEST)
        z = (standard @ self.projection).astype(np.float64)
        scores = rbf_kernel(z, self.landmarks, gamma=self.gamma) @ self.weights + self.bias
        p: Probabilities = np.exp(-np.logaddexp(0.0, -scores)).astype(np.float32)
        return p

    def scored(self) -> tuple[list[Step], Mapping[str, npt.NDArray[Any]]]:
        """Return the same as ONNX: steps from "features" to "scores", and constants."""
        double, single = 11, 1  # as ONNX numbers its types
        steps: list[Step] = [
            ("Sub", ["features", "usual"], "centred", {}),
            ("Div", ["centred", "deviation"], "scaled", {}),
            ("Clip", ["scaled", "lowest", "highest"], "standardised", {}),
            ("MatMul", ["standardised", "projection"], "projected", {}),
            ("Cast", ["projected"], "z", {"to": double}),
            ("Mul", ["z", "z"], "lengths", {}),
            ("ReduceSum", ["lengths", "over_components"], "length", {"keepdims": 1}),
            ("MatMul", ["z", "twice_landmarks"], "along", {}),
            ("Sub", ["length", "along"], "less", {}),
            ("Add", ["less", "squared_landmarks"], "distances", {}),
            ("Max", ["distances", "zero"], "away", {}),
            ("Mul", ["away", "fall"], "falling", {}),
            ("Exp", ["falling"], "likeness", {}),
            ("MatMul", ["likeness", "weights"], "weighted", {}),
            ("Add", ["weighted", "bias"], "logits", {}),
            ("Cast", ["logits"], "scores", {"to": single}),
        ]
        constants = {
            "usual": self.mean,
            "deviation": self.scale,
            "lowest": np.float32(-FARTHEST),
            "highest": np.float32(FARTHEST),
            "projection": self.projection,
            "over_components": np.array([1]),
            "twice_landmarks": np.ascontiguousarray(2 * self.landmarks.T),
            "squared_landmarks": (self.landmarks**2).sum(axis=1),
            "zero": np.float64(0),
            "fall": np.float64(-self.gamma),
            "weights": self.weights,
            "bias": self.bias,
        }
        return steps, {name: np.asarray(value) for name, value in constants.items()}


def fit_kernel_head(features: Table, y: Booleans, *, gamma: float, l2: float, balance: float, seed: int) -> KernelHead:
    """Fit a head to the similarity of chips to at most LANDMARKS of them.

    Parameters
    ----------
    features
        Of shape (n, channels), at least one row.
    y
        Which labels hold, of shape (n, labels).
    gamma
        How fast similarity falls: by the square of a distance, where the mean square between chips is 1.
    l2, balance
        As heads.fit_label takes them.
    seed
        Of the choice of landmarks, and of the components where there are many channels.
    """
    mean, scale = features.mean(axis=0), scale_of(features.astype(np.float64)).astype(np.float32)
    standard = np.clip((features - mean) / scale, -FARTHEST, FARTHEST)
    with threadpool_limits(1):  # as in heads.fit_head
        components = min(COMPONENTS, *standard.shape)
        projection = PCA(components, random_state=seed).fit(standard).components_.T if len(standard) > 1 else None
    if projection is None:  # a single chip is like itself, and has no components
        projection = np.zeros((standard.shape[1], 1), np.float32)
    projection = np.ascontiguousarray(projection, dtype=np.float32)
    z = (standard @ projection).astype(np.float64)
    fall = gamma / (2 * z.var(axis=0).sum() or 1.0)  # the mean square of a distance is twice the sum of the variances
    fitted = fit_landmarks(z, y, gamma=fall, l2=l2, balance=balance, count=LANDMARKS, seed=seed)
    return KernelHead(mean, scale, projection, fitted.landmarks, fall, fitted.weights, fitted.bias)
