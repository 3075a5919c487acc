"""An object store for tests: moto's S3 server on loopback, of which a share of the requests fails."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

FAILURES = (("503 Slow Down", "SlowDown"), ("500 Internal Server Error", "InternalError"))
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",  # moto accepts any
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class FaultyS3:
    """Serves S3 in a thread and counts what it is asked.

    Attributes:
        share: The share of requests that are answered with an error of S3, before they have any effect.
        requests: Number of requests by method.
        failed: Number of requests that were answered with an error.
        read: Bytes sent in answer to GET requests, by path.
    """

    def __init__(self, share: float = 0.0, seed: int = 1) -> None:
        self.share = share
        self.requests: Counter[str] = Counter()
        self.read: Counter[str] = Counter()
        self.failed = 0
        self._draws = random.Random(seed)
        self._lock = threading.Lock()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=MotoRequestHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> FaultyS3:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which every client of AWS finds this server."""
        return {"AWS_ENDPOINT_URL": self.url, **ENVIRONMENT}

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        with self._lock:
            self.requests[method] += 1
            fails = self._draws.random() < self.share and not path.startswith("/moto-api")
            self.failed += fails
            status, code = self._draws.choice(FAILURES)
        if fails:
            body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>Please retry</Message></Error>".encode()
            # The body of a failed upload stays unread, so the connection cannot serve another request.
            start_response(status, [("Content-Type", "application/xml"), ("Connection", "close")])
            return [body]
        body = b"".join(self._moto(environ, start_response))
        if method == "GET":
            with self._lock:
                self.read[path] += len(body)
        return [body]
