"""The page of doubted labels, in a real browser: what is answered there is what igarape relabel reads."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from browsers import needs_browser
from screenshots import SECONDS, Browser, browsing

from igarape.chips.pictures import Pixels
from igarape.chips.review import read_review
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.reports.review import MOST, render_review, review_content

VOCABULARY = Vocabulary(exclusive=("sun", "fog"), alone=("fog",), common=("tree",), rare=('a "kiln", or two',))
NAMES = ("chip-1", "chip-2, </script>", "chip-3")
Y = np.array([[1, 0, 1, 0], [1, 0, 0, 0], [1, 0, 1, 1]], dtype=np.bool_)
P = np.array([[0.04, 0.96, 0.9, 0.93], [0.9, 0.1, 0.8, 0.1], [0.9, 0.1, 0.9, 0.2]], dtype=np.float32)
DOUBTS = [("chip-1", "fold 0", "sun"), ("chip-1", "fold 0", 'a "kiln", or two'), (NAMES[1], "hold-out", "tree")]
TABLE = pd.DataFrame([*DOUBTS, ("chip-3", "fold 1", 'a "kiln", or two')], columns=["image_id", "part", "label"])


def picture(image_id: str) -> Pixels:
    """Draw a chip."""
    return np.full((64, 64, 3), 40 * NAMES.index(image_id), dtype=np.uint8)


def content(table: pd.DataFrame = TABLE) -> dict[str, Any]:
    """Gather what is doubted of three chips."""
    return review_content(table, NAMES, y=Y, p=P, vocabulary=VOCABULARY, picture=picture)


def test_each_chip_is_there_once_with_all_its_labels() -> None:
    """In the order of the table, with its picture, and with what cannot hold together."""
    found = content()
    assert [chip["id"] for chip in found["chips"]] == list(NAMES) and found["doubted"] == 3
    assert [chip["doubted"] for chip in found["chips"]] == [[0, 3], [2], [3]]
    assert [chip["held"] for chip in found["chips"]] == [False, True, False]
    assert found["chips"][0]["given"] == [1, 0, 1, 0] and found["chips"][0]["p"] == [0.04, 0.96, 0.9, 0.93]
    assert (found["exclusive"], found["alone"]) == ([0, 1], [1])
    assert base64.b64decode(found["chips"][1]["picture"]).startswith(b"\xff\xd8")


def test_answers_to_other_doubts_are_not_brought_back() -> None:
    """The browser knows a page by its doubts."""
    assert content()["key"] == content()["key"] != content(TABLE[:-1])["key"]


def test_no_more_chips_are_shown_than_the_page_bears() -> None:
    """How many there are is told; no picture is decoded in vain."""
    count, seen = MOST + 5, set[str]()
    names = [f"chip-{row}" for row in range(count)]

    def look(image_id: str) -> Pixels:
        seen.add(image_id)
        return np.zeros((8, 8, 3), dtype=np.uint8)

    table = pd.DataFrame({"image_id": names, "part": "fold 0", "label": "tree"})
    y, p = np.zeros((count, 4), dtype=np.bool_), np.ones((count, 4), dtype=np.float32)
    found = review_content(table, names, y=y, p=p, vocabulary=VOCABULARY, picture=look)
    assert len(found["chips"]) == len(seen) == MOST and found["doubted"] == count
    assert f"of {count}" in render_review(found, dataset="toy")


def test_where_nothing_is_doubted_the_page_says_so() -> None:
    """Without a script, which would have nothing to show."""
    page = render_review(content(TABLE[:0]), dataset="toy")
    assert "No label is doubted" in page and "<script" not in page


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page, under a name that stays: a browser knows its answers by that too."""
    path = tmp_path_factory.mktemp("reports") / "review.html"
    path.write_text(render_review(content(), dataset="toy"), encoding="utf-8")
    return path


@pytest.fixture
def browser(page: Path) -> Iterator[Browser]:
    """Open the page in a browser that has no network and downloads beside it."""
    with browsing() as opened:
        opened.call("Network.enable")
        opened.call(
            "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0
        )
        opened.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(page.parent))
        opened.resize(1280, 900)
        opened.open(page.as_uri())
        yield opened


