"""Settings of the service: where it listens, who may call it, and what limits it keeps.

What belongs here: the settings and the rules that they obey. The limits on the content of files are
`opening.input_limits`, of which the service lowers some.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from finscribe_assets.errors import UserError
from finscribe_assets.loopback import is_loopback
from finscribe_assets.opening.input_limits import DEFAULT_DPI, InputLimits

SERVICE_TOKEN_VARIABLE = "FINSCRIBE_SERVICE_TOKEN"  # noqa: S105, the name of a variable
MIN_TOKEN_LENGTH = 16  # characters; a shorter one can be guessed


@dataclass(frozen=True)
class ServiceLimits:
    """What the service accepts of each document, and of all documents at once."""

    file_bytes: int = 20 << 20
    pages: int = 20
    seconds: float = 120.0  # from the start of the upload to the answer
    upload_seconds: float = 30.0  # for the upload
    accepted: int = 32  # documents that are uploaded, wait or are read; further ones get 429
    workers: int = 2  # documents that are opened and read at the same time
    memory_bytes: int = 2 << 30  # address space of each process that opens files

    def of_input(self) -> InputLimits:
        """Return the limits for opening a document."""
        return InputLimits(
            page_file_bytes=self.file_bytes,
            pages=self.pages,
            seconds=self.seconds,
            memory_bytes=self.memory_bytes,
        )


@dataclass(frozen=True)
class ServiceSettings:
    """Settings of one service."""

    host: str = "127.0.0.1"
    port: int = 8600
    token: str | None = field(default=None, repr=False)  # that clients must send; None demands none
    limits: ServiceLimits = ServiceLimits()
    dpi: int = DEFAULT_DPI
    threads: int = 1  # CPU threads of the model and of the OCR engine

    def __post_init__(self) -> None:
        """Check the token.

        Raises:
            UserError: The host is not loopback and there is no token, or the token is short.
        """
        if self.token is not None and len(self.token) < MIN_TOKEN_LENGTH:
            raise UserError(
                f"{SERVICE_TOKEN_VARIABLE}: shorter than {MIN_TOKEN_LENGTH} characters; `openssl rand -hex 32`"
            )
        if self.token is None and not self.is_loopback:
            raise UserError(
                f"--host {self.host}: other machines could send documents without a token; put one into "
                f"{SERVICE_TOKEN_VARIABLE}, such as the output of `openssl rand -hex 32`, or serve on 127.0.0.1"
            )

    @property
    def is_loopback(self) -> bool:
        """Return whether only this machine can reach the service."""
        return is_loopback(self.host)


def token_of_environment() -> str | None:
    """Return the token that clients must send, from the environment; None if it is not set or empty."""
    return os.environ.get(SERVICE_TOKEN_VARIABLE) or None
