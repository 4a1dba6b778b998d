"""A site's settings, for tests."""

from datetime import date
from typing import Any

from igarape.config.schema import validate
from igarape.config.sites import Site

CONTENT: dict[str, Any] = {
    "crs": "EPSG:32718",
    "bounds": [500_000.0, 9_000_000.0, 500_192.0, 9_000_128.0],
    "pixel": 1.0,
    "size": 64,
    "stride": 64,
    "labels": {
        "water": {"appears": 0.2, "vanishes": 0.2, "prevalence": 0.2, "auc": 0.983},
        "road": {"appears": 0.1, "vanishes": 0.05, "prevalence": 0.1, "auc": 0.97},
    },
    "weather": {"cloud": ["cloudy"], "haze": ["haze"], "alone": True},
    "baseline": [date(2024, 1, 1), date(2024, 6, 30)],
    "evidence": {"bound": 6.0, "shared": 0.25, "other": 0.5, "haze": 0.5, "cloudy": 0.5, "valid": 0.5},
    "alerts": {"candidate": 0.5, "confirmed": 0.975, "withdrawn": 0.2, "looks": 2, "days": 180},
}


def site(**changes: Any) -> Site:
    """Give a site of six tiles, two rows of three, with changes."""
    return validate(Site, CONTENT | changes, "sites/here.yaml")
