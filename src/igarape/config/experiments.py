"""The experiments of experiments/: each YAML, put together with those that it is like, read, checked and written."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml
from pydantic import field_validator

from igarape.config.inheritance import Source, merged, read_sources
from igarape.config.kinds import Experiment, Fisher, Kernel, Tabular
from igarape.config.network_kinds import BACKBONE, Network, Probe
from igarape.config.schema import Section, validate
from igarape.errors import InputError, did_you_mean
from igarape.labels import Vocabulary

KINDS: Mapping[str, type[Experiment]] = {learner.kind: learner for learner in (Network, Tabular, Kernel, Fisher, Probe)}
BY_BACKBONE = (Tabular.kind, Kernel.kind, Fisher.kind, Probe.kind)  # the kinds that a backbone is named for
EVERY = replace(BACKBONE, words=(*BACKBONE.words, *BY_BACKBONE))


class _Backbone(Section, extra="ignore"):
    """What an experiment's other keys depend on."""

    backbone: str

    @field_validator("backbone")
    @classmethod
    def _is_there(cls, backbone: str) -> str:
        return backbone if ":" in backbone else EVERY.check(backbone)  # a plugin's faults come with the others


def read_experiment(name: str, folder: str | Path) -> Experiment:
    """Read experiments/NAME.yaml, over what it is like; raise InputError with all its faults at once.

    An experiment that another is like has to be right by itself: its faults come first, as those of its own file.
    An unknown backbone comes before all else.
    """
    *parents, own = read_sources(name, Path(folder))
    content: Mapping[str, Any] = {}
    for source in parents:
        content = merged(content, source.content)
        _validated(content, source)
    if parents and "backbone" in own.content and _kind(content, own.path) != _kind(own.content, own.path):
        raise InputError(
            f"{own.path}: 1 problem\n  backbone  should be of the kind that {parents[-1].name} is, whose settings "
            f"it takes over (got {own.content['backbone']!r}); leave like out, and say what differs from the defaults"
        )
    return _validated(merged(content, own.content), own)


def read_question(name: str, folder: Path) -> str:
    """Return what experiments/NAME.yaml says it asks: its top comment, up to the commands that run it."""
    text = (folder / f"{name}.yaml").read_text(encoding="utf-8")
    comment = takewhile(lambda line: line.startswith("#") and not line.startswith("# Run:"), text.splitlines())
    return " ".join(line.lstrip("# ") for line in comment)


def _kind(content: Mapping[str, Any], path: Path) -> str:
    """Return the kind of learner that a backbone is; where there is none, `like` may be misspelled, so that is told."""
    known = {"like"}.union(*(kind.model_fields for kind in KINDS.values()))
    strange = [] if "backbone" in content else sorted(str(key) for key in content if key not in known)
    found = [(key, f"is not known{did_you_mean(key, known)}") for key in strange]
    backbone = validate(_Backbone, content, str(path), found).backbone
    return backbone if backbone in BY_BACKBONE else Network.kind


def _validated(content: Mapping[str, Any], source: Source) -> Experiment:
    """Check what a file says, together with what it is like; with a parent that is not there, by itself."""
    found = [("like", source.fault)] if source.fault else []
    if source.fault:
        content = {"backbone": "plain", **content}
    return validate(KINDS[_kind(content, source.path)], content, str(source.path), found)


def settings(experiment: Experiment) -> dict[str, Any]:
    """Return all settings of an experiment as a YAML file holds them, those of a training last."""
    content = experiment.model_dump(mode="json")
    training = content.pop("hyperparameters")
    return {**content, "hyperparameters": training}


def resolved_yaml(experiment: Experiment) -> str:
    """Write an experiment with all its settings, as a YAML that is like none and leaves nothing out."""
    return yaml.safe_dump(settings(experiment), sort_keys=False, allow_unicode=True)


def read_experiments(
    names: tuple[str, ...], vocabulary: Vocabulary, folder: Path, *, nir: bool
) -> Mapping[str, Experiment]:
    """Read the experiments that params.yaml lists, and check that the data set can serve each of them.

    Parameters
    ----------
    names
        Of the experiments.
    vocabulary
        The data set's labels.
    folder
        Of the YAMLs.
    nir
        Whether the data set names TIFs with near-infrared.

    Raises
    ------
    InputError
        With the faults of all of them.
    """
    experiments = {}
    faults = []
    for name in names:
        where = ""  # what is wrong with a file comes with its name, which may be a parent's
        try:
            experiments[name] = read_experiment(name, folder)
            where = f"{folder / name}.yaml: "
            experiments[name].check(vocabulary, nir=nir)
        except InputError as error:
            faults.append(f"{where}{error}")
    if faults:
        raise InputError("\n".join(dict.fromkeys(faults)))
    return experiments
