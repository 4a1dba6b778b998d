"""Pages for people: each one file that holds all it shows, in one style that reads by day and by night."""

import base64
from functools import cache
from typing import Any

import jinja2

LAYOUT = "reports/page.html.jinja"


def render_page(template: str, **shown: Any) -> str:
    """Render a template of the package, such as reports/verdict.html.jinja, which extends the layout; names stay text.

    Raises jinja2.UndefinedError for a name that the template uses and shown does not hold.
    """
    return _environment().get_template(template).render(layout=LAYOUT, **shown)


@cache
def _environment() -> jinja2.Environment:
    """Return the environment of all pages: it compiles a template once, not for each page."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("igarape", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["jpeg"] = _jpeg
    return environment


def _jpeg(image: bytes) -> str:
    """Turn JPEG bytes into an address that holds the picture itself."""
    return "data:image/jpeg;base64," + base64.b64encode(image).decode("ascii")
