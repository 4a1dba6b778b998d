"""What a chip is."""

from dataclasses import FrozenInstanceError

import pytest

from igarape.chips.chip import Chip, Encoded


def test_a_chip_cannot_be_changed() -> None:
    """A chip that was read stays what it was."""
    chip = Chip(image_id="a", split="train", group="scene_0000", tags=("clear",), origin=Encoded(b"jpeg"))
    with pytest.raises(FrozenInstanceError):
        chip.split = "test"  # type: ignore[misc]
