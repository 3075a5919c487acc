"""A small OpenAI-compatible server on loopback, for tests of clients: it answers by a function, or with a `Reader`.

Run as a module, it serves the embedded base and prints its port: a process that tests can kill.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from PIL import Image

MODEL = "tuned"


@dataclass
class Reply:
    """What the server sends: a status with a body, or nothing at all before it closes the connection."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None  # in the place of the body
    drop: bool = False


Answer = Callable[[dict[str, Any]], Reply]


def completion(text: str, tokens: list[tuple[str, float]] | None = None, reason: str = "stop") -> dict[str, Any]:
    """Return a chat completion; ``tokens`` are texts with probabilities."""
    choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": reason}
    if tokens is not None:
        content = [
            {"token": token, "logprob": math.log(probability), "bytes": list(token.encode())}
            for token, probability in tokens
        ]
        choice["logprobs"] = {"content": content}
    return {"object": "chat.completion", "model": MODEL, "choices": [choice]}


def images_of(body: dict[str, Any]) -> list[Image.Image]:
    """Return the images of a request."""
    parts = [part for part in body["messages"][0]["content"] if part["type"] == "image_url"]
    urls = [part["image_url"]["url"].split(",", 1) for part in parts]
    return [Image.open(io.BytesIO(base64.b64decode(content))) for _, content in urls]


def prompt_of(body: dict[str, Any]) -> str:
    """Return the text of a request."""
    return next(part["text"] for part in body["messages"][0]["content"] if part["type"] == "text")


class ChatServer:
    """A running server; ``bodies`` are the requests for completions that it got."""

    def __init__(self, answer: Answer, token: str | None = None, port: int = 0, *, lists_models: bool = True) -> None:
        """Start it."""
        self.answer, self.token, self.lists_models = answer, token, lists_models
        self.bodies: list[dict[str, Any]] = []
        self.now, self.most_at_once = 0, 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments: Any) -> None:
                pass

            def do_GET(self) -> None:
                entries = [{"id": MODEL, "root": "/models/tuned", "created": 1}]
                outer.send(self, Reply({"data": entries}) if outer.lists_models else Reply({}, 404))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer._lock:
                    outer.bodies.append(body)
                    outer.now += 1
                    outer.most_at_once = max(outer.most_at_once, outer.now)
                try:
                    outer.send(self, outer.answer(body))
                finally:
                    with outer._lock:
                        outer.now -= 1

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        """Send a reply, or close the connection."""
        if self.token and handler.headers.get("Authorization") != f"Bearer {self.token}":
            reply = Reply({"error": "Unauthorized"}, 401)
        handler.close_connection = reply.drop
        if reply.drop:
            return
        content = json.dumps(reply.body).encode() if reply.raw is None else reply.raw
        handler.send_response(reply.status)
        for name, value in {**reply.headers, "Content-Length": str(len(content))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    def close(self) -> None:
        """Stop it; its port refuses connections from then on."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def chat_server(answer: Answer, **options: Any) -> Iterator[ChatServer]:
    """Run a server while the block runs."""
    server = ChatServer(answer, **options)
    try:
        yield server
    finally:
        server.close()


def reader_answers(base: str = "embedded", adapter: str | None = None) -> Answer:
    """Return an answer by a `Reader` of this process, one request after the other, as vLLM would give it."""
    from finscribe_assets.inference.image_reader import ReadRequest
    from finscribe_assets.inference.reader import Reader
    from finscribe_assets.model.decoding import read_lines

    reader, lock = Reader(base, adapter, threads=1), threading.Lock()

    def answer(body: dict[str, Any]) -> Reply:
        images, prompt = tuple(image.convert("L") for image in images_of(body)), prompt_of(body)
        with lock:
            if reader.reads_lines:  # the client has cut blocks and tables into fitted lines
                pixels = [np.asarray(image) for image in images]
                (decoded,) = read_lines(reader.model, reader.tokenizer, pixels, prompt, body["max_tokens"])
            else:
                (decoded,) = reader.read([ReadRequest(images, prompt)], max_new_tokens=body["max_tokens"])
        ends = reader.token_ends(decoded) or []
        texts = [decoded.text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        tokens = list(zip(texts, decoded.probabilities or (), strict=True))
        return Reply(completion(decoded.text, tokens, "length" if decoded.truncated else "stop"))

    return answer


def main() -> None:
    """Serve the embedded base, or another."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--base", default="embedded")
    arguments = parser.parse_args()
    server = ChatServer(reader_answers(arguments.base), port=arguments.port)
    print(server.port, flush=True)  # noqa: T201
    threading.Event().wait()


if __name__ == "__main__":
    main()
