"""What an adapter's batch loses: cross-entropy over the answers' tokens, each times its weight.

It is a sum, not a mean, so that gradient accumulation weighs each token alike; the caller divides a step's sum by its
weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from peft import PeftModel
from torch import Tensor, nn
from torch.nn import functional

from finscribe_assets.model.batched_forward import TokenBatch, response_logits, vision_forward
from finscribe_assets.training.sample_encoding import IGNORED_LABEL, EncodedSample, Encoder, Vary


def summed_loss(
    model: nn.Module,
    inputs: dict[str, Tensor],
    labels: Tensor,
    autocast: AbstractContextManager[Any],
    weights: Tensor | None = None,
) -> Tensor:
    """Return a batch's loss by the model's own forward pass, for images of any size and number.

    It is what the model's own loss is the mean of, but logits are made for the answers' places alone. Batches are
    padded on the left, so answers end together. ``labels`` and ``weights`` are samples × tokens.
    """
    longest = int((labels != IGNORED_LABEL).sum(dim=1).max())
    with autocast:
        logits = model(**inputs, logits_to_keep=longest + 1, use_cache=False).logits
    return _summed(logits[:, :-1], labels[:, -longest:], None if weights is None else weights[:, -longest:])


def summed_loss_of_lines(
    model: Any,
    encoder: Encoder,
    batch: Sequence[EncodedSample],
    autocast: AbstractContextManager[Any],
    vary: Vary | None = None,
    *,
    weighted: bool,
) -> Tensor:
    """Return a batch's loss where every image is one fitted line; the same sum, at less than half the cost.

    Lines of one width that are asked the same go through the model together (`equal_size`): nothing is done image by
    image, and nothing has to be masked.
    """
    core = model.get_base_model() if isinstance(model, PeftModel) else model
    alike: dict[tuple[int, ...], list[EncodedSample]] = {}
    for one in batch:
        alike.setdefault(one.tokens[: one.answer_start], []).append(one)
    total = torch.zeros((), device=core.device)
    for some in alike.values():
        pixels = np.stack([_line(one, vary) for one in some])
        tokens = _right_padded(some, encoder)
        with autocast:
            vision = vision_forward(core.model, pixels)
            logits, labels = response_logits(core, tokens, vision)
        weights = _weights(some, labels) if weighted and encoder.loss_weights else None
        total = total + _summed(logits, labels.to(logits.device), weights)
    return total


def _line(one: EncodedSample, vary: Vary | None) -> np.ndarray:
    (picture,) = one.sample.images
    image = picture.open()
    return np.asarray(vary(image, one.sample.id) if vary else image)


def _right_padded(some: Sequence[EncodedSample], encoder: Encoder) -> TokenBatch:
    first = some[0]
    ids = torch.full((len(some), max(len(one.tokens) for one in some)), encoder.tokenizer.pad_token_id)
    labels = torch.full_like(ids, IGNORED_LABEL)
    for row, one in enumerate(some):
        ids[row, : len(one.tokens)] = torch.tensor(one.tokens)
        labels[row, one.answer_start : len(one.tokens)] = torch.tensor(one.answer)
    image = encoder.processor.image_token_id
    return TokenBatch(ids, labels, first.answer_start, first.tokens.index(image), first.tokens.count(image))


def _weights(some: Sequence[EncodedSample], labels: Tensor) -> Tensor:
    weights = torch.zeros(labels.shape)
    for row, one in enumerate(some):
        weights[row, : len(one.answer)] = torch.tensor(one.weights)
    return weights


def _summed(logits: Tensor, labels: Tensor, weights: Tensor | None) -> Tensor:
    each, wanted = logits.flatten(0, 1).float(), labels.flatten()
    if weights is None:
        return functional.cross_entropy(each, wanted, ignore_index=IGNORED_LABEL, reduction="sum")
    losses = functional.cross_entropy(each, wanted, ignore_index=IGNORED_LABEL, reduction="none")
    return (losses * weights.to(losses.device).flatten()).sum()
