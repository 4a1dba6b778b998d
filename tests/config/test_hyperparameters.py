"""The hyperparameters of each kind of learner: bounded, described, and neutral where nothing is said."""

import pytest
from pydantic.fields import FieldInfo

from igarape.config.hyperparameters import (
    FisherValues,
    KernelValues,
    NetworkValues,
    ProbeValues,
    TreeValues,
    Values,
    bounds,
    words,
)

KINDS: tuple[type[Values], ...] = (NetworkValues, TreeValues, KernelValues, FisherValues, ProbeValues)
FIELDS = [(kind, name, field) for kind in KINDS for name, field in kind.model_fields.items()]


@pytest.mark.parametrize(("kind", "name", "field"), FIELDS, ids=[f"{kind.__name__}.{name}" for kind, name, _ in FIELDS])
def test_each_is_a_number_with_bounds_or_a_word_and_says_what_it_means(
    kind: type[Values], name: str, field: FieldInfo
) -> None:
    """Its default is one of its own values, and a sentence explains it."""
    assert str(field.description).endswith(".")
    if known := words(field):
        assert field.default in known
    else:
        low, high = bounds(field)
        assert low <= field.default <= high and low < high
    assert kind().model_dump()[name] == field.default


def test_values_are_frozen_and_closed() -> None:
    """A misspelled one is an error, not a new attribute."""
    values = NetworkValues()
    with pytest.raises(ValueError, match="frozen"):
        values.dropout = 0.5
    with pytest.raises(ValueError, match="dropuot"):
        NetworkValues.model_validate({"dropuot": 0.5})


def test_a_network_says_whether_it_is_asked_from_eight_sides() -> None:
    """By its own switch; trees and probes never, whose statistics and features are those of all views."""
    assert [NetworkValues(tta=tta).averaged() for tta in (False, True)] == [False, True]
    assert not any(kind().averaged() for kind in KINDS if kind is not NetworkValues)
