"""The words of errors: a suggestion where one is close, the choices where none is."""

import pickle

import pytest

from igarape.errors import InputError, concealed, counted, did_you_mean, expect, reason, some


def test_what_to_do_next_may_stand_apart_from_the_problem() -> None:
    """Both are one text for people; what a process of its own raised is the same here."""
    error = pickle.loads(pickle.dumps(InputError("a.gif: is not read", "convert it")))  # noqa: S301 - our own
    assert (str(error), error.problem, error.remedy) == (
        "a.gif: is not read. Convert it",
        "a.gif: is not read",
        "convert it",
    )
    assert InputError("a.gif: is gone").remedy == ""


def test_the_closest_word_is_suggested() -> None:
    """A misspelled word gets the known word nearest to it."""
    assert did_you_mean("shufle", ["folds", "shuffle"]) == "; did you mean shuffle?"


def test_the_parent_is_shown_and_does_not_count_in_the_comparison() -> None:
    """The section stands before the suggestion, as the user has to type it, however long its name is."""
    assert did_you_mean("shufle", ["folds", "shuffle"], "split.") == "; did you mean split.shuffle?"
    assert "did you mean" not in did_you_mean("xyz", ["folds"], "split.")


@pytest.mark.parametrize("known", [["b", "a"], {"a", "b"}])
def test_without_a_close_word_all_choices_are_listed_in_order(known: list[str]) -> None:
    """Where nothing is close, the reader sees what there is."""
    assert did_you_mean("quite-different", known) == "; known are: a, b"


def test_one_is_not_written_as_several() -> None:
    """Nor several as one; none are several."""
    assert [counted(n, "tile") for n in (0, 1, 2)] == ["0 tiles", "1 tile", "2 tiles"]
    assert [counted(n, "batch", "batches") for n in (1, 3)] == ["1 batch", "3 batches"]


def test_what_nobody_would_see_of_a_name_is_spelled_out() -> None:
    """Blanks at its ends, no letter at all, and what a terminal takes for an order."""
    assert some(["a b", "São", " a"]) == "a b, São, ' a'"
    assert some(["", "\x1b[2J", "a\nb", "c", "d"]) == r"'', '\x1b[2J', 'a\nb' and 2 more"


def test_a_reason_is_the_same_in_each_run() -> None:
    """What an exception says of an object's address goes; what it says of the file stays."""
    error = OSError(f"cannot identify image file {object()!r}")
    assert reason(error) == "cannot identify image file"
    assert reason(ValueError("bad header at 0x7f3a5c001000, 4 bytes short")) == "bad header at, 4 bytes short"
    assert reason(ValueError("tag 0x1A has <3 bytes> left")) == "tag 0x1A has <3 bytes> left"
    assert reason(ValueError("too many threads\nor datasets.\nTry less")) == "too many threads or datasets. Try less"
    assert reason(ValueError()) == "ValueError"
    assert reason(KeyError(0)) == "KeyError 0"


def test_the_first_check_that_does_not_hold_is_told() -> None:
    """Where, what, what was expected and what was found."""
    expect("split", (True, "folds", "at least 2", 2))
    with pytest.raises(InputError, match=r"^split: holdout: expected less than 1, found 1\.5$"):
        expect(
            "split", (True, "folds", "at least 2", 2), (False, "holdout", "less than 1", 1.5), (False, "a", "b", "c")
        )


def test_users_and_passwords_in_addresses_are_not_told() -> None:
    """However the password is written; an address without one, and other signs, stay."""
    said = "MLflow at http://ana:p@ss:w0rd@mlflow:5000/x, postgresql+psycopg2://mlflow:x@db/tracking"
    assert concealed(said) == "MLflow at http://...@mlflow:5000/x, postgresql+psycopg2://...@db/tracking"
    assert concealed("postgresql://mlflow:a/b'c@db/tracking: refused") == "postgresql://...@db/tracking: refused"
    assert concealed("sqlite:///a/b@c.db http://mlflow:5000 'http://x' a@b") == (
        "sqlite:///a/b@c.db http://mlflow:5000 'http://x' a@b"
    )
