"""Commands for registered models: who is the champion, where it comes from, and what it answers."""

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from igarape.commands import PLACE, from_here, run_stage
from igarape.workspace import Workspace

ANYWHERE = click.Path(path_type=Path)  # a path where there may be no project
# Which model: the ensemble without it. Of another kind than the --model of predict, which takes any address.
_student = click.option("--model", type=click.Choice(["ensemble", "student"]), help="The ensemble without it.")


@click.command()
@_student
@click.option("--version", type=int, help="The number of a version to promote in place of the challenger.")
@click.option("--force", is_flag=True, help="Promote even if a check fails; needs --reason.")
@click.option("--reason", metavar="TEXT", help="Why; history shows it.")
@click.option("--dry-run", is_flag=True, help="Compare, print and keep the verdict; the champion stays.")
def promote(version: int | None, force: bool, reason: str | None, dry_run: bool, model: str | None) -> None:
    """Make the challenger the champion, if it passes the checks. Their bounds stand in params.yaml, under promote."""
    run_stage("promote", version=version, force=force, reason=reason, dry_run=dry_run, model=model)


@click.command()
@_student
@click.option("--reason", metavar="TEXT", help="Why; history shows it.")
def rollback(reason: str | None, model: str | None) -> None:
    """Put the previous champion back. Typed again, it changes them back."""
    run_stage("rollback", reason=reason, model=model)


@click.command()
@_student
@click.option("--champion", is_flag=True, help="Print the champion's address only, as MLflow's own commands take it.")
def history(model: str | None, champion: bool) -> None:
    """Show who was made champion, when and why, and what was refused."""
    run_stage("history", model=model, champion=champion)


@click.command()
@_student
@click.option("--version", type=int, help="The number of a version; the champion without it.")
@click.option("--json", "as_json", is_flag=True, help="Print all that is known as JSON.")
def lineage(version: int | None, model: str | None, as_json: bool) -> None:
    """Show where a version comes from, and what brings it back. That is its commit, data, runs and packages."""
    run_stage("lineage", version=version, model=model, as_json=as_json)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PLACE)
@click.option("--model", metavar="URI", help="student, or such as models:/igarape-drawn/3; the champion without it.")
@click.option("--out", required=True, type=PLACE, help="The table to write: .csv or .parquet.")
@click.option(
    "--nir",
    metavar="FOLDER",
    type=PLACE,
    help="The pictures' near-infrared TIFs, where the model needs them.",
)
def predict(paths: tuple[Path, ...], model: str | None, out: Path, nir: Path | None) -> None:
    """Tag pictures, folders and archives with a registered model. A killed run goes on when it is typed again."""
    run_stage("predict", list(paths), model=model, out=out, nir=nir)


@click.command()
@click.option("--out", metavar="FILE", type=PLACE, help="Put a copy of the CSV there.")
@click.option("--sample", metavar="CSV", type=PLACE, help="The competition's sample, whose order is taken.")
@click.option("--model", metavar="URI", help="student, or such as models:/igarape-planet/3; the champion without it.")
@click.option("--check", metavar="FILE", type=PLACE, help="Write nothing, but check this CSV.")
def submit(out: Path | None, sample: Path | None, model: str | None, check: Path | None) -> None:
    """Tag all unlabelled chips, and write the competition's CSV. It is data/submit/submission.csv."""
    run_stage("submit", out=out, sample=sample, model=model, check=check)


@click.command()
@click.option("--split", metavar="FILE", required=True, type=PLACE, help="A table or lists of train, val and test.")
@click.option("--experiment", metavar="E", help="Score this learner alone, without the ensemble.")
def score(split: Path, experiment: str | None) -> None:
    """Score on a published split's test chips. None of them may have been trained on."""
    run_stage("score", split=split, experiment=experiment)


@click.command()
@_student
@click.option("--port", default=5001, show_default=True, type=click.IntRange(1, 65535), help="Where it listens.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Its address; 0.0.0.0 lets other machines in.")
@click.option("--watch", metavar="SECONDS", type=click.FloatRange(min=1), help="How often to look for a new champion.")
@click.option("--token-file", metavar="FILE", type=ANYWHERE, help="Holds the bearer token that requests must bring.")
@click.option("--bundle", metavar="FOLDER", type=ANYWHERE, help="Serve this bundle, or model that was downloaded.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(min=1), help="Processors for one batch.")
def serve(bundle: Path | None, token_file: Path | None, **options: Any) -> None:
    """Serve the champion over HTTP. People can open the address in a browser."""
    if bundle is not None:
        if options["model"]:
            raise click.UsageError("--bundle serves a folder, --model the registry's champion: leave one of them out")
        import_module("igarape.stages.serve").run(Workspace(Path()), bundle=bundle, token_file=token_file, **options)
        return
    run_stage("serve", token_file=token_file and from_here(token_file), **options)


# In the order in which they are used.
MODEL_COMMANDS = (promote, rollback, history, lineage, predict, submit, score, serve)
