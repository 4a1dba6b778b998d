"""The key of an unfinished result: a hash of all that the result depends on, so that nothing else is gone on with."""

from igarape.code import code_hash
from igarape.config.experiments import Experiment
from igarape.files import digest
from igarape.learners.examples import Examples
from igarape.learners.learning import KINDS


def learner_code(step: str, experiment: Experiment) -> str:
    """Return a hash of the code by which a step, search or train, makes a result of an experiment, its plugs' too."""
    return code_hash(f"igarape.stages.{step}", KINDS[experiment.kind], files=experiment.sources())


def result_key(step: str, examples: Examples, experiment: Experiment, *settings: object) -> str:
    """Return a hash of the examples, of the experiment, its files and the settings, and of the code of the step."""
    code = learner_code(step, experiment)
    return digest([code, examples.digest, *experiment.files(), *map(repr, (experiment, *settings))])
