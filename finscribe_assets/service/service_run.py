"""Run the service until it is told to stop.

What belongs here: the web server and its end. On SIGTERM or SIGINT the service answers new documents with 503, finishes
the accepted ones and ends; on a second signal it ends at once.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from finscribe_assets.errors import UserError
from finscribe_assets.service.document_work import DocumentWork
from finscribe_assets.service.service_log import log_event, log_to_stderr
from finscribe_assets.service.service_settings import ServiceSettings

_POLL_SECONDS = 0.1


class DrainingServer(uvicorn.Server):
    """A web server that stays up after the first signal until all accepted documents are answered.

    Uvicorn itself closes its socket at the first signal, so that a client would see a refused connection instead of
    the status 503, which says that the document can be sent again.
    """

    def __init__(self, config: uvicorn.Config, work: DocumentWork, seconds: float) -> None:
        """Prepare the server.

        Args:
            config: Of the web server.
            work: Is told to accept no more documents.
            seconds: Longest time for the accepted documents.
        """
        super().__init__(config)
        self._work, self._seconds = work, seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drained: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Start listening."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)  # type: ignore[arg-type]
        if not self.should_exit:
            log_event("listening", host=self.config.host, port=self.config.port)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop at the first signal; stop at once at the second."""
        if self._work.is_stopping or self._loop is None:
            log_event("stopping_at_once", level="warning", accepted=self._work.accepted)
            self.should_exit = self.force_exit = True
            return
        self._work.stop_accepting()
        log_event("stopping", signal=signal.Signals(sig).name, accepted=self._work.accepted)
        self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        self._drained = asyncio.ensure_future(self._exit_when_idle())

    async def _exit_when_idle(self) -> None:
        waited = 0.0
        while self._work.accepted and waited < self._seconds:
            await asyncio.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
        log_event("stopped", unfinished=self._work.accepted)
        self.should_exit = True


def serve(app: FastAPI, settings: ServiceSettings, on_listening: Callable[[], None] | None = None) -> None:
    """Serve until a signal comes.

    Args:
        app: Of `service_app.make_app`.
        settings: Host, port and limits.
        on_listening: Called before the server listens.

    Raises:
        UserError: The workers do not start, or the port is taken.
    """
    log_to_stderr()
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=64 << 10,
    )
    server = DrainingServer(config, app.state.work, settings.limits.seconds)
    if on_listening is not None:
        on_listening()
    try:
        server.run()
    except SystemExit as error:
        raise UserError(f"the service cannot listen on {settings.host}:{settings.port}; the log says why") from error
