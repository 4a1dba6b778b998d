"""What a search has found: data/search/E/best.json, as the step search writes it and the step train reads it."""

from dataclasses import dataclass
from pathlib import Path

from igarape.config.hyperparameters import Value, Values
from igarape.config.kinds import Experiment
from igarape.config.schema import Section, validate
from igarape.errors import InputError
from igarape.files import read_json, write_json

NAME = "best.json"


class _File(Section):
    """What best.json holds, and nothing else."""

    experiment: str
    hyperparameters: dict[str, Value]
    score: float
    trial: str


@dataclass(frozen=True)
class Best:
    """The best hyperparameters of an experiment, their score, and the trial that found them."""

    experiment: str
    hyperparameters: Values
    score: float
    trial: str

    def write(self, folder: Path) -> None:
        """Write it into the folder as best.json."""
        write_json(self.__dict__ | {"hyperparameters": self.hyperparameters.model_dump()}, folder / NAME)


def read_best(path: Path, experiment: Experiment) -> Best:
    """Read data/search/E/best.json.

    Raises InputError when there is no such file, when it is none that the search writes, or when this experiment's
    search could not find its values.
    """
    again = f"Run: igarape search --experiment {path.parent.name}"
    try:
        found = validate(_File, read_json(path), str(path))
    except InputError as error:
        raise InputError(f"{error}\n{again}") from error
    if mismatches := experiment.hyperparameters.mismatches(found.hyperparameters):
        raise InputError(
            f"{path}: {', '.join(mismatches)}: not as the experiment says, which has changed since that search. {again}"
        )
    return Best(**dict(found) | {"hyperparameters": experiment.hyperparameters.pick(found.hyperparameters)})
