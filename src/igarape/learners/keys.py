"""The key of an unfinished result: a hash of all that the result depends on, so that nothing else is gone on with."""

from igarape.code import code_hash, libraries
from igarape.config.kinds import Experiment
from igarape.files import digest
from igarape.learners import learning, predictor
from igarape.learners.examples import Examples

SUFFIXES = {
    "network": ".onnx",
    "tabular": ".ubj",
    "kernel": ".npz",
    "fisher": ".fisher",
    "probe": ".onnx",
}  # of the fold models of each kind of learner


def learner_code(step: str, experiment: Experiment) -> str:
    """Return a hash of the code by which a step, search or train, makes a result of an experiment.

    The files that it names count too: its plugins, and the weights that it begins with.
    """
    trains, opens = learning.KINDS[experiment.kind], predictor.KINDS[SUFFIXES[experiment.kind]]
    return code_hash(f"igarape.stages.{step}", trains, opens, files=experiment.sources(), weights=experiment.files())


def result_key(step: str, examples: Examples, experiment: Experiment, *settings: object) -> str:
    """Return a hash of all that a result depends on, the versions of libraries among it.

    Parameters
    ----------
    step
        search or train, whose code counts.
    examples
        What is learned from.
    experiment
        Its settings count.
    *settings
        What else counts, by its repr.
    """
    code = learner_code(step, experiment)
    return digest([code, examples.digest, *map(repr, (libraries(), experiment, *settings))])
