"""The command line: one command per step, and those outside the stream."""

import os
from pathlib import Path
from typing import Any

import click

from igarape.errors import InputError


class _Readable(click.Group):
    """A group whose commands end with one clear error instead of a traceback when the input is at fault."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except InputError as error:
            notes = getattr(error, "__notes__", [])  # such as: what could not be sent to MLflow
            raise click.ClickException("\n".join([str(error), *notes])) from error


experiment = click.option("--experiment", required=True, metavar="E", help="The name of a YAML in experiments/.")


@click.group(cls=_Readable, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="igarape")
def main() -> None:
    """From labelled satellite chips to a registered, served tagger.

    `dvc repro` runs ingest, dehaze, nir, split, describe, search, train, stack, decide, evaluate and register as far
    as something changed. The other commands stand outside: nothing but promote and rollback moves the champion.
    """
    # TensorFlow's start-up lines would bury the progress bars; it reads this when it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@main.command()
def ingest() -> None:
    """Pack the data set's chips, and check each of them."""
    from igarape.stages import ingest as stage

    stage.run()


@main.command()
def dehaze() -> None:
    """Remove haze from all chips by the dark channel prior."""
    from igarape.stages import dehaze as stage

    stage.run()


@main.command()
def nir() -> None:
    """Pack the near-infrared of chips that have a TIF, and measure how well it lies over them."""
    from igarape.stages import nir as stage

    stage.run()


@main.command()
def split() -> None:
    """Deal the chips into folds and a hold-out."""
    from igarape.stages import split as stage

    stage.run()


@main.command()
def describe() -> None:
    """Show the data to people: one page of counts, chips and faults."""
    from igarape.stages import describe as stage

    stage.run()


@main.command()
@experiment
def search(experiment: str) -> None:
    """Search an experiment's hyperparameters with keras-tuner."""
    from igarape.stages import search as stage

    stage.run(experiment)


@main.command()
@experiment
def train(experiment: str) -> None:
    """Train an experiment's best hyperparameters, one model per fold."""
    from igarape.stages import train as stage

    stage.run(experiment)


@main.command()
def stack() -> None:
    """Stack all learners' predictions: their mean, and XGBoost."""
    from igarape.stages import stack as stage

    stage.run()


@main.command()
def decide() -> None:
    """Fit the rule that turns probabilities into labels."""
    from igarape.stages import decide as stage

    stage.run()


@main.command()
def evaluate() -> None:
    """Score the hold-out, write the report, and pack the ensemble as one bundle."""
    from igarape.stages import evaluate as stage

    stage.run()


@main.command()
def register() -> None:
    """Register the bundle in MLflow as the challenger."""
    from igarape.stages import register as stage

    stage.run()


@main.command()
@click.option("--version", type=int, help="Promote this version instead of the challenger.")
@click.option("--force", is_flag=True, help="Promote even where the hold-out F2 is lower than the champion's.")
def promote(version: int | None, force: bool) -> None:
    """Make the challenger the champion."""
    from igarape.stages import promote as stage

    stage.run(version=version, force=force)


@main.command()
def rollback() -> None:
    """Put the previous champion back."""
    from igarape.stages import rollback as stage

    stage.run()


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", metavar="URI", help="Such as models:/igarape-drawn@champion, which is the default.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The CSV to write.")
@click.option(
    "--nir",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Holds the pictures' TIFs with near-infrared, for a model that sees it.",
)
def predict(paths: tuple[Path, ...], model: str | None, out: Path, nir: Path | None) -> None:
    """Tag pictures, or all pictures in folders, with a registered model."""
    from igarape.stages import predict as stage

    stage.run(list(paths), model=model, out=out, nir=nir)


@main.command()
@click.option("--port", default=5001, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
def serve(port: int, host: str) -> None:
    """Serve the champion over HTTP."""
    from igarape.stages import serve as stage

    stage.run(port=port, host=host)


@main.command()
@click.argument("dataset")
def use(dataset: str) -> None:
    """Switch params.yaml to another data set."""
    from igarape.stages import use as stage

    stage.run(dataset)


@main.command()
@click.argument("dataset")
def fetch(dataset: str) -> None:
    """Download a data set's files from Kaggle."""
    from igarape.stages import fetch as stage

    stage.run(dataset)


@main.command()
@click.argument("name")
@click.option("--images", required=True, type=click.Path(path_type=Path), help="A folder or an archive of pictures.")
@click.option(
    "--tags", type=click.Path(path_type=Path), help="A CSV or COCO file; without it, folders name the labels."
)
@click.option("--group", metavar="COLUMN", help="What stays together in a split, such as a scene.")
@click.option("--split", metavar="COLUMN", help="Of train, val and test; the test rows become the hold-out.")
@click.option("--bands", metavar="NAMES", help="Those of TIFs, in their order: blue,green,red,nir.")
@click.option("--size", type=int, help="Pixels a side that chips are brought to.")
@click.option("--force", is_flag=True, help="Write datasets/NAME.yaml anew where it is there already.")
def add(name: str, **found: Any) -> None:
    """Look at chips of your own, and write datasets/NAME.yaml."""
    from igarape.stages import add as stage

    stage.run(name, **found)


@main.command()
def send() -> None:
    """Send MLflow what it has not been told, because it did not answer or a step was killed."""
    from igarape.stages import send as stage

    stage.run()
