"""What tests in a real browser need: to be left out, aloud, where there is none."""

import shutil

import pytest
from screenshots import BROWSERS

needs_browser = pytest.mark.skipif(
    not any(map(shutil.which, BROWSERS)), reason=f"none of {', '.join(BROWSERS)} is on the PATH"
)
