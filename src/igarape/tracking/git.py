"""Git, asked what it knows of a project's folder."""

import os
import shutil
import subprocess
import warnings
from functools import cache
from pathlib import Path

# What git says where there is no repository, no such commit, or no such file in a commit.
EXPECTED = ("not a git repository", "unknown revision", "invalid object name", "does not exist in", "but not in")


def run_git(root: Path, *words: str) -> bytes | None:
    """Return what git prints in a folder; None where it refuses, or there is no git.

    Once in a process each, warnings say that there is no git, and why it refuses; a repository, a commit or a file that
    is not there is no reason to warn.
    """
    program = shutil.which("git")
    if program is None:
        _warn_once("git: not found on the PATH, so no commit is known. Install git to have one")
        return None
    english = os.environ | {"LC_ALL": "C"}
    done = subprocess.run([program, *words], cwd=root, capture_output=True, check=False, env=english)
    if done.returncode == 0:
        return done.stdout
    said = " ".join(done.stderr.decode(errors="replace").split())
    if not any(expected in said for expected in EXPECTED):
        _warn_once(f"git: {said}. So no commit is known")
    return None


@cache
def _warn_once(message: str) -> None:
    """Warn of something that a process meets again and again."""
    warnings.warn(message, stacklevel=2)
