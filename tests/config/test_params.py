"""params.yaml: what it may hold, and how many processes may work at once."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from igarape.config.params import Params, read_params, workers
from igarape.config.schema import validate
from igarape.errors import InputError
from igarape.workspace import Workspace

HERE = Workspace(Path())

ROOT = Path(__file__).parents[2]
PARAMS: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def test_params_are_read_from_where_they_are(tmp_path: Path) -> None:
    """Elsewhere the error names the file."""
    assert read_params(ROOT / "params.yaml").split.folds == PARAMS["split"]["folds"]
    with pytest.raises(InputError, match=r"params\.yaml: not found"):
        read_params(tmp_path / "params.yaml")


def test_faults_of_several_sections_come_together(tmp_path: Path) -> None:
    """Unknown keys, values out of bounds and wrong types are one error."""
    path = tmp_path / "params.yaml"
    bad = {"split": PARAMS["split"] | {"folds": 1, "shufle": True}, "stack": PARAMS["stack"] | {"use": "median"}}
    path.write_text(yaml.safe_dump(PARAMS | bad | {"sede": 3}), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_params(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: 4 problems\n")
    assert "split.folds   should be at least 2 (got 1)" in text
    assert "split.shufle  is not known" in text
    assert "stack.use     should be 'best', 'mean', 'single', 'blend', 'logistic', 'ridge' or 'xgboost'" in text
    assert "sede          is not known; did you mean seed?" in text


@pytest.mark.parametrize("section", [name for name, value in PARAMS.items() if isinstance(value, dict)])
def test_no_default_stands_in_code(section: str) -> None:
    """A knob left out is a fault: its value stands in params.yaml, and there only."""
    for knob in PARAMS[section]:
        less = {name: value for name, value in PARAMS[section].items() if name != knob}
        with pytest.raises(InputError, match=rf"{section}\.{knob}  is missing"):
            validate(Params, PARAMS | {section: less}, "params.yaml")


def test_an_experiment_is_listed_once() -> None:
    """The same learner twice would be two DVC stages of one name."""
    with pytest.raises(InputError, match=r"  experiments  should name each experiment once; plain stands twice$"):
        validate(Params, PARAMS | {"experiments": ["plain", "plain"]}, "params.yaml")


@pytest.mark.parametrize("name", ["../plain", "Plain", "a b", ""])
def test_a_name_cannot_leave_its_folder(name: str) -> None:
    """Names of experiments and data sets become paths and DVC stages."""
    with pytest.raises(InputError, match="should match"):
        validate(Params, PARAMS | {"dataset": name}, "params.yaml")


def test_workers_are_igarape_workers_or_all_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number is a fact of the machine, never a parameter."""
    monkeypatch.setenv("IGARAPE_WORKERS", "3")
    assert workers() == 3
    monkeypatch.delenv("IGARAPE_WORKERS")
    assert workers() >= 1


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", ""])
def test_workers_are_a_whole_number_of_at_least_1(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Anything else is refused."""
    monkeypatch.setenv("IGARAPE_WORKERS", value)
    with pytest.raises(InputError, match=f"IGARAPE_WORKERS={value}: expected a whole number"):
        workers()
