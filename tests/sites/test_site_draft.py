"""What a draft says of a label comes from the model's own answers."""

from datetime import date

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from igarape.config.sites import Watched
from igarape.labels import Vocabulary
from igarape.sites.site_draft import area_under_curve, doubts, draft_site
from igarape.sites.tiles import Grid


def test_the_auc_is_scikit_learns() -> None:
    """With ties too."""
    rng = np.random.default_rng(3)
    for digits in (1, 6):
        y, p = rng.random(200) < 0.3, np.round(rng.random(200), digits).astype(np.float32)
        assert area_under_curve(y, p) == pytest.approx(roc_auc_score(y, p))


def test_weather_is_told_in_any_case_and_doubts_are_said() -> None:
    """CLEAR is no haze; where no label rules out all others, and where an AUC is low, the draft says so."""
    grid = Grid("EPSG:32718", 0.0, 0.0, 3.0, 64, 64, 32, 16)
    labels = {
        name: Watched(appears=0.1, vanishes=0.1, prevalence=0.3, auc=auc) for name, auc in (("a", 0.9), ("b", 0.95))
    }
    days = (date(2024, 1, 1), date(2024, 2, 1))
    words = Vocabulary(exclusive=("CLEAR", "HAZE", "FOG"), alone=("FOG",), common=("a", "b"), rare=())
    site = draft_site(grid, labels, polygon=None, bands=None, baseline=days, words=words)
    assert site.weather.haze == ("HAZE",) and site.weather.cloud == ("FOG",)
    (weak,) = doubts(site)
    assert "hardly tells a 0.90 (AUC" in weak
    words = Vocabulary(exclusive=(), alone=(), common=("a", "b"), rare=())
    cloud, _ = doubts(draft_site(grid, labels, polygon=None, bands=None, baseline=days, words=words))
    assert "a cloud may pass for a change" in cloud
