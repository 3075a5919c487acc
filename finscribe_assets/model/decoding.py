"""Greedy decoding: of batches of line images, and from any prefilled batch.

Line images of one width share a pass of the vision tower; images of different widths decode together, padded on the
left. The text is the one that the model's own ``generate`` gives, many times faster. Pages are prefilled by
`inference.reader`, which decodes with the same `greedy_decode`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache, PaddleOCRVLForConditionalGeneration, PreTrainedTokenizerFast

from finscribe_assets.instructions.location_tokens import LOCATION_START
from finscribe_assets.instructions.pair import OCR_PROMPT
from finscribe_assets.model.batched_forward import embed_tokens, tokenise, vision_forward
from finscribe_assets.model.decoded_text import DecodedText, line_token_limit

LINE_BATCH_SIZE = 64


class Constraint(Protocol):
    """Restricts the tokens that a batch may generate next."""

    def allowed(self, rows: Sequence[int]) -> Tensor:
        """Return which tokens may come next in these rows of the batch: (rows, vocabulary), bool, on the CPU."""
        ...

    def advance(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        """Append one token to each of these rows."""
        ...


@dataclass
class Prefill:
    """A batch whose prompts the language model has processed."""

    hidden: Tensor  # (rows, language width), of each prompt's last token
    cache: DynamicCache
    position: Tensor  # (rows, 1), M-RoPE position of each response's first token
    mask: Tensor | None  # (rows, tokens), 0 on padding; None if no row is padded

    def keep_rows(self, rows: Tensor) -> None:
        """Drop all other rows."""
        self.cache.batch_select_indices(rows)
        self.position = self.position[rows]
        self.mask = None if self.mask is None else self.mask[rows]


@torch.no_grad()
def greedy_decode(
    model: Any,
    tokenizer: PreTrainedTokenizerFast,
    prefill: Prefill,
    max_new_tokens: int,
    constraint: Constraint | None = None,
) -> list[DecodedText]:
    """Decode each row greedily until its end token, as the model's own ``generate`` does without sampling.

    Args:
        model: a PaddleOCR-VL model, with or without an adapter.
        tokenizer: its tokenizer.
        prefill: the batch; it is used up.
        max_new_tokens: tokens after which a response is truncated.
        constraint: restricts the choice of tokens. Probabilities stay those of the unrestricted model.

    Returns:
        The rows' texts, in the order of the prefill.
    """
    language, hidden = model.model.language_model, prefill.hidden
    end_tokens = torch.tensor(_end_tokens(model), device=hidden.device)
    count = len(hidden)
    rows = torch.arange(count, device=hidden.device)  # rows of the prefill that are still being decoded
    tokens = torch.zeros(count, max_new_tokens, dtype=torch.long, device=hidden.device)
    probabilities = torch.zeros(count, max_new_tokens, device=hidden.device)
    for step in range(max_new_tokens):
        logits = model.lm_head(hidden).float()  # (rows, vocabulary)
        distribution = logits.softmax(dim=-1)
        if constraint:
            logits = logits.masked_fill(~constraint.allowed(rows.tolist()).to(logits.device), -torch.inf)
        token = logits.argmax(dim=-1)  # (rows,)
        tokens[rows, step] = token
        probabilities[rows, step] = distribution.gather(1, token[:, None])[:, 0]
        if constraint:
            constraint.advance(rows.tolist(), token.tolist())
        unfinished = ~torch.isin(token, end_tokens)
        remaining = int(unfinished.sum())
        if remaining == 0 or step + 1 == max_new_tokens:
            break
        # Dropping rows copies the cache, so finished rows stay until they are half of the batch.
        if remaining <= len(rows) // 2:
            kept = unfinished.nonzero()[:, 0]
            prefill.keep_rows(kept)
            rows, token = rows[kept], token[kept]
        if prefill.mask is not None:
            prefill.mask = torch.cat([prefill.mask, prefill.mask.new_ones(len(rows), 1)], dim=1)
        hidden = language(
            inputs_embeds=language.embed_tokens(token)[:, None],
            attention_mask=prefill.mask,
            position_ids=(prefill.position + step).expand(3, -1, -1),
            past_key_values=prefill.cache,
            use_cache=True,
        ).last_hidden_state[:, -1]  # (rows, language width)
    return [
        _decoded(tokenizer, *row, set(end_tokens.tolist()))
        for row in zip(tokens[:, : step + 1].tolist(), probabilities.tolist(), strict=True)
    ]


def _end_tokens(model: Any) -> list[int]:
    ids = model.generation_config.eos_token_id
    return ids if isinstance(ids, list) else [ids]


def decode_tokens(tokenizer: PreTrainedTokenizerFast, tokens: Sequence[int]) -> str:
    """Return the text of tokens without special ones, except location tokens, which say where a text is."""
    added = tokenizer.get_added_vocab()
    hidden = set(tokenizer.all_special_ids) - {id_ for token, id_ in added.items() if token.startswith(LOCATION_START)}
    return str(tokenizer.decode([token for token in tokens if token not in hidden], skip_special_tokens=False))


def _decoded(
    tokenizer: PreTrainedTokenizerFast, tokens: list[int], probabilities: list[float], end_tokens: set[int]
) -> DecodedText:
    """Cut a row after its first end token and decode it."""
    end = next((index for index, token in enumerate(tokens) if token in end_tokens), None)
    count = len(tokens) if end is None else end + 1
    text = decode_tokens(tokenizer, tokens[:count])
    return DecodedText(text, tuple(tokens[:count]), tuple(probabilities[:count]), truncated=end is None)


def read_lines(
    model: PaddleOCRVLForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    lines: Sequence[np.ndarray],
    prompt: str = OCR_PROMPT,
    max_new_tokens: int | None = None,
    *,
    batch_size: int = LINE_BATCH_SIZE,
    make_constraint: Callable[[int], Constraint | None] | None = None,
) -> list[DecodedText]:
    """Read line images.

    Args:
        model: an embedded base, with or without an adapter merged into it.
        tokenizer: its tokenizer.
        lines: images as `line_images.fit_line` returns them: (28, width), uint8, widths multiples of 28.
        prompt: text of the user's turn, the same for all lines.
        max_new_tokens: tokens after which a response is truncated; the prompt's usual maximum if None.
        batch_size: lines that are decoded together.
        make_constraint: returns the constraint of a batch, given its number of rows.

    Returns:
        What was read, in the order of ``lines``.
    """
    max_new_tokens = max_new_tokens or line_token_limit(prompt)
    by_width = sorted(range(len(lines)), key=lambda index: lines[index].shape[1])
    decoded: dict[int, DecodedText] = {}
    for start in range(0, len(by_width), batch_size):
        indices = by_width[start : start + batch_size]
        prefill = _prefill_lines(model, tokenizer, [lines[index] for index in indices], prompt)
        constraint = make_constraint(len(indices)) if make_constraint else None
        texts = greedy_decode(model, tokenizer, prefill, max_new_tokens, constraint)
        decoded |= dict(zip(indices, texts, strict=True))
    return [decoded[index] for index in range(len(lines))]


@torch.no_grad()
def _prefill_lines(
    model: PaddleOCRVLForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    lines: Sequence[np.ndarray],
    prompt: str,
) -> Prefill:
    """Prefill lines that are sorted by width; lines of one width share a pass of the vision tower."""
    by_width: dict[int, list[np.ndarray]] = {}
    for line in lines:
        by_width.setdefault(line.shape[1], []).append(line)
    parts = []
    for same_width in by_width.values():
        vision = vision_forward(model.model, np.stack(same_width))
        batch = tokenise(tokenizer, prompt, None, vision.embeddings.shape[1], len(same_width))
        parts.append(embed_tokens(model, batch, vision))
    # Narrower lines have fewer image tokens: pad them on the left, so that all responses start at the same index.
    length = max(embedded.shape[1] for embedded, _ in parts)
    gaps = [length - embedded.shape[1] for embedded, _ in parts]
    embedded = torch.cat(  # (rows, tokens, language width)
        [functional.pad(part, (0, 0, gap, 0)) for (part, _), gap in zip(parts, gaps, strict=True)]
    )
    positions = torch.cat(  # (3, rows, tokens)
        [functional.pad(part, (gap, 0)) for (_, part), gap in zip(parts, gaps, strict=True)], dim=1
    )
    mask = None
    if any(gaps):
        starts = torch.tensor([gap for (part, _), gap in zip(parts, gaps, strict=True) for _ in range(len(part))])
        mask = (torch.arange(length) >= starts[:, None]).long().to(embedded.device)  # (rows, tokens)
    language = model.model.language_model
    cache = DynamicCache(config=language.config)
    hidden = language(
        inputs_embeds=embedded, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True
    ).last_hidden_state[:, -1]  # (rows, language width)
    return Prefill(hidden, cache, positions[0, :, -1:] + 1, mask)
