"""Read images with a model on a server: vLLM, SGLang, PaddleX's genai server, llama.cpp, or another of OpenAI's API.

What belongs here: from read requests to chat completions and back. HTTP is in `chat_client`, the settings are in
`server_settings`. For a model that reads single lines, blocks and tables are cut into lines here (`line_requests`), as
for a model in this process.
"""

from __future__ import annotations

import base64
import io
import logging
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

from PIL import Image

from finscribe_assets.errors import UserError
from finscribe_assets.files import sha256_of
from finscribe_assets.inference.chat_client import ChatAnswer, ChatClient, ServedModel
from finscribe_assets.inference.image_reader import ReadRequest
from finscribe_assets.inference.json_grammar import JsonGrammar
from finscribe_assets.inference.line_requests import cut_lines, join_lines
from finscribe_assets.inference.server_settings import ImageFormat, ReadingUnit, ServerSettings
from finscribe_assets.model.decoded_text import MAX_PAGE_TOKENS, DecodedText, line_token_limit

SERVER_READER_VERSION = 1  # increase it with every change that may change what is read
_JPEG_QUALITY = 95
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Question:
    """What is asked in one chat completion."""

    images: tuple[Image.Image, ...]
    prompt: str
    max_tokens: int


class ServerReader:
    """A model on a server that reads images; implements `image_reader.ImageReader`.

    The server's chat template and image processor are the model's own, so that a merged checkpoint reads as it does in
    this process, up to the number format of the server's weights.

    Example:
        >>> reader = ServerReader(ServerSettings("http://127.0.0.1:8000", "finscribe", ReadingUnit.LINES))
        >>> Extractor(reader, DetectedLines()).read_file(Path("scan.png"))
    """

    device_name = "server"

    def __init__(self, settings: ServerSettings, threads: int = 1) -> None:
        """Ask the server which models it has.

        Args:
            settings: The server, and how it is asked.
            threads: CPU threads for what is done here, such as finding lines.

        Raises:
            ServerError: The server cannot be reached or refuses the token.
            UserError: It does not list the model, or lists several and none is named.
        """
        self.settings, self.threads = settings, threads
        self.client = ChatClient(settings)
        self.model = _chosen_model(settings, self.client.models())
        self.reads_lines = settings.unit is ReadingUnit.LINES
        self._told_unknown = False

    @property
    def name(self) -> str:
        """The model's name on the server."""
        return self.model.name

    @property
    def identity(self) -> str:
        """Return what is known of everything that readings depend on, as a key for stored predictions.

        A server does not tell the hash of its weights: other weights under the same name and folder are not noticed.
        """
        settings = self.settings
        parts = (
            self.model.name,
            self.model.root,
            settings.unit,
            settings.image_format,
            settings.min_pixels,
            settings.max_pixels,
        )
        return f"server:{SERVER_READER_VERSION}:{sha256_of(repr(tuple(map(str, parts))))}"

    @property
    def record(self) -> dict[str, str | None]:
        """What is stored with predictions about their reader: what the server says of it, which is not its hash."""
        return {
            "base": None,
            "base_content": None,
            "adapter": None,
            "device": self.device_name,
            "server_model": self.model.name,
            "server_root": self.model.root or None,
        }

    def read(
        self,
        requests: Sequence[ReadRequest],
        *,
        batch_size: int | None = None,
        max_new_tokens: int | None = None,
        grammar: JsonGrammar | None = None,
    ) -> list[DecodedText]:
        """Read images, several at once; see `ImageReader.read`.

        Args:
            requests: Images and prompts; for a model that reads lines, one image each.
            batch_size: Number of lines or pages that are read at once; the settings' concurrency unless given.
            max_new_tokens: Longest response in tokens, or longest line where lines are read one by one.
            grammar: Sent as the request's ``response_format``; the server has to support it.

        Returns:
            One text for each request, in their order. Probabilities are None where the server gives none.

        Raises:
            ServerError: The server cannot be reached within the patience, or refuses a request.
            UserError: The model reads lines, and a request does not have exactly one image.
        """
        if not self.reads_lines:
            pages = [
                _Question(request.images, request.prompt, max_new_tokens or MAX_PAGE_TOKENS) for request in requests
            ]
            return self._ask_all(pages, batch_size, grammar)
        cut = [cut_lines(request) for request in requests]
        questions = [
            _Question((line,), request.prompt, max_new_tokens or line_token_limit(request.prompt))
            for request, lines in zip(requests, cut, strict=True)
            for line in lines
        ]
        texts = iter(self._ask_all(questions, batch_size, grammar))
        return [
            join_lines(request, list(islice(texts, len(lines)))) for request, lines in zip(requests, cut, strict=True)
        ]

    def token_ends(self, decoded: DecodedText) -> list[int] | None:
        """Return the position in the text where each token ends, or None if the tokens do not make up the text."""
        pieces = [token for token in decoded.tokens if isinstance(token, str)]
        return token_positions(decoded.text, [piece.encode("utf-8", "surrogateescape") for piece in pieces])

    def _ask_all(
        self, questions: Sequence[_Question], batch_size: int | None, grammar: JsonGrammar | None
    ) -> list[DecodedText]:
        """Ask everything, some questions at once, and return the responses in the order of the questions."""
        self.client.resume()
        workers = min(batch_size or self.settings.concurrency, max(1, len(questions)))
        with ThreadPoolExecutor(workers, thread_name_prefix="ask-server") as pool:
            try:
                answers = list(
                    pool.map(
                        lambda question: self.client.ask(
                            self.body(question.images, question.prompt, question.max_tokens, grammar)
                        ),
                        questions,
                    )
                )
            except BaseException:
                # The others would fail as well, each after its own patience.
                self.client.stop()
                pool.shutdown(cancel_futures=True)
                raise
        return [self._decoded(answer) for answer in answers]

    def body(
        self, images: Sequence[Image.Image], prompt: str, max_tokens: int, grammar: JsonGrammar | None = None
    ) -> dict[str, Any]:
        """Return the request for a chat completion: one user message, with the images before the text.

        Args:
            images: As they are sent, without any cutting or scaling.
            prompt: The text of the message.
            max_tokens: Longest response.
            grammar: Sent as ``response_format``.
        """
        content: list[dict[str, Any]] = [
            {"type": "image_url", "image_url": {"url": _data_url(image, self.settings.image_format)}}
            for image in images
        ]
        content.append({"type": "text", "text": prompt})
        body: dict[str, Any] = {
            "model": self.model.name,
            "messages": [{"role": "user", "content": content}],
            "temperature": 0,
            "max_tokens": max_tokens,
            "logprobs": True,
        }
        limits = {"min_pixels": self.settings.min_pixels, "max_pixels": self.settings.max_pixels}
        if given := {name: value for name, value in limits.items() if value is not None}:
            body["mm_processor_kwargs"] = given  # vLLM's extension of the API; others set limits when they start
        if grammar is not None:
            body["response_format"] = _response_format(grammar)
        return body

    def _decoded(self, answer: ChatAnswer) -> DecodedText:
        if answer.tokens is None:
            if answer.text and not self._told_unknown:
                self._told_unknown = True
                _log.warning(
                    "%s: the server gives no log probabilities of tokens, so confidences are unknown and left out",
                    self.settings.url,
                )
            return DecodedText(answer.text, (), None, answer.truncated)
        return DecodedText(
            answer.text,
            # A token may be a part of a character: its bytes are kept as surrogates.
            tuple(token.text.decode("utf-8", "surrogateescape") for token in answer.tokens),
            tuple(math.exp(min(token.logprob, 0.0)) for token in answer.tokens),
            answer.truncated,
        )


