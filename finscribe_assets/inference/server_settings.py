"""Which server a `ServerReader` asks, and how: address, model, and limits of images, time and concurrency.

What belongs here: the settings and the environment variables that set them. The token comes from the environment only,
so that no command line, file or log has it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import urlsplit

from finscribe_assets.errors import UserError
from finscribe_assets.loopback import is_loopback

_PREFIX = "FINSCRIBE_SERVER_"
URL_VARIABLE, TOKEN_VARIABLE, TIMEOUT_VARIABLE = f"{_PREFIX}URL", f"{_PREFIX}TOKEN", f"{_PREFIX}TIMEOUT"


class ReadingUnit(StrEnum):
    """What a served model reads."""

    LINES = "lines"  # single printed lines, 28 pixels high, as a model merged from the embedded base does
    PAGES = "pages"  # pages and regions of any size, as PaddleOCR-VL and other models do


class ImageFormat(StrEnum):
    """How images are sent."""

    PNG = "png"  # without loss, so that a server reads the pixels that the reader in this process would
    JPEG = "jpeg"  # several times smaller for scanned pages


@dataclass(frozen=True)
class ServerSettings:
    """An OpenAI-compatible server and how it is asked.

    Attributes:
        url: Such as ``http://127.0.0.1:8000``; chat completions are at its path ``/v1/chat/completions``.
        model: Name under which the server has the model; the only one that it lists unless given.
        unit: Whether the model reads single lines or pages.
        token: Sent as a bearer token; none unless given.
        image_format: How images are sent.
        min_pixels: Smaller images are scaled up by the server, as far as it takes vLLM's ``mm_processor_kwargs``; the
            model's own limit unless given.
        max_pixels: Larger images are scaled down in the same way.
        concurrency: Greatest number of requests at once.
        timeout: Longest time in seconds that one request may take.
        patience: Longest time in seconds to wait for a server that is down, starting or busy.
    """

    url: str
    model: str | None = None
    unit: ReadingUnit = ReadingUnit.PAGES
    token: str | None = field(default=None, repr=False)
    image_format: ImageFormat = ImageFormat.PNG
    min_pixels: int | None = None
    max_pixels: int | None = None
    concurrency: int = 16
    timeout: float = 300.0
    patience: float = 600.0

    def __post_init__(self) -> None:
        """Check the address.

        Raises:
            UserError: It is not an http address, or has a password in it.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(f"server: {self.url!r} is not an address such as http://127.0.0.1:8000")
        if parts.username or parts.password or parts.query:
            raise UserError(f"server: the address must hold no user, password or query; set {TOKEN_VARIABLE} instead")

    @property
    def api_url(self) -> str:
        """The address under which the server has ``/models`` and ``/chat/completions``."""
        url = self.url.rstrip("/")
        return url if url.endswith("/v1") else f"{url}/v1"

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine."""
        return is_loopback(urlsplit(self.url).hostname)


def server_settings(
    url: str, model: str | None = None, unit: str | None = None, environment: Mapping[str, str] = os.environ
) -> ServerSettings:
    """Return the settings of a server that a person named; the environment sets the remaining ones.

    Args:
        url: The server's address.
        model: Name of the model; ``FINSCRIBE_SERVER_MODEL`` unless given.
        unit: What the model reads; ``FINSCRIBE_SERVER_READS`` or pages unless given.
        environment: With ``FINSCRIBE_SERVER_TOKEN``, ``_IMAGE_FORMAT``, ``_MIN_PIXELS``, ``_MAX_PIXELS``,
            ``_CONCURRENCY``, ``_TIMEOUT`` and ``_PATIENCE`` (the last two in seconds).

    Raises:
        UserError: A value is not one of those allowed; the message names the variable.
    """
    values = {name.removeprefix(_PREFIX): value for name, value in environment.items() if name.startswith(_PREFIX)}
    plain = ServerSettings(url, model or values.get("MODEL") or None, token=values.get("TOKEN") or None)
    given_unit = unit or values.get("READS", ReadingUnit.PAGES)
    return replace(
        plain,
        unit=ReadingUnit(_choice("READS", given_unit, ReadingUnit)),
        image_format=ImageFormat(_choice("IMAGE_FORMAT", values.get("IMAGE_FORMAT", plain.image_format), ImageFormat)),
        min_pixels=_count("MIN_PIXELS", values),
        max_pixels=_count("MAX_PIXELS", values),
        concurrency=_count("CONCURRENCY", values) or plain.concurrency,
        timeout=_count("TIMEOUT", values) or plain.timeout,
        patience=_count("PATIENCE", values) or plain.patience,
    )


def server_of_environment(environment: Mapping[str, str] = os.environ) -> ServerSettings | None:
    """Return the settings of the server that ``FINSCRIBE_SERVER_URL`` names; None if it is not set."""
    url = environment.get(URL_VARIABLE)
    return server_settings(url, environment=environment) if url else None


def _choice(name: str, value: str, choices: type[StrEnum]) -> str:
    if value not in list(choices):
        raise UserError(f"{_PREFIX}{name}: {value!r} is not one of {', '.join(choices)}")
    return value


def _count(name: str, values: Mapping[str, str]) -> int | None:
    if not (value := values.get(name)):
        return None
    if not (value.isascii() and value.isdigit() and int(value) > 0):
        raise UserError(f"{_PREFIX}{name}: {value!r} is not a whole number above 0")
    return int(value)
