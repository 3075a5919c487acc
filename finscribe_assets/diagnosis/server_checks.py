"""Ask an OpenAI-compatible server for its models and for one short reading, and name what its answers mean."""

from __future__ import annotations

import base64
import io
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

from PIL import Image

from finscribe_assets.diagnosis.log_checks import trap_of_message
from finscribe_assets.diagnosis.traps import TrapFinding
from finscribe_assets.inference.server_settings import TOKEN_VARIABLE
from finscribe_assets.instructions.pair import OCR_PROMPT

TIMEOUT = 30.0  # seconds for an answer
MAX_ANSWER_BYTES = 1_000_000
_MAX_TOKENS = 64  # a blank picture has nothing to read
_MAX_MESSAGE = 300  # characters of a server's message that are shown


def check_server(url: str, model: str | None = None, timeout: float = TIMEOUT) -> Iterator[TrapFinding]:
    """Yield what is wrong with a server.

    Args:
        url: its address, with or without ``/v1``. Its token is taken from the environment.
        model: name of the model that is to be served; the first served one unless given.
        timeout: seconds for each answer.
    """
    address = url.rstrip("/").removesuffix("/v1") + "/v1"
    status, listed = _ask(f"{address}/models", None, timeout)
    if status != 200 or not isinstance(listed, dict) or not isinstance(listed.get("data"), list):
        yield TrapFinding("server-unreachable", f"{address}/models", _words(status, listed))
        return
    served = {str(entry.get("id")): entry for entry in listed["data"] if isinstance(entry, dict)}
    if not served or (model is not None and model not in served):
        wanted = "no model is served" if model is None else f"{model!r} is not served"
        yield TrapFinding(
            "server-model", f"{address}/models", f"{wanted}; there are {', '.join(sorted(served)) or 'none'}"
        )
        return
    name = model or next(iter(served))
    for id_, entry in served.items():
        if entry.get("parent"):
            yield TrapFinding(
                "adapter-as-checkpoint", f"{address}/models: {id_}", f"is an adapter of {entry['parent']}, not merged"
            )
    yield from _check_reading(address, name, timeout)


def _check_reading(address: str, model: str, timeout: float) -> Iterator[TrapFinding]:
    buffer = io.BytesIO()
    Image.new("L", (392, 392), 255).save(buffer, "PNG")
    picture = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    content = [{"type": "image_url", "image_url": {"url": picture}}, {"type": "text", "text": OCR_PROMPT}]
    request = {
        "model": model,
        "messages": [{"role": "user", "content": content}],
        "temperature": 0,
        "max_tokens": _MAX_TOKENS,
    }
    place = f"{address}/chat/completions"
    status, answer = _ask(place, request, timeout)
    choices = answer.get("choices") if isinstance(answer, dict) else None
    if status != 200 or not isinstance(choices, list) or not choices:
        message = _words(status, answer)
        yield TrapFinding(trap_of_message(message) or "server-refuses", place, message)
    elif isinstance(choices[0], dict) and choices[0].get("finish_reason") == "length":
        yield TrapFinding("server-endless", place, f"{_MAX_TOKENS} tokens about a blank picture, without an end")


def _ask(address: str, request: dict[str, Any] | None, timeout: float) -> tuple[int | None, Any]:
    """Return the status and the answer: JSON, or text where it is none. The status is None without an answer."""
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get(TOKEN_VARIABLE):
        headers["Authorization"] = f"Bearer {key}"
    data = None if request is None else json.dumps(request).encode()
    try:
        # The user names the server; only http and https are opened.
        with _OPENER.open(urllib.request.Request(address, data, headers), timeout=timeout) as answer:  # noqa: S310
            status, content = answer.status, answer.read(MAX_ANSWER_BYTES)
    except urllib.error.HTTPError as error:
        status, content = error.code, error.read(MAX_ANSWER_BYTES)
    except (OSError, ValueError) as error:
        return None, f"{type(error).__name__}: {error}"
    text = content.decode("utf-8", "replace")
    try:
        return status, json.loads(text)
    except json.JSONDecodeError:
        return status, text


def _opener() -> urllib.request.OpenerDirector:
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


_OPENER = _opener()  # without handlers of files, of redirects and of proxies


def _words(status: int | None, answer: Any) -> str:
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    return f"{'no answer' if status is None else f'status {status}'}: {text[:_MAX_MESSAGE]}"