def text(browser: Browser, name: str) -> str:
    """Return the text of a part of the page."""
    return str(browser.value(f"document.getElementById('{name}').textContent"))


def press(browser: Browser, *keys: str) -> None:
    """Press keys."""
    for key in keys:
        browser.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key)


def again(browser: Browser, page: Path) -> None:
    """Leave the page, and open it again."""
    browser.open("about:blank")
    browser.open(page.as_uri())


def choose(browser: Browser, label: str, word: str) -> None:
    """Click an answer to a label."""
    browser.value(
        f"[...document.querySelectorAll('fieldset')].find((one) => one.querySelector('legend').textContent == "
        f"{json.dumps(label)}).querySelector('[value={word}]').click()"
    )


def save(browser: Browser, folder: Path) -> Path:
    """Save the review, and return where it lies."""
    path = folder / "review.csv"
    path.unlink(missing_ok=True)
    browser.value("document.getElementById('save').click()")
    end = time.monotonic() + SECONDS
    while not (path.exists() and path.stat().st_size):
        assert time.monotonic() < end, "the browser has saved nothing"
        time.sleep(0.05)
    return path


@needs_browser
def test_what_is_answered_by_keys_is_a_review(browser: Browser, page: Path) -> None:
    """Each key answers the next doubted label, and a chip that is done makes place for the next one."""
    assert browser.value("document.getElementById('save').disabled")
    assert text(browser, "name") == "chip-1" and "data set: yes; models: 0.04" in text(browser, "doubted")
    press(browser, "y", "y")
    assert text(browser, "name") == NAMES[1]
    press(browser, "n", "y")
    assert text(browser, "progress") == "3 of 3 chips" and text(browser, "kept") == "1 labels to change, 4 answered"
    saved = save(browser, page.parent)
    review = read_review(saved, "toy")
    with pytest.raises(InputError, match="names toy"):
        read_review(saved, "another")
    assert dict(review.changes) == {("chip-1", 'a "kiln", or two'): True}
    kept = {("chip-1", "sun"): True, (NAMES[1], "tree"): False, ("chip-3", 'a "kiln", or two'): True}
    assert dict(review.kept) == kept


@needs_browser
def test_answers_that_break_the_rules_are_told_before_relabel_refuses_them(browser: Browser, page: Path) -> None:
    """The other labels of the chip open, and answering them mends it."""
    hidden: Callable[[], bool] = lambda: bool(browser.value("document.getElementById('rule').hidden"))  # noqa: E731
    assert hidden()
    press(browser, "n", "n")
    assert text(browser, "name") == "chip-1" and "Exactly one of sun, fog holds; by your answers: none" in text(
        browser, "rule"
    )
    choose(browser, "fog", "yes")
    assert "fog rules out every other label" in text(browser, "rule")
    choose(browser, "tree", "no")
    assert hidden()
    changes = {("chip-1", "sun"): False, ("chip-1", "fog"): True, ("chip-1", "tree"): False}
    assert dict(read_review(save(browser, page.parent)).changes) == changes


@needs_browser
def test_the_browser_keeps_what_is_answered(browser: Browser, page: Path) -> None:
    """A page that is opened again begins with the first chip that is not done; an answer can be taken back."""
    press(browser, "y", "y")
    again(browser, page)
    end = time.monotonic() + SECONDS
    while text(browser, "kept") != "1 labels to change, 2 answered":  # the browser writes it in its own time
        assert time.monotonic() < end, "the browser has kept nothing"
        again(browser, page)
    assert text(browser, "name") == NAMES[1]
    press(browser, "ArrowLeft")
    choose(browser, "sun", "open")
    assert text(browser, "kept") == "1 labels to change, 1 answered" and text(browser, "progress") == "0 of 3 chips"


@needs_browser
def test_the_holdout_can_be_left_out(browser: Browser) -> None:
    """Its chips are passed over, others stay."""
    browser.value("document.getElementById('folds').click()")
    press(browser, "ArrowRight")
    assert text(browser, "name") == "chip-3" and "2 of 2" in text(browser, "part")
    assert browser.value("document.getElementById('next').disabled")
