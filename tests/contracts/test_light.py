"""Heavy packages are loaded by those who need them, and by nobody else."""

import subprocess
import sys

import pytest

HEAVY = ("tensorflow", "keras", "keras_tuner", "mlflow", "xgboost", "cv2", "onnxruntime", "pandas", "numpy", "pydantic")
TRAINING = ("tensorflow", "keras", "keras_tuner")


def loaded(code: str) -> set[str]:
    """Run code in a new Python, and return the packages that are loaded afterwards."""
    script = f"{code}\nimport sys\nprint('loaded', *{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.rpartition("loaded")[2].split())


@pytest.mark.parametrize(
    "code",
    [
        "import igarape",
        "import igarape; dir(igarape), igarape.__version__, igarape.Workspace",
        "from igarape.cli import main; main(['--help'], standalone_mode=False)",
        "from igarape.cli import main; main(['search', '--help'], standalone_mode=False)",
    ],
)
def test_the_package_and_its_help_load_nothing_heavy(code: str) -> None:
    """`import igarape` and `igarape --help` answer at once."""
    assert loaded(code).isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "module", ["igarape.learners.predictor", "igarape.learners.trees.boosting", "igarape.serving.pyfunc"]
)
def test_predicting_and_stacking_load_no_tensorflow(module: str) -> None:
    """What answers requests needs ONNX Runtime or XGBoost, not what trains networks; nor does what boosts trees."""
    assert loaded(f"import {module}").isdisjoint(TRAINING)
