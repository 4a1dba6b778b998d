"""What train and evaluate are told of a student, for tests."""

from typing import Any

from igarape.config.student import StudentManifest

SAID: dict[str, Any] = {
    "name": "pupil",
    "chips": "raw",
    "size": 32,
    "tta": False,
    "settings": {},
    "truth": 0.5,
    "labelled": 2,
    "unlabelled": 0,
    "learned": "",
    "parity": 0.0,
}


def taught(labels: tuple[str, ...], **changes: Any) -> StudentManifest:
    """Give the manifest of a student of these labels, with changes."""
    return StudentManifest(**(SAID | {"labels": labels} | changes))
