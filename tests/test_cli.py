"""The command line: one command per step, and errors without a traceback."""

import importlib
import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from igarape.cli import main
from igarape.commands import SECTIONS
from igarape.errors import InputError
from igarape.files import write_text
from igarape.model_commands import MODEL_COMMANDS
from igarape.site_commands import SITE_COMMANDS
from igarape.workspace import PER_EXPERIMENT, STEPS, Workspace

HERE = Workspace(Path())

PLAIN = (*(step for step in STEPS if step not in PER_EXPERIMENT), "send", "doctor")


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a project."""
    (tmp_path / "params.yaml").touch()
    write_text("backbone: plain\n", tmp_path / "experiments/plain.yaml")
    monkeypatch.chdir(tmp_path)


class Recorder:
    """Stands in for a stage's run and keeps what it was called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def __call__(self, *arguments: Any, **options: Any) -> None:
        """Keep the arguments."""
        self.calls.append((arguments, options))


def record(monkeypatch: pytest.MonkeyPatch, stage: str) -> Recorder:
    """Replace igarape.stages.<stage>.run."""
    recorder = Recorder()
    monkeypatch.setattr(importlib.import_module(f"igarape.stages.{stage}"), "run", recorder)
    return recorder


def test_every_command_has_a_line_of_help() -> None:
    """`igarape --help` tells what each command is for."""
    for name, command in main.commands.items():
        assert command.get_short_help_str(), name
        unexplained = [option.name for option in command.params if isinstance(option, click.Option) and not option.help]
        assert not unexplained, f"{name}: options without help"
        assert not command.get_short_help_str(64).endswith("..."), f"{name}: its first sentence is cut on 80 columns"
    assert CliRunner().invoke(main, ["-h"]).output == CliRunner().invoke(main, ["--help"]).output


def test_the_help_lists_every_command_once_in_sections() -> None:
    """In the order of the commands; a section begins where commands.SECTIONS says."""
    lines = CliRunner().invoke(main, ["--help"], terminal_width=80).output.partition("dvc repro:\n")[2].splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ") and line.strip()] == list(main.commands)
    assert set(SECTIONS) <= set(main.commands)
    assert [line for line in lines if line.endswith(":") and line[0] != " "] == [
        f"{heading}:" for heading in list(SECTIONS.values())[1:]
    ]


@pytest.mark.parametrize("step", PLAIN)
def test_a_step_runs_its_stage(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """The command's name is the stage's name."""
    recorder = record(monkeypatch, step)
    assert CliRunner().invoke(main, [step], catch_exceptions=False).exit_code == 0
    assert recorder.calls == [((HERE,), {})]


@pytest.mark.parametrize("step", PER_EXPERIMENT)
def test_a_learners_step_takes_its_experiment(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """A learner's steps run for one experiment, and say so when it is missing."""
    recorder = record(monkeypatch, step)
    assert CliRunner().invoke(main, [step, "--experiment", "plain"], catch_exceptions=False).exit_code == 0
    assert recorder.calls == [((HERE, "plain"), {})]
    missing = CliRunner().invoke(main, [step])
    assert missing.exit_code == 2
    assert "--experiment" in missing.output


@pytest.mark.parametrize("step", PER_EXPERIMENT)
@pytest.mark.parametrize("name", ["../plain", "/plain", "Plain", ""])
def test_a_name_that_leads_elsewhere_never_reaches_a_step(
    monkeypatch: pytest.MonkeyPatch, step: str, name: str
) -> None:
    """It would write there; params.yaml takes no such name either."""
    recorder = record(monkeypatch, step)
    result = CliRunner().invoke(main, [step, "--experiment", name])
    assert result.exit_code == 1 and recorder.calls == []
    assert result.output == f"Error: {name!r}: expected small letters, digits, - and _, such as plain\n"


@pytest.mark.parametrize("step", PER_EXPERIMENT)
@pytest.mark.parametrize(
    ("name", "said"),
    [("plian", r"plian\.yaml: not found; did you mean plain\?"), ("odd", r"backbone  there is no odd_models\.py in ")],
)
def test_an_experiment_at_fault_never_reaches_a_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: str, name: str, said: str
) -> None:
    """TensorFlow takes seconds to load, and has no say in it."""
    recorder = record(monkeypatch, step)
    write_text("like: plain\nbackbone: odd_models:net\n", tmp_path / "experiments/odd.yaml")
    result = CliRunner().invoke(main, [step, "--experiment", name])
    assert result.exit_code == 1 and recorder.calls == []
    assert re.search(said, result.output)


@pytest.mark.parametrize("step", PER_EXPERIMENT)
def test_an_experiment_is_known_in_any_folder_of_the_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: str
) -> None:
    """With a backbone that lies beside params.yaml."""
    recorder = record(monkeypatch, step)
    write_text("def net(images, *, width):\n    return images\n", tmp_path / "my_models.py")
    write_text("like: plain\nbackbone: my_models:net\n", tmp_path / "experiments/mine.yaml")
    monkeypatch.chdir(tmp_path / "experiments")
    result = CliRunner().invoke(main, [step, "--experiment", "mine"])
    assert (result.exit_code, recorder.calls) == (0, [((HERE, "mine"), {})]), result.output


