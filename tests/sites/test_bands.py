"""Bands are named by people or by the file; a guess is never made."""

import re

import pytest

from igarape.errors import InputError
from igarape.sites.bands import Bands, find_bands, parse_bands

GREY = ("gray", "undefined", "undefined", "undefined")


def test_bands_are_read_as_they_are_typed() -> None:
    """In any order, by short or long names, with or without near-infrared."""
    assert parse_bands("r=3,g=2,b=1") == Bands(3, 2, 1)
    assert parse_bands("b=1, g=2, R=3, nir=4") == Bands(3, 2, 1, 4)
    assert parse_bands("red=1,green=2,blue=3").used == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3,2,1", "'3' names no band"),
        ("r=0,g=2,b=1", "'r=0' names no band"),
        ("r=3,g=3,b=1", "a band is named twice"),
        ("r=3,r=2,b=1", "a band is named twice"),
        ("r=3,g=2", "blue is missing"),
        ("r=3,g=2,b=1,swir=5", "'swir=5' names no band"),
        ("", "'' names no band"),
    ],
)
def test_what_is_no_list_of_bands_is_refused(text: str, said: str) -> None:
    """With what was typed, what is wrong with it, and an example."""
    with pytest.raises(InputError, match=f"^--bands {text}.*{re.escape(said)}.*such as --bands r=3,g=2,b=1"):
        parse_bands(text)


def test_a_file_may_say_it_by_descriptions() -> None:
    """Planet's order, with near-infrared."""
    found = find_bands(None, "scene.tif", descriptions=("blue", "green", "Red", "NIR"), colours=GREY)
    assert found == Bands(3, 2, 1, 4)


def test_three_bands_may_be_called_red_green_and_blue() -> None:
    """As a picture's are; of four bands writers call the first three so whatever they are, and nobody is believed."""
    assert find_bands(None, "scene.tif", descriptions=(None,) * 3, colours=("red", "green", "blue")) == Bands(1, 2, 3)
    with pytest.raises(InputError, match="nothing says which of its 4 bands is red, green and blue"):
        find_bands(None, "scene.tif", descriptions=(None,) * 4, colours=("red", "green", "blue", "alpha"))


def test_what_is_said_counts_more_than_the_file() -> None:
    """But a band that is not there cannot be meant."""
    names = ("red", "green", "blue")
    assert find_bands(Bands(3, 2, 1), "scene.tif", descriptions=names, colours=GREY[:3]) == Bands(3, 2, 1)
    with pytest.raises(InputError, match=r"scene\.tif: expected a band 4, found 3 bands"):
        find_bands(Bands(3, 2, 1, 4), "scene.tif", descriptions=names, colours=GREY[:3])
