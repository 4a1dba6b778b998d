"""What a served model brings and asks for is what it imports, and that is enough to answer."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import mlflow
import pytest

from igarape.serving import closure as module
from igarape.serving.closure import copy_code, modules, requirements
from igarape.serving.registry import champion_uri


def test_what_is_imported_is_listed_and_nothing_else() -> None:
    """However indirectly (filelock) or late (tifffile); not what trains, tracks or reports."""
    names = [line.partition("==")[0] for line in requirements()]
    assert all("==" in line for line in requirements())
    assert {"filelock", "imagecodecs", "mlflow", "onnxruntime", "opencv-python-headless", "tifffile"} <= set(names)
    assert not {"tensorflow", "keras", "keras-tuner", "dvc", "igarape", "ray", "psutil"} & set(names)
    assert len(names) == len(set(names))


def test_the_modules_are_those_that_answer() -> None:
    """With the packages around them; no stage, no training, no tracking."""
    found = set(modules())
    assert {"igarape", "igarape.serving", "igarape.serving.pyfunc", "igarape.chips.tif"} <= found
    assert {"igarape.learners.networks.sessions", "igarape.learners.trees.forest"} <= found  # which are loaded by name
    assert not [
        name for name in found if name.startswith(("igarape.stages", "igarape.tracking", "igarape.learners.networks.t"))
    ]
    assert "igarape.serving.registry" not in found


def test_the_copied_code_imports_by_itself(tmp_path: Path) -> None:
    """Nothing that is left out is missing, also where a function imports it."""
    assert copy_code(tmp_path) == tmp_path / "igarape"
    names = list(modules())
    program = f"import importlib, igarape; [importlib.import_module(each) for each in {names}]; print(igarape.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(tmp_path / "igarape/__init__.py")
    assert sorted(path.suffix for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".pyc") == [
        ".py"
    ] * len(names)


def test_what_a_package_imports_when_it_is_asked_is_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An __init__.py may offer everything, and import it late; what it imports at once counts, and so does the rest."""
    package = tmp_path / "igarape"
    package.mkdir()
    (package / "__init__.py").write_text("import json\n\ndef late():\n    import tensorflow\n")
    (package / "entrance.py").write_text("def answer():\n    from igarape import parts\n    import numpy.linalg\n")
    (package / "parts.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import keras\nimport yaml\n"
    )
    program = (
        "import json; from importlib.util import spec_from_file_location, module_from_spec as made\n"
        f"spec = spec_from_file_location('closure', {module.__file__!r})\n"
        "closure = made(spec); spec.loader.exec_module(closure)\n"
        "print(json.dumps([list(closure.modules('igarape.entrance')), closure.requirements('igarape.entrance')]))"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    found, asked = json.loads(done.stdout)
    assert found == ["igarape", "igarape.entrance", "igarape.parts"]
    assert [line.partition("==")[0] for line in asked] == ["imagecodecs", "numpy", "PyYAML"]


ANSWER = """
import importlib.util, sys
import mlflow
assert importlib.util.find_spec("tensorflow") is None
model = mlflow.pyfunc.load_model(sys.argv[1])
print(list(model.predict(model.input_example).columns)[0])
import igarape
print(igarape.__file__)
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("nir_champion")
def test_a_model_answers_in_an_environment_made_of_its_requirements(tmp_path: Path) -> None:
    """As `mlflow models serve --env-manager virtualenv` and `build-docker` make one; without TensorFlow."""
    model = Path(mlflow.artifacts.download_artifacts(champion_uri("igarape-toy"), dst_path=str(tmp_path / "model")))
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    python = environment / "bin/python"
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MLFLOW_"))}
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(model / "requirements.txt")], check=True, env=plain)
    done = subprocess.run(
        [str(python), "-c", ANSWER, str(model)], capture_output=True, text=True, check=True, env=plain, cwd=tmp_path
    )
    first, place = done.stdout.split()
    assert first == "tags"
    assert Path(place).is_relative_to(model)