def test_options_outside_the_stream_reach_their_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was typed is handed on."""
    typed = {
        "use": (["ucmerced"], ((HERE, "ucmerced"), {"full": False})),
        "relabel": (["review.csv", "--undo"], ((HERE, Path("review.csv")), {"undo": True})),
        "fetch": (["planet"], ((HERE, "planet"), {})),
        "add": (
            ["mine", "--images", "a", "--tags", "t.csv", "--group", "scene", "--force"],
            (
                (HERE, "mine"),
                {
                    "images": Path("a"),
                    "tags": Path("t.csv"),
                    "labels": None,
                    "group": "scene",
                    "split": None,
                    "bands": None,
                    "size": None,
                    "force": True,
                },
            ),
        ),
    }
    for name, (words, expected) in typed.items():
        recorder = record(monkeypatch, name)
        assert CliRunner().invoke(main, [name, *words], catch_exceptions=False).exit_code == 0
        assert recorder.calls == [expected]


def test_bad_input_is_one_message_and_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader sees what to do, not where in our code it was noticed."""

    def fail(_workspace: Workspace) -> None:
        raise InputError("params.yaml: 1 problem\n  seed  is missing")

    monkeypatch.setattr("igarape.stages.decide.run", fail)
    result = CliRunner().invoke(main, ["decide"])
    assert result.exit_code == 1
    assert result.output == "Error: params.yaml: 1 problem\n  seed  is missing\n"


def test_notes_on_an_error_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as what could not be sent to MLflow besides."""

    def fail(_workspace: Workspace) -> None:
        error = InputError("the chips are gone")
        error.add_note("2 entries could not be sent")
        raise error

    monkeypatch.setattr("igarape.stages.decide.run", fail)
    assert CliRunner().invoke(main, ["decide"]).output == "Error: the chips are gone\n2 entries could not be sent\n"


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only input is the user's to mend."""

    def fail(_workspace: Workspace) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("igarape.stages.decide.run", fail)
    with pytest.raises(ZeroDivisionError):
        CliRunner().invoke(main, ["decide"], catch_exceptions=False)


@pytest.mark.parametrize("taken", ["reports", "reports/compare.html/inside"])
def test_a_place_that_cannot_be_written_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, taken: str
) -> None:
    """A file where a folder should be, or the other way round; an error that names no place is ours."""
    (tmp_path / taken).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / taken).touch()
    monkeypatch.setattr("igarape.stages.decide.run", lambda _: write_text("page", Path("reports/compare.html")))
    result = CliRunner().invoke(main, ["decide"])
    assert result.exit_code == 1
    assert re.fullmatch(r"Error: reports\S*: [\w ]+; igarape decide reads or writes there\. See .*\n", result.output)
    assert not list(tmp_path.rglob(".unfinished*"))

    def fail(_workspace: Workspace) -> None:
        raise PermissionError("of nothing")

    monkeypatch.setattr("igarape.stages.decide.run", fail)
    with pytest.raises(PermissionError):
        CliRunner().invoke(main, ["decide"], catch_exceptions=False)


def test_a_package_that_is_not_installed_is_said_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where igarape was installed to answer only, a step of the stream says what it lacks, and not where."""

    def fail(_workspace: Workspace) -> None:
        raise ModuleNotFoundError("No module named 'keras'", name="keras")

    monkeypatch.setattr("igarape.stages.decide.run", fail)
    result = CliRunner().invoke(main, ["decide"])
    assert result.exit_code == 1
    assert "keras: not installed, and igarape decide needs it" in result.output
    assert "pip install -e '.[train]'" in result.output


def test_a_module_of_ours_that_is_missing_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is no matter of what was installed."""

    def fail(_workspace: Workspace) -> None:
        raise ModuleNotFoundError("No module named 'igarape.gone'", name="igarape.gone")

    monkeypatch.setattr("igarape.stages.decide.run", fail)
    with pytest.raises(ModuleNotFoundError):
        CliRunner().invoke(main, ["decide"], catch_exceptions=False)


@pytest.mark.parametrize(
    ("words", "called"),
    [(["plain"], ((HERE, "plain"), {"defaults": False})), (["--defaults"], ((HERE, None), {"defaults": True}))],
)
def test_show_takes_an_experiment_or_a_flag(
    monkeypatch: pytest.MonkeyPatch, words: list[str], called: tuple[object, object]
) -> None:
    """What is wrong with both or neither, the stage says."""
    recorder = record(monkeypatch, "show")
    assert CliRunner().invoke(main, ["show", *words], catch_exceptions=False).exit_code == 0
    assert recorder.calls == [called]


def test_compare_takes_two_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the names that they were given."""
    recorder = record(monkeypatch, "compare")
    assert CliRunner().invoke(main, ["compare", "main", "."], catch_exceptions=False).exit_code == 0
    assert recorder.calls == [((HERE, "main", "."), {})]
    assert CliRunner().invoke(main, ["compare", "main"]).exit_code == 2


def test_worth_takes_an_idea_and_what_it_is_laid_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its parent, where no other is named."""
    recorder = record(monkeypatch, "worth")
    for words in (["worth", "mine"], ["worth", "mine", "--against", "plain"]):
        assert CliRunner().invoke(main, words, catch_exceptions=False).exit_code == 0
    assert recorder.calls == [((HERE, "mine"), {"against": None}), ((HERE, "mine"), {"against": "plain"})]


def test_an_unknown_command_is_refused() -> None:
    """The message names it."""
    result = CliRunner().invoke(main, ["trian"])
    assert result.exit_code == 2
    assert "trian" in result.output


def test_each_command_is_called_here() -> None:
    """A new command needs a test. Those of other modules are called in their tests."""
    others = {"use", "relabel", "fetch", "show", "add", "compare", "worth"}
    elsewhere = {command.name for command in (*MODEL_COMMANDS, *SITE_COMMANDS)}
    assert set(main.commands) == {*PLAIN, *PER_EXPERIMENT, *others, *elsewhere}
