"""Receive an upload within the limits on its size and time.

What belongs here: reading the body of a request. A body that is refused is read to its end and thrown away, within
limits, since a client that is still sending may never see an answer that comes before.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import PurePath

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message

from finscribe_assets.service.document_work import RefusedError
from finscribe_assets.service.service_settings import ServiceLimits

FORM_BYTES = 64 << 10  # of a body beside its file: part headers and boundaries
THROWN_AWAY_BYTES = 256 << 20  # of a refused body; a longer one loses its connection
THROWN_AWAY_SECONDS = 10.0
_MAX_NAME_LENGTH = 200  # characters


@dataclass(frozen=True)
class UploadedFile:
    """An uploaded file."""

    name: str
    content: bytes

    @property
    def stem(self) -> str:
        """Return the name without its suffix."""
        return PurePath(self.name).stem


class _TooLargeError(Exception):
    """A body is larger than is read."""


class RequestBody:
    """The body of a request while it comes."""

    def __init__(self, request: Request) -> None:
        self._request, self._count = request, 0
        self._is_complete = False

    async def _receive(self) -> Message:
        message = await self._request.receive()
        self._count += len(message.get("body", b""))
        self._is_complete = not message.get("more_body")
        return message

    def limited_to(self, limit: int) -> Request:
        """Return a request whose body raises an error once it has more bytes than the limit."""

        async def receive() -> Message:
            message = await self._receive()
            if self._count > limit:
                raise _TooLargeError
            return message

        return Request(self._request.scope, receive)

    async def throw_away(self) -> None:
        """Receive the rest of the body, within limits."""
        try:
            async with asyncio.timeout(THROWN_AWAY_SECONDS):
                while not self._is_complete and self._count < THROWN_AWAY_BYTES:
                    await self._receive()
        except TimeoutError:
            return


def too_large(limits: ServiceLimits) -> RefusedError:
    """Return the exception for a file that is larger than is read."""
    detail = f"larger than {limits.file_bytes:,} bytes, which is the most that is read; send fewer pages, or smaller"
    return RefusedError(413, "too_large", detail)


async def receive_upload(request: Request, body: RequestBody, limits: ServiceLimits) -> UploadedFile:
    """Return the file of a form's field ``file``.

    Args:
        request: Its headers are read.
        body: Of the request.
        limits: On its size and time.

    Raises:
        RefusedError: The body is not a form (415), too large (413), lacks the file (422), or comes too slowly (408).
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        detail = "send the file as field `file` of a form (multipart/form-data), as `curl -F file=@invoice.pdf` does"
        raise RefusedError(415, "no_form", detail)
    limit = limits.file_bytes + FORM_BYTES
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > limit:
        raise too_large(limits)
    try:
        async with asyncio.timeout(limits.upload_seconds):
            async with body.limited_to(limit).form(max_files=1, max_fields=8) as form:
                file = form.get("file")
                if not isinstance(file, UploadFile):
                    raise RefusedError(422, "no_file", "the form has no file; send it as field `file`")
                content = await file.read()
                name = PurePath(file.filename or "document").name[:_MAX_NAME_LENGTH] or "document"
    except _TooLargeError:
        raise too_large(limits) from None
    except TimeoutError:
        raise RefusedError(408, "slow_upload", f"not uploaded within {limits.upload_seconds:g} seconds") from None
    except HTTPException as error:  # as Starlette reports a form that it cannot parse
        raise RefusedError(400, "bad_form", f"the form cannot be read: {error.detail}") from None
    if len(content) > limits.file_bytes:
        raise too_large(limits)
    return UploadedFile(name, content)
