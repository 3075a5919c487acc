"""A base, with or without an adapter, that reads images: greedy generation in batches, with token probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import DynamicCache

from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath
from finscribe_assets.inference.json_constraint import JsonConstraint, JsonGrammar
from finscribe_assets.instructions.pair import TABLE_PROMPT
from finscribe_assets.model.adapters import adapter_hash, load_adapted_model
from finscribe_assets.model.base_names import EMBEDDED
from finscribe_assets.model.bases import find_base, load_model, processor_for, reads_lines
from finscribe_assets.model.decoding import LINE_BATCH_SIZE, DecodedText, Prefill, greedy_decode, read_lines
from finscribe_assets.model.line_finding import find_lines
from finscribe_assets.model.line_images import fit_line
from finscribe_assets.model.table_assembly import assemble_table
from finscribe_assets.model.torch_runtime import torch_device, torch_threads
from finscribe_assets.training.sample_encoding import Encoder

READER_VERSION = 3  # raise it with every change that changes what is read
PAGE_TOKENS = 4096  # longest answer about pages, when nothing else is asked for
PAGES_AT_ONCE = 4


@dataclass(frozen=True)
class ReadRequest:
    """What is to be read: images in order, and the prompt."""

    images: tuple[Image.Image, ...]
    prompt: str
    is_block: bool = False  # of several printed lines


class Reader:
    """A model that is ready to read.

    A base that reads lines is given every image as one printed line, brought to its height. Blocks and tables are cut
    into their printed lines (`line_finding.py`), which are read one by one and put together.
    """

    def __init__(
        self,
        base: str = EMBEDDED,
        adapter: AnyPath | None = None,
        *,
        device: str = "auto",
        threads: int = 1,
        max_pixels: int | None = None,
    ) -> None:
        """Load the model.

        Raises:
            FileNotFoundError: the base or the adapter is not there.
            UserError: the adapter belongs to another base, or the device is not there.
        """
        self.base = find_base(base)
        self.device, self.threads = torch_device(device), threads
        processor = processor_for(self.base, max_pixels)
        self.encoder, self.tokenizer = Encoder(processor), processor.tokenizer
        self.reads_lines = reads_lines(processor)
        on_gpu = self.device.type == "cuda"
        # The real model's weights are bfloat16; a processor computes faster, and the small base exactly, in float32.
        dtype = torch.bfloat16 if on_gpu and not self.reads_lines else torch.float32
        self.adapter = None if adapter is None else adapter_hash(adapter)
        model: Any = load_model(self.base, dtype) if adapter is None else load_adapted_model(self.base, adapter, dtype)
        self.model = model.to(self.device).eval()

    @property
    def identity(self) -> str:
        """Return what readings depend on, besides the images."""
        return f"{READER_VERSION}:{self.base.content}:{self.adapter}:{self.device.type}:{self.threads}"

    def read(
        self,
        requests: Sequence[ReadRequest],
        *,
        batch_size: int | None = None,
        max_new_tokens: int | None = None,
        grammar: JsonGrammar | None = None,
    ) -> list[DecodedText]:
        """Read images, in batches of requests of about the same length; the answers are in the requests' order.

        With a grammar, an answer that is not truncated is JSON of it. ``max_new_tokens`` is for each line, where lines
        are read one by one.

        Raises:
            UserError: the base reads lines, and a request has not one image but several.
        """

        def constrain(rows: int) -> JsonConstraint | None:
            return grammar.constraint(self.tokenizer, rows, self._vocabulary) if grammar else None

        readings: dict[int, DecodedText] = {}
        with torch_threads(self.threads):
            if not self.reads_lines:
                return self._read_pages(requests, batch_size or PAGES_AT_ONCE, max_new_tokens or PAGE_TOKENS, constrain)
            for prompt in dict.fromkeys(request.prompt for request in requests):
                places = [place for place, request in enumerate(requests) if request.prompt == prompt]
                lines = [_lines_of(requests[place]) for place in places]
                read = iter(
                    read_lines(
                        self.model,
                        self.tokenizer,
                        [line for some in lines for line in some],
                        prompt,
                        max_new_tokens,
                        batch_size=batch_size or LINE_BATCH_SIZE,
                        make_constraint=constrain,
                    )
                )
                for place, some in zip(places, lines, strict=True):
                    readings[place] = _put_together(requests[place], [next(read) for _ in some])
        return [readings[place] for place in range(len(requests))]

    @property
    def _vocabulary(self) -> int:
        return int(self.model.config.get_text_config().vocab_size)

    def _read_pages(
        self,
        requests: Sequence[ReadRequest],
        size: int,
        longest: int,
        constrain: Callable[[int], JsonConstraint | None],
    ) -> list[DecodedText]:
        prompts = [
            self.encoder.encode_prompt(request.prompt, [image.size for image in request.images]) for request in requests
        ]
        order = sorted(range(len(requests)), key=lambda place: len(prompts[place]))
        readings: dict[int, DecodedText] = {}
        for start in range(0, len(order), size):
            places = order[start : start + size]
            prompted = self._shown([prompts[place] for place in places], [requests[place] for place in places])
            read = greedy_decode(self.model, self.tokenizer, prompted, longest, constrain(len(places)))
            readings |= dict(zip(places, read, strict=True))
        return [readings[place] for place in range(len(requests))]

    @torch.no_grad()
    def _shown(self, prompts: Sequence[list[int]], requests: Sequence[ReadRequest]) -> Prefill:
        """Show images of any size and number to the model, by its own forward pass."""
        inputs = self.encoder.padded(prompts)
        inputs |= self.encoder.images([image for request in requests for image in request.images])
        inputs = {name: tensor.to(self.device) for name, tensor in inputs.items()}
        mask = inputs.pop("attention_mask")
        cache = DynamicCache(config=self.model.config.get_text_config())
        padded = None if bool(mask.all()) else mask
        hidden = self.model.model(
            **inputs, attention_mask=padded, past_key_values=cache, use_cache=True
        ).last_hidden_state[:, -1]
        # Where an image's tokens share positions, text goes on from fewer than there are tokens: M-RoPE's delta.
        position = mask.sum(dim=1, keepdim=True) + self.model.model.rope_deltas
        return Prefill(hidden, cache, position, padded)

    def token_ends(self, reading: DecodedText) -> list[int]:
        """Return, for each token of a reading, where in its text it ends."""
        return [
            len(self.tokenizer.decode(reading.tokens[:count], skip_special_tokens=True))
            for count in range(1, len(reading.tokens) + 1)
        ]


def _lines_of(request: ReadRequest) -> list[np.ndarray]:
    """Return the printed lines of a request's image as the base that reads lines is shown them."""
    if len(request.images) != 1:
        raise UserError(f"{len(request.images)} images in one request; this base reads one printed line at a time")
    image = request.images[0]
    parts = find_lines(image).images() if _is_cut(request) else [image]
    return [np.asarray(fit_line(part)) for part in parts]


def _is_cut(request: ReadRequest) -> bool:
    return request.is_block or request.prompt == TABLE_PROMPT


def _put_together(request: ReadRequest, lines: Sequence[DecodedText]) -> DecodedText:
    """Return what was read of a request's lines as one reading; the lines' tokens follow each other."""
    if not _is_cut(request):
        (line,) = lines
        return line
    texts = [line.text for line in lines]
    text = assemble_table(texts) if request.prompt == TABLE_PROMPT else "\n".join(texts)
    return DecodedText(
        text,
        tuple(token for line in lines for token in line.tokens),
        tuple(chance for line in lines for chance in line.probabilities),
        any(line.truncated for line in lines),
    )
