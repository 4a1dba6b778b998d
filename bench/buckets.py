"""An S3 in this process, which refuses when it is told to."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

KEY, SECRET, REGION = "a-key", "a-secret", "us-east-1"
ERROR = "<?xml version='1.0'?><Error><Code>{}</Code><Message>{}</Message></Error>"
DENIED = ("403 Forbidden", "AccessDenied", "Access Denied.")
FULL = (
    "507 Insufficient Storage",
    "XMinioStorageFull",
    "Storage backend has reached its minimum of free room.",
)


class Store:
    """moto's S3 over HTTP. refuses: what requests of the methods are answered with; None: they are done."""

    def __init__(self) -> None:
        self.refuses: tuple[str, str, str] | None = None
        self.methods = {"PUT", "POST"}  # those that write
        self._app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.endpoint = f"http://127.0.0.1:{self._server.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _answer(self, request: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if self.refuses and request["REQUEST_METHOD"] in self.methods:
            status, code, message = self.refuses
            request["wsgi.input"].read(int(request.get("CONTENT_LENGTH") or 0))
            start(status, [("Content-Type", "application/xml")])
            return [ERROR.format(code, message).encode()]
        answer: Iterable[bytes] = self._app(request, start)
        return answer

    def client(self) -> Any:
        """Return a client with the key."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name=REGION,
        )

    def stop(self) -> None:
        """Stop it; what it held is gone."""
        self._server.shutdown()
        self._server.server_close()
