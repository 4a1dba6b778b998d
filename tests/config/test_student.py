"""A student's experiment: a network of all labels, each hyperparameter of which has one value."""

from pathlib import Path
from typing import Any

import pytest
import tiny
import yaml

from igarape.config.network_kinds import Network
from igarape.config.student import Student, read_student
from igarape.errors import InputError
from igarape.labels import Vocabulary

VOCABULARY = Vocabulary(exclusive=(), alone=(), common=("tree", "pond"), rare=("kiln",))


def write(folder: Path, content: dict[str, Any]) -> Path:
    """Write experiments/pupil.yaml, and return the folder."""
    (folder / "pupil.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


def test_none_is_no_student(tmp_path: Path) -> None:
    """Nothing is read then."""
    assert read_student(None, VOCABULARY, tmp_path / "nowhere", nir=False) is None


def test_a_network_of_all_labels_may_be_taught(tmp_path: Path) -> None:
    """It is read as any experiment is."""
    found = read_student("pupil", VOCABULARY, write(tmp_path, tiny.CONTENT), nir=False)
    assert isinstance(found, Network)
    assert found.hyperparameters.pick({}) == tiny.values()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (tiny.CONTENT | {"labels": "rare"}, "a student is a network of all labels, found network of rare labels"),
        (tiny.TABULAR, "a student is a network of all labels, found tabular of all labels"),
        (
            tiny.CONTENT | {"hyperparameters": {"dropout": {"choice": [0.1, 0.2]}}},
            "dropout: a student is not searched for",
        ),
        (tiny.CONTENT | {"chips": "nir"}, "chips: nir: the data set names no TIFs"),
    ],
)
def test_another_experiment_is_refused(tmp_path: Path, content: dict[str, Any], said: str) -> None:
    """In one line that names the file, before the first epoch."""
    with pytest.raises(InputError, match=f"pupil.yaml: .*{said}"):
        read_student("pupil", VOCABULARY, write(tmp_path, content), nir=False)


def test_the_document_says_that_there_is_none(tmp_path: Path) -> None:
    """As the step distill writes it where nobody asks for a student."""
    Student(student=None).write(tmp_path / "student.json")
    assert Student.read(tmp_path / "student.json").student is None
