"""The documents name what there is; what they tell people to type can be typed; their links lead somewhere.

A command in a `sh` block is parsed by the program that it starts, and stands in one of three tables: HERE (this file
runs it), ELSEWHERE (another test does), NOT_RUN (with the reason why none does). One that is in none of them fails.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click
import grimp
import pytest
import yaml
from documents import (
    ALL,
    ARCHITECTURE,
    LINKED,
    NAMES,
    README,
    ROOT,
    TEXT,
    WRITTEN,
    anchors,
    blocks,
    inline,
    links,
    prose,
    sentences,
    simple_commands,
    whole_lines,
)
from dvc.cli import DvcParserError, parse_args
from mlflow.cli import cli as mlflow

from igarape.cli import main
from igarape.workspace import PER_EXPERIMENT, STEPS

EXPERIMENTS = sorted(path.stem for path in ROOT.glob("experiments/*.yaml"))
DATASETS = sorted(path.stem for path in ROOT.glob("datasets/*.yaml"))
TARGETS = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VARIABLE = re.compile(r"\b(?:IGARAPE_[A-Z_]+|MLFLOW_TRACKING_URI)\b")
CLI = "from igarape.cli import main; main()"
LINES, WORDS = 120, 25  # of the README, of a sentence on average

# What the recipes of docs/extending.md make: a step, and an experiment.
STEP_OF_A_RECIPE, EXPERIMENT_OF_A_RECIPE = "rarest", "vit"

# Cheap, and done by test_each_cheap_command_runs, in this order, in a folder that holds params.yaml and the YAMLs. With
# what it prints.
HERE: Mapping[str, str] = {
    "make help": "".join(rf"{target} +\S.*\n" for target in TARGETS),
    r"printf '# Asks: .*' > experiments/plain_zoom.yaml": "",
    "igarape show plain_zoom": (
        r"# experiments/plain_zoom\.yaml, like plain\n(?s:.*)"
        r"\n# What it changes of plain:\n#   hyperparameters\.zoom: 0\.0 -> 0\.3\n"
    ),
}

# A test that runs such a command, or the stage that it starts, on a small stream or in a folder of its own.
ELSEWHERE = {
    "make repro|dvc repro( --pull)?": "tests/test_stream.py",  # make repro is: make setup, dvc repro
    r"dvc repro -f \w+|dvc repro (search|train)@(?!vit)\w+.*": "tests/contracts/test_code_reruns.py",
    "igarape (stack|decide|evaluate)": "tests/contracts/test_setting_reruns.py",
    "igarape distill": "tests/stages/test_distill.py",
    "make promote": "tests/test_stream.py",
    r"\.venv/bin/igarape serve": "tests/test_stream.py",
    "igarape promote --model student": "tests/stages/test_promote.py",
    "igarape serve --model student": "tests/stages/test_serve.py",
    "igarape predict chips/ --model student --out answers.csv": "tests/stages/test_predict.py",
    r"igarape (promote|rollback|predict|serve)( --port \d+| chips/ --out answers.csv)?": "tests/test_stream.py",
    r"igarape promote (--dry-run|--version \d+ --force --reason .*)": "tests/stages/test_promote.py",
    "igarape (history|rollback --reason .*)": "tests/stages/test_history.py",
    r"igarape lineage( --.*)?": "tests/stages/test_lineage.py",
    r"igarape serve --(watch 30|token-file token|bundle \S+/bundle)": "tests/stages/test_serve.py",
    "igarape serve --bundle build/model": "tests/serving/test_in_folder.py",
    "igarape predict chips/ --nir tifs/ --out answers.csv": "tests/stages/test_predict.py",
    r"igarape map \S+ --bands r=3,g=2,b=1": "tests/stages/test_map.py",
    "igarape site add .*": "tests/stages/test_site.py",
    "igarape watch river inbox/": "tests/stages/test_watch.py",
    "igarape alerts river( --csv .*)?": "tests/stages/test_alerts.py",
    "igarape page river": "tests/stages/test_page.py",
    "igarape log river( --(sample|judged) .*)?": "tests/stages/test_log.py",
    "igarape judge river:.*": "tests/stages/test_judge.py",
    "igarape submit --.*": "tests/stages/test_submit.py",
    "igarape score --split .*": "tests/stages/test_score.py",
    r"igarape search --experiment \w+": "tests/stages/test_search.py",
    r"igarape train --experiment \w+": "tests/stages/test_train.py",
    r"igarape worth \w+( --against \w+)?": "tests/stages/test_worth.py",
    r"igarape use (?!mine)\w+( --full)?": "tests/stages/test_use.py",
    "igarape use mine": "tests/stages/test_add.py",
    "dvc repro --single-item --force register": "tests/test_stream.py",
    "igarape relabel review.csv": "tests/stages/test_relabel.py",
    "igarape send": "tests/stages/test_send.py",
    "igarape doctor": "tests/stages/test_doctor.py",
    r"igarape compare (main HEAD|HEAD \.)": "tests/stages/test_compare.py",
    "git (add dvc.lock params.yaml|commit -m .*)": "tests/stages/test_compare.py",
    "dvc repro ingest": "tests/contracts/test_recipes.py",
    "igarape (rarest|show vit)|pytest tests/contracts tests/stages/test_rarest.py": "tests/contracts/test_recipes.py",
    "mlflow run .*": "tests/test_stream.py",  # as dvc.yaml does
}

# Why none does.
NOT_RUN = {
    "make (setup|bench|check|unit|test)( PYTHON=.*)?": "it installs, measures or tests for minutes; .ci/run does it",
    "make sites": "it maps for minutes; tests/stages/test_watch.py watches a small site",
    "make (promote serve|ui)": "it serves until somebody stops it; tests/stages/test_serve.py runs make serve",
    r"\.ci/run": "it runs this test",
    r"\.venv/bin/pytest -m slow": "it takes minutes; .ci/run does it",
    r"\.venv/bin/pytest -m thorough( tests/serving/test_closure.py)?": "a workflow does it each week",
    r"\.venv/bin/pre-commit install": "it writes into .git of whoever runs the tests",
    "rm -r .venv": "it would remove what runs the tests",
    r"dvc (remote (add|modify) .*|push --run-cache)": "it wants a team's bucket",
    "git (push|pull)": "it wants another repository",
    "export .*": "it sets a variable of the reader's shell, to a folder of theirs",
    r"pip install (\.|-e '\.\[(kaggle|cluster|sites)\]')": "it installs",
    "pip (un)?install onnxruntime(-gpu)?": "it takes the place of what runs the tests, and wants a graphics card",
    "ray start .*": "it wants machines; tests/cluster starts Ray's nodes on this one",
    "igarape fetch planet": "it wants an account; tests/stages/test_fetch.py runs it with a client that stands in",
    "igarape add .*": "its arguments are the reader's; tests/stages/test_add.py",
    "dvc (metrics|plots) show": "it shows what a whole stream has written",
    "python bench.*": "it takes minutes and wants the real chips",
    "python studies/.*": "it takes an hour and wants the real chips",
    "dvc repro split": "a part of dvc repro",
    "mlflow (models|artifacts) .*|docker .*|pip wheel .*": "it serves, installs, or wants Docker",
    r"tar xO?f .*|base64 .*|tr -d .*|curl .*|printf '[{\"].*": "it wants a server; test_stream sends a chip by urllib",
    "mkdir chips|openssl rand .*": "what comes after it wants the file or the folder",
}


TYPED = sorted(
    {
        words
        for path in LINKED
        for block in blocks(path)
        for line in whole_lines(block)
        for words in simple_commands(line)
    }
)


def said(words: Sequence[str]) -> str:
    """Return a command as it is written, with redirections as they are."""
    return " ".join(word if word in {">", "<"} else shlex.quote(word) for word in words)


def parsed(group: click.Group, words: Sequence[str]) -> None:
    """Let a click program parse a command that is not run; paths of the reader's need not be there."""
    with group.make_context("program", list(words), resilient_parsing="--help" in words) as context:
        name, command, rest = group.resolve_command(context, list(words))
        assert command is not None
        try:
            command.make_context(name, rest, parent=context)
        except click.BadParameter as error:
            assert "does not exist" in error.message, error.message  # noqa: PT017


