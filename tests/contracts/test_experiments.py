"""Each experiment says what it is for, is valid, and builds wherever its search may look."""

from pathlib import Path

import pytest
import tiny

from igarape.config.experiments import read_experiment
from igarape.config.network_kinds import Network
from igarape.reports.settings import render_table

FOLDER = Path(__file__).parents[2] / "experiments"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
LABELS = 7


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_begins_with_a_comment_that_says_what_it_asks(name: str) -> None:
    """The first line is a comment: what it asks, what it cost, what it scored."""
    assert (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_is_valid(name: str) -> None:
    """The schema takes the file as it stands."""
    assert read_experiment(name, FOLDER).epochs > 0


def test_the_documented_settings_are_those_that_there_are() -> None:
    """The tables of docs/experiments.md are what `igarape show --defaults` prints."""
    text = (FOLDER.parent / "docs/experiments.md").read_text(encoding="utf-8")
    tables = text.split("<!-- igarape show --defaults -->")[1].split("<!-- end -->")[0]
    if tables.strip() != render_table():
        pytest.fail("docs/experiments.md: paste what this prints: igarape show --defaults", pytrace=False)


@pytest.fixture(scope="session")
def built() -> set[tuple[object, ...]]:
    """Give the parts of networks that have been built: many experiments share theirs."""
    return set()


@pytest.mark.parametrize("name", [name for name in NAMES if isinstance(read_experiment(name, FOLDER), Network)])
def test_the_network_builds_at_both_ends_of_its_space(name: str, built: set[tuple[object, ...]]) -> None:
    """Smallest and largest hyperparameters give a network from pictures to a probability per label."""
    from igarape.learners.networks.backbones import build_network

    experiment = read_experiment(name, FOLDER)
    assert isinstance(experiment, Network)
    for hyperparameters in experiment.hyperparameters.ends():
        parts = {("body", experiment.backbone, hyperparameters.width), ("head", hyperparameters.loss)}
        if parts <= built:
            continue
        # Weights do not change the shape, and the tests have to run without them.
        targets = tiny.targets(LABELS, exclusive=3)
        model = build_network(experiment.backbone, "none", targets=targets, hyperparameters=hyperparameters)
        assert model.input_shape == (None, None, None, 3)
        assert model.output_shape == (None, LABELS)
        built.update(parts)
