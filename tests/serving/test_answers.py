"""What is told besides the labels: flat and resized pictures, names, and the F2 that an answer may expect."""

import cv2
import numpy as np
import pandas as pd
import pytest
from tifffile import imwrite

from igarape.chips.pictures import Pixels, encode_jpeg, encode_png
from igarape.labels import Vocabulary
from igarape.serving.answers import detailed, picture_warnings

WORDS = Vocabulary(("sun", "fog"), (), ("tree", "old road"), ())


def test_a_picture_as_it_should_be_has_no_warning(images: list[Pixels]) -> None:
    """Of the size that is wanted, with something to see."""
    assert picture_warnings(encode_jpeg(images[0], 95), images[0]) == []


def test_a_flat_and_a_resized_picture_are_said(images: list[Pixels], tmp_path_factory: pytest.TempPathFactory) -> None:
    """In the order in which the eye meets them; a TIF's sides are read from its header."""
    small = np.full((8, 8, 3), 7, dtype=np.uint8)
    assert picture_warnings(encode_png(small), small) == ["the picture shows one colour only"]
    wide = cv2.resize(images[0], (40, 20))
    resized = "the picture is 40 x 20 pixels and was resized to 16 x 16"
    image = images[0][:16, :16]
    assert picture_warnings(encode_png(np.asarray(wide, dtype=np.uint8)), image) == [resized]
    file = tmp_path_factory.mktemp("tif") / "wide.tif"
    imwrite(file, wide, photometric="rgb")
    assert picture_warnings(file.read_bytes(), image) == [resized]


def test_labels_come_as_lists_with_alerts_where_there_are_any() -> None:
    """A label may hold a blank; the probabilities are those of the rows."""
    rows = pd.DataFrame({"tags": ["sun,old road", "fog"], "p_sun": [1.0, 0], "p_fog": [0, 1.0]})
    rows = rows.assign(**{"p_tree": [0.0, 0], "p_old road": [1.0, 0]})
    first, second = detailed(rows, [["odd"], []], ["a.jpg", None], vocabulary=WORDS)
    assert first == {
        "name": "a.jpg",
        "tags": ["sun", "old road"],
        "probabilities": {"sun": 1.0, "fog": 0.0, "tree": 0.0, "old road": 1.0},
        "expected_f2": 1.0,
        "warnings": ["odd"],
    }
    assert second["tags"] == ["fog"] and second["name"] is None
    alerted = detailed(rows.assign(alerts=["old road", ""]), [[], []], [None, None], vocabulary=WORDS)
    assert [each["alerts"] for each in alerted] == [["old road"], []]