def check_igarape(words: Sequence[str]) -> None:
    """Find the command, its options, and the experiment or the data set that it names."""
    if words[0] == STEP_OF_A_RECIPE:
        return
    parsed(main, words)
    if "--experiment" in words:
        check_experiment(words[words.index("--experiment") + 1])
    if words[0] in {"use", "fetch"} and not words[1].isupper():
        assert words[1] in {*DATASETS, "mine"}  # what `igarape add mine` has written


def check_experiment(name: str) -> None:
    """Find it in experiments/; plain_zoom and that of a recipe are made by the documents."""
    assert name in {*EXPERIMENTS, "plain_zoom", EXPERIMENT_OF_A_RECIPE}


def check_make(words: Sequence[str]) -> None:
    """Find the targets."""
    assert {word for word in words if "=" not in word} <= set(TARGETS)


def check_dvc(words: Sequence[str]) -> None:
    """Let DVC parse the arguments, and find the stages that they name."""
    arguments = parse_args(list(words))
    for target in getattr(arguments, "targets", None) or []:
        step, _, experiment = target.partition("@")
        assert step in STEPS
        assert bool(experiment) == (step in PER_EXPERIMENT)
        if experiment:
            check_experiment(experiment)


def check_mlflow(words: Sequence[str]) -> None:
    """Let MLflow parse the arguments, and find the project's entry point."""
    if words[0] in {"models", "artifacts"}:
        parsed(mlflow.commands[words[0]], words[1:])  # type: ignore[arg-type]  # each is a group of commands
        return
    parsed(mlflow, words)
    points = yaml.safe_load((ROOT / "MLproject").read_text(encoding="utf-8"))["entry_points"]
    assert words[words.index("-e") + 1] in points


