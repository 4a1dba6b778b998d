"""What commands share: where they run, their order, and errors that people can read in the place of tracebacks."""

import errno
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from igarape.cluster.settings import BLAS
from igarape.errors import InputError, concealed
from igarape.preamble import without_preamble
from igarape.workspace import Workspace

# What the lists of commands in the help are called, by the first command of each.
SECTIONS = {
    "code": "Steps, in the order of dvc repro",
    "promote": "Models and their answers",
    "map": "Scenes and sites",
    "show": "Experiments, data and MLflow",
}

# What the system says where a file or a folder is in the way, may not be written, or cannot be called so.
IN_THE_WAY = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG)

# What keeps finished batches as whole files, and so may end anywhere: typed again, it goes on.
GO_ON = ("predict", "submit")


def run_stage(command: str, *words: Any, **options: Any) -> None:
    """Run a command in the project's folder; its module is loaded now, so that --help is quick."""
    os.chdir(Workspace.find().root)  # MLflow, DVC and git look around where they are started
    _bound_products()
    with without_preamble():
        stage = import_module(f"igarape.stages.{command}")
    stage.run(Workspace(Path()), *words, **options)


def _bound_products() -> None:
    """Let products of matrices use one thread, unless the user has said how many: OpenBLAS reads it with NumPy.

    Those of a chip or a batch are small, and threads that spin while they wait take the processors from each other and
    from the networks'. What is large is dealt to processes, or is XGBoost's and TensorFlow's, which have threads of
    their own. So no sum depends on the number of processors.
    """
    if not {"OMP_NUM_THREADS", BLAS} & set(os.environ):
        os.environ[BLAS] = "1"


def from_here(path: Path) -> Path:
    """Return a path that was typed, as it is known from the project's folder."""
    return path if Workspace.find().root == Path() else path.absolute()


class Place(click.Path):
    """The type of what names a file or a folder: a path that is typed becomes one from the project's folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path. Raises InputError outside of a project."""
        return from_here(Path(os.fsdecode(super().convert(value, param, ctx))))


PLACE = Place()


class Readable(click.Group):
    """A group whose commands end with one clear error instead of a traceback when the input is at fault."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they are used, not by the alphabet."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in their sections."""
        del ctx
        room = formatter.width - 6 - max(map(len, self.commands))
        lists: dict[str, list[tuple[str, str]]] = {}
        heading = "Commands"
        for name, command in self.commands.items():
            heading = SECTIONS.get(name, heading)
            lists.setdefault(heading, []).append((name, command.get_short_help_str(room)))
        for heading, rows in lists.items():
            with formatter.section(heading):
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command. Raises ClickException for what is the user's to mend, and lets all else through."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            if ctx.invoked_subcommand not in GO_ON:
                raise
            said = "stopped. Finished batches are kept: type the same command again, and it goes on from there"
            click.echo(f"\nigarape {ctx.invoked_subcommand}: {said}", err=True)
            _end_by_interrupt()
            raise  # where the system holds the signal back
        except InputError as error:
            raise _said(str(error), error) from error
        except OSError as error:
            from igarape.files import FULL  # now, so that --help is quick

            if error.errno in FULL:
                full = f"no room in {error.filename or 'what it writes or prints to'} ({error.strerror})"
                told = f"igarape {ctx.invoked_subcommand}: {full}. Make room, and run it again"
                raise _said(told, error) from error
            if error.errno not in IN_THE_WAY or error.filename is None:
                raise
            what = f"{error.filename2 or error.filename}: {error.strerror}; igarape {ctx.invoked_subcommand}"
            told = f"{what} reads or writes there. See what lies there and who may write it, and run it again"
            raise _said(told, error) from error
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] == "igarape":
                raise
            raise click.ClickException(
                f"{error.name}: not installed, and igarape {ctx.invoked_subcommand} needs it; igarape alone only "
                "answers. In the project's folder type: make setup, or: pip install -e '.[train]'"
            ) from error


def _end_by_interrupt() -> None:
    """End as what Ctrl-C ends, and at once: Python would wait for threads that compute what nobody asks for now."""
    sys.stdout.flush()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)


def _said(message: str, error: Exception) -> click.ClickException:
    """Return what is shown of an error, but no password: the message, and its notes, such as what MLflow lacks."""
    return click.ClickException(concealed("\n".join([message, *getattr(error, "__notes__", [])])))
