"""The machine: cards, memory, disks."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from igarape.doctor import machine
from igarape.doctor.machine import GB, cards, disks, memory
from igarape.findings import good
from igarape.learners.networks import devices
from igarape.workspace import Workspace


class Usage(NamedTuple):
    """What shutil tells of a disk."""

    free: int


@pytest.fixture
def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give what puts a program nvidia-smi of some lines of shell on the PATH."""

    def put(lines: str) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

    return put


def test_a_machine_without_a_card_trains_on_its_processors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is no fault, and TensorFlow is not asked."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cards().level == "good" and cards().said.startswith("none: trainings use ")


def test_a_driver_without_a_card_is_no_card(smi: Callable[[str], None]) -> None:
    """As in a container that was given none."""
    smi("echo 'NVIDIA-SMI has failed'; exit 9")
    assert cards().said.startswith("none")


def test_a_card_that_tensorflow_does_not_see_is_a_warning(
    smi: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was installed without CUDA's libraries."""
    smi("echo 'NVIDIA A100, 40960 MiB'")
    monkeypatch.setattr(devices, "graphics_cards", lambda: 1)
    assert cards() == good("NVIDIA A100, 40960 MiB; networks answer on the processors (IGARAPE_ONNX)")
    monkeypatch.setattr(devices, "graphics_cards", lambda: 0)
    assert cards().level == "warning" and "pip install -e '.[gpu]'" in cards().said


def test_a_container_has_the_memory_that_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its machine has, less what it uses; little is a warning. Files in its cache make room."""
    bound = tmp_path / "memory.max"
    monkeypatch.setattr(machine, "BOUNDS", ((bound, "memory.current"),))
    (tmp_path / "memory.current").write_text(f"{GB // 2 + GB // 8}\n", encoding="utf-8")
    (tmp_path / "memory.stat").write_text(f"anon {GB // 2}\ninactive_file {GB // 8}\n", encoding="utf-8")
    monkeypatch.setattr(machine, "LITTLE", 0)
    bound.write_text("max\n", encoding="utf-8")
    assert memory().level == "good"
    monkeypatch.setattr(machine, "LITTLE", 4 * GB)
    bound.write_text(f"{GB}\n", encoding="utf-8")
    assert memory().level == "warning" and memory().said.startswith("0.5 of 1.0 GB are free; a training wants 4")


@pytest.mark.parametrize(("free", "level"), [(20 * GB, "good"), (5 * GB, "warning"), (GB // 2, "wrong")])
def test_little_room_is_a_warning_and_none_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str
) -> None:
    """The folders may not be there yet."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free))
    assert disks(Workspace(tmp_path / "new")).level == level
