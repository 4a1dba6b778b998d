"""The HTTP server: one process, with batches computed in threads; it begins to listen before the model is loaded."""

from pathlib import Path
from typing import Any

import uvicorn

from igarape.config.params import workers
from igarape.serving.app import application
from igarape.serving.batching import Served
from igarape.serving.champion import Version, fetch, find_champion
from igarape.serving.service import Service

THREADS = 2  # of one network in one batch; with as many batches as processors
GRACE = 60  # seconds in which requests may finish after SIGTERM
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(message)s", "datefmt": "%Y-%m-%dT%H:%M:%S%z"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"}},
    "loggers": {
        "igarape.access": {"handlers": ["out"], "level": "INFO", "propagate": False},
        "igarape.serve": {"handlers": ["out"], "level": "INFO", "propagate": False},
        "uvicorn": {"handlers": ["out"], "level": "WARNING", "propagate": False},
    },
}


def serve(
    version: Version,
    folder: Path = Path(),
    *,
    host: str,
    port: int,
    watch: float | None = None,
    token: bytes | None = None,
) -> None:
    """Load a registered model, and answer until somebody stops it.

    Parameters
    ----------
    version
        The champion.
    folder
        The project, in whose MLflow it is registered.
    host, port
        Where to listen.
    watch
        Seconds between two looks for a new champion; None: the one that is found now is kept.
    token
        What a request has to bring as a bearer token; None: nothing.

    Raises
    ------
    InputError
        When the model cannot be loaded.
    """

    def load(served: Served | None) -> Served | None:
        found = version if served is None else find_champion(version.name, folder)
        if served is not None and served.version == found.number:
            return None
        bundle = fetch(found, folder, threads=min(THREADS, workers()))
        return Served(bundle, found.name, found.number, found.figures)

    def stop() -> None:
        server.should_exit = True

    service = Service(load, workers=workers(), watch=watch)
    config = uvicorn.Config(
        application(service, token=token, stop=stop),
        host=host,
        port=port,
        log_config=LOGGING,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE,
        ws="none",
    )
    server = uvicorn.Server(config)
    server.run()
    if service.failure is not None:
        raise service.failure
