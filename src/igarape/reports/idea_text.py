"""Whether an idea is better, as a terminal shows it."""

from collections.abc import Iterator, Mapping

from igarape.config.schema import flow
from igarape.errors import counted
from igarape.reports.idea import F2, MAP, Idea
from igarape.reports.settings import differences
from igarape.reports.trained import Trained
from igarape.tracking.costs import Made

SHOWN = 3  # labels that are helped, and harmed, most
CELL = 28  # letters of a difference with its interval
UNKNOWN = "not on record"
ALONE = {
    "up": "{0} is better than {1}",
    "down": "{0} is worse than {1}",
    "same": "{0} scores the same as {1}",
    "open": "{0} cannot be told from {1}",
}
BLEND = {
    "up": "the blend gains by {0}",
    "down": "the blend loses by {0}",
    "same": "the blend scores the same with {0}",
    "open": "whether the blend gains by {0} is open",
}

Steps = Mapping[str, Made | None]


def in_words(idea: Idea, learners: Mapping[str, Trained], made: Mapping[str, Steps]) -> str:
    """Say whether an idea is better, by how much, where, and at what cost.

    learners: the two, by their names. made: of each, how search and train have made it; None: not on record.
    """
    by, first = next(iter(idea.alone[0].beyond(idea.alone[1]).items()))
    said = [
        f"{idea.name} against {idea.against}, on {idea.chips:,} chips out of fold; in brackets 95 % intervals",
        f"alone, {ALONE[first.verdict].format(idea.name, idea.against)}: {by} {first}",
    ]
    if by != F2:
        common = len(idea.alone[0].precision.observed)
        said.append(
            f"by the {counted(common, 'label')} that both predict; F2 of some labels only does not compare learners"
        )
    if idea.beside:
        said.append(f"{BLEND[idea.beside[F2].verdict].format(idea.name)}: F2 {idea.beside[F2]}")
    said += ["", *_alone(idea)]
    said += ["", *_blend(idea)]
    both = (idea.against, idea.name)
    said += ["", *_settings(*(learners[name] for name in both)), *_made(*(made[name] for name in both))]
    said += ["", *(f"  {name}: {_costs(made[name])}" for name in both)]
    return "\n".join(said)


def figures_of(idea: Idea) -> dict[str, float]:
    """Return the figures of an idea as MLflow keeps them, by name; intervals end in low and high."""
    one, other = idea.alone
    groups = {"alone": one.beyond(other), "beside": idea.beside or {}, "instead": idea.instead or {}}
    own = {f"oof_{_key(name)}": value for name, value in one.figures.items()}
    return own | {
        f"{group}/{_key(name)}{end}": value
        for group, gains in groups.items()
        for name, gain in gains.items()
        for end, value in zip(("", "_low", "_high"), gain, strict=True)
    }


def _key(figure: str) -> str:
    """Return a figure's name as metrics have it: f2, map, rare_map."""
    return {F2: "f2", MAP: "map"}.get(figure, "rare_map")


def _alone(idea: Idea) -> list[str]:
    """Return the table of both alone: all figures, and the labels that are helped most, and harmed."""
    one, other = idea.alone
    order = sorted(idea.labels, key=lambda row: row.difference.mean)
    most = {
        "labels helped most, by average precision": [row for row in reversed(order) if row.difference.mean > 0],
        "labels harmed most": [row for row in order if row.difference.mean < 0],
    }
    names = [*one.figures, *(f"  {row.label}" for row in order)]
    width, sides = max(map(len, names)), [max(len(name), 6) for name in (idea.against, idea.name)]

    def row(what: str, *cells: str) -> str:
        """Lay a row of the table out."""
        each = (cell.ljust(space) for cell, space in zip(cells, [*sides, 0], strict=True))
        return f"  {what:<{width}}  {'  '.join(each)}"

    said = [row("alone", idea.against, idea.name, "difference")]
    for name, difference in one.beyond(other).items():
        said.append(row(name, f"{other.figures[name]:.4f}", f"{one.figures[name]:.4f}", str(difference)))
    for heading, every in most.items():
        said.append(f"  {heading}{'' if every else ': none'}")
        for label in every[:SHOWN]:
            gain = f"{label.difference}, on {counted(label.chips, 'chip')}"
            said.append(row(f"  {label.label}", f"{label.before:.4f}", f"{label.after:.4f}", gain))
    return said


def _blend(idea: Idea) -> list[str]:
    """Return the table of what the blend of the others scores, and gains."""
    if idea.blend is None:
        return ["  no blend: the learners that params.yaml lists, but for this one, do not predict every label"]
    scores = idea.blend.figures
    ways = {f"with {idea.name} beside": idea.beside, f"in the place of {idea.against}": idea.instead}
    rows = [("", list(scores)), ("as it is", [f"{value:.4f}" for value in scores.values()])]
    rows += [(how, [str(gain) for gain in gains.values()]) for how, gains in ways.items() if gains]
    width = max(len(how) for how, _ in rows)
    table = [f"  {how:<{width}}  {'  '.join(f'{cell:<{CELL}}' for cell in cells)}".rstrip() for how, cells in rows]
    return [f"  the blend of {', '.join(idea.base)}", *table]


def _settings(before: Trained, after: Trained) -> Iterator[str]:
    """Yield in what the two differ: by their YAMLs, and by what the search of each has found."""
    if before.experiment.kind != after.experiment.kind:
        yield f"  settings: another kind of learner, {before.experiment.kind} -> {after.experiment.kind}"
        return
    set_apart = list(differences(before.experiment, after.experiment))
    yield f"  settings that differ{'' if set_apart else ': none'}"
    yield from (f"    {name}  {old} -> {new}" for name, old, new in set_apart)
    known = {name.removeprefix("hyperparameters.") for name, _, _ in set_apart}
    old, new = (each.manifest.settings["hyperparameters"] for each in (before, after))
    found = [name for name in new if name not in known and old.get(name) != new[name]]
    if found:
        yield "  and what the search of each has found"
        yield from (f"    {name}  {flow(old.get(name))} -> {flow(new[name])}" for name in found)


def _made(before: Steps, after: Steps) -> Iterator[str]:
    """Yield in what search and train made the two otherwise, by params.yaml: then the idea is not all that differs."""
    apart = [
        f"    {step}: {name}  {old.settings.get(name, 'none')} -> {new.settings.get(name, 'none')}"
        for step in before
        if (old := before[step]) and (new := after[step])
        for name in sorted({*old.settings, *new.settings})
        if old.settings.get(name) != new.settings.get(name)
    ]
    if apart:
        yield "  and params.yaml has changed between the two: compare with care, or search and train both anew"
        yield from apart


def _costs(made: Steps) -> str:
    """Say what a learner's steps have cost."""
    figures = "{0.seconds:.0f} s (processor time {0.processor:.0f} s)"
    return ", ".join(
        f"{step} {figures.format(each.costs) if each and each.costs else UNKNOWN}" for step, each in made.items()
    )
