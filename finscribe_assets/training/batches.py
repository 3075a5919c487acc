"""Samples → what the model takes: batches of like size, tokens and labels in the processor's own chat format."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import torch
from torch import Tensor

from finscribe_assets.training.samples import Sample

IGNORED = -100  # a label that counts for nothing


def plan(sizes: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Return an epoch's batches as positions of samples; a function of its arguments.

    Samples are shuffled, then sorted by size, so that a batch holds like sizes and little padding, then the batches are
    shuffled.
    """
    random = Random(f"batches:{seed}:{epoch}")
    order = list(range(len(sizes)))
    random.shuffle(order)
    order.sort(key=lambda position: sizes[position])
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    random.shuffle(batches)
    return batches


def conversation(prompt: str, images: int, answer: str | None = None) -> list[dict[str, Any]]:
    """Return a chat of one turn about some images, with its answer where there is one."""
    content = [{"type": "image"}] * images + [{"type": "text", "text": prompt}]
    turns: list[dict[str, Any]] = [{"role": "user", "content": content}]
    if answer is not None:
        turns.append({"role": "assistant", "content": [{"type": "text", "text": answer}]})
    return turns


class SampleTooLong(ValueError):
    """A sample of more tokens than the configuration allows."""


def collate(processor: Any, samples: Sequence[Sample]) -> dict[str, Tensor]:
    """Return a training batch: input_ids, attention_mask, mm_token_type_ids and labels (rows × tokens, padded on the
    right), pixel_values and image_grid_thw as the processor gives them.

    Prompts are tokenised as they are at inference, answers after them; labels cover the answers, end token included.
    """
    prompts, answers = [], []
    for sample in samples:
        chat = conversation(sample.prompt, len(sample.images), sample.answer)
        whole = processor.apply_chat_template(chat, tokenize=False)
        prompt = processor.apply_chat_template(chat[:1], tokenize=False, add_generation_prompt=True)
        if not whole.startswith(prompt):
            raise ValueError(f"{sample.id}: the chat template writes the prompt differently with an answer after it")
        prompts.append(prompt)
        answers.append(processor.tokenizer(whole[len(prompt) :], add_special_tokens=False).input_ids)
    images = [image.convert("RGB") for sample in samples for image in sample.images]
    asked = processor(images=images, text=prompts, padding=True, padding_side="left", return_tensors="pt")
    rows = [
        (ids[mask.bool()].tolist(), kinds[mask.bool()].tolist(), answer)
        for ids, mask, kinds, answer in zip(asked["input_ids"], asked["attention_mask"], asked["mm_token_type_ids"],
                                            answers, strict=True)
    ]  # fmt: skip
    length = max(len(ids) + len(answer) for ids, _, answer in rows)
    batch = {
        "input_ids": torch.full((len(rows), length), processor.tokenizer.pad_token_id),
        "attention_mask": torch.zeros((len(rows), length), dtype=torch.long),
        "mm_token_type_ids": torch.zeros((len(rows), length), dtype=torch.long),
        "labels": torch.full((len(rows), length), IGNORED),
    }
    for row, (ids, kinds, answer) in enumerate(rows):
        start, end = len(ids), len(ids) + len(answer)
        batch["input_ids"][row, :end] = torch.tensor(ids + answer)
        batch["attention_mask"][row, :end] = 1
        batch["mm_token_type_ids"][row, :start] = torch.tensor(kinds)
        batch["labels"][row, start:end] = torch.tensor(answer)
    return batch | {"pixel_values": asked["pixel_values"], "image_grid_thw": asked["image_grid_thw"]}


def token_count(processor: Any, sample: Sample) -> int:
    """Return how many tokens a sample takes: its text's and its images' merged patches."""
    images = processor.image_processor(images=[image.convert("RGB") for image in sample.images], return_tensors="pt")
    merged = int(images["image_grid_thw"].prod(dim=-1).sum()) // processor.image_processor.merge_size**2
    text = processor.tokenizer(sample.prompt + sample.answer, add_special_tokens=False).input_ids
    return merged + len(text) + 12  # the chat's own tokens
