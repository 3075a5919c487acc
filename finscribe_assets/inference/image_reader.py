"""The interface of readers: what reads images to text, in this process (`reader`) or on a server (`server_reader`).

What belongs here: the request, and what extraction, prediction, evaluation and the exam ask of a reader. This module
loads no torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from PIL import Image

from finscribe_assets.model.decoded_text import DecodedText

if TYPE_CHECKING:
    from finscribe_assets.inference.json_grammar import JsonGrammar


@dataclass(frozen=True)
class ReadRequest:
    """Images and the prompt about them."""

    images: tuple[Image.Image, ...]  # mode L, in the order of the prompt
    prompt: str
    is_block: bool = False  # the image may hold several printed lines


class ImageReader(Protocol):
    """Reads images: single printed lines (`reads_lines`), or pages and regions of any size."""

    @property
    def name(self) -> str:
        """The reader's model in messages to people."""
        ...

    @property
    def reads_lines(self) -> bool:
        """Whether the model reads single printed lines; `read` then cuts blocks and tables into their lines."""
        ...

    @property
    def threads(self) -> int:
        """CPU threads that work around reading, such as finding lines, may take."""
        ...

    @property
    def device_name(self) -> str:
        """Where the model runs: ``cpu``, ``cuda`` or ``server``."""
        ...

    @property
    def identity(self) -> str:
        """Everything that readings depend on besides the images, as a key for stored predictions."""
        ...

    @property
    def record(self) -> Mapping[str, str | None]:
        """What is stored with predictions about their reader.

        ``base``, and ``base_content``, the SHA-256 of its files; ``adapter``, the SHA-256 of its weights; ``device``.
        For a model on a server these are None, as no server tells the hash of its weights: ``server_model`` is the
        name that it lists, and ``server_root`` the folder or repository that it says it loaded.
        """
        ...

    def read(
        self,
        requests: Sequence[ReadRequest],
        *,
        batch_size: int | None = None,
        max_new_tokens: int | None = None,
        grammar: JsonGrammar | None = None,
    ) -> list[DecodedText]:
        """Read images.

        Args:
            requests: Images and prompts; for a model that reads lines, one image each.
            batch_size: Lines or pages that are read at once; the reader's usual number unless given.
            max_new_tokens: Longest response in tokens, or longest line where lines are read one by one.
            grammar: Constrains responses to JSON. A response is complete JSON unless it is truncated.

        Returns:
            One text for each request, in their order.

        Raises:
            UserError: The model reads lines, and a request does not have exactly one image; or a server cannot be
                reached or refuses the request.
        """
        ...

    def token_ends(self, decoded: DecodedText) -> list[int] | None:
        """Return the position in the text where each token ends, or None if it is unknown."""
        ...
