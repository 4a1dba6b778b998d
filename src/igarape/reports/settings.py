"""The settings of experiments, for people: one experiment with where each is from, and the table of all there are."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from igarape.config.experiments import read_experiment, settings
from igarape.config.hyperparameters import (
    FisherValues,
    KernelValues,
    NetworkValues,
    ProbeValues,
    TreeValues,
    bounds,
    lists,
    role,
    words,
)
from igarape.config.inheritance import leaves, origins, read_sources
from igarape.config.kinds import Experiment, Fisher, Kernel, Tabular
from igarape.config.network_kinds import Network, Probe
from igarape.config.schema import flow

GROUPS: Mapping[str, tuple[type[BaseModel], ...]] = {
    "A network": (Network, NetworkValues),
    "Boosted trees": (Tabular, TreeValues),
    "A kernel machine": (Kernel, KernelValues),
    "Fisher vectors": (Fisher, FisherValues),
    "A probe": (Probe, ProbeValues),
}


def render_experiment(name: str, folder: Path) -> str:
    """Write an experiment as YAML, with where each value is from, and below what it changes."""
    sources = read_sources(name, folder)
    experiment = read_experiment(name, folder)
    known = {setting: "this file" if source == name else source for setting, source in origins(sources).items()}
    parent = sources[-2].name if len(sources) > 1 else None
    before = read_experiment(parent, folder) if parent else _neutral(experiment)
    changes = [f"#   {setting}: {old} -> {new}" for setting, old, new in differences(before, experiment)]
    return "\n".join(
        [
            f"# {sources[-1].path}{f', like {parent}' if parent else ''}",
            *_lines(experiment, known),
            f"# What it changes of {parent or 'the defaults'}:",
            *(changes or ["#   nothing"]),
        ]
    )


def differences(before: Experiment, after: Experiment) -> Iterator[tuple[str, str, str]]:
    """Yield each setting in which two experiments of a kind differ, with both values as a file spells them."""
    old, new = leaves(settings(before)), leaves(settings(after))
    for name, value in new.items():
        if old.get(name) != value:
            yield name, flow(old.get(name)), flow(value)


def _neutral(experiment: Experiment) -> Experiment:
    """Return the experiment that says what has no default, such as its backbone, and nothing else."""
    fields = type(experiment).model_fields.items()
    said = {name: getattr(experiment, name) for name, field in fields if field.is_required()}
    return type(experiment).model_validate(said)


def _lines(experiment: Experiment, known: Mapping[str, str]) -> list[str]:
    """Return the lines of the YAML, each with a comment that says where its value is from."""
    rows = []
    for name, value in leaves(settings(experiment)).items():
        inner = name.removeprefix("hyperparameters.")
        rows.append((f"{'  ' if inner != name else ''}{inner}: {flow(value)}", known.get(name, "default")))
    width = max(len(text) for text, _ in rows)
    lines = [f"{text:<{width}}  # {source}" for text, source in rows]
    first = next(place for place, (text, _) in enumerate(rows) if text.startswith("  "))
    return [*lines[:first], "hyperparameters:", *lines[first:]]


def render_table() -> str:
    """Return all settings with their meaning, their values and their defaults, as Markdown."""
    return "\n\n".join(f"### {title}\n\n{_table(models)}" for title, models in GROUPS.items())


def _table(models: tuple[type[BaseModel], ...]) -> str:
    """Return the table of one kind of learner: its own settings, and those of its training."""
    rows = ["| setting | what it means | values | default |", "|---|---|---|---|"]
    for model, prefix in zip(models, ("", "hyperparameters."), strict=True):
        for name, field in model.model_fields.items():
            if name != "hyperparameters":
                default = "" if field.is_required() else f"`{flow(field.default)}`"
                rows.append(f"| `{prefix}{name}` | {field.description} | {_choices(field)} | {default} |")
    return "\n".join(rows)


def _choices(field: FieldInfo) -> str:
    """Say what a setting may be."""
    if get_origin(field.annotation) is tuple:
        return "a list of names"
    if known := words(field):
        besides = ["`module:callable`"] if role(field) else ["a list"] if lists(field) else []
        return ", ".join([*(f"`{flow(word)}`" for word in known), *besides])
    if field.annotation is str:
        return "text"
    low, high = bounds(field)
    if low == high:
        return f"{low:g}"
    steps = [bound.multiple_of for bound in field.metadata if hasattr(bound, "multiple_of")]
    whole = f", a multiple of {steps[0]}" if steps else ", whole" if field.annotation is int else ""
    return f"{low:g} to {high:g}{whole}"
