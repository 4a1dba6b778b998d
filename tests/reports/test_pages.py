"""Pages: one file that holds all it shows, in a style for day and night."""

import base64
import re
from functools import cache
from pathlib import Path
from unittest import mock

import jinja2
import pytest

from igarape.reports import pages

TEMPLATE = """\
{% extends layout %}
{% block title %}{{ title }}{% endblock %}
{% block content %}<img src="{{ image | jpeg }}" alt="{{ title }}">{% endblock %}
"""


@pytest.fixture
def template(monkeypatch: pytest.MonkeyPatch) -> str:
    """Put a template of the test's own beside the package's layout, and give its name."""
    layout = (Path(pages.__file__).parents[1] / pages.LAYOUT).read_text(encoding="utf-8")
    loader = jinja2.DictLoader({pages.LAYOUT: layout, "own": TEMPLATE})
    monkeypatch.setattr(jinja2, "PackageLoader", lambda *_: loader)
    monkeypatch.setattr(pages, "_environment", cache(pages._environment.__wrapped__))
    return "own"


def test_a_page_holds_its_pictures(template: str) -> None:
    """A picture is part of the page, in its place in the layout."""
    html = pages.render_page(template, title="a chip", image=b"bytes")
    assert f'<main>\n<img src="data:image/jpeg;base64,{base64.b64encode(b"bytes").decode()}" alt="a chip">' in html
    assert "<title>Igarape: a chip</title>" in html


def test_a_template_is_compiled_once(template: str) -> None:
    """Pages after the first take it, and the layout, as they are."""
    whole = jinja2.Environment.compile
    with mock.patch.object(jinja2.Environment, "compile", autospec=True, side_effect=whole) as compiled:
        first, second = (pages.render_page(template, title=title, image=b"") for title in ("dawn", "dusk"))
    assert compiled.call_count == 2
    assert first.replace("dawn", "dusk") == second != first


def test_a_name_stays_text(template: str) -> None:
    """What a data set calls a chip cannot become a part of the page."""
    html = pages.render_page(template, title="\"><script>alert('x')", image=b"")
    assert "<script" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("conventional_mine", ["conventional_", "mine"]),
        ("SELECTIVE LOGGING", ["SELECTIVE ", "LOGGING"]),
        ("mobile-home", ["mobile-", "home"]),
        ("road", ["road"]),
        ("search@plain_dehazed", ["search@", "plain_", "dehazed"]),
        ("_a__b", ["_", "a__", "b"]),
        ("<b>&_c", ["&lt;b&gt;&amp;_", "c"]),
        ("Verkehrsinfrastruktur", ["Verkehrsinfrastr", "uktur"]),
    ],
)
def test_a_name_goes_on_in_another_line_after_its_parts(
    monkeypatch: pytest.MonkeyPatch, name: str, pieces: list[str]
) -> None:
    """It stays text, and all of it is there; only what no small screen holds is broken inside."""
    monkeypatch.setattr(jinja2, "PackageLoader", lambda *_: jinja2.DictLoader({"own": "{{ name | breakable }}"}))
    monkeypatch.setattr(pages, "_environment", cache(pages._environment.__wrapped__))
    assert pages.render_page("own", name=name) == "<wbr/>".join(pieces)


def test_what_is_missing_is_an_error(template: str) -> None:
    """A page with a hole in it is not written."""
    with pytest.raises(jinja2.UndefinedError, match="title"):
        pages.render_page(template, image=b"")


def test_each_colour_of_the_day_has_one_for_the_night() -> None:
    """A colour that stayed as it is would be unreadable on the other ground."""
    style = (Path(pages.__file__).parents[1] / pages.LAYOUT).read_text(encoding="utf-8")
    day, night = (
        re.findall(r"(--[a-z-]+): #", part) for part in style.split("@media (prefers-color-scheme: dark)")[:2]
    )
    assert day == night


@pytest.mark.parametrize("template", sorted(Path(pages.__file__).parent.rglob("*.jinja")), ids=lambda path: path.name)
def test_no_colour_stands_outside_the_two_palettes(template: Path) -> None:
    """Templates name colours; only the head of the layout, which is dark by day and night, has its own."""
    lines = template.read_text(encoding="utf-8").splitlines()
    own = [line for line in lines if re.search(r"#[0-9a-f]{3,6}\b", line) and "--" not in line]
    assert all(line.startswith(("header", "@media print", "nav")) for line in own)
