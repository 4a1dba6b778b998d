"""What `import igarape` gives: a few names, each loaded when it is asked for, and the same as where it is made."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import assert_type

import pytest

import igarape
from igarape.chips.dehaze import dehaze
from igarape.chips.split import make_folds
from igarape.config.experiments import read_experiment
from igarape.config.kinds import Experiment
from igarape.errors import InputError
from igarape.learners.crossfit import cross_fit
from igarape.learners.folds import Recipe
from igarape.scores import metrics
from igarape.serving.bundle import Bundle
from igarape.serving.loading import load_bundle
from igarape.workspace import Workspace

ROOT = Path(__file__).parents[1]
HELD = {
    "Experiment": Experiment,
    "Recipe": Recipe,
    "Workspace": Workspace,
    "cross_fit": cross_fit,
    "dehaze": dehaze,
    "load_bundle": load_bundle,
    "metrics": metrics,
    "read_experiment": read_experiment,
    "split": make_folds,
}


@pytest.mark.parametrize("name", list(HELD))
def test_a_name_is_what_its_module_holds(name: str) -> None:
    """Not a copy, and not a wrapper: isinstance and `help` work."""
    assert getattr(igarape, name) is HELD[name]


def test_each_name_is_listed_once_for_all_who_ask() -> None:
    """`from igarape import *`, completion in a notebook, and the places that names are loaded from."""
    assert set(igarape.__all__) == {*HELD, "__version__"}
    assert set(igarape.PLACES) == set(HELD)
    assert set(igarape.__all__) <= set(dir(igarape))


def test_the_version_is_that_of_the_package() -> None:
    """As installed, which is what pyproject.toml says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert igarape.__version__ == version("igarape") == project["version"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cros_fit", "did you mean cross_fit?"),
        ("loadbundle", "did you mean load_bundle?"),
        ("xyz", "known are: Experiment,"),
    ],
)
def test_an_unknown_name_is_an_error_that_names_a_near_one(name: str, said: str) -> None:
    """Or all of them, where none is near."""
    with pytest.raises(AttributeError, match=rf"'igarape' has no attribute '{name}'; {re.escape(said)}"):
        getattr(igarape, name)


def test_modules_are_imported_beside_the_names() -> None:
    """The face hides none of them: Python asks it first, and then looks for a module of that name."""
    program = "from igarape import errors, workspace; import igarape; print(errors.__name__, workspace.__name__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["igarape.errors", "igarape.workspace"]


def test_no_library_tells_its_makers_of_a_model(tmp_path: Path, write_model: Callable[..., object]) -> None:
    """ONNX Runtime keeps what it would send in the home folder: below igarape nothing, and MLflow is silenced too."""
    write_model(tmp_path / "fold-0.onnx", 8, 4, 0)
    left = {}
    for first in ("igarape", "sys"):
        home = tmp_path / first
        home.mkdir()
        program = (
            f"import {first}, os, sys, onnxruntime; print(os.environ.get('MLFLOW_DISABLE_TELEMETRY')); "
            "onnxruntime.InferenceSession(sys.argv[1], providers=['CPUExecutionProvider'])"
        )
        # Nothing of ours: in a continuous integration neither tells anything.
        known = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ}
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "fold-0.onnx")],
            env=known | {"HOME": str(home)},
            capture_output=True,
            text=True,
            check=True,
        )
        left[first] = done.stdout.split(), sorted(home.rglob("*"))
    assert left["igarape"] == (["true"], [])
    if not left["sys"][1]:
        pytest.skip("this ONNX Runtime tells nothing by itself")


def test_sources_that_are_not_installed_have_no_version(tmp_path: Path) -> None:
    """A served model brings some of them: asking for the version says so."""
    (tmp_path / "igarape").mkdir()
    (tmp_path / "igarape/__init__.py").write_text(Path(str(igarape.__file__)).read_text(encoding="utf-8"))
    program = "import sys; sys.path.insert(0, sys.argv[1]); import igarape; igarape.__version__"
    words = [sys.executable, "-S", "-E", "-c", program, str(tmp_path)]  # without what is installed
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "AttributeError: igarape.__version__: these are igarape's sources" in done.stderr


def test_types_are_those_of_the_modules() -> None:
    """Mypy and editors see through the face: py.typed is there, no name is Any, and an unknown one is an error.

    All but the first, mypy tells, which `make check` runs on this file too: an error that it misses is a type: ignore
    that is not needed.
    """
    assert (ROOT / "src/igarape/py.typed").exists()
    assert_type(igarape.__version__, str)
    assert_type(igarape.Workspace(ROOT), Workspace)
    assert_type(igarape.metrics.BETA, float)
    with pytest.raises(AttributeError):
        igarape.nothing  # type: ignore[attr-defined]  # noqa: B018 - it is asked for
    with pytest.raises(InputError):
        assert_type(igarape.load_bundle(ROOT / "nowhere"), Bundle)
