"""Each data set is valid, and `igarape use` it leads to parameters that are."""

import shutil
from pathlib import Path

import pytest

from igarape.config.datasets import read_dataset
from igarape.config.experiments import read_experiments
from igarape.config.params import read_params
from igarape.stages import use
from igarape.workspace import Workspace

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in (ROOT / "datasets").glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_begins_with_a_comment_that_says_what_it_is(name: str) -> None:
    """The first line is a comment."""
    assert (ROOT / f"datasets/{name}.yaml").read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("name", NAMES)
def test_using_a_data_set_gives_valid_parameters_and_experiments_that_exist(name: str, tmp_path: Path) -> None:
    """After `igarape use NAME` the parameters are valid, and the data set can serve each experiment they list."""
    for part in ("datasets", "experiments"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    here = Workspace(tmp_path)
    use.run(here, name)
    params = read_params(here.params)
    assert params.dataset == name
    dataset = read_dataset(name, here.datasets)
    known = read_experiments(params.experiments, dataset.labels.vocabulary(), here.experiments, nir=bool(dataset.tifs))
    assert tuple(known) == params.experiments


def test_using_the_default_data_set_changes_nothing(tmp_path: Path) -> None:
    """params.yaml stands as `igarape use` would write it, so switching away and back leaves no difference."""
    for part in ("datasets", "experiments"):
        shutil.copytree(ROOT / part, tmp_path / part)
    before = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(before, encoding="utf-8")
    here = Workspace(tmp_path)
    for name in [*NAMES, read_params(here.params).dataset]:
        use.run(here, name)
    assert (tmp_path / "params.yaml").read_text(encoding="utf-8") == before
