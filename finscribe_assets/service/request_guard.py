"""What every request passes: its id, headers of security, and checks of who sends it.

What belongs here: ASGI middleware and the check of the token. Limits on documents are in `upload_reading`.
"""

from __future__ import annotations

import hmac
import uuid
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from finscribe_assets.loopback import asks_for_loopback
from finscribe_assets.service.document_work import RefusedError
from finscribe_assets.service.service_settings import ServiceSettings

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_bearer = HTTPBearer(auto_error=False, description="the token that the service was started with, where it has one")


class RequestGuard:
    """Gives each request an id and each response headers of security; refuses requests of other web sites.

    A web site that a person visits can send requests to services of that person's machine. It is refused by the name in
    `Host`, which such a site cannot choose where its own name was pointed at this machine, and by `Origin`.
    """

    def __init__(self, app: ASGIApp, settings: ServiceSettings) -> None:
        self._app = app
        self._only_local_names = settings.is_loopback and settings.token is None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                if not scope["path"].startswith("/static/"):
                    headers["cache-control"] = "no-store"
            await send(message)

        problem = self._problem(Headers(scope=scope))
        if problem:
            answer = JSONResponse({"detail": problem, "request_id": request_id}, 403)
            await answer(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def _problem(self, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if self._only_local_names and not asks_for_loopback(host):
            return "without a token, the service answers to the names localhost and 127.0.0.1 only"
        origin = headers.get("origin")
        if origin and origin.partition("://")[2] != host:
            return "requests of other web sites are refused"
        return None


async def check_token(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> None:
    """Check that a request has the service's token, if the service has one.

    Raises:
        RefusedError: It has none, or another one (401).
    """
    token = request.app.state.settings.token
    if token is None:
        return
    given = credentials.credentials if credentials else ""
    if not hmac.compare_digest(given.encode(), token.encode()):
        raise RefusedError(401, "no_token", "send the service's token: `Authorization: Bearer TOKEN`")
