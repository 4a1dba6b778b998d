"""A cell is a file in any usual spelling; what is none is named by its row, and nothing of it is repeated."""

import base64
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igarape.errors import InputError
from igarape.serving.cells import file_of


@given(st.binary(min_size=1, max_size=300))
def test_every_spelling_of_base64_gives_the_bytes(data: bytes) -> None:
    """Standard and URL-safe, with padding and without, in lines, as a data URL, wrapped, and bytes as they are."""
    standard, safe = base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()
    spelled = [standard, safe, standard.rstrip("="), safe.rstrip("="), "\r\n".join(textwrap.wrap(standard, 76))]
    spelled += [f"data:image/jpeg;base64,{standard}", f"data:;base64,{safe}", f" {standard}\n"]
    cells = [data, *spelled, *({"b64": text} for text in spelled), f"{{'b64': '{standard}'}}"]
    assert [file_of(cell, 0, "image") for cell in cells] == [data] * len(cells)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("secre", "found a text of 5 characters that is none"),  # of no length that base64 has
        ("sec:ret=", "found a text of 8 characters that is none"),
        ("data:image/jpeg,secret", "found a text of 22 characters that is none"),
        ("ção", "found a text of 3 characters that is none"),
        ("\ud800", "found a text of 1 character that is none"),
        (5, "found a number"),
        (None, "found nothing"),
        (True, "found true or false"),
        (["secret"], "found a list"),
        ({"b65": "secret"}, "found an object"),
        ({"b64": 5}, "found a number"),
    ],
)
def test_what_is_no_file_is_named_by_its_row_and_not_repeated(cell: object, found: str) -> None:
    """The sentence names the row, and the column unless that is image."""
    with pytest.raises(InputError) as caught:
        file_of(cell, 3, "image")
    assert str(caught.value) == f"row 3: expected the bytes or the base64 text of a JPEG, PNG or TIF, {found}"
    with pytest.raises(InputError, match="row 0, nir: expected the bytes or the base64 text of a TIF of four bands"):
        file_of(cell, 0, "nir")
