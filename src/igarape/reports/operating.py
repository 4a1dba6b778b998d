"""Rules and operating points in words and rows: what answers find, and from where on, out of fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from igarape.config.documents import OperatingPoint
from igarape.ensemble.alerts import operating_point
from igarape.labels import Booleans, Vocabulary
from igarape.scores.metrics import BETA, Reals
from igarape.tables import Folds

RARE = 0.5  # the precision at which rare labels are looked at


@dataclass(frozen=True)
class Mark:
    """A row of the report: a label, the precision asked for, its operating point if there is one.

    alert: whether the label raises an alert there.
    """

    label: str
    asked: float
    point: OperatingPoint | None
    alert: bool


def marks(
    y: Booleans,
    p: Reals,
    folds: Folds,
    *,
    alerts: Mapping[str, OperatingPoint],
    vocabulary: Vocabulary,
    seed: int,
) -> list[Mark]:
    """Look at each rare label at the precision RARE, and at the alerts.

    Parameters
    ----------
    y, p
        Truth and probabilities, each of shape (n, labels).
    folds
        Of shape (n,); the hold-out has no part.
    alerts
        Their operating points, by label.
    vocabulary
        The labels.
    seed
        Of the bootstrap.
    """
    rows = []
    for label in vocabulary.rare:
        column = vocabulary.labels.index(label)
        point = operating_point(y[:, column], p[:, column], folds, precision=RARE, seed=seed)
        rows.append(Mark(label, RARE, point, alert=False))
    return rows + [Mark(label, point.asked, point, alert=True) for label, point in alerts.items()]


def bounded(value: float | None, interval: Sequence[float] | None) -> str:
    """Say a share and its interval."""
    if value is None:
        return "none"
    return f"{value:.3f}" + (f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else "")


def answers_in_words(y: Booleans, predicted: Booleans) -> str:
    """Say how many of the tags that are given are right, and how many that hold are given; both (n, labels)."""
    hits, given, there = (int(each.sum()) for each in (y & predicted, predicted, y))
    right, found = (f"{100 * hits / max(count, 1):.0f} of 100" for count in (given, there))
    return f"On the hold-out {right} tags that it gives are right, and it finds {found} that hold."


def alerts_in_words(alerts: Mapping[str, OperatingPoint]) -> list[str]:
    """Say each alert in one line, as a terminal shows it."""
    return [
        f"alert {label} from {point.threshold:.4f} on: precision {bounded(point.precision, point.precision_interval)}, "
        f"asked {point.asked:g}; recall {bounded(point.recall, point.recall_interval)} of {point.positives} chips; "
        "out of fold, 95 %"
        for label, point in alerts.items()
    ]


def rules_in_words(scores: Mapping[str, Mapping[str, float]], beta: float) -> str:
    """Say the rules' scores in one line: F2, after the F-beta that they were made for if that is another."""
    f2 = figure_of_each(scores, "f2")
    if beta == BETA:
        return f"F2 out of fold: {f2}"
    return f"{name_of(beta)} out of fold: {figure_of_each(scores, 'fbeta')}; F2: {f2}"


def name_of(beta: float) -> str:
    """Name the F-beta: F2, F0.5."""
    return f"F{beta:g}"


def figure_of_each(scores: Mapping[str, Mapping[str, float]], figure: str) -> str:
    """Say one figure of several in one line, in their order."""
    return ", ".join(f"{name} {each[figure]:.4f}" for name, each in scores.items())
