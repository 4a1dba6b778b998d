"""What the server does to requests and errors; what it answers over HTTP is tested with the stage serve."""

import json

import pytest

from igarape.serving.server import sentence, unwrapped


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"instances": [{"b64": "aa"}, "bb"]}, {"instances": ["aa", "bb"]}),
        ({"inputs": {"image": {"b64": "aa"}}}, {"inputs": {"image": "aa"}}),
        (
            {"instances": [{"image": {"b64": "aa"}, "nir": {"b64": "bb"}}]},
            {"instances": [{"image": "aa", "nir": "bb"}]},
        ),
        ({"instances": [{"b64": "aa", "image": "bb"}]}, {"instances": [{"b64": "aa", "image": "bb"}]}),
    ],
)
def test_an_object_that_holds_only_b64_is_its_text(content: object, expected: object) -> None:
    """Wherever it stands, as in TensorFlow Serving."""
    assert json.loads(unwrapped(json.dumps(content).encode())) == expected


@pytest.mark.parametrize("body", [b'{"b64"', b"", b'\xff"b64"', b'{"inputs": ["aa"]}'])
def test_other_bodies_stay_as_they_are(body: bytes) -> None:
    """What is no JSON is refused by MLflow."""
    assert unwrapped(body) == body


def test_the_models_own_words_reach_the_sender() -> None:
    """Whole; without what MLflow adds for its own clients."""
    body = {"error_code": "INVALID_PARAMETER_VALUE", "message": "row 0: " + "x" * 80, "by": "igarape", "sqlstate": "1"}
    assert sentence(json.dumps(body).encode()) == {name: body[name] for name in ("error_code", "message")}


@pytest.mark.parametrize("body", [b"Internal Server Error", b'["a"]', b"", b"\xff"])
def test_other_errors_say_what_is_expected(body: bytes) -> None:
    """And how MLflow's own words begin."""
    assert "text/csv with a column image" in sentence(body)["message"]
    assert sentence(b'{"message": "' + b"x" * 500 + b'"}')["message"].endswith("MLflow says: " + "x" * 60)
