"""Ask an OpenAI-compatible server for chat completions: HTTP, retries, and errors that say what to mend.

What belongs here: one request and its answer as the server gives it. What is asked, and what becomes of an answer, is
in `server_reader`. httpx2 (BSD-3) and tenacity (Apache-2.0) do the work; OpenAI's own client is not used, because it
takes 30 MB for the two calls that are made here, and its retries are counted by attempts only, where a server that is
being restarted needs minutes.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
from tenacity import RetryCallState, Retrying, retry_if_exception_type, sleep_using_event, wait_exponential_jitter

from finscribe_assets.errors import UserError
from finscribe_assets.inference.server_settings import TIMEOUT_VARIABLE, TOKEN_VARIABLE, ServerSettings

_CONNECT_TIMEOUT = 10.0  # seconds
_START_PATIENCE = 10.0  # seconds: a command that names a wrong address must not wait for minutes
_MAX_ATTEMPTS = 4  # at requests that themselves may be what fails, such as one that always takes too long
_LONGEST_PAUSE = 30.0  # seconds between two attempts
_UNAVAILABLE = {408, 425, 429, 502, 503, 504}
_MESSAGE_LENGTH = 300  # characters that are shown of a server's own message
_DATA_URL = re.compile(r"data:[\w/]+;base64,[\w+/=]+")
_TOO_LONG = re.compile(r"context length|max_model_len|too long|maximum.{0,40}(?:tokens|length)|exceed", re.IGNORECASE)


class ServerError(UserError):
    """A server cannot be reached, or does not answer a request."""


class _TemporaryError(ServerError):
    """The same request may succeed later.

    ``attempts`` bounds the number of attempts, besides the patience; ``pause`` is the time that the server asks for.
    """

    def __init__(self, message: str, attempts: int | None = None, pause: float = 0.0) -> None:
        super().__init__(message)
        self.attempts, self.pause = attempts, pause


@dataclass(frozen=True)
class ChatToken:
    """A generated token as a server reports it."""

    text: bytes  # UTF-8; a token may hold a part of a character
    logprob: float


@dataclass(frozen=True)
class ChatAnswer:
    """A chat completion."""

    text: str
    tokens: tuple[ChatToken, ...] | None  # None if the server gives no log probabilities
    truncated: bool


@dataclass(frozen=True)
class ServedModel:
    """A model that a server lists."""

    name: str
    root: str  # the folder or repository that it was loaded from; empty if the server does not say


class ChatClient:
    """A server's chat completions; several threads may ask at once."""

    def __init__(self, settings: ServerSettings) -> None:
        """Prepare connections; none is opened yet."""
        self.settings = settings
        self._stopped = threading.Event()
        self._gave_up = False  # then the next requests are not given minutes again
        self._http = httpx2.Client(
            headers={"Authorization": f"Bearer {settings.token}"} if settings.token else None,
            timeout=httpx2.Timeout(settings.timeout, connect=_CONNECT_TIMEOUT, pool=None),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=settings.concurrency),
            trust_env=not settings.is_local,  # no proxy between this process and a server on this machine
        )

    def models(self) -> list[ServedModel]:
        """Return the models that the server lists; none if it has no such list.

        Raises:
            ServerError: The server cannot be reached or refuses the request.
        """
        answer = self._sent(lambda: self._http.get(f"{self.settings.api_url}/models"), _START_PATIENCE, missing={})
        listed = answer.get("data")
        return [
            ServedModel(str(entry["id"]), str(entry.get("root") or ""))
            for entry in (listed if isinstance(listed, list) else [])
            if isinstance(entry, dict) and "id" in entry
        ]

    def ask(self, body: dict[str, Any]) -> ChatAnswer:
        """Ask for a chat completion.

        Args:
            body: The request in the form of OpenAI's API.

        Raises:
            ServerError: The server cannot be reached within the patience, refuses the request, or gives no answer.
        """
        patience = 0.0 if self._gave_up else self.settings.patience

        def send() -> httpx2.Response:
            return self._http.post(f"{self.settings.api_url}/chat/completions", json=body)

        try:
            answer = self._sent(send, patience, _answer_of)
        except _TemporaryError:
            self._gave_up = True
            raise
        self._gave_up = False
        return answer

    def stop(self) -> None:
        """Let requests that wait for another attempt fail at once."""
        self._stopped.set()

    def resume(self) -> None:
        """Allow waiting again."""
        self._stopped.clear()

    def _sent(
        self,
        send: Callable[[], httpx2.Response],
        patience: float,
        parse: Callable[[Any], Any] = lambda answer: answer,
        missing: Any = None,
    ) -> Any:
        """Send a request until it succeeds, as long as the patience lasts.

        ``missing`` is the answer where the server does not know the path, unless it is None.
        """

        def attempt() -> Any:
            try:
                response = send()
            except httpx2.TransportError as error:
                raise self._transport_error(error) from error
            if missing is not None and response.status_code in (404, 405, 501):
                return missing
            if not response.is_success:
                raise self._status_error(response)
            try:
                return parse(response.json())
            except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
                raise _TemporaryError(
                    f"{self.settings.url}: the answer is not one of OpenAI's chat completions "
                    f"({type(error).__name__}: {str(error)[:_MESSAGE_LENGTH]}); name an OpenAI-compatible server",
                    _MAX_ATTEMPTS,
                ) from error

        def is_over(state: RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            attempts = error.attempts if isinstance(error, _TemporaryError) else None
            used_up = attempts is not None and state.attempt_number >= attempts
            return self._stopped.is_set() or used_up or (state.seconds_since_start or 0.0) >= patience

        backoff = wait_exponential_jitter(initial=0.25, max=_LONGEST_PAUSE, jitter=0.5)

        def pause(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.pause if isinstance(error, _TemporaryError) else 0.0
            return max(min(asked, _LONGEST_PAUSE), backoff(state))

        retrying = Retrying(
            retry=retry_if_exception_type(_TemporaryError),
            stop=is_over,
            wait=pause,
            sleep=sleep_using_event(self._stopped),
            reraise=True,
        )
        return retrying(attempt)

    def _transport_error(self, error: httpx2.TransportError) -> _TemporaryError:
        url, reason = self.settings.url, f"{type(error).__name__}: {error}"
        if isinstance(error, httpx2.ReadTimeout | httpx2.WriteTimeout):
            return _TemporaryError(
                f"{url}: no answer within {self.settings.timeout:g} s; set {TIMEOUT_VARIABLE} to more seconds, or "
                "ask for less at once with FINSCRIBE_SERVER_CONCURRENCY",
                _MAX_ATTEMPTS,
            )
        return _TemporaryError(
            f"{url}: no server answers ({reason}); start one, such as `vllm serve FOLDER --served-model-name NAME`, "
            "or correct the address"
        )

    def _status_error(self, response: httpx2.Response) -> ServerError:
        url, status, message = self.settings.url, response.status_code, _message_of(response)
        if status in _UNAVAILABLE:
            return _TemporaryError(
                f"{url}: the server is busy or starting ({status}: {message})", pause=_pause(response)
            )
        if status >= 500:
            return _TemporaryError(
                f"{url}: the server failed ({status}: {message}); its log says more", _MAX_ATTEMPTS, _pause(response)
            )
        if status in (401, 403):
            return ServerError(
                f"{url}: the server refuses the token ({status}); set {TOKEN_VARIABLE} to the one that it was started "
                "with (vLLM: --api-key)"
            )
        if status == 413 or (status == 400 and _TOO_LONG.search(message)):
            return ServerError(
                f"{url}: the request is too long for the server ({status}: {message}); ask for fewer tokens "
                "(--max-tokens) or smaller images (FINSCRIBE_SERVER_MAX_PIXELS), or start the server with a longer "
                "context (vLLM: --max-model-len)"
            )
        if status == 404:
            names = ", ".join(model.name for model in self.models()) or "no model that it lists"
            return ServerError(f"{url}: {status}: {message}; the server has {names}; name one of them with --model")
        return ServerError(f"{url}: the server refuses the request ({status}: {message})")


def _answer_of(answer: dict[str, Any]) -> ChatAnswer:
    choice = answer["choices"][0]
    reason = choice.get("finish_reason")
    if reason not in ("stop", "length"):  # such as vLLM's `abort` when it is shut down: the text is a part of one
        raise ValueError(f"it ended by {reason!r}")
    content = (choice.get("logprobs") or {}).get("content")
    tokens = tuple(_token_of(entry) for entry in content) if content else None
    return ChatAnswer(choice["message"].get("content") or "", tokens, reason == "length")


def _token_of(entry: dict[str, Any]) -> ChatToken:
    text = entry.get("bytes")
    return ChatToken(entry["token"].encode() if text is None else bytes(text), float(entry["logprob"]))


def _message_of(response: httpx2.Response) -> str:
    """Return a server's own words about an error, on one line and without the images that some servers repeat."""
    try:
        body = response.json()
        error = body.get("error", body)
        message = error.get("message") or error.get("detail") or body if isinstance(error, dict) else error
    except (ValueError, AttributeError):
        message = response.text
    text = message if isinstance(message, str) else json.dumps(message)
    return _DATA_URL.sub("(image)", " ".join(text.split()))[:_MESSAGE_LENGTH] or response.reason_phrase


def _pause(response: httpx2.Response) -> float:
    """Return the seconds that a server asks to wait; 0 if it gives none, or a date."""
    given = response.headers.get("retry-after", "")
    return float(given) if given.isascii() and given.isdigit() else 0.0
