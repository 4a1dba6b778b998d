"""What the contracts compare: the stages of dvc.yaml, and who imports whom."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml
from small_stream import ALWAYS, repro

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """Give the project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def pipeline() -> Mapping[str, Mapping[str, Any]]:
    """Give the stages of dvc.yaml by name; of a stage that stands for each experiment, what it does."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    return {name: stage.get("do", stage) for name, stage in stages.items()}


@pytest.fixture(scope="session")
def graph() -> grimp.ImportGraph:
    """Give the imports of igarape, its own and those of other packages."""
    return grimp.build_graph("igarape", include_external_packages=True, cache_dir=None)


@pytest.fixture(scope="module")
def project(small_stream: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the small stream, in which each test goes on from the one before."""
    folder = Path(shutil.copytree(small_stream, tmp_path_factory.mktemp("reruns") / small_stream.name))
    assert repro(folder) == ALWAYS
    return folder
