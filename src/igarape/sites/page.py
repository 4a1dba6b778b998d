"""A site's page: its ground under many skies, what is known of each label, its alerts, and how to judge them.

One file that holds all it shows, Leaflet too, so that it opens from a disk and without a network.
"""

import json
from collections.abc import Hashable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from xstatic.pkg import leaflet

from igarape.progress import Report
from igarape.reports.pages import embedded, render_page
from igarape.sites.alerts import Status
from igarape.sites.judgements import DISMISSED
from igarape.sites.listing import CANDIDATE, CONFIRMED, expected_false
from igarape.sites.looks import Facts
from igarape.sites.packing import days_that_fit, places_text, present_text, seen_text
from igarape.sites.page_pictures import Opener, PagePictures, read_pictures, wanted_crops
from igarape.sites.site_folder import SiteFolder
from igarape.sites.site_history import STEPS, SiteHistory

MOST_KNOWN = 1_100_000  # bytes of a page for what is known of tiles and days
ORDER = (CONFIRMED, CANDIDATE, Status.WITHDRAWN.name.lower(), DISMISSED)


def in_order(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return alerts as people read them: confirmed ones first, and the newest first."""
    ranked = alerts.assign(rank=alerts["status"].map(ORDER.index), raised=pd.to_datetime(alerts["raised"]))
    ranked = ranked.sort_values(["rank", "raised", "id"], ascending=[True, False, True])
    return ranked.drop(columns="rank").reset_index(drop=True)


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
        Its alerts, in the order in which they are shown.
    history
        What was known day by day, with the looks at each alert's tile.
    facts
        Of all its looks, in the order of days.
    view
        Opens the scenes of a day.
    report
        Called with the days whose scenes are read, and all.
    """
    days = days_that_fit(history, MOST_KNOWN)
    places = place.area.places
    wanted = wanted_crops(alerts, history, place.area.known)
    pictures = read_pictures(
        facts, history, shown=days.tolist(), wanted=wanted, places=places, view=view, report=report
    )
    known = _known(place, history, days, facts)
    told = [_alert(row, history, place, pictures.crops.get(n, {})) for n, row in enumerate(alerts.to_dict("records"))]
    content = known | {"grounds": pictures.grounds, "clearest": pictures.clearest, "alerts": told}
    return _render(content, pictures, false=expected_false(alerts, CONFIRMED)), pictures.lost


def _known(place: SiteFolder, history: SiteHistory, days: np.ndarray, facts: Sequence[Facts]) -> dict[str, Any]:
    """Return what the page says of the site, its tiles and its days."""
    grid, conditions = place.area.grid, [history.conditions[day] for day in days]
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
        "dates": [_iso(condition.day) for condition in conditions],
        "left_out": len(history.conditions) - len(days),
        "looked": [condition.seen for condition in conditions],
        "cloudy": [condition.cloudy for condition in conditions],
        "shares": [[None if np.isnan(share) else round(float(share), 4) for share in one.share] for one in conditions],
        "steps": STEPS,
        "places": places_text(place.area.places),
        "present": present_text(history, days),
        "seen": seen_text(history, days),
    }


def _alert(
    row: Mapping[Hashable, Any], history: SiteHistory, place: SiteFolder, crops: Mapping[str, tuple[str, str]]
) -> Mapping[str, Any]:
    """Return what the page says of an alert."""
    tile = place.area.known[row["tile"]]
    days, p, _ = history.looks[tile]
    column = place.labels.index(row["label"])
    texts = ("id", "tile", "label", "change", "status", "verdict", "reason")
    dates = ("raised", "first", "date", "last")
    return {
        **{name: row[name] if isinstance(row[name], str) else None for name in texts},
        **{name: None if pd.isna(row[name]) else str(pd.Timestamp(row[name]).date()) for name in dates},
        "place": tile,
        "middle": place.area.middles[tile].round(5).tolist(),
        "probability": round(float(row["probability"]), 4),
        "history": json.loads(row["history"]),
        "looks": [
            [_iso(history.conditions[day].day), round(float(said[column]), 3)]
            for day, said in zip(days.tolist(), p, strict=True)
        ],
        "crops": crops,
    }


def _render(content: Mapping[str, Any], pictures: PagePictures, *, false: float) -> str:
    """Render the page. false: how many confirmed alerts are expected to be so."""
    folder = Path(leaflet.BASE_DIR)
    library, style = ((folder / name).read_text(encoding="utf-8") for name in ("leaflet.js", "leaflet.css"))
    alerts = content["alerts"]
    return render_page(
        "sites/page.html.jinja",
        site=content,
        lost=pictures.lost,
        counts={status: sum(alert["status"] == status for alert in alerts) for status in ORDER},
        expected=false,
        first=_newest_clear(content["looked"]),
        content=embedded(content),
        library=library.replace("//# sourceMappingURL=leaflet.js.map", ""),
        library_style=style,
        script=(Path(__file__).parent / "page.js").read_text(encoding="utf-8"),
    )


def _iso(day: int) -> str:
    """Return a day as text."""
    return date.fromordinal(day).isoformat()


def _newest_clear(looked: Sequence[int]) -> int:
    """Return the newest day, by its number, with at least half as many looks as the best one; the page begins there."""
    best = max(looked)
    return max(day for day, count in enumerate(looked) if 2 * count >= best)
