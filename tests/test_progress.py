"""The progress bar: what a step is at, how far it is, and how long still."""

import re

import pytest

from igarape import progress as module
from igarape.progress import progress


def test_a_report_shows_title_share_rest_and_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names the step, the fold or trial, what is done of how much, and the time left."""
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 0.0)
    with progress("train plain", "epoch") as report:
        report(1, 10, "fold 1/5, epoch 1/2")
        report(5, 10, "fold 3/5, epoch 1/2")
    shown = capsys.readouterr().err
    line = next(line for line in re.split(r"[\r\n]", shown) if "5/10" in line)
    assert line.startswith("train plain")
    assert "fold 3/5, epoch 1/2" in line
    assert re.search(r"50%.*\d\d:\d\d<\d\d:\d\d", line)


def test_the_text_may_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """Domain code that only counts may report two numbers."""
    with progress("reading", "chip") as report:
        report(3, 3)
    assert "3/3" in capsys.readouterr().err


def test_nothing_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    """A step's output can be piped."""
    with progress("reading", "chip") as report:
        report(1, 2)
    assert capsys.readouterr().out == ""


def test_a_log_has_a_line_for_each_state(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written over there, so no line holds two states, nor a carriage return."""
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 0.0)
    with progress("reading", "chip") as report:
        for done in range(4):
            report(done, 3)
    shown = capsys.readouterr().err
    assert "\r" not in shown and shown.endswith("\n")
    assert [line.count("reading") for line in shown.splitlines()] == [1] * len(shown.splitlines())
    assert [f"{done}/3" in shown for done in range(4)] == [True] * 4


def test_where_nothing_is_to_be_done_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither before the first report, nor after one of nothing."""
    with progress("reading", "chip"):
        pass
    with progress("reading", "chip") as report:
        report(0, 0)
    assert capsys.readouterr().err == ""
