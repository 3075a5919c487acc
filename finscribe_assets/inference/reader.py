"""A base, with or without an adapter, that reads images: greedy generation in batches, with token probabilities."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import DynamicCache

from finscribe_assets.files import AnyPath
from finscribe_assets.training.batches import Encoder
from finscribe_assets.training.configuration import EMBEDDED
from finscribe_assets.training.images import fit_line
from finscribe_assets.training.loading import (
    adapter_hash,
    add_adapter,
    device_of,
    find_base,
    load_model,
    processor_of,
    reads_lines,
    torch_threads,
)

READER_VERSION = 1  # raise it with every change that changes what is read
LINE_TOKENS, PAGE_TOKENS = 96, 4096  # longest answers, when nothing else is asked for
LINES_AT_ONCE, PAGES_AT_ONCE = 64, 4


@dataclass(frozen=True)
class ReadRequest:
    """What is to be read: images in order, and the prompt."""

    images: tuple[Image.Image, ...]
    prompt: str


@dataclass(frozen=True)
class Reading:
    """What was read."""

    text: str
    tokens: tuple[int, ...]  # of the answer; the end token last, unless truncated
    token_probabilities: tuple[float, ...]  # of each of them, given all before it
    truncated: bool  # the longest answer was reached before the end token

    @property
    def confidence(self) -> float:
        """Return the geometric mean of the token probabilities, the end's included: where to stop may be wrong too."""
        return geometric_mean(self.token_probabilities)


def geometric_mean(probabilities: Sequence[float]) -> float:
    """Return the geometric mean of probabilities; 0 where one is 0, and of none."""
    if not probabilities or min(probabilities) <= 0:
        return 0.0
    return math.exp(math.fsum(map(math.log, probabilities)) / len(probabilities))


class Reader:
    """A model that is ready to read.

    A base that reads lines is given every image as one printed line, brought to its height.
    """

    def __init__(self, base: str = EMBEDDED, adapter: AnyPath | None = None, *, device: str = "auto", threads: int = 1,
                 max_pixels: int | None = None) -> None:  # fmt: skip
        """Load the model.

        Raises:
            FileNotFoundError: the base or the adapter is not there.
            ValueError: the adapter belongs to another base, or the device is not there.
        """
        self.base = find_base(base)
        self.device, self.threads = device_of(device), threads
        processor = processor_of(self.base, max_pixels)
        self.encoder, self.tokenizer = Encoder(processor), processor.tokenizer
        self.reads_lines = reads_lines(processor)
        on_gpu = self.device.type == "cuda"
        # The real model's weights are bfloat16; a processor computes faster, and the small base exactly, in float32.
        dtype = torch.bfloat16 if on_gpu and not self.reads_lines else torch.float32
        self.adapter = None if adapter is None else adapter_hash(adapter)
        model: Any = load_model(self.base, dtype)
        if adapter is not None:
            adapted: Any = add_adapter(model, adapter, self.base)
            model = adapted.merge_and_unload()
        self.model = model.to(self.device).eval()
        ends = self.model.generation_config.eos_token_id
        self._ends = torch.tensor(ends if isinstance(ends, list) else [ends], device=self.device)

    @property
    def identity(self) -> str:
        """Return what readings depend on, besides the images."""
        return f"{READER_VERSION}:{self.base.content}:{self.adapter}:{self.device.type}:{self.threads}"

    def read(self, requests: Sequence[ReadRequest], *, batch_size: int | None = None, max_new_tokens: int | None = None,
             on_progress: Callable[[int], None] | None = None) -> list[Reading]:  # fmt: skip
        """Read images, in batches of requests of about the same length; the answers are in the requests' order.

        ``on_progress`` is told how many requests were done since it was last told.
        """
        size = batch_size or (LINES_AT_ONCE if self.reads_lines else PAGES_AT_ONCE)
        longest = max_new_tokens or (LINE_TOKENS if self.reads_lines else PAGE_TOKENS)
        prepared = [self._prepared(request) for request in requests]
        order = sorted(range(len(requests)), key=lambda place: len(prepared[place][0]))
        readings: dict[int, Reading] = {}
        with torch_threads(self.threads):
            for start in range(0, len(order), size):
                places = order[start : start + size]
                read = self._read([prepared[place] for place in places], longest)
                readings |= dict(zip(places, read, strict=True))
                if on_progress:
                    on_progress(len(places))
        return [readings[place] for place in range(len(requests))]

    def _prepared(self, request: ReadRequest) -> tuple[list[int], list[Image.Image]]:
        images = [fit_line(image) if self.reads_lines else image for image in request.images]
        return self.encoder.encode_prompt(request.prompt, [image.size for image in images]), images

    @torch.inference_mode()
    def _read(self, prepared: Sequence[tuple[list[int], list[Image.Image]]], longest: int) -> list[Reading]:
        inputs = self.encoder.padded([tokens for tokens, _ in prepared])
        inputs |= self.encoder.images([image for _, images in prepared for image in images])
        inputs = {name: tensor.to(self.device) for name, tensor in inputs.items()}
        tokens, probabilities = self._generate(inputs, longest)
        readings = []
        for ids, chances in zip(tokens.tolist(), probabilities.tolist(), strict=True):
            ends = [place for place, token in enumerate(ids) if token in self._ends]
            count = ends[0] + 1 if ends else len(ids)
            text = self.tokenizer.decode(ids[:count], skip_special_tokens=True)
            readings.append(Reading(text, tuple(ids[:count]), tuple(chances[:count]), truncated=not ends))
        return readings

    def _generate(self, inputs: dict[str, Tensor], longest: int) -> tuple[Tensor, Tensor]:
        """Return the likeliest next tokens one after the other, and their probabilities (both requests × tokens).

        The same as the model's own ``generate`` without sampling; that spends more time around the forward pass of a
        small model than in it.
        """
        mask = inputs.pop("attention_mask")
        padded = not bool(mask.all())
        cache = DynamicCache(config=self.model.config.get_text_config())
        output = self.model(**inputs, attention_mask=mask if padded else None, past_key_values=cache, use_cache=True,
                            logits_to_keep=1)  # fmt: skip
        # Where an image's tokens share positions, text goes on from fewer than there are tokens: M-RoPE's delta.
        position = mask.sum(dim=1, keepdim=True) + self.model.model.rope_deltas
        ended = torch.zeros(len(mask), dtype=torch.bool, device=self.device)
        tokens, probabilities = [], []
        for step in range(longest):
            chance, token = output.logits[:, -1].float().softmax(dim=-1).max(dim=-1)
            tokens.append(token)
            probabilities.append(chance)
            ended |= torch.isin(token, self._ends)
            if bool(ended.all()) or step + 1 == longest:
                break
            mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
            output = self.model(input_ids=token[:, None], attention_mask=mask if padded else None, use_cache=True,
                                position_ids=(position + step).expand(3, -1, -1), past_key_values=cache)  # fmt: skip
        return torch.stack(tokens, dim=1), torch.stack(probabilities, dim=1)

    def token_ends(self, reading: Reading) -> list[int]:
        """Return, for each token of a reading, where in its text it ends."""
        return [len(self.tokenizer.decode(reading.tokens[:count], skip_special_tokens=True))
                for count in range(1, len(reading.tokens) + 1)]  # fmt: skip
