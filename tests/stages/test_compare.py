"""compare: two finished streams, on two branches of a real DVC repository, in the working tree, or with a run."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest
from streams import answers, begin, commit, finish, git

from igarape.errors import InputError
from igarape.scores.answers import TABLE, Answers
from igarape.stages import compare as stage
from igarape.tables import write_table
from igarape.workspace import Workspace

POOR, GOOD = answers(noise=0.7), answers(noise=0.3)


@pytest.fixture(scope="module")
def branches(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Give a project with a poor stream on main, and on the branch idea, where we are, a good one."""
    here = begin(tmp_path_factory.mktemp("branches"))
    finish(here, POOR)
    git(here.root, "switch", "--quiet", "--create", "idea")
    text = here.params.read_text(encoding="utf-8")
    here.params.write_text(text.replace("holdout: 0.2", "holdout: 0.25"), encoding="utf-8")
    finish(here, GOOD)
    return here


def test_two_branches_are_compared_as_a_table_and_as_a_page(
    branches: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """`igarape compare main HEAD`: what the second has more than the first, with its interval."""
    stage.run(branches, "main", "HEAD")
    said = capsys.readouterr().out
    assert re.search(
        r"A: main \(\w{9}\)\nB: HEAD \(\w{9}\)\nB is better than A: F2 \+0.*\n\n"
        r"settings that differ\n  params\.yaml split\.holdout  0\.2 -> 0\.25\n\nhold-out, 24 chips, B - A",
        said,
    )
    assert re.search(r"\n  F2  0\.\d{4}  0\.\d{4}  \+0\.\d{4} \(\+0\.\d{4} to \+0\.\d{4}\)\n", said)
    assert f"the same as a page: {branches.reports / 'compare.html'}" in said
    page = (branches.reports / "compare.html").read_text(encoding="utf-8")
    assert "B is better than A" in page and "0.<wbr/>25<" in page
    stage.run(branches, "HEAD", "main")
    assert "B is worse than A" in (branches.reports / "compare.html").read_text(encoding="utf-8")


def test_the_working_tree_is_compared_before_anything_is_committed(
    branches: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By . as by its long name."""
    copy = Workspace(shutil.copytree(branches.root, tmp_path / "copy", symlinks=True))
    path = copy.folder("evaluate") / TABLE
    path.unlink()  # DVC may have made it a link into its cache
    write_table(POOR.table(), path)
    stage.run(copy, "HEAD", ".")
    said = capsys.readouterr().out
    assert re.search(r"B: the working tree \(\w{9}\)\n", said) and "\nsettings that differ: none\n" in said
    assert "B is worse than A" in (copy.reports / "compare.html").read_text(encoding="utf-8")
    stage.run(copy, "main", "workspace")
    assert "B scores the same as A" in (copy.reports / "compare.html").read_text(encoding="utf-8")


def test_a_stream_that_was_not_committed_says_what_to_commit(branches: Workspace, tmp_path: Path) -> None:
    """As in a fresh clone, where dvc repro has just written dvc.lock; what the error says mends it."""
    copy = Workspace(shutil.copytree(branches.root, tmp_path / "copy", symlinks=True))
    git(copy.root, "rm", "--quiet", "--cached", "dvc.lock")
    git(copy.root, "commit", "--quiet", "--message", "as a clone begins")
    with pytest.raises(InputError, match=r"HEAD .*dvc\.lock was not committed") as caught:
        stage.run(copy, "HEAD", ".")
    for command in str(caught.value).partition("finished: ")[2].split(" && "):
        git(copy.root, *command.split()[1:], *(["-m", "A stream"] if "commit" in command else []))
    stage.run(copy, "HEAD", ".")
    assert "B scores the same as A" in (copy.reports / "compare.html").read_text(encoding="utf-8")


def test_a_revision_is_compared_with_a_run(
    branches: Workspace, registry: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That has the table as an artifact."""
    mlflow.set_experiment("igarape/evaluate")
    write_table(GOOD.table(), registry / TABLE)
    with mlflow.start_run(tags={"igarape.step": "evaluate"}) as run:
        mlflow.log_artifact(str(registry / TABLE))
    stage.run(branches, "main", run.info.run_id)
    said = capsys.readouterr().out
    assert f"B: run {run.info.run_id}\n" in said and "\nsettings that differ: not known of a run" in said
    assert "B is better than A" in (branches.reports / "compare.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (replace(GOOD, dataset="planet"), "main .* is about the data set toy, HEAD .* about planet: expected one"),
        (replace(GOOD, labels=("sun", "fog", "tree", "mine")), "only main .* has kiln and only HEAD .* has mine"),
        (replace(GOOD, pixels=GOOD.pixels + 1), "no chip of toy can be compared: 120 with other pixels"),
    ],
)
def test_streams_that_cannot_be_compared_leave_the_last_page(
    branches: Workspace, tmp_path: Path, other: Answers, message: str
) -> None:
    """One line says why: another data set, other labels, no chip in common."""
    copy = Workspace(shutil.copytree(branches.root, tmp_path / "copy", symlinks=True))
    (copy.reports).mkdir(exist_ok=True)
    (copy.reports / "compare.html").write_text("the last one", encoding="utf-8")
    finish(copy, other)
    commit(copy, "something else")
    with pytest.raises(InputError, match=message):
        stage.run(copy, "main", "HEAD")
    assert (copy.reports / "compare.html").read_text(encoding="utf-8") == "the last one"
