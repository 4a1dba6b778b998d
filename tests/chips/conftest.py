"""Real chips, which are never part of the repository."""

import os
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def planet() -> Path:
    """Give the folder planet of IGARAPE_DATA, or of shared/chips beside the repository; skip where there is none."""
    folder = Path(os.environ.get("IGARAPE_DATA", ROOT.parent / "shared/chips")) / "planet"
    if not folder.is_dir():
        reason = f"NOT TESTED on real chips: {folder} does not exist. Set IGARAPE_DATA to the folder that holds planet/"
        warnings.warn(reason, stacklevel=2)
        pytest.skip(reason)
    return folder