def check_python(words: Sequence[str]) -> None:
    """Find the script, and what it is asked for; a folder is a program too."""
    script = ROOT / words[0]
    assert script.is_file() or (script / "__main__.py").is_file()
    if script.is_dir():
        assert all((script / f"{name}.py").is_file() for name in words[1:])
    elif script.stem == "five_folds":
        assert set(words[1:]) <= set(EXPERIMENTS)
    elif script.stem == "ablations":
        assert all(f'"{name}"' in script.read_text(encoding="utf-8") for name in words[1:])


def check_pip(words: Sequence[str]) -> None:
    """Find the extra, or what is taken away; a wheel is of all, and igarape alone has none."""
    if words[0] == "wheel" or list(words) in (["install", "."], ["install", "onnxruntime-gpu"]):
        return
    if words[0] == "uninstall":
        assert words[1] in PYPROJECT["project"]["dependencies"]
        return
    extras = re.findall(r"\[(\w+)\]", " ".join(words))
    assert extras
    assert set(extras) <= set(PYPROJECT["project"]["optional-dependencies"])


def check_pytest(words: Sequence[str]) -> None:
    """Find the marker, or the files but for that of a recipe."""
    if words[0] != "-m":
        made = f"tests/stages/test_{STEP_OF_A_RECIPE}.py"
        assert all((ROOT / word).exists() or word == made for word in words)
        return
    assert words[1] in [marker.partition(":")[0] for marker in PYPROJECT["tool"]["pytest"]["ini_options"]["markers"]]


def check_export(words: Sequence[str]) -> None:
    """Find the variable in the package."""
    assert words[0].partition("=")[0] in variables()


def check_git(words: Sequence[str]) -> None:
    """Find the files, or let DVC write them."""
    assert words[0] in {"add", "commit", "pull", "push"}
    assert words[0] != "add" or all((ROOT / word).is_file() or word == "dvc.lock" for word in words[1:])


def check_nothing(words: Sequence[str]) -> None:
    """Leave it to the shell."""


CHECKED: dict[str, Callable[[Sequence[str]], None]] = {
    "igarape": check_igarape,
    "make": check_make,
    "dvc": check_dvc,
    "git": check_git,
    "mlflow": check_mlflow,
    "python": check_python,
    "pip": check_pip,
    ".venv/bin/pytest": check_pytest,
    ".venv/bin/igarape": check_igarape,
    "pytest": check_pytest,
    ".venv/bin/pre-commit": check_nothing,
    ".ci/run": check_nothing,
    "export": check_export,
    "base64": check_nothing,
    "curl": check_nothing,
    "docker": check_nothing,
    "mkdir": check_nothing,
    "openssl": check_nothing,
    "printf": check_nothing,
    "ray": check_nothing,
    "rm": check_nothing,
    "tar": check_nothing,
    "tr": check_nothing,
}


