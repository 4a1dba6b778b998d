"""Errors that people can read: what the user can mend is one line, what nobody foresaw stays a traceback."""

import errno
import os
import signal
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner, Result

from igarape.commands import Readable
from igarape.errors import InputError


def invoked(error: BaseException) -> Result:
    """Run a command that fails with an error."""

    @click.group(cls=Readable)
    def group() -> None:
        """Hold the command."""

    @group.command()
    def fail() -> None:
        """Fail."""
        raise error

    return CliRunner().invoke(group, ["fail"])


def test_commands_are_listed_in_the_order_of_use() -> None:
    """Not by the alphabet."""
    group = Readable(commands=[click.Command(name) for name in ("zeal", "add")])
    assert group.list_commands(click.Context(group)) == ["zeal", "add"]


def test_an_input_at_fault_is_one_line_with_its_notes() -> None:
    """And exit code 1."""
    error = InputError("chips.csv: no column tags")
    error.add_note("MLflow was not told")
    found = invoked(error)
    assert found.exit_code == 1
    assert found.output.splitlines() == ["Error: chips.csv: no column tags", "MLflow was not told"]


def test_no_password_is_told() -> None:
    """An address that somebody put one into is told without it, in notes too."""
    error = InputError("MLflow at http://ana:secret@mlflow:5000 does not answer")
    error.add_note("http://ana:secret@mlflow:5000: 3 entries could not be sent")
    assert "secret" not in invoked(error).output


@pytest.mark.parametrize("code", [errno.EACCES, errno.EISDIR, errno.ENAMETOOLONG])
def test_what_is_in_the_way_is_named(code: int) -> None:
    """With the command that met it."""
    found = invoked(OSError(code, os.strerror(code), "/somewhere/data"))
    assert found.output.startswith(f"Error: /somewhere/data: {os.strerror(code)}; igarape fail reads or writes there")


def test_where_there_is_no_room_it_is_said() -> None:
    """Also where what is printed goes to a full disk, which has no name here."""
    for where, said in (("/somewhere", "no room in /somewhere"), (None, "no room in what it writes or prints to")):
        found = invoked(OSError(errno.ENOSPC, "No space left", where))
        assert found.output.startswith(f"Error: igarape fail: {said} (No space left). Make room")


def test_a_missing_package_says_how_to_install_it() -> None:
    """One of igarape's own modules is a fault of ours."""
    found = invoked(ModuleNotFoundError("no", name="tensorflow.keras"))
    assert found.output.startswith("Error: tensorflow.keras: not installed, and igarape fail needs it")
    assert isinstance(invoked(ModuleNotFoundError("no", name="igarape.nothing")).exception, ModuleNotFoundError)


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "bad disk", "/somewhere"), OSError("no number"), ValueError("no")]
)
def test_all_else_is_let_through(error: Exception) -> None:
    """Nothing is hidden."""
    assert invoked(error).exception is error


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, 1), ({"IGARAPE_WORKERS": "2"}, 1), ({"OPENBLAS_NUM_THREADS": "2"}, 2), ({"OMP_NUM_THREADS": "2"}, 2)],
)
def test_products_of_matrices_use_one_thread(given: dict[str, str], expected: int) -> None:
    """Unless the user says otherwise."""
    script = (
        "from igarape.commands import _bound_products; _bound_products(); import numpy, threadpoolctl; "
        "print(*(one['num_threads'] for one in threadpoolctl.threadpool_info()))"
    )
    settled = ("_NUM_THREADS", "IGARAPE_WORKERS")
    bare = {name: value for name, value in os.environ.items() if not name.endswith(settled)}
    found = subprocess.run([sys.executable, "-c", script], env=bare | given, capture_output=True, text=True, check=True)
    assert {int(number) for number in found.stdout.split()} == {expected}


INTERRUPTED = """
import sys, threading, click
from igarape.commands import Readable

@click.group(cls=Readable)
def group(): pass

def work():
    threading.Thread(target=threading.Event().wait).start()  # what computes, and is not done for long
    print("begun")
    raise KeyboardInterrupt

group.command("predict")(work)
group(["predict"])
"""


def test_ctrl_c_ends_predict_at_once_and_says_how_to_go_on() -> None:
    """By the signal itself, as a shell's loop expects; threads that still compute are not waited for."""
    ended = subprocess.run([sys.executable, "-c", INTERRUPTED], check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == -signal.SIGINT and ended.stdout == "begun\n"
    assert "igarape predict: stopped. Finished batches are kept: type the same command again" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_ctrl_c_ends_other_commands_as_click_does() -> None:
    """They have runs to close, and messages to send."""
    found = invoked(KeyboardInterrupt())
    assert found.exit_code == 1 and found.output.strip() == "Aborted!"
