"""Over HTTP, pictures get the bundle's answers in every form; what is wrong with a request is said in one sentence."""

import base64
import io
import json
import os
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from answering import answering, ask, form
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.serving.bundle import Bundle

FUZZED = float(os.environ.get("IGARAPE_FUZZ", "0"))  # seconds; without it, some dozens of requests
GROWTH = 60 * 2**20  # bytes that minutes of fuzzing may add to the memory


@pytest.fixture(scope="module")
def port(bundle_folder: Path) -> Any:
    """Serve the small bundle for all tests of this file."""
    with answering(bundle_folder) as opened:
        yield opened


def bomb(side: int, kind: str = "PNG") -> bytes:
    """Encode a black picture of one colour, which is small as a file."""
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, kind)
    return file.getvalue()


def test_head_is_answered_as_get_without_a_body(port: int) -> None:
    """For what looks whether a server is there, such as a balancer; where only pictures are taken it is refused so."""
    for path in ("/", "/page.js", "/health", "/version", "/metrics", "/docs", "/none", "/tag"):
        status, headers, _ = ask(port, path)
        told = ask(port, path, method="HEAD")
        assert told[0] == status and told[2] == b"", path
        assert told[1].get("content-type") == headers.get("content-type"), path


def test_pictures_get_the_bundles_answers(port: int, bundle_folder: Path, images: list[Pixels]) -> None:
    """At /tag as bytes and as files of a form, at /invocations as texts: the same tags and probabilities."""
    chips = [encode_jpeg(image, 95) for image in images]
    bundle = Bundle.load(bundle_folder)
    expected = bundle.answer(chips)
    body, kind = form(*(("image", f"{k}.jpg", chip) for k, chip in enumerate(chips)))
    told = json.loads(ask(port, "/tag", body, kind)[2])
    assert (told["model"], told["version"]) == ("igarape-toy", "1")
    assert [each["name"] for each in told["answers"]] == [f"{k}.jpg" for k in range(len(chips))]
    assert [" ".join(each["tags"]) for each in told["answers"]] == list(expected["tags"])
    p = pd.DataFrame([each["probabilities"] for each in told["answers"]])
    np.testing.assert_allclose(p, expected[[f"p_{label}" for label in p]], atol=1e-6)
    assert all(0 <= each["expected_f2"] <= 1 for each in told["answers"])
    assert [each["warning"] for each in told["answers"]] == list(expected["warning"])
    (one,) = json.loads(ask(port, "/tag", chips[1], "image/jpeg")[2])["answers"]
    assert one["tags"] == told["answers"][1]["tags"] and one["name"] is None
    texts = {"inputs": [base64.b64encode(chip).decode() for chip in chips]}
    rows = pd.DataFrame(json.loads(ask(port, "/invocations", json.dumps(texts).encode())[2])["predictions"])
    pd.testing.assert_frame_equal(rows, expected, check_dtype=False, atol=1e-6)


def test_near_infrared_and_alerts_are_answered(
    nir_bundle_folder: Path, alert_bundle_folder: Path, images: list[Pixels], tif_files: list[bytes]
) -> None:
    """A form with a TIF beside each picture; alerts beside the tags."""
    chip = encode_jpeg(images[0], 95)
    with answering(nir_bundle_folder) as opened:
        status, _, said = ask(opened, "/tag", *form(("image", "a.jpg", chip), ("nir", "a.tif", tif_files[0])))
        expected = Bundle.load(nir_bundle_folder).answer([chip], tif_files[:1])
        assert status == 200 and " ".join(json.loads(said)["answers"][0]["tags"]) == expected["tags"][0]
        status, _, said = ask(opened, "/tag", chip, "image/jpeg")
        assert status == 400 and b"send a form with the fields image and nir" in said
        assert ask(opened, "/tag", *form(("image", "a.jpg", chip), ("nir", "a.jpg", chip)))[0] == 400
    with answering(alert_bundle_folder) as opened:
        assert json.loads(ask(opened, "/tag", chip, "image/jpeg")[2])["answers"][0]["alerts"] == ["kiln"]


