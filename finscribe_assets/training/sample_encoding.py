"""Encode samples as the model takes them: tokens, label masks, token weights, and padded batches.

What belongs here: the processor's own chat template applied to samples. Their order is in `epoch_order`, the loss in
`weighted_loss`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import PaddleOCRVLProcessor

from finscribe_assets.errors import UserError
from finscribe_assets.instructions.pair import Span, SpanType
from finscribe_assets.model.batched_forward import IGNORED_LABEL
from finscribe_assets.training.line_augmentation import Augmentation
from finscribe_assets.training.training_samples import LeftOut, TrainingSample

_MAX_ASPECT_RATIO = 200  # which PaddleOCR-VL's image processor accepts


@dataclass(frozen=True)
class EncodedSample:
    """A sample's tokens. Its images are opened when its batch is made."""

    sample: TrainingSample
    tokens: tuple[int, ...]  # prompt, image tokens and response, with its end token
    response_start: int  # index of the first response token
    weights: tuple[float, ...] = ()  # in the loss, of each response token; empty if all are 1

    @property
    def id(self) -> str:
        """The id of the sample."""
        return self.sample.id

    @property
    def response_tokens(self) -> tuple[int, ...]:
        """The tokens that are learnt, the end token included."""
        return self.tokens[self.response_start :]

    @property
    def total_weight(self) -> float:
        """The sum of the token weights."""
        return sum(self.weights) if self.weights else len(self.response_tokens)

    @property
    def size(self) -> tuple[int, int]:
        """What samples of a batch should share: the tokens before the response, which are mostly image, then all."""
        return self.response_start, len(self.tokens)


