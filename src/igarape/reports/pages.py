"""Pages for people: each one file that holds all it shows, in one style that reads by day and by night."""

import base64
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import jinja2

from igarape.scores.comparison import signed

LAYOUT = "reports/page.html.jinja"
PIECES = re.compile(r"[^_/.@ -]{1,16}[_/.@ -]*|[_/.@ -]+")


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
    environment.filters |= {"jpeg": picture_address, "breakable": _breakable, "signed": signed}
    return environment


def embedded(content: Mapping[str, Any]) -> str:
    """Write what a page's script reads as JSON that lies in the page: a script ends at the first </ that it holds."""
    return json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")


def picture_address(image: bytes) -> str:
    """Turn JPEG bytes into an address that holds the picture itself."""
    return "data:image/jpeg;base64," + base64.b64encode(image).decode("ascii")


@jinja2.pass_environment
def _breakable(environment: jinja2.Environment, name: str) -> str:
    """Let a name of a label, a learner or a chip go on in another line after its parts, and nowhere inside of them.

    A part of more than 16 letters may be broken all the same, or one name would push a table off a small screen.
    """
    escape, safe = environment.filters["escape"], environment.filters["safe"]
    broken: str = safe("<wbr/>".join(escape(piece) for piece in PIECES.findall(name)))
    return broken
