"""What TensorFlow says while it is imported, before any setting of its log counts (tensorflow issue 100442)."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = 2  # its file descriptor: what libraries in C++ write to
# Information only: what is a warning or an error begins with W0000 or E0000.
PREAMBLE = re.compile(rb"I0000 |WARNING: All log messages before absl::InitializeLog\(\) is called")


@contextmanager
def without_preamble() -> Iterator[None]:
    """Keep what is written to the standard error stream until the block ends, and leave out TensorFlow's preamble.

    Six lines at the beginning of most steps, which people would have to read past.
    """
    if sys.stderr is None:  # nobody hears it
        yield
        return
    sys.stderr.flush()
    own = os.dup(STDERR)
    try:
        with tempfile.TemporaryFile() as said:
            os.dup2(said.fileno(), STDERR)
            try:
                yield
            finally:
                sys.stderr.flush()
                os.dup2(own, STDERR)
                said.seek(0)
                for line in said:
                    if not PREAMBLE.match(line):
                        os.write(STDERR, line)
    finally:
        os.close(own)
