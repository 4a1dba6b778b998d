"""What is kept of each verdict: a run in MLflow, tags and a description of the version, and the table of them all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run as Recorded

from igarape.serving.advice import how_to_promote
from igarape.serving.gate import COLUMNS, F2, Check
from igarape.serving.registration import described
from igarape.serving.registry import CHAMPION, aliases_of, client_of, versions_of
from igarape.tracking.run import Run

# Tags of a run that decides who is champion. BEGUN stands until it is known how that came out.
MODEL, NEW, OLD, OUTCOME = "igarape.model", "igarape.version", "igarape.champion", "igarape.outcome"
REASON, CHANGE = "igarape.reason", "igarape.f2_difference"
BEGUN = "begun"
HEAD = ("when (UTC)", "who", "version", "commit", "champion before", "outcome", "F2 - champion's", "reason")
PAGE = "## Who was champion"
SHOWN = 20  # rows on the model's page
NONE = "-"
COMMIT, SHORT = "git_commit", 9  # the tag of a version that names it; so many digits of it tell it
ROLLED = "rolled back to"
APART = "&emsp;"  # MLflow's pages leave no room between columns


@dataclass(frozen=True)
class Verdict:
    """What is decided about a version (new), by comparison with the champion (old; None: there was none)."""

    name: str
    new: str
    old: str | None
    checks: tuple[Check, ...]
    notes: tuple[str, ...]
    reason: str

    @property
    def failed(self) -> list[str]:
        """Return the names of the checks that it does not pass."""
        return [check.name for check in self.checks if not check.passed]

    @property
    def change(self) -> str:
        """Return the difference of F2, as a text."""
        return next((check.cells[3] for check in self.checks if check.name == F2), NONE)

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """Return the checks as texts."""
        return [check.cells for check in self.checks]


def in_words(verdict: Verdict) -> str:
    """Lay a verdict out as a terminal shows it."""
    against = f" against the champion, version {verdict.old}" if verdict.old else ""
    said = [f"{verdict.name}: version {verdict.new}{against}", *(f"  {note}" for note in verdict.notes)]
    return "\n".join([*said, *columns(COLUMNS, verdict.rows)] if verdict.checks else said)


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines in which what belongs under one head stands below one another."""
    every = [head, *rows]
    widths = [max(len(row[column]) for row in every) for column in range(len(head))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in every
    ]


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    first, *others = (f"| {' | '.join(_plain(cell) + APART for cell in row)} |" for row in (head, *rows))
    return "\n".join([first, "|" + " --- |" * len(head), *others])


def begin(run: Run, verdict: Verdict) -> None:
    """Tell the run what is decided, before anything is changed."""
    run.tags(
        {
            MODEL: verdict.name,
            NEW: verdict.new,
            OLD: verdict.old or NONE,
            REASON: verdict.reason or NONE,
            CHANGE: verdict.change,
            OUTCOME: BEGUN,
            "mlflow.note.content": _told(verdict, BEGUN),
        }
    )
    if verdict.checks:
        run.table(pd.DataFrame(verdict.rows, columns=[*COLUMNS[:-1], "verdict"]), "verdict.json")
    for check in verdict.checks:
        if check.difference:
            # MLflow's names of metrics hold no other characters; the table has the label as it is written.
            key = "".join(letter if letter.isalnum() else "_" for letter in check.name.lower())
            mean, low, high = check.difference
            run.metrics(
                {
                    f"{key}/champion": check.champion,
                    f"{key}/challenger": check.challenger,
                    f"{key}/difference": mean,
                    f"{key}/low": low,
                    f"{key}/high": high,
                }
            )


def end(run: Run, verdict: Verdict, outcome: str) -> None:
    """Tell the run how it came out."""
    told, named = _told(verdict, outcome), f"{outcome}: version {verdict.new}"
    run.tags({OUTCOME: outcome, "mlflow.note.content": told, "mlflow.runName": named})


