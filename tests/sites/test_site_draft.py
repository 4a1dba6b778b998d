"""What a draft says of a label comes from the model's own answers."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from igarape.sites.site_draft import area_under_curve


def test_the_auc_is_scikit_learns() -> None:
    """With ties too."""
    rng = np.random.default_rng(3)
    for digits in (1, 6):
        y, p = rng.random(200) < 0.3, np.round(rng.random(200), digits).astype(np.float32)
        assert area_under_curve(y, p) == pytest.approx(roc_auc_score(y, p))
