"""data/search/E/best.json: what a search found is written, read and refused."""

from pathlib import Path
from typing import Any

import pytest
import tiny

from igarape.config.best import Best, read_best
from igarape.config.network_kinds import Network
from igarape.errors import InputError
from igarape.files import read_json, write_json

FOUND = Best("leafy", tiny.values(dropout=0.2), 0.5, "trial-1")


def experiment(**hyperparameters: Any) -> Network:
    """Give an experiment that searches dropout."""
    return tiny.tiny({"dropout": {"choice": [0.4, 0.0, 0.2]}} | hyperparameters)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """As values with types, under the keys that the file always had."""
    FOUND.write(tmp_path / "leafy")
    assert read_best(tmp_path / "leafy/best.json", experiment()) == FOUND
    content = read_json(tmp_path / "leafy/best.json")
    assert set(content) == {"experiment", "hyperparameters", "score", "trial"}
    assert content["hyperparameters"] == FOUND.hyperparameters.model_dump()
    assert type(content["hyperparameters"]["head_epochs"]) is int


def test_what_an_older_search_found_is_not_taken_for_the_experiments(tmp_path: Path) -> None:
    """Its file and what is unlike are named, and the command that searches anew."""
    FOUND.write(tmp_path / "leafy")
    told = r"leafy/best\.json: decay, dropout: not as .* Run: igarape search --experiment leafy"
    with pytest.raises(InputError, match=told):
        read_best(tmp_path / "leafy/best.json", experiment(decay=0.1, dropout=0.4))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"score": "high"}, "score  should be a valid number"),
        ({"scores": 0.5}, "scores  is not known; did you mean score"),
        ({"hyperparameters": None}, "hyperparameters  should hold keys and values"),
    ],
)
def test_a_file_that_no_search_wrote_is_refused(changes: dict[str, Any], line: str, tmp_path: Path) -> None:
    """With what is wrong with it, and the command that writes it anew."""
    FOUND.write(tmp_path / "leafy")
    path = tmp_path / "leafy/best.json"
    write_json(read_json(path) | changes, path)
    with pytest.raises(InputError) as caught:
        read_best(tmp_path / "leafy/best.json", experiment())
    assert line in str(caught.value)
    assert str(caught.value).endswith("Run: igarape search --experiment leafy")


def test_half_a_file_is_refused(tmp_path: Path) -> None:
    """Whoever cut it off."""
    (tmp_path / "leafy").mkdir()
    (tmp_path / "leafy/best.json").write_text('{"experiment": ', encoding="utf-8")
    with pytest.raises(InputError, match=r"(?s)best\.json: no JSON, or cut short: .*Run: igarape search"):
        read_best(tmp_path / "leafy/best.json", experiment())