def token_positions(text: str, tokens: Sequence[bytes]) -> list[int] | None:
    """Return where each token of a response ends in its text.

    Args:
        text: The response, without special tokens and possibly without the white space around it.
        tokens: The UTF-8 bytes of its tokens. A token that is not in the text, such as the end token, ends where the
            one before it does.

    Returns:
        Positions in characters; None if the tokens do not make up the text.
    """
    content, position, ends = text.encode(), 0, []
    for token in tokens:
        piece = token if content.startswith(token, position) else token.strip()
        if content.startswith(piece, position):
            position += len(piece)
        ends.append(len(content[:position].decode("utf-8", "ignore")))
    return ends if position == len(content) else None


def _chosen_model(settings: ServerSettings, served: Sequence[ServedModel]) -> ServedModel:
    if settings.model is None:
        if len(served) == 1:
            return served[0]
        names = ", ".join(model.name for model in served) or "none"
        raise UserError(f"{settings.url}: name one of its models with --model; it lists {names}")
    found = [model for model in served if model.name == settings.model]
    if found or not served:  # some servers have no list
        return found[0] if found else ServedModel(settings.model, "")
    names = ", ".join(model.name for model in served)
    raise UserError(f"{settings.url}: has no model {settings.model!r}, but {names}; name one of them with --model")


def _response_format(grammar: JsonGrammar) -> dict[str, Any]:
    if not grammar.only_known_keys:
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": "document", "schema": grammar.schema, "strict": True}}


def _data_url(image: Image.Image, image_format: ImageFormat) -> str:
    content = io.BytesIO()
    if image_format is ImageFormat.JPEG:
        image.save(content, "JPEG", quality=_JPEG_QUALITY)
    else:
        image.save(content, "PNG", compress_level=1)  # quick: most servers are on this machine or near
    return f"data:image/{image_format};base64,{base64.b64encode(content.getvalue()).decode()}"
