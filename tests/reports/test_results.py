"""The results of the steps before; tests/stages/test_evaluate.py looks at what follows from a whole stream."""

from igarape.reports.results import Results


def test_the_hold_out_is_outside(results: Results) -> None:
    """Fold -1 lies in no fold."""
    assert results.inside.tolist() == [True, True, True, True, False, False]
    assert (results.known, results.held) == ([f"chip-{row}" for row in range(4)], ["chip-4", "chip-5"])


def test_a_learner_of_some_labels_is_apart(results: Results) -> None:
    """Its F2 is that of another task."""
    assert results.partial == {"rare": 1} and set(results.general) == {"sure", "unsure"}


def test_answers_are_given_in_the_folds_only_and_once(results: Results) -> None:
    """By the rule, each fold's fitted on the others: the fixed one has nothing to fit."""
    assert (results.answers == results.y[results.inside]).all()
    assert results.answers is results.answers
