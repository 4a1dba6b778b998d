"""reports/metrics.json is refused when it is not what evaluate writes."""

from pathlib import Path

import pytest

from igarape.config.documents import HoldOut
from igarape.config.verdict import Metrics
from igarape.errors import InputError


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    """With all its parts; one that is missing, as in that of an older igarape, is named with what to do."""
    path = tmp_path / "metrics.json"
    holdout = HoldOut(f2=0.87, map=0.8, n=300, f2_low=0.85, f2_high=0.89)
    budget = {"water": {"mean": 0.01, "low": 0.0, "high": 0.02}}
    parts: dict[str, object] = {name: {} for name in Metrics.model_fields}
    whole = Metrics.model_validate(parts | {"holdout": holdout, "budget": budget, "student": None})
    whole.write(path)
    assert Metrics.read(path) == whole
    path.write_text(path.read_text(encoding="utf-8").replace('"worth"', '"value"'), encoding="utf-8")
    with pytest.raises(InputError, match=r"(?s)metrics\.json.*worth.*run the step that writes it once more"):
        Metrics.read(path)
