"""Every verdict is kept: as a run, as tags and a description of the version, and in one table."""

import json
from pathlib import Path

import mlflow
import pytest
from contest import NAME, enter, patient
from mlflow import MlflowClient
from mlflow.entities import Run

from igarape.errors import InputError
from igarape.serving.history import HEAD, OUTCOME, columns, history, markdown
from igarape.serving.promotion import promote, rollback
from igarape.workspace import Workspace


def runs() -> list[Run]:
    """Return the verdicts' runs, newest first."""
    client = MlflowClient()
    experiment = client.get_experiment_by_name("igarape/register")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], f"tags.`{OUTCOME}` != ''", order_by=["start_time DESC"]))


def decide(here: Workspace, version: str, *, reason: str = "") -> None:
    """Promote a version, by force where there is a reason."""
    promote(
        here,
        patient(),
        version=version,
        force=bool(reason),
        reason=reason,
        dry_run=False,
        say=lambda _: None,
        report=lambda *_: None,
    )


def test_a_refusal_is_kept_with_all_its_figures(contest: Workspace, tmp_path: Path) -> None:
    """In the experiment of register's runs: figures as metrics, the table as an artifact; on the version: the words."""
    client = MlflowClient()
    client.update_registered_model(NAME, "Mine.")
    client.set_registered_model_alias(NAME, "champion", "1")
    with pytest.raises(InputError):
        decide(contest, "2")
    run = runs()[0]
    assert run.info.status == "FINISHED"
    tags = run.data.tags
    assert (tags["igarape.version"], tags["igarape.champion"], tags[OUTCOME]) == ("2", "1", "refused")
    metrics = run.data.metrics
    assert metrics["f2/difference"] == pytest.approx(metrics["f2/challenger"] - metrics["f2/champion"])
    assert metrics["f2/low"] <= metrics["f2/difference"] <= metrics["f2/high"] < 0
    assert {"map/low", "ap_of_kiln/difference", "brier_score/high", "ms_a_chip/champion", "mb/challenger"} <= set(
        metrics
    )
    table = json.loads(Path(client.download_artifacts(run.info.run_id, "verdict.json", str(tmp_path))).read_text())
    assert table["columns"][-1] == "verdict" and table["data"][0][0] == "F2" and table["data"][0][-1] == "FAILS"
    version = client.get_model_version(NAME, "2")
    assert version.tags["verdict"] == "refused"
    assert version.tags["verdict.run"] == run.info.run_id
    assert version.tags["verdict.champion"] == "1"
    assert version.tags["verdict.who"] == tags["mlflow.user"]
    assert version.tags["verdict.f2_difference"].startswith("-")
    told = str(version.description)
    assert told.startswith("small\n\n## Last verdict\n\n**refused**: version 2 against the champion")
    assert "| F2" in told
    page = str(client.get_registered_model(NAME).description)
    assert page.startswith("Mine.\n\n## Who was champion\n\n| when (UTC)") and "| refused" in page


def test_all_verdicts_stand_in_one_table_newest_first(registry: Path) -> None:
    """Who, when, versions before and after, commit, outcome and reason; also what a dead process left unsaid."""
    here = Workspace(registry)
    assert history(NAME, registry)[0].strip() == "no verdict yet. Run: make repro, then: igarape promote"
    enter(2)
    assert history(NAME, registry)[0].strip() == "no verdict yet. Run: igarape promote"
    MlflowClient().set_registered_model_alias(NAME, "champion", "1")
    assert "version 1 is the champion; no verdict" in history(NAME, registry)[0]
    MlflowClient().set_model_version_tag(NAME, "2", "git_commit", "abc123abc123")
    decide(here, "2", reason="because |\nof <this>")
    rollback(here, patient(), reason="no")
    head, *lines = history(NAME, registry)
    assert head.split() == " ".join(HEAD).split()
    rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]
    user = runs()[0].data.tags["mlflow.user"]
    assert [row[1:] for row in rows] == [
        [user, "1", "-", "2", "rolled back to", "-", "no"],
        [user, "2", "abc123abc", "1", "forced", "-", "because | of <this>"],
    ]
    page = str(MlflowClient().get_registered_model(NAME).description)
    assert page.count("\n| 20") == 2 and r"because \| of &lt;this>" in page
    client = MlflowClient()
    assert client.get_model_version(NAME, "1").tags["verdict"] == "rolled back to"
    told = client.get_model_version(NAME, "2")
    assert told.tags["verdict"] == "rolled back from"
    assert "version 1 in place of version 2" in str(told.description)
    assert runs()[0].info.run_name == "rolled back to: version 1"
    for run in runs():  # their processes died: the aliases say what came of it
        client.set_tag(run.info.run_id, OUTCOME, "begun")
        client.update_run(run.info.run_id, status="RUNNING")
    assert all("became champion" in row for row in history(NAME, registry)[1:])
    client.set_registered_model_alias(NAME, "champion", "2")
    assert "under way" in history(NAME, registry)[1] and "became champion" in history(NAME, registry)[2]
    client.update_run(runs()[0].info.run_id, status="KILLED")
    assert "interrupted" in history(NAME, registry)[1]


def test_another_model_has_another_history(registry: Path) -> None:
    """Though their runs lie in one experiment."""
    enter(1)
    decide(Workspace(registry), "1")
    enter(1, name="igarape-other")
    assert "no verdict" in history("igarape-other", registry)[0]
    assert len(history(NAME, registry)) == 2
    assert len(mlflow.search_runs(search_all_experiments=True, output_format="list")) == 1


def test_columns_stand_below_one_another() -> None:
    """In a terminal by blanks, in Markdown by bars."""
    assert columns(("a", "bb"), [("ccc", "d"), ("", "e")]) == ["  a    bb", "  ccc  d", "       e"]
    assert markdown(("a", "b"), [("c|d", "e\nf")]) == (
        "| a&emsp; | b&emsp; |\n| --- | --- |\n| c\\|d&emsp; | e f&emsp; |"
    )
