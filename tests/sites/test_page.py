"""A site's page, in a real browser without a network: its map, its alerts, by keyboard, on a phone."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from browsers import needs_browser
from screenshots import Browser, browsing
from site_days import CHANGED, CLOUDY, DAYS, EVERY, FIRST, watched_site

from igarape.files import write_text
from igarape.sites import page_alerts
from igarape.sites.events import with_events
from igarape.sites.looks import list_looks
from igarape.sites.page import site_page
from igarape.sites.site_folder import SiteFolder
from igarape.sites.site_history import replay_looks
from igarape.sites.sources import opener
from igarape.sites.state import Engine

FAINT, STRONG = 40, 120  # alpha, of 255
SHADE = """JSON.stringify([...document.querySelectorAll(".alert img")].map((image) => {
  const pen = document.createElement("canvas").getContext("2d");
  pen.drawImage(image, 60, 70, 8, 8, 0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data];
}))"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> SiteFolder:
    """Make a site that was watched."""
    return watched_site(tmp_path_factory.mktemp("project"))


def written(place: SiteFolder) -> tuple[Path, list[str]]:
    """Write the site's page; return it, and why scenes are not to be seen on it."""
    _, alerts = place.update(silent)
    alerts, facts = with_events(alerts, place.area), list_looks(place.looks)
    closely = sorted({place.area.known[tile] for tile in alerts["tile"]})
    engine, tiles = Engine.of(place.site), len(place.area.names)
    known = replay_looks(facts, engine, tiles=tiles, read=place.day, closely=closely, report=silent)
    html, lost = site_page(place, alerts, known, facts, view=opener(place), report=silent)
    path = place.folder / "page.html"
    write_text(html, path)
    return path, lost


def silent(done: int, total: int) -> None:
    """Report to nobody."""


@pytest.fixture(scope="module")
def browser(place: SiteFolder) -> Iterator[Browser]:
    """Open the page in a browser that has no network."""
    with browsing() as opened:
        opened.call("Network.enable")
        off = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        opened.call("Network.emulateNetworkConditions", **off)
        opened.resize(1280, 900)
        opened.open(written(place)[0].as_uri())
        opened.until("document.body.dataset.ready === 'true'")
        yield opened


def colour(browser: Browser, x: float, y: float) -> list[int]:
    """Return red, green, blue and alpha of what is known at a place, in shares of the ground."""
    found: list[int] = json.loads(
        browser.value(
            f"(() => {{ const c = document.getElementById('known'); const d = c.getContext('2d').getImageData("
            f"Math.floor({x} * c.width), Math.floor({y} * c.height), 1, 1).data; return JSON.stringify([...d]); }})()"
        )
    )
    return found


def show(browser: Browser, day: int) -> None:
    """Move the slider to a day."""
    browser.value(f"var slider = document.getElementById('day'); slider.value = {day}")
    browser.value("slider.dispatchEvent(new Event('input'))")


def press(browser: Browser, key: str, code: int) -> None:
    """Press a key."""
    browser.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=code)


@needs_browser
def test_the_page_shows_what_is_known_after_each_day(browser: Browser) -> None:
    """Water is not drawn before it came, and is drawn after it; the day and the share of cloud are said."""
    show(browser, CHANGED - 1)
    before = colour(browser, 0.5, 0.75)
    show(browser, DAYS - 1)
    after = colour(browser, 0.5, 0.75)
    assert before[3] < FAINT and after[3] > STRONG
    assert colour(browser, 0.1, 0.25)[3] < FAINT
    show(browser, CLOUDY[0])
    said = browser.value("document.getElementById('when').textContent")
    assert "67 % of what the scene covers was under cloud" in said
    assert browser.value("document.querySelector('#map img').src").startswith("data:image/jpeg")


@needs_browser
def test_an_alert_comes_with_its_pictures_its_curve_and_the_command_to_judge_it(
    browser: Browser, place: SiteFolder
) -> None:
    """Choosing it shows its tile; the pictures are of before and after the change."""
    assert "1 confirmed event" in browser.value("document.querySelector('h1').textContent")
    text = browser.value("document.querySelector('.alert').innerText")
    assert "water appeared" in text and 'igarape judge here:1_1:water:appeared:1 yes --reason "..."' in text
    latitude, longitude = place.area.middles[place.area.known["1_1"]]
    assert f"its middle: {latitude:.5f}, {longitude:.5f} (latitude, longitude)" in text
    assert browser.value("document.querySelector('#label option').textContent") == "water (1 event)"
    assert browser.value("document.querySelectorAll('.alert img').length") == 2
    browser.value("document.querySelector('.alert .open').click()")
    assert browser.value("document.querySelector('.alert').getAttribute('aria-current')") == "true"
    assert browser.value("document.querySelectorAll('#tile circle').length") == DAYS - len(CLOUDY)
    shades = json.loads(browser.value(SHADE))
    assert shades[0][1] > shades[0][2] and shades[1][2] > shades[1][1]  # forest before, water after


@needs_browser
def test_the_page_serves_the_keyboard(browser: Browser) -> None:
    """The slider, the list and the map take keys; Enter on the map picks the tile in its middle."""
    browser.value("document.getElementById('map').focus()")
    press(browser, "Enter", 13)
    browser.until("document.getElementById('tile').textContent.includes('Tile 1_1')")
    browser.value("document.getElementById('day').focus()")
    show(browser, 5)
    press(browser, "ArrowRight", 39)
    browser.until("document.getElementById('day').value === '6'")
    assert browser.value("document.getElementById('day').getAttribute('aria-valuetext')") == str(
        FIRST + 6 * timedelta(EVERY)
    )


@needs_browser
def test_the_page_fits_a_phone_and_asks_nobody(browser: Browser) -> None:
    """At 400 pixels nothing lies beside the screen, and no address but the page's own was asked for."""
    browser.resize(400, 800)
    assert browser.value("document.documentElement.scrollWidth") <= 400
    names = "performance.getEntriesByType('resource').map((each) => each.name)"
    asked = json.loads(browser.value(f"JSON.stringify({names})"))
    assert not [address for address in asked if not address.startswith(("data:", "file:", "blob:"))]
    browser.resize(1280, 900)


def test_alerts_that_the_page_has_no_room_for_are_counted(place: SiteFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """And it says where they stand."""
    _, alerts = place.update(silent)
    monkeypatch.setattr(page_alerts, "MOST_ALERTS", 1)
    html = written(place)[0].read_text(encoding="utf-8")
    assert f"room for 0 of {len(alerts)} alerts" in html and "All of them: igarape alerts here." in html


def test_a_scene_that_is_gone_is_told_on_the_page_and_the_rest_is_shown(tmp_path: Path) -> None:
    """Its day stays on the page, without its ground."""
    place = watched_site(tmp_path, days=4)
    gone = min((tmp_path / "inbox").glob("*.tif"))
    gone.unlink()
    path, lost = written(place)
    html = path.read_text(encoding="utf-8")
    assert len(lost) == 1 and lost[0].startswith(f"{gone}: not there any more") and lost[0] in html
    assert html.count('"data:image/jpeg') == 1 + 3  # the clearest day, and the ground of three
    assert 'max="3" value="2"' in html  # the last of the four days is under cloud: it begins with the one before