def variables() -> set[str]:
    """Return the environment variables that the package reads."""
    sources = [path.read_text(encoding="utf-8") for path in ROOT.glob("src/**/*.py")]
    return set(VARIABLE.findall("\n".join(sources)))


def is_in(command: str, patterns: Sequence[str]) -> int:
    """Return how many of the patterns a command is written by."""
    return sum(bool(re.fullmatch(pattern, command)) for pattern in patterns)


@pytest.mark.parametrize("words", TYPED, ids=said)
def test_each_command_can_be_typed(words: Sequence[str]) -> None:
    """The program is known, and it takes these arguments."""
    assert words[0] in CHECKED, "no check for this program"
    CHECKED[words[0]](words[1:])


@pytest.mark.parametrize(
    "line",
    [
        "igarape nothing",
        "igarape predict chips/ --to answers.csv",
        "igarape search --experiment plane",
        "igarape use mars",
        "make nothing",
        "dvc repro search",
        "dvc repro --nothing",
        "dvc nothing",
        "mlflow run . -e ingest",
        "python bench nothing",
        "pip install -e '.[nothing]'",
        "export IGARAPE_NOTHING=1",
        "nothing",
    ],
)
def test_a_command_that_cannot_be_typed_is_found(line: str) -> None:
    """One that is not there, or an argument that it does not take."""
    ((program, *words),) = simple_commands(line)
    with pytest.raises((AssertionError, click.ClickException, DvcParserError, KeyError)):
        CHECKED[program](words)


@pytest.mark.parametrize("words", TYPED, ids=said)
def test_each_command_is_run_or_says_why_not(words: Sequence[str]) -> None:
    """It stands in one of the tables above, and in one only."""
    command = said(words)
    found = is_in(command, list(HERE)) + is_in(command, list(ELSEWHERE)) + is_in(command, list(NOT_RUN))
    assert found == 1, f"{command}: in {found} of HERE, ELSEWHERE, NOT_RUN"


@pytest.mark.parametrize("pattern", [*HERE, *ELSEWHERE, *NOT_RUN])
def test_the_tables_list_no_command_that_nobody_reads(pattern: str) -> None:
    """An entry is for a command that stands in a document."""
    assert any(re.fullmatch(pattern, said(words)) for words in TYPED)


@pytest.mark.parametrize("path", sorted(set(ELSEWHERE.values())))
def test_a_test_that_is_said_to_run_commands_is_there(path: str) -> None:
    """The tables name files of tests/."""
    assert (ROOT / path).is_file()


