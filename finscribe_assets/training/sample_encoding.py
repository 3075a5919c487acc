"""Batches: samples as the model takes them, and the order in which they come.

What belongs here: tokens and label mask, which are the processor's own chat template's; what each token of an answer
weighs; padding; and an order that is a function of seed and epoch. Loss and optimiser are the adapter's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import PaddleOCRVLProcessor

from finscribe_assets.errors import UserError
from finscribe_assets.instructions.pair import Span, SpanType
from finscribe_assets.training.training_samples import LeftOut, TrainingSample

Vary = Callable[[Image.Image, str], Image.Image]

IGNORED_LABEL = -100  # label of what is not learnt: prompt, image and padding


@dataclass(frozen=True)
class EncodedSample:
    """A sample's tokens; its images are opened when its batch is made."""

    sample: TrainingSample
    tokens: tuple[int, ...]  # prompt, image tokens and answer, with the token that ends it
    answer_start: int
    weights: tuple[float, ...] = ()  # of the answer's tokens in the loss; none where all weigh 1

    @property
    def answer(self) -> tuple[int, ...]:
        """Return the answer's tokens, the end included."""
        return self.tokens[self.answer_start :]

    @property
    def size(self) -> tuple[int, int]:
        """Return what samples of a batch should share: tokens before the answer, which its images are, then in all."""
        return self.answer_start, len(self.tokens)


