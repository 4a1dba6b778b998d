"""The command line: one command per step, and those outside the stream."""

import os
from pathlib import Path
from typing import Any

import click

from igarape.commands import PLACE, Readable, run_stage
from igarape.model_commands import MODEL_COMMANDS
from igarape.site_commands import SITE_COMMANDS
from igarape.workspace import PER_EXPERIMENT, STEPS, Workspace

# What each step does, in the order in which `dvc repro` runs them.
DOES = {
    "code": "Write down which code makes each result. It is made anew when that code changes, and only then.",
    "ingest": "Pack the data set's chips, and check each of them.",
    "dehaze": "Remove haze from all chips by the dark channel prior.",
    "nir": "Pack the near-infrared of chips that have a TIF. How well the two lie over each other is measured.",
    "split": "Deal the chips into folds and a hold-out. Near-duplicates, and by scene neighbours too, stay together.",
    "describe": "Show the data to people: one page of counts, chips and faults.",
    "resolve": "Put each listed experiment together, and name its chips. What one does not say, its parent does.",
    "search": "Search an experiment's hyperparameters with keras-tuner.",
    "train": "Train an experiment's best hyperparameters, one model per fold.",
    "stack": "Combine all learners' predictions: a blend, with XGBoost on it. Others are tried and reported.",
    "decide": "Fit the rule that turns probabilities into labels. Several are tried.",
    "distill": "Distil the ensemble into a student, which answers quickly. Nothing without distill.experiment.",
    "evaluate": "Score the hold-out, write the report, and pack one bundle. The report is reports/report.html.",
    "register": "Register the bundle in MLflow as the challenger.",
}


@click.group(cls=Readable, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="igarape")
def main() -> None:
    """From labelled satellite chips to a registered, served tagger.

    To begin: `make repro`, `igarape promote`, `igarape serve`; with chips of your own, `igarape add` first.

    `dvc repro` runs the steps from code to register as far as something changed. The other commands stand outside:
    nothing but promote and rollback moves the champion. All of them work in any folder of the project.
    """
    # TensorFlow's lines would bury the progress bars; it reads this when it is imported. What it says before that,
    # igarape.preamble leaves out.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # And so would MLflow's, one for each file of a model.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # Without git, MLflow's library for it would say so in many lines. A step says it in one.
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")


def _add_step(step: str) -> None:
    """Add the command of a step."""
    names = [click.Option(["--experiment"], required=True, metavar="E", help="The name of a YAML in experiments/.")]

    def run(experiment: str | None = None) -> None:
        if experiment is not None:
            _check_experiment(experiment)
        run_stage(step, *([] if experiment is None else [experiment]))
        _say_how_to_keep(Workspace(Path()), f"{step}@{experiment}" if experiment else step)

    main.add_command(
        click.Command(step, callback=run, help=DOES[step], params=[*names] if step in PER_EXPERIMENT else [])
    )


def _check_experiment(name: str) -> None:
    """Refuse an experiment that is not there, or has faults, before TensorFlow is loaded, which takes seconds."""
    from igarape.config.experiments import read_experiment
    from igarape.config.schema import check_name

    os.chdir(Workspace.find().root)  # where a backbone of one's own is looked for
    # The name first: a result lies in data/STEP/E, wherever that leads.
    read_experiment(check_name(name, "plain"), Workspace(Path()).experiments)


def _say_how_to_keep(workspace: Workspace, stage: str) -> None:
    """Warn whoever runs a step by hand, where DVC knows an older result of it, which `dvc repro` would bring back."""
    known = workspace.lock.read_text(encoding="utf-8") if workspace.lock.exists() else ""
    if "DVC_STAGE" not in os.environ and stage != "code" and f"\n  {stage}:\n" in known:
        first = "resolve" if stage.partition("@")[0] in PER_EXPERIMENT else "code"
        click.echo(
            f"{stage}: this result is not DVC's yet: dvc repro would bring back the one before. To keep it: "
            f"dvc repro {first} && dvc commit --force {stage}"
        )


for _step in STEPS:
    _add_step(_step)


for command in (*MODEL_COMMANDS, *SITE_COMMANDS):
    main.add_command(command)


@main.command()
@click.argument("experiment", required=False)
@click.option("--defaults", is_flag=True, help="Print all settings there are, with bounds and defaults, as Markdown.")
def show(experiment: str | None, defaults: bool) -> None:
    """Show an experiment with all its settings, and what it changes. EXPERIMENT: the name of a YAML in experiments/."""
    run_stage("show", experiment, defaults=defaults)


@main.command()
@click.argument("experiment")
@click.option("--against", metavar="E", help="Another learner than the one that it is like.")
def worth(experiment: str, against: str | None) -> None:
    """Say whether an idea is better than the learner that it is like. EXPERIMENT: one that was searched and trained.

    Both are compared alone, and in the blend of the learners that params.yaml lists; all of it out of fold.
    """
    run_stage("worth", experiment, against=against)


@main.command()
@click.argument("a")
@click.argument("b")
def compare(a: str, b: str) -> None:
    """Say whether stream B is better than stream A.

    Each is a git revision (main, HEAD~1, a tag), the id of evaluate's run in MLflow, or . for the working tree.
    """
    run_stage("compare", a, b)


@main.command()
@click.argument("dataset")
@click.option("--full", is_flag=True, help="Take the settings for all its chips and a graphics card.")
def use(dataset: str, *, full: bool) -> None:
    """Switch params.yaml to another data set. DATASET: the name of a YAML in datasets/."""
    run_stage("use", dataset, full=full)


@main.command()
@click.argument("file", type=PLACE)
@click.option("--undo", is_flag=True, help="Take out again what this file changed.")
def relabel(file: Path, undo: bool) -> None:
    """Correct labels of the data set, as a reviewed table says. FILE: such as a copy of reports/doubts.csv."""
    run_stage("relabel", file, undo=undo)


@main.command()
@click.argument("dataset")
def fetch(dataset: str) -> None:
    """Download a data set's files from Kaggle. DATASET: the name of a YAML in datasets/, such as planet."""
    run_stage("fetch", dataset)


@main.command()
@click.argument("name")
@click.option("--images", required=True, type=PLACE, help="A folder or an archive of pictures.")
@click.option("--tags", type=PLACE, help="A CSV or COCO file; without it, folders name the labels.")
@click.option("--labels", metavar="COLUMN", help="The table's column of labels, whatever it is called.")
@click.option("--group", metavar="COLUMN", help="The column of what stays together in a split, such as a scene.")
@click.option("--split", metavar="COLUMN", help="The table's column of train, val and test; test becomes the hold-out.")
@click.option("--bands", metavar="NAMES", help="What the bands of TIFs are, in order: blue,green,red,nir.")
@click.option("--size", type=int, help="Side of a chip in pixels; the commonest without it.")
@click.option("--force", is_flag=True, help="Write datasets/NAME.yaml anew where it is there already.")
def add(name: str, **found: Any) -> None:
    """Look at chips of your own, and write datasets/NAME.yaml."""
    run_stage("add", name, **found)


@main.command()
def send() -> None:
    """Send MLflow what it missed. It did not answer, or a step was killed."""
    run_stage("send")


@main.command()
def doctor() -> None:
    """Check MLflow, DVC, machine and data, and say what to mend."""
    run_stage("doctor")
