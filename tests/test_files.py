"""Files that are whole or not there."""

from pathlib import Path

import pytest

from igarape.errors import InputError
from igarape.files import fresh_folder, read_json, whole, write_json, write_text


def test_a_file_takes_its_name_only_when_the_block_ended_well(tmp_path: Path) -> None:
    """While it is written there is no file of that name; afterwards there is, and nothing else."""
    path = tmp_path / "new" / "table.csv"
    with whole(path) as unfinished:
        unfinished.write_text("a", encoding="utf-8")
        assert not path.exists()
    assert [file.name for file in path.parent.iterdir()] == ["table.csv"]


def test_a_write_that_fails_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    """Half a file never stands under the final name."""
    path = tmp_path / "table.csv"
    write_text("old", path)

    def half() -> None:
        with whole(path) as unfinished:
            unfinished.write_text("ne", encoding="utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert path.read_text(encoding="utf-8") == "old"


def test_json_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Text outside ASCII stays readable in the file."""
    path = tmp_path / "rule.json"
    write_json({"label": "garapé", "threshold": 0.2}, path)
    assert read_json(path) == {"label": "garapé", "threshold": 0.2}
    assert "garapé" in path.read_text(encoding="utf-8")


def test_json_holds_no_nan(tmp_path: Path) -> None:
    """A score that is not a number is an error, not a file that other programs cannot read."""
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json({"f2": float("nan")}, tmp_path / "metrics.json")
    assert not (tmp_path / "metrics.json").exists()


def test_a_missing_json_file_says_what_to_run(tmp_path: Path) -> None:
    """The reader learns the file's name and the next command."""
    with pytest.raises(InputError, match=r"best\.json: not found.*dvc repro"):
        read_json(tmp_path / "best.json")


def test_a_fresh_folder_is_empty(tmp_path: Path) -> None:
    """What an earlier run left does not mix with the new."""
    folder = tmp_path / "data" / "train"
    write_text("stale", fresh_folder(folder) / "sub" / "fold-9.onnx")
    assert list(fresh_folder(folder).iterdir()) == []