class Encoder:
    """Writes samples as chats in the processor's own template."""

    def __init__(self, processor: PaddleOCRVLProcessor, loss_weights: Mapping[SpanType, float] | None = None) -> None:
        self.processor = processor
        self.loss_weights = loss_weights or {}
        self.tokenizer = processor.tokenizer
        self._prompt = lru_cache(maxsize=4096)(self._rendered_prompt)

    def _rendered_prompt(self, prompt: str, images: int) -> str:
        text: str = self.processor.apply_chat_template(
            [question(prompt, images)], tokenize=False, add_generation_prompt=True
        )
        return text

    def encode(self, sample: TrainingSample) -> EncodedSample:
        """Return a sample's tokens as the template writes the whole chat; what follows the prompt is the answer.

        Raises:
            UserError: the template does not write the answer after the prompt, or does not end the answer's turn.
        """
        before = self._prompt(sample.prompt, len(sample.images))
        answer = {"role": "assistant", "content": [{"type": "text", "text": sample.response}]}
        chat = [question(sample.prompt, len(sample.images)), answer]
        whole: str = self.processor.apply_chat_template(chat, tokenize=False)
        if not whole.startswith(before):
            raise UserError(
                "the processor's chat template writes an answer elsewhere than where it is generated; "
                "adapters cannot be trained with it"
            )
        bos = self.tokenizer.bos_token
        written = self.tokenizer(
            whole, add_special_tokens=not (bos and whole.startswith(bos)), return_offsets_mapping=True
        )
        ids, offsets = written["input_ids"], written["offset_mapping"]
        # A token that reaches over the boundary belongs to the answer: it is what the model has to write.
        first = next((place for place, (_, end) in enumerate(offsets) if end > len(before)), len(ids))
        if self.tokenizer.eos_token_id not in ids[first:]:
            raise UserError(
                "the processor's chat template does not end an answer with the tokenizer's end token; "
                "a model trained with it would never stop"
            )
        last = len(ids) - 1 - ids[::-1].index(self.tokenizer.eos_token_id)
        head = self._with_image_tokens(ids[:first], [(picture.width, picture.height) for picture in sample.images])
        weights = self._weights(sample, whole, len(before), offsets[first : last + 1]) if self.loss_weights else ()
        return EncodedSample(sample, tuple(head + ids[first : last + 1]), len(head), weights)

    def _weights(
        self, sample: TrainingSample, whole: str, before: int, offsets: Sequence[tuple[int, int]]
    ) -> tuple[float, ...]:
        start = whole.find(sample.response, before)
        if start < 0:
            raise UserError(
                "the processor's chat template rewrites answers, so that their parts cannot be weighted; "
                "leave loss_weights empty"
            )
        return token_weights(
            [(first - start, last - start) for first, last in offsets], sample.spans, self.loss_weights
        )

    def encode_prompt(self, prompt: str, sizes: Sequence[tuple[int, int]]) -> list[int]:
        """Return the tokens after which an answer is generated, about images of these widths and heights.

        Raises:
            UserError: the prompt holds the token that stands for an image.
        """
        text = self._prompt(prompt, len(sizes))
        bos = self.tokenizer.bos_token
        ids = self.tokenizer(text, add_special_tokens=not (bos and text.startswith(bos)))["input_ids"]
        return self._with_image_tokens(ids, sizes)

    def _with_image_tokens(self, ids: list[int], sizes: Sequence[tuple[int, int]]) -> list[int]:
        places = [place for place, token in enumerate(ids) if token == self.processor.image_token_id]
        if len(places) != len(sizes):
            raise UserError(
                f"{len(sizes)} images, but {len(places)} places for them; a prompt must not hold "
                f"{self.processor.image_token}"
            )
        images = self.processor.image_processor
        for place, (width, height) in zip(reversed(places), reversed(sizes), strict=True):
            patches = images.get_number_of_image_patches(height, width)
            ids = ids[:place] + [self.processor.image_token_id] * (patches // images.merge_size**2) + ids[place + 1 :]
        return ids

    def encode_all(self, samples: Sequence[TrainingSample], max_tokens: int, left_out: LeftOut) -> list[EncodedSample]:
        """Encode samples; those that the model cannot learn are counted in ``left_out``."""
        fitting = []
        for sample in samples:
            reason = self._unfit(sample)
            if reason is None:
                encoded = self.encode(sample)
                if len(encoded.tokens) > max_tokens:
                    reason = "too many tokens"
                elif self.tokenizer.unk_token_id in encoded.answer:
                    reason = "characters that the tokenizer does not have"
                else:
                    fitting.append(encoded)
            if reason:
                left_out.add(reason, sample.id)
        return fitting

    def _unfit(self, sample: TrainingSample) -> str | None:
        if not sample.response:
            return "empty answer"
        sides = [sorted((picture.width, picture.height)) for picture in sample.images]
        if any(long > 200 * short for short, long in sides):
            return "image more than 200 times as long as wide"  # which PaddleOCR-VL's image processor refuses
        return None

    def collate(self, encoded: Sequence[EncodedSample], vary: Vary | None = None) -> dict[str, Tensor]:
        """Return a batch as the model's forward pass takes it, padded on the left, where generation pads as well.

        ``labels`` (samples × tokens) are IGNORED_LABEL but for the answers; ``weights``, of the same shape, are there
        where answers are weighted. ``vary`` is given each image and its sample's id, and returns an image of the same
        size in its place.
        """
        inputs = self.padded([one.tokens for one in encoded])
        labels = torch.full_like(inputs["input_ids"], IGNORED_LABEL)
        for row, one in enumerate(encoded):
            labels[row, -len(one.answer) :] = torch.tensor(one.answer)
        weights = {}
        if self.loss_weights:
            weights["weights"] = torch.zeros(labels.shape)
            for row, one in enumerate(encoded):
                weights["weights"][row, -len(one.answer) :] = torch.tensor(one.weights)
        opened = [(picture.open(), one.sample.id) for one in encoded for picture in one.sample.images]
        pictures = self.images([vary(image, name) if vary else image for image, name in opened])
        return {**inputs, "labels": labels, **weights, **pictures}

    def padded(self, rows: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        """Return rows of tokens padded on the left, with the masks that the model wants (all rows × tokens)."""
        length = max(map(len, rows))
        ids = torch.full((len(rows), length), self.tokenizer.pad_token_id)
        mask = torch.zeros_like(ids)
        for row, tokens in enumerate(rows):
            ids[row, length - len(tokens) :] = torch.tensor(tokens)
            mask[row, length - len(tokens) :] = 1
        return {
            "input_ids": ids,
            "attention_mask": mask,
            "mm_token_type_ids": (ids == self.processor.image_token_id).int(),
        }

    def images(self, opened: Sequence[Any]) -> dict[str, Tensor]:
        """Return images as patches (patches × 3 × 14 × 14) and the grid of each (images × 3)."""
        batch = self.processor.image_processor(images=[image.convert("RGB") for image in opened], return_tensors="pt")
        return {"pixel_values": batch["pixel_values"], "image_grid_thw": batch["image_grid_thw"]}


def token_weights(
    offsets: Sequence[tuple[int, int]], spans: Sequence[Span], weights: Mapping[SpanType, float]
) -> tuple[float, ...]:
    """Return what each token weighs in the loss, from the part of the answer that it writes.

    ``offsets`` are the tokens' first and last characters (exclusive) in the response. A token that reaches over several
    parts has the largest of their weights: one that holds a digit of an amount counts as the amount. What is no part of
    anything, as the token that ends the answer, weighs 1.
    """
    return tuple(
        max((weights.get(span.type, 1.0) for span in spans if span.start < last and first < span.end), default=1.0)
        for first, last in offsets
    )


def question(prompt: str, images: int) -> dict[str, Any]:
    """Return the user's turn about so many images."""
    return {"role": "user", "content": [{"type": "image"}] * images + [{"type": "text", "text": prompt}]}


def chosen_for_epoch(batches: Sequence[str], replay_share: float | None, seed: int, epoch: int) -> list[int]:
    """Return the places of the samples of an epoch, given each sample's batch.

    Without a replay share: all. With one: all of the newest batch, and as many of the earlier ones, drawn anew for each
    epoch, as make that share of the epoch, or all of them where there are fewer.
    """
    if replay_share is None:
        return list(range(len(batches)))
    newest = max(batches)
    new = [place for place, batch in enumerate(batches) if batch == newest]
    earlier = [place for place, batch in enumerate(batches) if batch != newest]
    wanted = min(len(earlier), round(len(new) * replay_share / (1 - replay_share)))
    return sorted(new + Random(f"replay:{seed}:{epoch}").sample(earlier, wanted))


def order_of_epoch(sizes: Sequence[tuple[int, int]], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Return an epoch's batches as places of samples; samples of one batch are of about the same size.

    Samples are sorted by size, ties at random, and cut into batches, which come in random order: all a function of
    seed and epoch.
    """
    random = Random(f"order:{seed}:{epoch}")
    places = list(range(len(sizes)))
    random.shuffle(places)
    places.sort(key=lambda place: sizes[place])
    batches = [places[start : start + batch_size] for start in range(0, len(places), batch_size)]
    random.shuffle(batches)
    return batches


def batches_of_epoch(samples: int, batch_size: int) -> int:
    """Return the number of batches of an epoch."""
    return math.ceil(samples / batch_size)
