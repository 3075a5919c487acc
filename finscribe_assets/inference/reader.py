"""Read images in this process with a base model, with or without an adapter: greedy decoding in batches.

What belongs here: batching requests, and running the model's prefill on whole pages. The decoding loop, and the prefill
of lines, are in `model.decoding`; cutting blocks and tables into lines is in `line_requests`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from transformers import DynamicCache

from finscribe_assets.files import AnyPath
from finscribe_assets.inference.image_reader import ReadRequest
from finscribe_assets.inference.json_constraint import JsonConstraint, json_constraint
from finscribe_assets.inference.json_grammar import JsonGrammar
from finscribe_assets.inference.line_requests import cut_lines, join_lines
from finscribe_assets.model.adapters import adapter_hash, load_adapted_model
from finscribe_assets.model.base_names import EMBEDDED
from finscribe_assets.model.bases import find_base, load_model, processor_for, reads_lines
from finscribe_assets.model.decoded_text import MAX_PAGE_TOKENS, DecodedText
from finscribe_assets.model.decoding import LINE_BATCH_SIZE, Prefill, decode_tokens, greedy_decode, read_lines
from finscribe_assets.model.torch_runtime import torch_device, torch_threads
from finscribe_assets.training.sample_encoding import Encoder

READER_VERSION = 5  # increase it with every change that may change what is read
PAGE_BATCH_SIZE = 4


class Reader:
    """A loaded model that reads images; implements `image_reader.ImageReader`.

    A base either reads pages or reads single printed lines (`reads_lines`). The latter is given each image as one line,
    scaled to the line height that it was trained on. Blocks and tables are first cut into their printed lines
    (`model.line_finding`), which are read one by one and joined.
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

        Args:
            base: ``embedded``, a folder, or a name on the Hugging Face hub.
            adapter: Folder of a trained adapter; the bare base unless given.
            device: ``cpu``, ``cuda``, or ``auto`` for a GPU where there is one.
            threads: CPU threads for inference. The last digits of probabilities may depend on it.
            max_pixels: The processor's pixel budget for an image; the base's own unless given.

        Raises:
            MissingInputError: The base or the adapter does not exist.
            UserError: The adapter belongs to another base, or the device does not exist.
        """
        self.base = find_base(base)
        self.device, self.threads = torch_device(device), threads
        processor = processor_for(self.base, max_pixels)
        self.encoder, self.tokenizer = Encoder(processor), processor.tokenizer
        self.reads_lines = reads_lines(processor)
        on_gpu = self.device.type == "cuda"
        # The real model's weights are bfloat16. A CPU is faster in float32, and the small base is then exact.
        dtype = torch.bfloat16 if on_gpu and not self.reads_lines else torch.float32
        self.adapter = None if adapter is None else adapter_hash(adapter)
        model: Any = load_model(self.base, dtype) if adapter is None else load_adapted_model(self.base, adapter, dtype)
        self.model = model.to(self.device).eval()

    @property
    def name(self) -> str:
        """Return what records call this reader: the base's name, and the start of the adapter's hash if it has one."""
        return self.base.name if self.adapter is None else f"{self.base.name}, adapter {self.adapter[:12]}"

    @property
    def device_name(self) -> str:
        """The type of the device that the model runs on: ``cpu`` or ``cuda``."""
        return str(self.device.type)

    @property
    def record(self) -> dict[str, str | None]:
        """What is stored with predictions about their reader."""
        return {
            "base": self.base.identity,
            "base_content": self.base.content,
            "adapter": self.adapter,
            "device": self.device_name,
        }

    @property
    def identity(self) -> str:
        """Return everything that readings depend on besides the images, as a key for stored predictions."""
        return f"{READER_VERSION}:{self.base.content}:{self.adapter}:{self.device.type}:{self.threads}"

    def read(
        self,
        requests: Sequence[ReadRequest],
        *,
        batch_size: int | None = None,
        max_new_tokens: int | None = None,
        grammar: JsonGrammar | None = None,
    ) -> list[DecodedText]:
        """Read images, in batches of requests of similar length.

        Args:
            requests: Images and prompts; for a base that reads lines, one image each.
            batch_size: Lines or pages in a batch; `LINE_BATCH_SIZE` or `PAGE_BATCH_SIZE` unless given.
            max_new_tokens: Longest response in tokens, or longest line where lines are read one by one.
            grammar: Constrains responses to JSON. A response is complete JSON unless it is truncated.

        Returns:
            One text for each request, in their order.

        Raises:
            UserError: The base reads lines, and a request does not have exactly one image.
        """

        def make_constraint(rows: int) -> JsonConstraint | None:
            return json_constraint(grammar, self.tokenizer, rows, self._vocabulary) if grammar else None

        with torch_threads(self.threads):
            if self.reads_lines:
                return self._read_lines(requests, batch_size or LINE_BATCH_SIZE, max_new_tokens, make_constraint)
            return self._read_pages(
                requests, batch_size or PAGE_BATCH_SIZE, max_new_tokens or MAX_PAGE_TOKENS, make_constraint
            )

    @property
    def _vocabulary(self) -> int:
        return int(self.model.config.get_text_config().vocab_size)

    def _read_lines(
        self,
        requests: Sequence[ReadRequest],
        batch_size: int,
        max_new_tokens: int | None,
        make_constraint: Callable[[int], JsonConstraint | None],
    ) -> list[DecodedText]:
        """Cut images into lines, read the lines of all requests with the same prompt together, and join them."""
        texts: dict[int, DecodedText] = {}
        for prompt in dict.fromkeys(request.prompt for request in requests):
            indices = [index for index, request in enumerate(requests) if request.prompt == prompt]
            lines = [cut_lines(requests[index]) for index in indices]
            decoded = iter(
                read_lines(
                    self.model,
                    self.tokenizer,
                    [np.asarray(line) for request_lines in lines for line in request_lines],
                    prompt,
                    max_new_tokens,
                    batch_size=batch_size,
                    make_constraint=make_constraint,
                )
            )
            for index, request_lines in zip(indices, lines, strict=True):
                texts[index] = join_lines(requests[index], [next(decoded) for _ in request_lines])
        return [texts[index] for index in range(len(requests))]

    def _read_pages(
        self,
        requests: Sequence[ReadRequest],
        batch_size: int,
        max_new_tokens: int,
        make_constraint: Callable[[int], JsonConstraint | None],
    ) -> list[DecodedText]:
        """Read requests of any number of images, in batches of prompts of similar length."""
        prompts = [
            self.encoder.encode_prompt(request.prompt, [image.size for image in request.images]) for request in requests
        ]
        order = sorted(range(len(requests)), key=lambda index: len(prompts[index]))
        texts: dict[int, DecodedText] = {}
        for start in range(0, len(order), batch_size):
            indices = order[start : start + batch_size]
            prefill = self._prefill([prompts[index] for index in indices], [requests[index] for index in indices])
            decoded = greedy_decode(self.model, self.tokenizer, prefill, max_new_tokens, make_constraint(len(indices)))
            texts |= dict(zip(indices, decoded, strict=True))
        return [texts[index] for index in range(len(requests))]

    @torch.no_grad()
    def _prefill(self, prompts: Sequence[list[int]], requests: Sequence[ReadRequest]) -> Prefill:
        """Run the vision encoder and the prompts' forward pass on images of any size and number."""
        inputs = self.encoder.pad_left(prompts)
        inputs |= self.encoder.image_inputs([image for request in requests for image in request.images])
        inputs = {name: tensor.to(self.device) for name, tensor in inputs.items()}
        mask = inputs.pop("attention_mask")  # (requests, tokens)
        cache = DynamicCache(config=self.model.config.get_text_config())
        padding_mask = None if bool(mask.all()) else mask
        hidden = self.model.model(
            **inputs, attention_mask=padding_mask, past_key_values=cache, use_cache=True
        ).last_hidden_state[:, -1]  # (requests, width)
        # An image's tokens share positions (M-RoPE), so text continues at a lower position than its token's index.
        position = mask.sum(dim=1, keepdim=True) + self.model.model.rope_deltas  # (requests, 1)
        return Prefill(hidden, cache, position, padding_mask)

    def token_ends(self, decoded: DecodedText) -> list[int]:
        """Return the position in the text where each token ends."""
        tokens = [int(token) for token in decoded.tokens]
        return [len(decode_tokens(self.tokenizer, tokens[:count])) for count in range(1, len(tokens) + 1)]
