"""A knob is known, and moving it reruns the steps that read it."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from igarape.config.datasets import Dataset
from igarape.config.params import Params

ROOT = Path(__file__).parents[2]


def leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the dotted name of each value; an empty mapping is one, whose keys the reader chooses."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the dotted name of each field of a schema."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


# Read outside the stream: they rerun nothing.
OUTSIDE = "promote."
KNOBS = list(leaves(yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))))


def watched(stage: Mapping[str, Any]) -> set[str]:
    """Return the names of params.yaml that a stage of dvc.yaml depends on."""
    return {name for name in stage.get("params", ()) if isinstance(name, str)}


def watched_of_the_data_set(stage: Mapping[str, Any]) -> set[str]:
    """Return the keys of the data set's YAML that a stage of dvc.yaml depends on."""
    files = [entry for entry in stage.get("params", ()) if isinstance(entry, dict)]
    return {key for entry in files for key in entry.get("datasets/${dataset}.yaml", ())}


def read(step: str, pattern: str, model: type[BaseModel]) -> set[str]:
    """Return the fields of a schema that a stage's module reads, as the pattern finds them in its text."""
    text = (ROOT / f"src/igarape/stages/{step}.py").read_text(encoding="utf-8")
    return set(re.findall(pattern, text)) & set(model.model_fields)


def covers(names: set[str], knob: str) -> bool:
    """Say whether a knob, or a section it stands in, is among the names."""
    return any(knob == name or knob.startswith(f"{name}.") for name in names)


def test_the_knobs_of_params_yaml_are_the_fields_of_its_schema() -> None:
    """Each value is a field and each field has its value: no default stands in code."""
    assert set(KNOBS) == set(fields(Params))


@pytest.mark.parametrize("knob", [knob for knob in KNOBS if not knob.startswith(OUTSIDE)])
def test_each_knob_reruns_a_step(knob: str, pipeline: Mapping[str, Mapping[str, Any]]) -> None:
    """A knob in a section reruns the step of that name; one at the top reruns at least one step."""
    step = knob.split(".", maxsplit=1)[0]
    moved = [name for name, stage in pipeline.items() if covers(watched(stage), knob)]
    assert step in moved if step in pipeline else moved


def test_knobs_of_commands_outside_the_stream_rerun_nothing(pipeline: Mapping[str, Mapping[str, Any]]) -> None:
    """Another margin is for the next verdict."""
    for knob in (knob for knob in KNOBS if knob.startswith(OUTSIDE)):
        assert not [name for name, stage in pipeline.items() if covers(watched(stage), knob)]


def test_no_step_depends_on_a_knob_that_does_not_exist(pipeline: Mapping[str, Mapping[str, Any]]) -> None:
    """What dvc.yaml names of params.yaml is there."""
    known = set(KNOBS) | {knob.split(".")[0] for knob in KNOBS}
    for name, stage in pipeline.items():
        assert watched(stage) <= known, name


# A search looks for faults in all listed experiments, which changes nothing that it writes. What train writes of one
# that is not listed no step reads. code runs always.
LOOKED_AT = {"search": {"experiments"}, "train": {"experiments"}, "code": {"dataset", "experiments", "distill"}}


def test_a_step_depends_on_each_section_and_top_knob_it_reads(pipeline: Mapping[str, Mapping[str, Any]]) -> None:
    """Where stages/STEP.py says params.X, the stage names X, or a knob in it."""
    for name, stage in pipeline.items():
        named = {knob.split(".", maxsplit=1)[0] for knob in watched(stage)}
        found = read(name, r"\bparams\.(\w+)", Params) - LOOKED_AT.get(name, set())
        assert found <= named, f"dvc.yaml: {name}: params"


def test_a_step_depends_on_what_it_reads_of_the_data_set(pipeline: Mapping[str, Mapping[str, Any]]) -> None:
    """Where stages/STEP.py says dataset.X, the stage names X of the data set's YAML; `params` is for `igarape use`."""
    for name, stage in pipeline.items():
        found = read(name, r"\b(?:dataset|read_dataset\([^)]*\))\.(\w+)", Dataset)
        assert found <= watched_of_the_data_set(stage) <= set(Dataset.model_fields) - {"params"}, (
            f"dvc.yaml: {name}: params"
        )


def test_what_is_decided_reruns_nothing_before_it(pipeline: Mapping[str, Mapping[str, Any]]) -> None:
    """Another beta or another alert is for decide and what follows from its result; nothing is trained or stacked."""
    for knob in ("decide.beta", "decide.alert", "decide.use"):
        assert [name for name, stage in pipeline.items() if covers(watched(stage), knob)] == ["decide"]
