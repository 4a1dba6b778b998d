"""TensorFlow's preamble is left out, and nothing else."""

import os
import subprocess
import sys
from importlib import import_module

import pytest

from igarape.preamble import STDERR, without_preamble

# As TensorFlow 2.21 says it.
SAID = (
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    b"I0000 00:00:1796076363.913180   22795 port.cc:153] oneDNN custom operations are on.\n"
    b"E0000 00:00:1796076363.913180   22795 cuda_dnn.cc:8579] Unable to register cuDNN factory\n"
    b"a part of a line"
)


def test_what_is_no_preamble_is_told_in_its_order(capfd: pytest.CaptureFixture[str]) -> None:
    """At the end of the block."""
    with without_preamble():
        os.write(STDERR, SAID)
        os.write(STDERR, b", and its end\n")
        assert capfd.readouterr().err == ""
    assert capfd.readouterr().err == (
        "E0000 00:00:1796076363.913180   22795 cuda_dnn.cc:8579] Unable to register cuDNN factory\n"
        "a part of a line, and its end\n"
    )
    os.write(STDERR, b"I0000 later\n")
    assert capfd.readouterr().err == "I0000 later\n"


def test_an_error_is_raised_after_what_was_said(capfd: pytest.CaptureFixture[str]) -> None:
    """What fails to be imported says why."""
    with pytest.raises(ModuleNotFoundError, match="no_such_module"), without_preamble():
        import_module(f"no_such_module{os.write(STDERR, SAID[-16:])}")
    assert capfd.readouterr().err == "a part of a line"


def test_a_process_without_an_error_stream_goes_on() -> None:
    """Such as a daemon's."""
    code = "from igarape.preamble import without_preamble\nwith without_preamble(): print(1)"
    done = subprocess.run(["/bin/sh", "-c", f'"{sys.executable}" -c "$0" 2>&-', code], capture_output=True, check=True)
    assert done.stdout == b"1\n"


def test_tensorflow_is_imported_without_a_word() -> None:
    """With the setting of the commands."""
    code = "from igarape.preamble import without_preamble\nwith without_preamble(): import keras_tuner"
    own = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=own)
    assert done.stderr == b""
