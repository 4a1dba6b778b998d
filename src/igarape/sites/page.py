"""A site's page: its ground under many skies, what is known of each label, its alerts, and how to judge them.

One file that holds all it shows, Leaflet too, so that it opens from a disk and without a network.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from xstatic.pkg import leaflet

from igarape.progress import Report
from igarape.reports.pages import embedded, render_page
from igarape.sites.events import CONFIRMED, ORDER
from igarape.sites.listing import doubt
from igarape.sites.looks import Facts
from igarape.sites.packing import days_that_fit, places_text, present_text, seen_text
from igarape.sites.page_alerts import FINE, alerts_text, days_of, in_order, looks_text
from igarape.sites.page_pictures import Opener, PagePictures, read_pictures, wanted_crops
from igarape.sites.site_folder import SiteFolder
from igarape.sites.site_history import STEPS, SiteHistory

MOST_KNOWN = 850_000  # bytes of a page for what is known of tiles and days


def site_page(
    place: SiteFolder,
    alerts: pd.DataFrame,
    history: SiteHistory,
    facts: Sequence[Facts],
    *,
    view: Opener,
    report: Report,
) -> tuple[str, list[str]]:
    """Return a site's page as HTML, and why some of its scenes are not to be seen on it.

    Parameters
    ----------
    place
        The site.
    alerts
        Its alerts with their events, as of events.with_events.
    history
        What was known day by day, with the looks at each alert's tile.
    facts
        Of all its looks, in the order of days.
    view
        Opens the scenes of a day.
    report
        Called with the days whose scenes are read, and all.
    """
    days, alerts = days_that_fit(history, MOST_KNOWN), in_order(alerts)
    packed, room = alerts_text(alerts, place.area)
    shown, places = alerts[:room], place.area.places
    wanted = wanted_crops(shown, history, place.area.known)
    pictures = read_pictures(
        facts, history, shown=days.tolist(), wanted=wanted, places=places, view=view, report=report
    )
    known = _known(place, history, days, facts)
    looks, dotted = looks_text(shown, history, place.area, place.labels)
    content = known | {
        "grounds": pictures.grounds,
        "clearest": pictures.clearest,
        "alerts": packed,
        "looks": looks,
        "dotted": dotted,
        "fine": FINE,
        "crops": pictures.crops,
    }
    return _render(content, pictures, alerts, room), pictures.lost


def _known(place: SiteFolder, history: SiteHistory, days: np.ndarray, facts: Sequence[Facts]) -> dict[str, Any]:
    """Return what the page says of the site, its tiles and its days."""
    grid, conditions = place.area.grid, [history.conditions[day] for day in days]
    all_dates = days_of(history)
    return {
        "name": place.name,
        "labels": place.labels,
        "baseline": [day.isoformat() for day in place.site.baseline],
        "models": sorted({each.model for each in facts}),
        "untrusted": sorted({each.date for each in facts if not each.trusted}),
        "grid": {
            "width": grid.width,
            "height": grid.height,
            "size": grid.size,
            "stride": grid.stride,
            "metres": grid.pixel,
            "rows": grid.rows,
            "columns": grid.columns,
            "tiles": len(place.area.places),
        },
        "dates": [all_dates[day] for day in days],
        "all_dates": all_dates,
        "left_out": len(history.conditions) - len(days),
        "looked": [condition.seen for condition in conditions],
        "cloudy": [condition.cloudy for condition in conditions],
        "shares": [[None if np.isnan(share) else round(float(share), 4) for share in one.share] for one in conditions],
        "steps": STEPS,
        "places": places_text(place.area.places),
        "present": present_text(history, days),
        "seen": seen_text(history, days),
    }


def _render(content: Mapping[str, Any], pictures: PagePictures, alerts: pd.DataFrame, room: int) -> str:
    """Render the page. room: how many of the alerts are in the content."""
    folder = Path(leaflet.BASE_DIR)
    library, style = ((folder / name).read_text(encoding="utf-8") for name in ("leaflet.js", "leaflet.css"))
    standing = alerts[alerts["event"] == alerts.index]
    return render_page(
        "sites/page.html.jinja",
        site=content,
        lost=pictures.lost,
        events={status: int((standing["status"] == status).sum()) for status in ORDER},
        count=len(alerts),
        room=room,
        confirmed=int((alerts["status"] == CONFIRMED).sum()),
        doubt=doubt(alerts, CONFIRMED),
        first=_newest_clear(content["looked"]),
        content=embedded(content),
        library=library.replace("//# sourceMappingURL=leaflet.js.map", ""),
        library_style=style,
        script=(Path(__file__).parent / "page.js").read_text(encoding="utf-8"),
    )


def _newest_clear(looked: Sequence[int]) -> int:
    """Return the newest day, by its number, with at least half as many looks as the best one; the page begins there."""
    best = max(looked)
    return max(day for day, count in enumerate(looked) if 2 * count >= best)
