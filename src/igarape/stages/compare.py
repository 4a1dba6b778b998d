"""compare: two finished streams on the chips that both have. Their answers -> the terminal, reports/compare.html."""

import tempfile
from pathlib import Path

import click

from igarape.config.params import read_params
from igarape.files import write_text
from igarape.reports.comparison import compare, in_words, render_comparison
from igarape.scores.answers import TABLE, read_answers
from igarape.tracking.finished import find
from igarape.workspace import Workspace


def run(workspace: Workspace, a: str, b: str) -> None:
    """Compare streams, each named by a git revision, by evaluate's run in MLflow, or by . for the working tree."""
    params = read_params(workspace.params)
    with tempfile.TemporaryDirectory() as folder:
        found = [find(name, TABLE, workspace, Path(folder) / side) for name, side in ((a, "a"), (b, "b"))]
        comparison = compare(
            *(read_answers(one.path) for one in found),
            names=(found[0].origin, found[1].origin),
            settings=(found[0].settings, found[1].settings),
            resamples=params.evaluate.resamples,
            seed=params.seed,
        )
    page = workspace.reports / "compare.html"
    write_text(render_comparison(comparison), page)
    click.echo(in_words(comparison))
    click.echo(f"\ncompare: the same as a page: {page}")
