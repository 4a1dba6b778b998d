"""A stage is glue: it reads, calls one room after another, and writes."""

from pathlib import Path

import pytest

LINES = 90
STAGES = sorted((Path(__file__).parents[2] / "src/igarape/stages").glob("*.py"))


@pytest.mark.parametrize("path", STAGES, ids=[path.stem for path in STAGES])
def test_a_stage_can_be_read_at_a_glance(path: Path) -> None:
    """What computes something lies in a room, with its tests."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES
