"""The key of an unfinished result: a hash of all that the result depends on, so that nothing else is gone on with."""

from pathlib import Path

from igarape.config.experiments import Experiment
from igarape.files import digest
from igarape.learners.examples import Examples


def result_key(examples: Examples, experiment: Experiment, *settings: object) -> str:
    """Return a hash of the examples, of the experiment, its files and the settings, and of the code that learns."""
    code = sorted(Path(__file__).parent.rglob("*.py"))
    return digest([*code, examples.digest, *experiment.files(), *map(repr, (experiment, *settings))])