def test_a_bad_picture_is_refused_in_one_sentence(port: int, images: list[Pixels]) -> None:
    """None, 1 x 1, too large, a bomb, cut short, empty: 400, without a trace of the program."""
    chip = encode_jpeg(images[0], 95)
    for picture in (b"secret", bomb(1), bomb(20_000), bomb(4_000), chip[: len(chip) // 2], b"GIF89a" + chip):
        text = base64.b64encode(picture).decode()
        for path, body, kind in (
            ("/tag", picture, "image/jpeg"),
            ("/tag", *form(("image", "secret.jpg", picture))),
            ("/invocations", json.dumps({"inputs": [text]}).encode(), "application/json"),
            ("/invocations", f"image\n{text}".encode(), "text/csv"),
        ):
            status, headers, said = ask(port, path, body, kind)
            error = json.loads(said)
            assert status == 400 and headers["content-type"] == "application/json", (status, said)
            assert set(error) == {"error_code", "message"} and error["message"].startswith("row 0: ")
            assert_discreet(error["message"], body)
    status, _, said = ask(port, "/tag", b"", "image/jpeg")
    assert status == 400 and b"row 0: expected a JPEG, PNG or TIF, found an empty file" in said


def assert_discreet(message: str, body: bytes) -> None:
    """Check that a message is one sentence that repeats nothing of a request, and shows nothing of the machine."""
    assert "\n" not in message and len(message) < 300
    assert "secret" not in message and "Traceback" not in message and not re.search(r"(^|[ '\"(])/(?!docs)", message)
    assert not any(body[at : at + 16] in message.encode() for at in range(0, max(0, len(body) - 16), 16))


def test_what_the_server_does_not_have_is_said(port: int) -> None:
    """404, 405 and 415 in the same form; no address leads on to another one, and 405 says what is taken there."""
    assert ask(port, "/tag")[1]["allow"] == "POST" and ask(port, "/health", b"", "image/jpeg")[1]["allow"] == "GET"
    for path, body, kind, status in (
        ("/secret", None, None, 404),
        ("/tag/", b"secret", "image/jpeg", 404),
        ("/tag", None, None, 405),
        ("/health", b"secret", "image/jpeg", 405),
        ("/tag", b"secret", "text/plain", 415),
        ("/tag", b"secret", None, 415),
        ("/invocations", b"secret", "text/plain", 415),
    ):
        found, _, said = ask(port, path, body, kind)
        assert found == status and set(json.loads(said)) == {"error_code", "message"}
        assert_discreet(json.loads(said)["message"], body or b"")


def test_operators_learn_what_answers(port: int) -> None:
    """The version with its figures, the counts, and pages that load nothing from elsewhere."""
    told = json.loads(ask(port, "/version")[2])
    assert (told["model"], told["version"], told["dataset"]) == ("igarape-toy", "1", "toy")
    assert told["figures"] == {"holdout_f2": 0.9} and told["lineage"] == {"git_commit": "c0ffee"}
    status, headers, text = ask(port, "/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
    assert b'igarape_model_info{model="igarape-toy",version="1"} 1' in text and b"igarape_ready 1.0" in text
    schema = json.loads(ask(port, "/openapi.json")[2])
    assert set(schema["paths"]) == {"/invocations", "/tag", "/health", "/version", "/metrics"}
    page = ask(port, "/docs")[2].decode()
    assert all(path in page for path in schema["paths"]) and "://" not in page and "<script" not in page


MANGLED = st.sampled_from(
    ["image/jpeg", "application/json", "text/csv", "application/vnd.apache.parquet", "text/plain"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just({"b64": "QUJD"})
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("image"), inner))
KEYS = st.sampled_from(["dataframe_records", "dataframe_split", "inputs", "instances"])
DOCUMENTS = st.dictionaries(KEYS, TREES, min_size=1, max_size=2).map(lambda tree: json.dumps(tree).encode())


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """Draw a picture of some kind and size, of which some bytes are changed, cut off or put in."""
    kind = draw(st.sampled_from(["JPEG", "PNG", "TIFF"]))
    mode = draw(st.sampled_from(["RGB", "L", "1", "RGBA", "I;16"] if kind != "JPEG" else ["RGB", "L"]))
    file = io.BytesIO()
    Image.new(mode, (draw(st.sampled_from([1, 16, 32, 33])), 32)).save(file, kind)
    data = bytearray(file.getvalue())
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data) - 1))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=4))
    return bytes(data[: draw(st.integers(1, len(data)))] if draw(st.booleans()) else data)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, bytes, str]:
    """Draw an address, a body and a content type, which go together more or less."""
    body = draw(mangled() | DOCUMENTS | st.binary(max_size=200))
    if draw(st.booleans()) and body:
        text = base64.b64encode(body).decode()
        body = json.dumps(
            {draw(KEYS): draw(st.sampled_from([[text], [{"image": text}], {"image": [text, text]}]))}
        ).encode()
    kind = draw(MANGLED | st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])))
    if draw(st.integers(0, 3)) == 0:
        body, kind = form((draw(st.sampled_from(["image", "nir", "else"])), "a.jpg", body))
        body = body[: draw(st.integers(len(body) - 20, len(body)))]
    return draw(st.sampled_from(["/tag", "/invocations"])), body, kind


def check_request(port: int, request: tuple[str, bytes, str]) -> None:
    """Send a request; the answer is one, or a refusal that tells nothing."""
    path, body, kind = request
    status, _, said = ask(port, path, body, kind.strip() or None)
    assert status in {200, 400, 413, 415}, (status, said)
    if status != 200:
        error = json.loads(said)
        assert set(error) == {"error_code", "message"}
        assert "\n" not in error["message"] and len(error["message"]) < 400 and "Traceback" not in error["message"]


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(requests())
def test_no_request_makes_the_server_fail(port: int, request: tuple[str, bytes, str]) -> None:
    """Whatever is sent, the status is 200 or names the sender's fault."""
    check_request(port, request)


@pytest.mark.skipif(not FUZZED, reason="set IGARAPE_FUZZ to a number of seconds")
@pytest.mark.timeout(FUZZED + 300)
def test_for_minutes_no_request_makes_the_server_fail_and_its_memory_does_not_grow(port: int) -> None:
    """As above for so many seconds: after a third of them, the memory stays as it is."""
    start, counts, memory = time.monotonic(), 0, 0
    process = psutil.Process()

    @settings(max_examples=400, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(requests())
    def some(request: tuple[str, bytes, str]) -> None:
        nonlocal counts
        counts += 1
        check_request(port, request)

    while (gone := time.monotonic() - start) < FUZZED:
        some()
        if not memory and gone > FUZZED / 3:
            memory = process.memory_info().rss
    grown = process.memory_info().rss - memory
    print(f"{counts} requests in {gone:.0f} s, memory {memory / 2**20:.0f} MB and {grown / 2**20:+.1f} MB")  # noqa: T201
    assert grown < GROWTH
