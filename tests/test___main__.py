"""python -m igarape is the command line."""

import subprocess
import sys


def test_the_package_can_be_run() -> None:
    """As Python's users expect it of a package, also without asserts."""
    asked = [sys.executable, "-O", "-m", "igarape", "promote", "--help"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert said.startswith("Usage: igarape promote ")
