"""The key of an unfinished result: a hash of all that the result depends on, so that nothing else is gone on with."""

from pathlib import Path

from igarape.files import digest
from igarape.learners.examples import Examples


def result_key(examples: Examples, *settings: object) -> str:
    """Return a hash of the examples, of the settings' representations, and of the code that learns."""
    code = sorted(Path(__file__).parent.glob("*.py"))
    return digest([*code, _digest(examples), *map(repr, settings)])


def _digest(examples: Examples) -> str:
    """Return a hash of what is learned from."""
    arrays = (examples.pictures, examples.y, examples.folds)
    return digest([*(array.tobytes() for array in arrays), repr(list(examples.groups))])
