"""Rules and operating points as lines of text and rows of the report: precision and recall out of fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from igarape.config.documents import OperatingPoint
from igarape.ensemble.alerts import operating_point
from igarape.labels import Booleans, Vocabulary
from igarape.scores.metrics import BETA, Reals
from igarape.tables import Folds

RARE = 0.5  # the precision at which rare labels are looked at


@dataclass(frozen=True)
class OperatingRow:
    """A row of the report: a label, the precision asked for, its operating point if there is one.

    alert: whether the label raises an alert there.
    """

    label: str
    asked: float
    point: OperatingPoint | None
    alert: bool


def operating_rows(
    y: Booleans,
    p: Reals,
    folds: Folds,
    *,
    groups: Sequence[str],
    alerts: Mapping[str, OperatingPoint],
    vocabulary: Vocabulary,
    seed: int,
) -> list[OperatingRow]:
    """Return a row for each rare label, at its operating point of precision RARE, and one for each alert.

    Parameters
    ----------
    y, p
        Truth and probabilities, each of shape (n, labels).
    folds
        Of shape (n,); the hold-out has no part.
    groups
        The group of each chip, (n,).
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
        point = operating_point(y[:, column], p[:, column], folds, groups=groups, precision=RARE, seed=seed)
        rows.append(OperatingRow(label, RARE, point, alert=False))
    return rows + [OperatingRow(label, point.asked, point, alert=True) for label, point in alerts.items()]


def with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    """Return a share with its interval as text."""
    if value is None:
        return "none"
    return f"{value:.3f}" + (f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else "")


def answers_line(y: Booleans, predicted: Booleans) -> str:
    """Return a sentence on precision and recall of tags that were predicted, against truth y; both (n, labels)."""
    hits, given, there = (int(each.sum()) for each in (y & predicted, predicted, y))
    right, found = (f"{100 * hits / max(count, 1):.0f} of 100" for count in (given, there))
    return f"On the hold-out {right} tags that it gives are right, and it finds {found} that hold."


def alert_lines(alerts: Mapping[str, OperatingPoint]) -> list[str]:
    """Return a line for each alert: its threshold, precision and recall."""
    lines = []
    for label, point in alerts.items():
        precision = with_interval(point.precision, point.precision_interval)
        recall = with_interval(point.recall, point.recall_interval)
        lines.append(
            f"alert {label} from {point.threshold:.4f} on: precision {precision}, asked {point.asked:g}; "
            f"recall {recall} of {point.positives} chips; out of fold, 95 %"
        )
    return lines


def rules_line(scores: Mapping[str, Mapping[str, float]], beta: float) -> str:
    """Return the rules' scores as one line: F2, after the F-beta that they were fitted for if that is another."""
    f2 = scores_line(scores, "f2")
    if beta == BETA:
        return f"F2 out of fold: {f2}"
    return f"{fbeta_name(beta)} out of fold: {scores_line(scores, 'fbeta')}; F2: {f2}"


def fbeta_name(beta: float) -> str:
    """Name the F-beta: F2, F0.5."""
    return f"F{beta:g}"


def scores_line(scores: Mapping[str, Mapping[str, float]], figure: str) -> str:
    """Return one figure of several scores as one line, in their order."""
    return ", ".join(f"{name} {each[figure]:.4f}" for name, each in scores.items())