def keep(client: MlflowClient, verdict: Verdict, outcome: str, *, run: str, who: str) -> None:
    """Write the verdict on the version, and the table of all verdicts on the model.

    Parameters
    ----------
    client
        Of the registry.
    verdict, outcome
        What was decided, and how it came out.
    run
        The id of its run.
    who
        Decided it.
    """
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
    tags = {"": outcome, ".when": when, ".who": who, ".champion": verdict.old or NONE, ".run": run}
    tags |= {".reason": verdict.reason or NONE, ".f2_difference": verdict.change}
    told = f"{_told(verdict, outcome)}\n\n{when} UTC, {who}, run `{run}`"
    _mark(client, verdict.name, verdict.new, tags, told)
    if outcome == ROLLED and verdict.old is not None:
        _mark(client, verdict.name, verdict.old, tags | {"": "rolled back from"}, told)
    model = client.get_registered_model(verdict.name)
    own = (model.description or "").partition(PAGE)[0].rstrip()
    table = markdown(HEAD, read(verdict.name, model.aliases.get(CHAMPION))[:SHOWN])
    client.update_registered_model(verdict.name, f"{own}\n\n{PAGE}\n\n{table}".lstrip())


def _mark(client: MlflowClient, name: str, version: str, tags: Mapping[str, str], told: str) -> None:
    """Write the last verdict on a version: as tags, and in its description."""
    for key, value in tags.items():
        client.set_model_version_tag(name, version, f"verdict{key}", value)
    before = client.get_model_version(name, version).description or ""
    client.update_model_version(name, version, described(before, verdict=told))


def read(name: str, champion: str | None) -> list[tuple[str, ...]]:
    """Return what was decided about a model, newest first, a row for each verdict, under HEAD.

    champion: the version that is it now, which tells how the last verdict came out whose process could not.
    """
    found: list[Recorded] = mlflow.search_runs(
        search_all_experiments=True,
        filter_string=f"tags.`{MODEL}` = '{name}'",
        order_by=["attributes.start_time DESC"],
        output_format="list",
    )
    after = [champion, *(run.data.tags.get(OLD) for run in found)]  # of each verdict, who was champion then
    versions = MlflowClient().search_model_versions(f"name = '{name}'")
    commits = {str(each.version): each.tags.get(COMMIT, "")[:SHORT] for each in versions}
    return [_row(run.data.tags, run, then, commits) for run, then in zip(found, after, strict=False)]


def history(name: str, folder: Path) -> list[str]:
    """Return the table of what was decided about a model, newest first, as lines; a sentence where nothing was."""
    with client_of(name, folder) as client:
        holders = aliases_of(name, folder)
        rows = read(name, holders.get(CHAMPION))
        if not rows and CHAMPION in holders:
            return [f"  version {holders[CHAMPION]} is the champion; no verdict about it is on record"]
        if not rows:
            return [f"  no verdict yet. {how_to_promote(name, holders, versions_of(client, name), folder)}"]
    return columns(HEAD, rows)


def _row(tags: Mapping[str, str], run: Recorded, then: str | None, commits: Mapping[str, str]) -> tuple[str, ...]:
    """Return a run's row under HEAD. then: the champion after it. commits: that of each version, short."""
    when = f"{datetime.fromtimestamp(run.info.start_time / 1000, UTC):%Y-%m-%d %H:%M}"
    outcome = tags.get(OUTCOME, BEGUN)
    if outcome == BEGUN:
        unfinished = "under way" if run.info.status == "RUNNING" else "interrupted"
        outcome = "became champion" if tags[NEW] == str(then) else unfinished
    who, commit = tags.get("mlflow.user", "unknown"), commits.get(tags[NEW]) or NONE
    told = (" ".join(tags.get(key, NONE).split()) for key in (CHANGE, REASON))  # whatever lines a reason has
    return (when, who, tags[NEW], commit, tags.get(OLD, NONE), outcome, *told)


def _told(verdict: Verdict, outcome: str) -> str:
    """Say a verdict in Markdown."""
    how = "in place of" if outcome == ROLLED else "against the champion,"
    against = f" {how} version {verdict.old}" if verdict.old else ""
    reason = f"\n\nReason: {_plain(verdict.reason)}" if verdict.reason else ""
    notes = "".join(f"\n- {_plain(note)}" for note in verdict.notes)
    table = f"\n\n{markdown([*COLUMNS[:-1], 'verdict'], verdict.rows)}" if verdict.checks else ""
    return f"**{outcome}**: version {verdict.new}{against}{reason}\n{notes}{table}"


def _plain(text: str) -> str:
    """Return a text that stays one cell, and is no HTML."""
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;")
