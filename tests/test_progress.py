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