class Encoder:
    """Encodes samples as chats in the processor's own template."""

    def __init__(self, processor: PaddleOCRVLProcessor, loss_weights: Mapping[SpanType, float] | None = None) -> None:
        self.processor = processor
        self.loss_weights = loss_weights or {}
        self.tokenizer = processor.tokenizer
        self._prompt_text = lru_cache(maxsize=4096)(self._rendered_prompt)

    def _rendered_prompt(self, prompt: str, image_count: int) -> str:
        text: str = self.processor.apply_chat_template(
            [user_turn(prompt, image_count)], tokenize=False, add_generation_prompt=True
        )
        return text

    def encode(self, sample: TrainingSample) -> EncodedSample:
        """Tokenise a sample as the template writes the whole chat; the response is what follows the prompt.

        Raises:
            UserError: the template does not write the response right after the prompt, or does not end it.
        """
        prompt = self._prompt_text(sample.prompt, len(sample.images))
        assistant_turn = {"role": "assistant", "content": [{"type": "text", "text": sample.response}]}
        chat = [user_turn(sample.prompt, len(sample.images)), assistant_turn]
        text: str = self.processor.apply_chat_template(chat, tokenize=False)
        if not text.startswith(prompt):
            raise UserError(
                "the processor's chat template does not write a response where it is generated; adapters cannot be "
                "trained with it"
            )
        bos = self.tokenizer.bos_token
        tokenised = self.tokenizer(
            text, add_special_tokens=not (bos and text.startswith(bos)), return_offsets_mapping=True
        )
        ids, offsets = tokenised["input_ids"], tokenised["offset_mapping"]
        # A token across the boundary belongs to the response: the model has to generate it.
        first = next((index for index, (_, end) in enumerate(offsets) if end > len(prompt)), len(ids))
        if self.tokenizer.eos_token_id not in ids[first:]:
            raise UserError(
                "the processor's chat template does not end a response with the tokenizer's end token; "
                "a model trained with it would never stop"
            )
        last = len(ids) - 1 - ids[::-1].index(self.tokenizer.eos_token_id)
        head = self._with_image_tokens(ids[:first], [(image.width, image.height) for image in sample.images])
        weights = self._weights(sample, text, len(prompt), offsets[first : last + 1]) if self.loss_weights else ()
        return EncodedSample(sample, tuple(head + ids[first : last + 1]), len(head), weights)

    def _weights(
        self, sample: TrainingSample, text: str, prompt_end: int, offsets: Sequence[tuple[int, int]]
    ) -> tuple[float, ...]:
        start = text.find(sample.response, prompt_end)
        if start < 0:
            raise UserError(
                "the processor's chat template rewrites responses, so that their parts cannot be weighted; "
                "leave loss_weights empty"
            )
        in_response = [(first - start, last - start) for first, last in offsets]
        return token_weights(in_response, sample.spans, self.loss_weights)

    def encode_prompt(self, prompt: str, sizes: Sequence[tuple[int, int]]) -> list[int]:
        """Return the tokens after which a response is generated.

        Args:
            prompt: text of the user's turn.
            sizes: width and height in pixels of each of its images.

        Raises:
            UserError: the prompt contains the image token.
        """
        text = self._prompt_text(prompt, len(sizes))
        bos = self.tokenizer.bos_token
        ids = self.tokenizer(text, add_special_tokens=not (bos and text.startswith(bos)))["input_ids"]
        return self._with_image_tokens(ids, sizes)

    def _with_image_tokens(self, ids: list[int], sizes: Sequence[tuple[int, int]]) -> list[int]:
        """Repeat the token that stands for an image as often as the image has merged patches."""
        indices = [index for index, token in enumerate(ids) if token == self.processor.image_token_id]
        if len(indices) != len(sizes):
            raise UserError(
                f"{len(sizes)} images, but {len(indices)} image tokens in the prompt; remove "
                f"{self.processor.image_token} from its text"
            )
        images = self.processor.image_processor
        for index, (width, height) in zip(reversed(indices), reversed(sizes), strict=True):
            patches = images.get_number_of_image_patches(height, width)
            ids = ids[:index] + [self.processor.image_token_id] * (patches // images.merge_size**2) + ids[index + 1 :]
        return ids

    def encode_all(self, samples: Sequence[TrainingSample], max_tokens: int, left_out: LeftOut) -> list[EncodedSample]:
        """Encode samples; count those that the model cannot learn in ``left_out``."""
        learnable = []
        for sample in samples:
            reason = self._reason_to_leave_out(sample)
            if reason is None:
                encoded = self.encode(sample)
                if len(encoded.tokens) > max_tokens:
                    reason = "too many tokens"
                elif self.tokenizer.unk_token_id in encoded.response_tokens:
                    reason = "characters that the tokenizer does not have"
                else:
                    learnable.append(encoded)
            if reason:
                left_out.add(reason, sample.id)
        return learnable

    def _reason_to_leave_out(self, sample: TrainingSample) -> str | None:
        if not sample.response:
            return "empty answer"
        sides = [sorted((image.width, image.height)) for image in sample.images]
        if any(long > _MAX_ASPECT_RATIO * short for short, long in sides):
            return f"image more than {_MAX_ASPECT_RATIO} times as long as wide"
        return None

    def collate(self, batch: Sequence[EncodedSample], augmentation: Augmentation | None = None) -> dict[str, Tensor]:
        """Return a batch as the model's forward pass takes it, padded on the left as in generation.

        Args:
            batch: encoded samples.
            augmentation: varies their images.

        Returns:
            ``input_ids``, ``attention_mask``, ``mm_token_type_ids`` and ``labels`` (samples, tokens), of which labels
            are IGNORED_LABEL outside the responses; ``weights`` (samples, tokens) if tokens are weighted;
            ``pixel_values`` (patches of all images, 3, 14, 14) and ``image_grid_thw`` (images, 3).
        """
        inputs = self.pad_left([sample.tokens for sample in batch])
        labels = torch.full_like(inputs["input_ids"], IGNORED_LABEL)
        for row, sample in enumerate(batch):
            labels[row, -len(sample.response_tokens) :] = torch.tensor(sample.response_tokens)
        weights = {}
        if self.loss_weights:
            weights["weights"] = torch.zeros(labels.shape)
            for row, sample in enumerate(batch):
                weights["weights"][row, -len(sample.response_tokens) :] = torch.tensor(sample.weights)
        opened = [(image.open(), sample.id) for sample in batch for image in sample.sample.images]
        images = [augmentation(image, name) if augmentation else image for image, name in opened]
        return {**inputs, "labels": labels, **weights, **self.image_inputs(images)}

    def pad_left(self, rows: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        """Return rows of tokens padded on the left, with the masks that the model takes, all (rows, tokens)."""
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

    def image_inputs(self, images: Sequence[Image.Image]) -> dict[str, Tensor]:
        """Return images as patches (patches of all images, 3, 14, 14) and the grid of each (images, 3)."""
        batch = self.processor.image_processor(images=[image.convert("RGB") for image in images], return_tensors="pt")
        return {"pixel_values": batch["pixel_values"], "image_grid_thw": batch["image_grid_thw"]}


def token_weights(
    offsets: Sequence[tuple[int, int]], spans: Sequence[Span], weights: Mapping[SpanType, float]
) -> tuple[float, ...]:
    """Return the weight of each token in the loss, from the span of the response that it writes.

    A token across several spans gets the largest of their weights: one with a digit of an amount counts as the amount.
    A token in no span, such as the end token, weighs 1.

    Args:
        offsets: start and end (exclusive) of each token in the response, in characters.
        spans: of the response.
        weights: by type of span; 1 for types that are not in it.
    """
    return tuple(
        max((weights.get(span.type, 1.0) for span in spans if span.start < last and first < span.end), default=1.0)
        for first, last in offsets
    )


def user_turn(prompt: str, image_count: int) -> dict[str, Any]:
    """Return the user's turn of a chat, as chat templates take it."""
    return {"role": "user", "content": [{"type": "image"}] * image_count + [{"type": "text", "text": prompt}]}
