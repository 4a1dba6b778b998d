"""Kaggle's own client, and one file of a competition downloaded by it."""

import contextlib
import io
import shutil
from pathlib import Path
from typing import Protocol

from igarape.errors import InputError, counted

SITE = "https://www.kaggle.com"
NOTES = ".kaggle-partial"  # what Kaggle's client writes beside an unfinished file


class Client(Protocol):
    """The part of Kaggle's client that is used."""

    def competition_download_file(self, competition: str, file_name: str, *, path: str, quiet: bool) -> None:
        """Download a file; go on with what a call before left there unfinished.

        Parameters
        ----------
        competition, file_name
            Which file.
        path
            The folder to write it into.
        quiet
            Whether to show no progress.
        """
        ...


def find_client(by_hand: str) -> Client:
    """Return Kaggle's client, which has found credentials."""
    said = io.StringIO()
    try:
        # The package looks for credentials when it is imported, and where it finds none it prints and ends the process.
        with contextlib.redirect_stdout(said):
            import kaggle

            kaggle.api.authenticate()
    except ImportError as error:
        raise InputError(
            "Kaggle's client is not installed. In the project's folder type: pip install -e '.[kaggle]'. " + by_hand
        ) from error
    except (SystemExit, OSError, ValueError, KeyError) as error:
        raise InputError(
            f"Kaggle's client found no credentials. Make a token at {SITE}/settings (Create New Token) and put "
            f"kaggle.json into ~/.kaggle/, or set KAGGLE_USERNAME and KAGGLE_KEY. {by_hand}"
        ) from error
    client: Client = kaggle.api
    return client


def download(client: Client, competition: str, name: str, folder: Path, by_hand: str) -> None:
    """Download a file into a folder of its own, which outlives an interruption; move it from there when it is whole.

    Parameters
    ----------
    client
        As find_client gives it.
    competition
        By its name in Kaggle's addresses.
    name
        Of the file.
    folder
        Where the file comes to lie.
    by_hand
        The other way out, which errors end with.

    Raises
    ------
    InputError
        When Kaggle refuses the file or lacks it, and when the download stops.
    """
    unfinished = folder / f".unfinished-{name}"
    unfinished.mkdir(exist_ok=True)
    try:
        client.competition_download_file(competition, name, path=str(unfinished), quiet=False)
    except Exception as error:  # the client hands on what requests, urllib3 and the disk raise
        raise InputError(f"{name}: {_reason(error, competition)}. {by_hand}") from error
    found = [path for path in unfinished.iterdir() if not path.name.endswith(NOTES)]
    if len(found) != 1:
        raise InputError(
            f"{name}: Kaggle's client left {counted(len(found), 'file')} in {unfinished}, expected one. {by_hand}"
        )
    found[0].replace(folder / found[0].name)  # Kaggle's name for it: it may have unpacked a zip
    shutil.rmtree(unfinished)


def _reason(error: Exception, competition: str) -> str:
    """Say why a download failed, and what to do."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in {401, 403}:
        rules = f"{SITE}/c/{competition}/rules"
        return f"Kaggle refused it ({status}). Signed in as the owner of the token, accept the rules at {rules}"
    if status == 404:
        return f"Kaggle has no such file in {competition} (404)"
    return f"the download stopped ({error}). Type the command again to go on"
