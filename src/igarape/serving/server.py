"""The HTTP server: one process, with batches computed in threads; it begins to listen before the model is loaded."""

from typing import Any

import uvicorn

from igarape.config.params import workers
from igarape.serving.app import application
from igarape.serving.service import Load, Service

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


def serve(load: Load, *, host: str, port: int, watch: float | None = None, token: bytes | None = None) -> None:
    """Load a model, and answer until somebody stops it.

    Parameters
    ----------
    load
        What loads it, as Service has it.
    host, port
        Where to listen.
    watch
        Seconds between two looks for a new model; None: the first one is kept.
    token
        What a request has to bring as a bearer token; None: nothing.

    Raises
    ------
    InputError
        When the model cannot be loaded.
    """

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
