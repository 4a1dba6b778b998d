"""The page for people, in a real browser: chips in, labels and maps out, by keyboard, on a phone, and with a token."""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answering import answering, ask, form, running
from browsers import needs_browser
from screenshots import Browser, browsing
from tifffile import imwrite

from igarape.chips.pictures import Pixels, decode, encode_jpeg
from igarape.serving.admission import PAGE
from igarape.serving.bundle import Bundle
from igarape.serving.in_folder import in_folder
from igarape.serving.saliency import GRID

TOKEN = b"0123456789abcdef"


@pytest.fixture(scope="module")
def port(bundle_folder: Path) -> Any:
    """Serve the small bundle for all tests of this file."""
    with answering(bundle_folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Open a browser for all tests of this file."""
    with browsing() as opened:
        yield opened


def give(browser: Browser, *paths: Path) -> None:
    """Choose files on the page."""
    root = browser.call("DOM.getDocument")["root"]["nodeId"]
    node = browser.call("DOM.querySelector", nodeId=root, selector="#files")["nodeId"]
    browser.call("DOM.setFileInputFiles", files=[str(path) for path in paths], nodeId=node)


@pytest.fixture
def chips(tmp_path: Path, images: list[Pixels]) -> list[Path]:
    """Write two chips, and what is none."""
    paths = [tmp_path / "<b>one.jpg", tmp_path / "two.jpg", tmp_path / "three.jpg"]
    for path, image in zip(paths, images, strict=False):
        path.write_bytes(encode_jpeg(image, 95))
    paths[2].write_text("no picture")
    return paths


def test_the_page_names_no_other_address_and_forbids_itself_to_ask_one(port: int) -> None:
    """Its parts come from the server, and its policy lets nothing else in; no picture is asked for without a body."""
    for path in PAGE:
        status, headers, said = ask(port, path)
        assert status == 200 and b"http:" not in said and b"https:" not in said and b"//cdn" not in said
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]


def test_where_the_learners_looked_is_told(port: int, images: list[Pixels], bundle_folder: Path) -> None:
    """For one picture; a bad one, and two, are refused."""
    chip = encode_jpeg(images[0], 95)
    status, _, said = ask(port, "/look", chip, "image/jpeg")
    found = json.loads(said)
    bundle = Bundle.load(bundle_folder, threads=1)
    assert status == 200 and found["dehazed"].startswith("data:image/jpeg;base64,")
    assert [learner["name"] for learner in found["learners"]] == [learner.name for learner in bundle.manifest.learners]
    assert {len(grid) for learner in found["learners"] for grid in learner["falls"].values()} == {GRID}
    for body, kind in ((b"secret", "image/jpeg"), form(("image", "a.jpg", chip), ("image", "b.jpg", chip))):
        status, _, said = ask(port, "/look", body, kind)
        assert status == 400 and b"secret" not in said


@needs_browser
@pytest.mark.parametrize("width", [400, 1280])
def test_chips_are_answered_and_looked_at(port: int, browser: Browser, chips: list[Path], width: int) -> None:
    """What is no picture is said so; file names are shown as text; nothing is pushed off a phone's screen."""
    browser.resize(width, 900)
    browser.open("about:blank")
    browser.open(f"http://127.0.0.1:{port}/")
    browser.until("document.querySelector('#model').textContent == 'igarape-toy, version 1'")
    assert browser.value("document.querySelector('#figures').textContent") == "hold-out F2 0.9000"
    give(browser, *chips)
    browser.until("document.querySelectorAll('article').length == 2")
    browser.until("document.querySelector('#said').textContent.startsWith('three.jpg: expected a JPEG')")
    assert browser.value("[...document.querySelectorAll('h2')].map((each) => each.textContent).join()") == (
        "two.jpg,<b>one.jpg"
    )
    assert browser.value("document.querySelectorAll('article')[0].querySelectorAll('tbody tr').length") == 5
    assert browser.value("document.querySelectorAll('article')[0].querySelectorAll('.tag').length") >= 1
    browser.value("document.querySelector('.ask').focus()")
    browser.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", windowsVirtualKeyCode=13, text="\r")
    browser.until("document.querySelectorAll('canvas').length > 0")
    assert browser.value("document.querySelector('canvas').getAttribute('aria-label')").startswith("plain: seen ")
    painted = "document.querySelector('canvas').getContext('2d').getImageData(0, 0, 256, 256).data.some((each) => each)"
    browser.until(painted)
    assert browser.value("document.documentElement.scrollWidth") <= width


def test_a_picture_is_shown_as_the_model_reads_it(port: int, images: list[Pixels]) -> None:
    """Whatever it was sent as, without loss; what is no picture, and two, are refused."""
    file = io.BytesIO()
    imwrite(file, images[0], photometric="rgb", compression="lzw")
    status, _, said = ask(port, "/preview", file.getvalue(), "image/tiff")
    kind, _, text = json.loads(said)["picture"].partition(",")
    assert (status, kind) == (200, "data:image/png;base64")
    np.testing.assert_array_equal(decode(base64.b64decode(text), "preview"), images[0])
    chip = file.getvalue()
    for body, kind in ((b"secret", "image/tiff"), form(("image", "a.tif", chip), ("image", "b.tif", chip))):
        status, _, said = ask(port, "/preview", body, kind)
        assert status == 400 and b"secret" not in said


@needs_browser
def test_near_infrared_comes_with_a_tif_of_the_pictures_name(
    browser: Browser, nir_bundle_folder: Path, tmp_path: Path, images: list[Pixels], tif_files: list[bytes]
) -> None:
    """A picture and its TIF are one chip, whichever is named first. Without a TIF the page says what is missing."""
    paths = [tmp_path / name for name in ("one.two.tif", "one.two.jpg", "alone.jpg")]
    for path, data in zip(paths, (tif_files[0], *(encode_jpeg(image, 95) for image in images)), strict=False):
        path.write_bytes(data)
    with answering(nir_bundle_folder) as port:
        browser.open(f"http://127.0.0.1:{port}/")
        browser.until("document.querySelector('#takes').textContent.includes('a TIF of four bands')")
        give(browser, *paths)
        browser.until("document.querySelector('#said').textContent.startsWith('alone.jpg: ')")
        assert "nir" in browser.value("document.querySelector('#said').textContent")
        assert browser.value("[...document.querySelectorAll('h2')].map((each) => each.textContent).join()") == (
            "one.two.jpg"
        )


@needs_browser
def test_a_tif_is_shown_by_the_server(port: int, browser: Browser, tmp_path: Path, images: list[Pixels]) -> None:
    """Chromium shows none."""
    imwrite(tmp_path / "chip.tif", images[0], photometric="rgb")
    browser.open("about:blank")
    browser.open(f"http://127.0.0.1:{port}/")
    browser.until("document.querySelector('#model').textContent == 'igarape-toy, version 1'")
    give(browser, tmp_path / "chip.tif")
    browser.until("document.querySelector('figure img')?.src.startsWith('data:image/png')")
    browser.until(f"document.querySelector('figure img').naturalWidth == {len(images[0])}")
    assert browser.value("document.querySelector('figcaption').textContent") == "as the model sees it"


@needs_browser
def test_a_token_is_asked_for_where_the_server_wants_one(
    browser: Browser, bundle_folder: Path, chips: list[Path]
) -> None:
    """The page itself is there without it."""
    with answering(bundle_folder, token=TOKEN) as port:
        browser.open(f"http://127.0.0.1:{port}/")
        said = "document.querySelector('#said').textContent"
        for typed, answered in (
            ("wrong", "Type the server's token above."),
            (TOKEN.decode(), "This is not the server"),
        ):
            browser.until(f"!document.querySelector('#pass').hidden && {said}.startsWith({answered!r})")
            assert "being loaded" not in browser.value("document.querySelector('#model').textContent")
            browser.value(f"document.querySelector('#token').value = {typed!r}")
            browser.value("document.querySelector('#pass button').click()")
        browser.until("document.querySelector('#model').textContent == 'igarape-toy, version 1'")
        give(browser, chips[0])
        browser.until("document.querySelectorAll('article').length == 1")
        assert browser.value("document.querySelector('#pass').hidden")


@needs_browser
def test_a_bundle_of_a_folder_is_named_in_words(browser: Browser, bundle_folder: Path) -> None:
    """It has no version, as no registry knows it."""
    with running(in_folder(bundle_folder, threads=1)) as (port, _):
        browser.open(f"http://127.0.0.1:{port}/")
        browser.until("document.querySelector('#model').textContent.includes('from a folder')")
        told = browser.value("document.querySelector('#model').textContent")
        assert told == "igarape-toy, from a folder, not from a registry"
