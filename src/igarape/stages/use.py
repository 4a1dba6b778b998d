"""use: switch params.yaml to another data set, and keep its comments."""

import os
from collections.abc import Mapping, MutableMapping
from io import StringIO
from typing import Any

import click
import yaml
from ruamel.yaml import YAML

from igarape.config.datasets import FolderSource, read_dataset
from igarape.config.experiments import read_experiments
from igarape.config.params import Params, read_params
from igarape.config.schema import check_name, validate
from igarape.config.student import read_student
from igarape.ensemble.alerts import check_alerts
from igarape.errors import InputError
from igarape.files import write_text
from igarape.workspace import Workspace


def run(workspace: Workspace, dataset: str, *, full: bool = False) -> None:
    """Set `dataset`, and what datasets/DATASET.yaml lists under params; refuse a result that is not valid.

    full: set what it lists under full, too. Nothing is written when an experiment is missing, or it or an alert asks
    for labels or TIFs that the data set does not have.
    """
    check_name(dataset, "drawn")
    read_params(workspace.params)
    offered = read_dataset(dataset, workspace.datasets)
    keeper = YAML()  # keeps comments, and each value as it is spelled: 0.00001 does not become 1e-05
    keeper.preserve_quotes = True
    keeper.representer.add_representer(type(None), _null)
    keeper.indent(mapping=2, sequence=4, offset=2)
    keeper.width = 4096
    source = workspace.datasets / f"{dataset}.yaml"
    if full and offered.full is None:
        raise InputError(f"{source}: has no full, which --full asks for. Type: igarape use {dataset}")
    content = keeper.load(workspace.params.read_text(encoding="utf-8"))
    content["dataset"] = dataset
    asked = keeper.load(source.read_text(encoding="utf-8"))
    for part in ("params", "full") if full else ("params",):
        _overlay(content, asked[part])
        params = validate(Params, yaml.safe_load(_dump(keeper, content)), f"{source}: {part}")
    text = _dump(keeper, content)
    check_alerts(params.decide.alert, offered.labels.vocabulary())
    vocabulary, nir = offered.labels.vocabulary(), bool(offered.tifs)
    read_experiments(params.experiments, vocabulary, workspace.experiments, nir=nir)
    read_student(params.distill.experiment, vocabulary, workspace.experiments, nir=nir)
    write_text(text, workspace.params)
    click.echo(f"{workspace.params} now says dataset: {dataset}. See: git diff {workspace.params}. Run: make repro")
    if isinstance(offered.source, FolderSource) and not os.environ.get("IGARAPE_DATA"):
        click.echo(f"IGARAPE_DATA is not set. First type: export IGARAPE_DATA=FOLDER, which holds what {source} names")


def _overlay(content: MutableMapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Put the wanted values into content, section by section, in place: that keeps the comments."""
    for name, value in wanted.items():
        if isinstance(value, Mapping):
            _overlay(content.setdefault(name, {}), value)
        elif isinstance(value, list) and isinstance(content.get(name), list):
            content[name][:] = value
        else:
            content[name] = value


def _null(representer: Any, _: None) -> Any:
    """Write null as null, where ruamel.yaml would leave a blank."""
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


def _dump(keeper: YAML, content: Any) -> str:
    """Return content as YAML text."""
    text = StringIO()
    keeper.dump(content, text)
    return text.getvalue()
