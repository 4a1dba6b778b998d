"""The README's screenshots: MLflow's pages, the report and the page of a drawn site, as a browser shows them.

Run in a project whose stream has finished, on drawn chips, and after `make sites`: `python studies/screenshots.py`. It
starts `mlflow server` on the project's mlflow.db and a Chromium without a window; it writes docs/screen_*.png. Chips of
other data sets are not ours to publish, so that pages of them are refused.
"""

import base64
import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from mlflow import MlflowClient

from igarape.config.datasets import read_dataset
from igarape.config.documents import RunFacts
from igarape.config.params import read_params
from igarape.errors import InputError
from igarape.files import atomic_path
from igarape.workspace import Workspace

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1400, 860
SECONDS = 60.0  # that a page may take
STEP = "evaluate"
# MLflow opens an assistant beside its pages when it is seen for the first time, and shows pages for language models.
SEEN = {"mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true", "mlflow.workflowType_v1": '"machine_learning"'}


# The plots' tools, which are in sight where there is no mouse.
HIDDEN = {"textContent": ".modebar { display: none !important }"}


class Page(NamedTuple):
    """A page, and a text by which it is known to be there; then what is clicked on, and a text that follows."""

    address: str
    wanted: str
    click: str = ""
    then: str = ""


class Browser:
    """A Chromium without a window, spoken to in its DevTools protocol through two pipes."""

    def __init__(self, profile: str) -> None:
        program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
        if program is None:
            raise InputError(f"no browser: none of {', '.join(BROWSERS)} is on the PATH. Install one")
        (reads, self._out), (self._in, writes) = os.pipe(), os.pipe()
        words = [program, "--headless", "--disable-gpu", "--hide-scrollbars"]
        words += ["--no-sandbox"] * (os.geteuid() == 0)  # root has none
        words += ["--remote-debugging-pipe", f"--user-data-dir={profile}"]
        # Chromium reads file 3 and writes file 4, which may be others of ours: bash moves them there from above.
        far = [fcntl.fcntl(file, fcntl.F_DUPFD, 10) for file in (reads, writes)]
        moved = f'exec "$@" 3<&{far[0]} 4>&{far[1]} {far[0]}<&- {far[1]}>&-'
        self._process = subprocess.Popen(["bash", "-c", moved, "bash", *words], pass_fds=far, stderr=subprocess.DEVNULL)
        for file in (reads, writes, *far):
            os.close(file)
        self._count, self._rest = 0, b""
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        remember = ";".join(f"localStorage.setItem({name!r}, {value!r})" for name, value in SEEN.items())
        self.call("Page.addScriptToEvaluateOnNewDocument", source=f"if (location.protocol == 'http:') {{{remember}}}")

    def call(self, method: str, **params: Any) -> Any:
        """Call a method of the protocol, and return its result."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._rest:
                read = os.read(self._in, 1 << 16)
                if not read:
                    raise InputError(f"the browser has ended while it was asked for {method}")
                self._rest += read
            answer, _, self._rest = self._rest.partition(b"\0")
            said = json.loads(answer)
            if said.get("id") == self._count:
                if "error" in said:
                    raise InputError(f"the browser refuses {method}: {said['error']['message']}")
                return said["result"]

    def resize(self, width: int, height: int) -> None:
        """Give the browser a screen of so many pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def open(self, address: str) -> None:
        """Open a page, and wait until all that it holds is there."""
        self.call("Page.navigate", url=address)
        self.until(f"document.readyState == 'complete' && location.href == {address!r}")

    def until(self, holds: str) -> None:
        """Wait until an expression of JavaScript holds on the page."""
        end = time.monotonic() + SECONDS
        while not self.value(holds):
            if time.monotonic() > end:
                there = self.value("location.href + ': ' + document.body.innerText")
                raise InputError(f"waited {SECONDS:.0f} seconds for {holds}, found {there}")
            time.sleep(0.05)

    def shoot(self, page: Page, path: Path) -> None:
        """Open a page, wait until it holds its texts and nothing moves any more, and write what it looks like."""
        self.resize(WIDTH, HEIGHT)
        self.call("Page.navigate", url="about:blank")  # else only what follows the # would change
        self.call("Page.navigate", url=page.address)
        picture = self._settled(page.address, page.wanted)
        if page.click:
            self.value(f"document.querySelector({json.dumps(page.click)}).click()")
            picture = self._settled(page.address, page.then)
        with atomic_path(path) as unfinished:
            unfinished.write_bytes(base64.b64decode(picture))

    def _settled(self, address: str, wanted: str) -> str:
        """Wait until the page holds a text and looks the same for a second; return the PNG."""
        end, before = time.monotonic() + SECONDS, ""
        while time.monotonic() < end:
            time.sleep(1)
            if self.value(f"document.body.innerText.includes({json.dumps(wanted)})"):
                self.value(
                    f"document.head.append(Object.assign(document.createElement('style'), {json.dumps(HIDDEN)}))"
                )
                now = str(self.call("Page.captureScreenshot", format="png")["data"])
                if now == before:
                    return now
                before = now
        raise InputError(f"{address}: expected {wanted!r} on a page that stands still; waited {SECONDS:.0f} seconds")

    def value(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript on the page."""
        return self.call("Runtime.evaluate", expression=expression)["result"].get("value")

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        self._process.wait(30)
        os.close(self._in)
        os.close(self._out)


@contextmanager
def browsing() -> Iterator[Browser]:
    """Open a browser for the block, with a profile of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        opened = Browser(profile)
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def served(database: Path) -> Iterator[str]:
    """Serve a database by `mlflow server` for the block, and give the address."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port = opened.getsockname()[1]
    words = ["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    store = ["--backend-store-uri", f"sqlite:///{quote(str(database.absolute()))}"]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen([sys.executable, *words, *store], stdout=log, stderr=log) as server,
    ):
        try:
            end = time.monotonic() + SECONDS
            while not _answers(address := f"http://127.0.0.1:{port}"):
                if server.poll() is not None or time.monotonic() > end:
                    log.seek(0)
                    raise InputError(f"{database}: mlflow server does not answer: {log.read()[-2000:].decode()}")
                time.sleep(0.5)
            yield address
        finally:
            server.terminate()


def _answers(address: str) -> bool:
    """Say whether a server answers."""
    try:
        urllib.request.urlopen(f"{address}/health", timeout=5).close()  # noqa: S310 - the address is ours
    except OSError:
        return False
    return True


def pages(address: str, run: str) -> dict[str, Page]:
    """Return MLflow's pages of an evaluate run, and of the learners and stacks in it."""
    client = MlflowClient(address)
    experiment = client.get_run(run).info.experiment_id
    inside = f"tags.mlflow.parentRunId = '{run}'"
    rows = [found.info.run_id for found in client.search_runs([experiment], inside)]
    if not rows:
        raise InputError(f"run {run}: holds no runs of learners and stacks, which evaluate logs. Run: dvc repro")
    listed = f"runs={quote(json.dumps(rows))}&experiments={quote(json.dumps([experiment]))}"
    name = "oof_f2_by_threshold"
    metric = f"metric={quote(json.dumps(name))}&plot_metric_keys={quote(json.dumps([name]))}"
    return {
        "runs": Page(
            f"{address}/#/experiments/{experiment}/runs?compareRunsMode=CHART",
            "holdout_f2",
            f'[row-id="{run}"] .ag-cell button',  # the + before its name
            "calibrated",
        ),
        "compare": Page(f"{address}/#/compare-runs?{listed}", "Parallel Coordinates"),
        "curves": Page(f"{address}/#/metric?{listed}&{metric}&x_axis=step&line_smoothness=0", name),
    }


def main() -> None:
    """Write docs/screen_*.png of the project's own stream."""
    here = Workspace.find()
    name = read_params(here.params).dataset
    kind = read_dataset(name, here.datasets).source.kind
    if kind != "drawn":
        raise InputError(
            f"{name}: its chips are not drawn ({kind}); only drawn ones are shown. Type: igarape use drawn"
        )
    run = RunFacts.read(here.run(STEP)).run_id
    database, report, site = here.root / "mlflow.db", here.reports / "report.html", here.sites / "drawn/page.html"
    missing = [str(path) for path in (database, report, site) if not path.exists()]
    if missing:
        raise InputError(f"{missing[0]}: not found. Run: dvc repro, and then: make sites")
    with served(database) as address, browsing() as browser:
        shown = pages(address, run) | {
            "report": Page(report.absolute().as_uri(), "F2"),
            "site": Page(site.absolute().as_uri(), "confirmed", ".alert .open", "The line is what is known"),
        }
        for page, wanted in shown.items():
            path = here.root / "docs" / f"screen_{page}.png"
            browser.shoot(wanted, path)
            print(f"{path}: {path.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"Error: {error}")
