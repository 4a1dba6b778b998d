"""What a served model brings and asks for is what it imports, and that is enough to answer."""

import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution, packages_distributions
from io import BytesIO
from pathlib import Path

import mlflow
import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tifffile import imwrite

from igarape.chips.pictures import encode_jpeg, encode_png
from igarape.serving import closure as module
from igarape.serving.closure import copy_code, modules, requirements
from igarape.serving.registry import champion_uri


def test_what_is_imported_is_listed_and_nothing_else() -> None:
    """However indirectly (filelock) or late (tifffile); not what trains, tracks or reports."""
    names = [line.partition("==")[0] for line in requirements()]
    assert all("==" in line for line in requirements())
    assert {"filelock", "imagecodecs", "mlflow", "onnxruntime", "opencv-python-headless", "tifffile"} <= set(names)
    heavy = {"tensorflow", "keras", "keras-tuner", "dvc", "igarape", "ray", "psutil", "scikit-learn", "scipy"}
    assert not heavy & set(names)
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


# Refuses to import some packages, as if they were not installed; imports the modules, and answers.
REFUSING = """
import importlib, json, sys
from pathlib import Path
names, refused, bundle, data = json.loads(sys.stdin.read())

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"{name}: nothing that is required brings it", name=name)

sys.meta_path.insert(0, Refuse())
for each in names:
    importlib.import_module(each)
from igarape.serving.bundle import Bundle
answer = Bundle.load(Path(bundle)).answer([bytes.fromhex(each) for each in data])
import igarape
print(igarape.__file__, len(answer))
"""


@pytest.fixture(scope="module")
def brought() -> Mapping[str, set[str]]:
    """Give the distributions that bring each package of this environment, but for our own, which is copied."""
    found = packages_distributions()
    return {top: {*map(canonicalize_name, names)} for top, names in found.items() if top != module.PACKAGE}


def needed(asked: Sequence[str]) -> set[str]:
    """Return the distributions that installing requirements brings, in this environment."""
    waiting = [Requirement(each) for each in asked]
    found: dict[str, set[str]] = {}  # the extras of each that have been followed
    while waiting:
        one = waiting.pop()
        name, extras = canonicalize_name(one.name), {"", *one.extras}
        if extras <= found.get(name, set()):
            continue
        found.setdefault(name, set()).update(extras)
        brings = map(Requirement, distribution(name).requires or ())
        waiting += [
            each
            for each in brings
            if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in extras)
        ]
    return set(found)


def refusing(code: Path, refused: Sequence[str], bundle: Path, *pictures: bytes) -> subprocess.CompletedProcess[str]:
    """Import the copied code, and answer, where some packages cannot be imported."""
    return subprocess.run(
        [sys.executable, "-c", REFUSING],
        input=json.dumps([list(modules()), refused, str(bundle), [picture.hex() for picture in pictures]]),
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PYTHONPATH": str(code)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_copied_code_answers_by_itself_with_what_it_asks_for(
    tmp_path: Path, tabular_bundle_folder: Path, brought: Mapping[str, set[str]]
) -> None:
    """Nothing that is left out is missing, also where a function imports it, or a package in the depth of its own.

    Networks and trees answer a JPEG, a PNG and a TIF that is compressed.
    """
    assert copy_code(tmp_path) == tmp_path / "igarape"
    chip = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    tif = BytesIO()
    imwrite(tif, chip, photometric="rgb", compression="lzw")
    pictures = (encode_jpeg(chip, 95), encode_png(chip), tif.getvalue())
    allowed = needed(requirements())
    refused = [top for top, names in brought.items() if not names & allowed]
    assert {"tensorflow", "keras", "dvc", "onnx"} <= set(refused)
    done = refusing(tmp_path, refused, tabular_bundle_folder, *pictures)
    assert done.stdout.split() == [str(tmp_path / "igarape/__init__.py"), "3"], done.stderr
    copied = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert [path.suffix for path in copied] == [".py"] * len(modules())


@pytest.mark.parametrize("missing", ["filelock", "imagecodecs"])
def test_a_requirement_that_is_missing_is_found_out(brought: Mapping[str, set[str]], missing: str) -> None:
    """So the test above would tell: nothing else that is asked for brings it."""
    asked = [line for line in requirements() if not line.startswith(f"{missing}==")]
    assert [top for top, names in brought.items() if missing in names and not names & needed(asked)]


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
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("champion")
def test_mlflow_makes_an_image_of_it(tmp_path: Path) -> None:
    """`mlflow models generate-dockerfile` writes what build-docker builds: the model, and what to install for it."""
    image = tmp_path / "image"
    words = ["models", "generate-dockerfile", "--model-uri", champion_uri("igarape-toy"), "-d", str(image)]
    subprocess.run([sys.executable, "-m", "mlflow", *words], check=True, capture_output=True, cwd=tmp_path)
    recipe = (image / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^COPY model_dir /opt/ml/model$", recipe, flags=re.MULTILINE)
    asked = (image / "model_dir/requirements.txt").read_text(encoding="utf-8").split()
    assert asked == list(requirements())
    assert (image / "model_dir/artifacts/bundle/bundle.json").is_file()


@pytest.mark.thorough
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
