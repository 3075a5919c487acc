"""Token-weighted cross-entropy loss of a batch.

The loss is a sum over response tokens, not a mean, so that gradient accumulation weighs every token alike; the trainer
divides a step's sum by its total weight.
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

from finscribe_assets.model.batched_forward import IGNORED_LABEL, TokenBatch, response_logits, vision_forward
from finscribe_assets.training.line_augmentation import Augmentation
from finscribe_assets.training.sample_encoding import EncodedSample, Encoder


def summed_loss(
    model: nn.Module,
    inputs: dict[str, Tensor],
    labels: Tensor,
    autocast: AbstractContextManager[Any],
    weights: Tensor | None = None,
) -> Tensor:
    """Return a batch's summed loss by the model's own forward pass, for images of any size and number.

    It is what the model's own loss is the mean of. Logits are computed for the response tokens alone: batches are
    padded on the left, so all responses end at the same index.

    Args:
        model: a PaddleOCR-VL model, with or without LoRA.
        inputs: of its forward pass, from `Encoder.collate`.
        labels: (samples, tokens); IGNORED_LABEL outside the responses.
        autocast: context of the forward pass.
        weights: (samples, tokens), of each token's loss; all 1 if None.
    """
    longest = int((labels != IGNORED_LABEL).sum(dim=1).max())
    with autocast:
        # (samples, longest + 1, vocabulary); the logits at an index predict the next token
        logits = model(**inputs, logits_to_keep=longest + 1, use_cache=False).logits
    return _summed(logits[:, :-1], labels[:, -longest:], None if weights is None else weights[:, -longest:])


def summed_line_loss(
    model: Any,
    encoder: Encoder,
    batch: Sequence[EncodedSample],
    autocast: AbstractContextManager[Any],
    augmentation: Augmentation | None = None,
    *,
    weighted: bool,
) -> Tensor:
    """Return the summed loss of a batch of single lines: the same sum as `summed_loss`, at less than half the cost.

    Lines of one width and prompt share a pass of `batched_forward`, which needs no loop over images and no mask.

    Args:
        model: a PaddleOCR-VL model, with or without LoRA.
        encoder: that encoded the batch.
        batch: samples of one fitted line each.
        autocast: context of the forward pass.
        augmentation: varies the lines.
        weighted: multiply each token's loss by its weight, if the encoder weighs tokens.
    """
    core = model.get_base_model() if isinstance(model, PeftModel) else model
    groups: dict[tuple[int, ...], list[EncodedSample]] = {}
    for sample in batch:  # the same tokens before the response: the same prompt, and an image of the same width
        groups.setdefault(sample.tokens[: sample.response_start], []).append(sample)
    total = torch.zeros((), device=core.device)
    for group in groups.values():
        pixels = np.stack([_line_pixels(sample, augmentation) for sample in group])  # (samples, 28, width)
        tokens = _pad_right(group, encoder)
        with autocast:
            vision = vision_forward(core.model, pixels)
            logits, labels = response_logits(core, tokens, vision)
        weights = _token_weights(group, labels) if weighted and encoder.loss_weights else None
        total = total + _summed(logits, labels.to(logits.device), weights)
    return total


def _line_pixels(sample: EncodedSample, augmentation: Augmentation | None) -> np.ndarray:
    (image,) = sample.sample.images
    line = image.open()
    return np.asarray(augmentation(line, sample.id) if augmentation else line)


def _pad_right(group: Sequence[EncodedSample], encoder: Encoder) -> TokenBatch:
    """Return the tokens of samples with the same prompt tokens, padded as `batched_forward` takes them."""
    first = group[0]
    ids = torch.full((len(group), max(len(sample.tokens) for sample in group)), encoder.tokenizer.pad_token_id)
    labels = torch.full_like(ids, IGNORED_LABEL)  # (samples, tokens)
    for row, sample in enumerate(group):
        ids[row, : len(sample.tokens)] = torch.tensor(sample.tokens)
        labels[row, sample.response_start : len(sample.tokens)] = torch.tensor(sample.response_tokens)
    image = encoder.processor.image_token_id
    return TokenBatch(ids, labels, first.response_start, first.tokens.index(image), first.tokens.count(image))


def _token_weights(group: Sequence[EncodedSample], labels: Tensor) -> Tensor:
    weights = torch.zeros(labels.shape)  # (samples, response tokens)
    for row, sample in enumerate(group):
        weights[row, : len(sample.response_tokens)] = torch.tensor(sample.weights)
    return weights


def _summed(logits: Tensor, labels: Tensor, weights: Tensor | None) -> Tensor:
    """Sum the cross-entropy of (samples, tokens, vocabulary) logits, each token's times its weight."""
    flat_logits, flat_labels = logits.flatten(0, 1).float(), labels.flatten()
    if weights is None:
        return functional.cross_entropy(flat_logits, flat_labels, ignore_index=IGNORED_LABEL, reduction="sum")
    losses = functional.cross_entropy(flat_logits, flat_labels, ignore_index=IGNORED_LABEL, reduction="none")
    return (losses * weights.to(losses.device).flatten()).sum()