def test_each_cheap_command_runs(tmp_path: Path) -> None:
    """Those of HERE, as they are written: each ends well, and prints what it should and nothing else."""
    for name in ("params.yaml", "Makefile"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("datasets", "experiments"):
        shutil.copytree(ROOT / name, tmp_path / name)
    # A shell that knows igarape, whether or not the environment was activated.
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "igarape").write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{CLI}' \"$@\"\n", encoding="utf-8")
    (programs / "igarape").chmod(0o755)
    # And none that make has started: a make inside of `make test` says where it is.
    env = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    env["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
    lines = [line for path in LINKED for block in blocks(path) for line in whole_lines(block)]
    for pattern, printed in HERE.items():
        line = next(line for line in lines if any(re.fullmatch(pattern, said(one)) for one in simple_commands(line)))
        done = subprocess.run(["sh", "-c", line], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}: {done.stderr}"
        assert re.fullmatch(printed, done.stdout), f"{line}: {done.stdout}"


@pytest.mark.parametrize(
    "command", sorted({text for _, text in inline() if re.match(r"(igarape|make|dvc) [a-z]", text)}), ids=str
)
def test_a_command_in_a_sentence_is_there(command: str) -> None:
    """`igarape NAME` and `make NAME` in running text name a command and a target; and `dvc NAME` one of DVC's."""
    for words in simple_commands(command):
        if words[0] == "igarape":
            assert words[1] in {*main.commands, STEP_OF_A_RECIPE}
        elif words[0] == "make":
            check_make(words[1:])
        elif not any(word.isupper() for word in words):
            check_dvc(words[1:])


@pytest.mark.parametrize("path", sorted(WRITTEN), ids=NAMES.get)
def test_sentences_are_short(path: Path) -> None:
    """At most 25 words on average, without code, tables and headings."""
    counts = [len(sentence.split()) for sentence in sentences(prose(path, tables=False))]
    assert not counts or sum(counts) / len(counts) <= WORDS


def test_sentences_are_told_apart() -> None:
    """The end of a sentence, an item of a list and a paragraph end one; an abbreviation's dot does not."""
    text = "One two. Three four, e.g. five!\n- six seven\n- eight `nine`. Ten\n  eleven\n\ntwelve thirteen"
    assert [len(sentence.split()) for sentence in sentences(text)] == [2, 4, 3, 3, 2, 2]


def test_the_readme_is_short() -> None:
    """At most 120 lines."""
    assert len(TEXT[README].splitlines()) <= LINES


def test_the_readme_begins_with_how_to_start() -> None:
    """The two ways in are there, in code blocks, and one picture of the stream."""
    typed = [words for block in blocks(README) for line in whole_lines(block) for words in simple_commands(line)]
    assert ("make", "repro") in typed
    assert any(words[:2] == ("igarape", "promote") for words in typed)
    assert "](docs/stream.svg)" in TEXT[README]


@pytest.mark.parametrize("name", list(main.commands))
def test_each_command_is_named(name: str) -> None:
    """Every step, and every command outside the stream, is in the documents."""
    assert re.search(rf"`(igarape )?{name}\b", ALL) or any(words[:2] == ("igarape", name) for words in TYPED)


@pytest.mark.parametrize("target", TARGETS)
def test_each_make_target_is_named(target: str) -> None:
    """`make TARGET` is in the documents."""
    assert f"make {target}" in ALL


@pytest.mark.parametrize("name", [*EXPERIMENTS, *DATASETS])
def test_each_experiment_and_data_set_is_named(name: str) -> None:
    """A YAML that somebody can choose is in the documents."""
    assert f"`{name}`" in ALL


@pytest.mark.parametrize("name", sorted(variables()))
def test_each_environment_variable_is_named(name: str) -> None:
    """In a table that says what it means."""
    assert f"| `{name}` |" in ALL


@pytest.mark.parametrize("path", sorted(ROOT.glob("docs/*.md")), ids=NAMES.get)
def test_each_page_is_reached_from_the_readme(path: Path) -> None:
    """Nobody has to list docs/."""
    assert f"]({NAMES[path]})" in TEXT[README]


@pytest.mark.parametrize(("path", "link"), sorted(set(links())), ids=lambda value: NAMES.get(value, value))
def test_each_link_leads_somewhere(path: Path, link: str) -> None:
    """The file is there, and so is the heading."""
    name, _, anchor = link.partition("#")
    target = (path.parent / name).resolve() if name else path
    assert target.exists()
    if anchor:
        assert anchor in anchors(target)


def test_the_architecture_begins_with_the_tree(graph: grimp.ImportGraph) -> None:
    """It names each folder and each module of the package; those of stages/ are the commands."""
    head, tree = TEXT[ARCHITECTURE].split("```")[:2]
    assert head.strip() == "# Architecture"
    missing = [name for name in sorted(graph.modules) if name.startswith("igarape.") and ".stages." not in name]
    missing = [name for name in missing if not re.search(rf"\b{name.rpartition('.')[2]}\b", tree)]
    assert not missing, f"ARCHITECTURE.md: the tree lacks {', '.join(missing)}"


def test_the_tree_names_what_lies_at_the_top() -> None:
    """Files and folders of the project that git keeps, but for those that begin with a dot."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("no git repository")
    tree = TEXT[ARCHITECTURE].split("```")[1]
    tops = {line.partition("/")[0] for line in listed.stdout.splitlines() if not line.startswith(".")}
    assert sorted(top for top in tops if top not in tree and top != "dvc.lock") == []
