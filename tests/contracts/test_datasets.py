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
WITH_FULL = [name for name in NAMES if read_dataset(name, ROOT / "datasets").full is not None]


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_begins_with_a_comment_that_says_what_it_is(name: str) -> None:
    """The first line is a comment."""
    assert (ROOT / f"datasets/{name}.yaml").read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize(("name", "full"), [*((name, False) for name in NAMES), *((name, True) for name in WITH_FULL)])
def test_using_a_data_set_gives_valid_parameters_and_experiments_that_exist(
    name: str, full: bool, tmp_path: Path
) -> None:
    """After `igarape use NAME`, with --full too, they are valid, and the data set can serve each experiment listed."""
    for part in ("datasets", "experiments"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    here = Workspace(tmp_path)
    use.run(here, name, full=full)
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
    default = read_params(here.params).dataset
    for name in NAMES:
        use.run(here, name, full=name in WITH_FULL)
    use.run(here, default)
    assert (tmp_path / "params.yaml").read_text(encoding="utf-8") == before


def test_planet_has_a_full_of_raw_and_dehazed_chips_at_their_own_size() -> None:
    """The networks of the competition's scores, each on both kinds of chips."""
    planet = read_dataset("planet", ROOT / "datasets")
    assert planet.full is not None
    vocabulary = planet.labels.vocabulary()
    found = read_experiments(tuple(planet.full["experiments"]), vocabulary, ROOT / "experiments", nir=True)
    whole = [experiment for experiment in found.values() if experiment.labels == "all"]
    backbones = {"resnet50", "densenet121", "efficientnet_v2b0", "convnext_tiny", "mobilenet"}
    assert {(one.backbone, one.chips) for one in whole} == {
        (b, chips) for b in backbones for chips in ("raw", "dehazed")
    }
    assert {one.size for one in whole} == {planet.size}
