"""The evidence for the verdict; tests/stages/test_evaluate.py looks at what follows from a whole stream."""

from igarape.reports.evidence import Evidence


def test_the_hold_out_is_outside(evidence: Evidence) -> None:
    """Fold -1 lies in no fold."""
    assert evidence.inside.tolist() == [True, True, True, True, False, False]
    assert (evidence.known, evidence.held) == ([f"chip-{row}" for row in range(4)], ["chip-4", "chip-5"])


def test_a_learner_of_some_labels_is_apart(evidence: Evidence) -> None:
    """Its F2 is that of another task."""
    assert evidence.partial == {"rare": 1} and set(evidence.general) == {"sure", "unsure"}


def test_answers_are_given_in_the_folds_only_and_once(evidence: Evidence) -> None:
    """By the rule, each fold's fitted on the others: the fixed one has nothing to fit."""
    assert (evidence.answers == evidence.y[evidence.inside]).all()
    assert evidence.answers is evidence.answers
