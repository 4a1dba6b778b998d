"""What stands around the code: the workflow, the hooks, the templates for issues, and one version in all places."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = re.findall(r"Python :: (3\.\d+)$", "\n".join(PROJECT["classifiers"]), flags=re.MULTILINE)
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))
KINDS = {"checkboxes", "dropdown", "input", "markdown", "textarea"}


def read(path: str) -> Any:
    """Return what a YAML file holds."""
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def changes() -> str:
    """Give CHANGELOG.md."""
    return (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_newest_release_of_the_changelog_is_the_version(changes: str) -> None:
    """Under `## VERSION - DATE`; releases stand newest first, and what is not released before them."""
    heads = re.findall(r"^## (.*)$", changes, flags=re.MULTILINE)
    assert heads[0] == "[Unreleased]"
    releases = [re.fullmatch(r"(\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)", head) for head in heads[1:]]
    assert all(releases), heads
    assert releases[0] is not None and releases[0][1] == PROJECT["version"]
    dates = [date.fromisoformat(release[2]) for release in releases if release]
    assert dates == sorted(dates, reverse=True)


def test_the_changes_stand_under_the_kinds_of_keep_a_changelog(changes: str) -> None:
    """Added, Changed, Deprecated, Removed, Fixed, Security."""
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", changes, flags=re.MULTILINE)) <= kinds


def test_the_citation_is_complete_and_of_this_version(changes: str) -> None:
    """CITATION.cff has what CFF 1.2.0 requires; version, date and licence are those of the release."""
    citation = read("CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(citation)
    assert all("name" in author or "family-names" in author for author in citation["authors"])
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    assert f"## {citation['version']} - {citation['date-released']}\n" in changes


def test_the_workflow_runs_ci_run_on_each_python() -> None:
    """On pushes and pull requests, with the Pythons of the classifiers, which reach make as PYTHON."""
    workflow = read(".github/workflows/ci.yml")
    assert set(workflow[True]) == {"push", "pull_request"}  # YAML 1.1 reads `on` as true
    job = workflow["jobs"]["run"]
    assert job["strategy"]["matrix"]["python"] == PYTHONS
    assert job["env"]["PYTHON"] == "python${{ matrix.python }}"
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_the_hooks_are_the_tools_of_make_check() -> None:
    """Each hook runs what `make check` runs, from the same environment, and downloads nothing."""
    (repository,) = read(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    tools = {hook["id"]: shlex.split(hook["entry"], comments=True) for hook in repository["hooks"]}
    assert set(tools) == {"ruff-check", "ruff-format", "codespell", "mypy"}
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for words in tools.values():
        folder, tool = words[0].rsplit("/", 1)
        assert folder == ".venv/bin"
        assert f"$(BIN)/{tool}" in makefile


@pytest.mark.parametrize("path", [path for path in FORMS if path.name != "config.yml"], ids=lambda path: path.stem)
def test_a_template_for_issues_asks_for_something(path: Path) -> None:
    """It has a name, a description and fields, as GitHub's forms want them; no two fields have one id."""
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form["name"] and form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert {field["type"] for field in form["body"]} <= KINDS
    assert all(field["attributes"]["label"] for field in fields)
    assert len({field["id"] for field in fields}) == len(fields) > 0


def test_there_are_forms_for_bugs_and_ideas() -> None:
    """And no way around them."""
    assert [path.stem for path in FORMS] == ["bug", "config", "idea"]
    assert read(".github/ISSUE_TEMPLATE/config.yml") == {"blank_issues_enabled": False}


def test_a_wheel_holds_all_that_the_package_needs(tmp_path: Path) -> None:
    """Each file of src/igarape, templates and py.typed among them, wherever it lies; and nothing of the tests."""
    source = tmp_path / "source"
    shutil.copytree(ROOT / "src/igarape", source / "src/igarape", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    written = {str(path.relative_to(source / "src")) for path in source.glob("src/**/*") if path.is_file()}
    build = "from setuptools.build_meta import build_wheel; build_wheel('..')"
    subprocess.run([sys.executable, "-c", build], cwd=source, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == written
    assert "igarape/py.typed" in packed
