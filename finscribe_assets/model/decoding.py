"""Greedy reading of many lines at once, and the greedy decoding that every reading of this project ends with.

Lines of one width go through the vision tower together; lines of different widths answer together, padded on the left.
It gives the text that the model's own ``generate`` gives, many times faster. Whole pages are `inference.reader`'s,
which decodes with the same `answer`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache, PaddleOCRVLForConditionalGeneration, PreTrainedTokenizerFast

from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT
from finscribe_assets.model.batched_forward import embed_prompt, see, tokenise

LINES_AT_ONCE = 64
MAX_ANSWER_TOKENS = {OCR_PROMPT: 96, TABLE_PROMPT: 200}


@dataclass(frozen=True)
class DecodedText:
    """What was read."""

    text: str
    tokens: tuple[int, ...]  # of the answer; the end token last, unless truncated
    probabilities: tuple[float, ...]  # of each of them, given all before it
    truncated: bool  # the longest answer was reached before the end token

    @property
    def confidence(self) -> float:
        """Return the geometric mean of the probabilities, the end's included: where to stop may be wrong too."""
        return geometric_mean(self.probabilities)


def geometric_mean(probabilities: Sequence[float]) -> float:
    """Return the geometric mean of probabilities; 0 where one is 0, and of none."""
    if not probabilities or min(probabilities) <= 0:
        return 0.0
    return math.exp(math.fsum(map(math.log, probabilities)) / len(probabilities))


class Constraint(Protocol):
    """What the answers of a batch may be, token by token."""

    def allowed(self, rows: Sequence[int]) -> Tensor:
        """Return which tokens may come next in these rows of the batch (rows × vocabulary, bool, on the processor)."""
        ...

    def take(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        """Go on by one token in each of these rows."""
        ...


@dataclass
class Prompted:
    """A batch whose prompts the language model has read, up to where it is to answer."""

    hidden: Tensor  # of the prompts' last tokens (rows × width)
    cache: DynamicCache
    position: Tensor  # of the answers' first tokens (rows × 1)
    mask: Tensor | None  # rows × tokens, 0 where a row is padded; None where none is

    def keep(self, rows: Tensor) -> None:
        """Drop all other rows."""
        self.cache.batch_select_indices(rows)
        self.position = self.position[rows]
        self.mask = None if self.mask is None else self.mask[rows]


@torch.no_grad()
def answer(
    model: Any,
    tokenizer: PreTrainedTokenizerFast,
    prompted: Prompted,
    longest: int,
    constraint: Constraint | None = None,
) -> list[DecodedText]:
    """Return the likeliest next tokens of each row, one after the other, until its end token or ``longest`` tokens.

    The same as the model's own ``generate`` without sampling. A constraint chooses among the model's tokens; the
    probabilities stay the model's own.
    """
    language, hidden = model.model.language_model, prompted.hidden
    ends = torch.tensor(_ends(model), device=hidden.device)
    count = len(hidden)
    rows = torch.arange(count, device=hidden.device)
    tokens = torch.zeros(count, longest, dtype=torch.long, device=hidden.device)
    chances = torch.zeros(count, longest, device=hidden.device)
    for step in range(longest):
        logits = model.lm_head(hidden).float()
        chance = logits.softmax(dim=-1)
        if constraint:
            logits = logits.masked_fill(~constraint.allowed(rows.tolist()).to(logits.device), -torch.inf)
        token = logits.argmax(dim=-1)
        tokens[rows, step] = token
        chances[rows, step] = chance.gather(1, token[:, None])[:, 0]
        if constraint:
            constraint.take(rows.tolist(), token.tolist())
        going = ~torch.isin(token, ends)
        left = int(going.sum())
        if left == 0 or step + 1 == longest:
            break
        if left <= len(rows) // 2:  # what has ended is dropped once it is half: dropping copies the cache
            kept = going.nonzero()[:, 0]
            prompted.keep(kept)
            rows, token = rows[kept], token[kept]
        if prompted.mask is not None:
            prompted.mask = torch.cat([prompted.mask, prompted.mask.new_ones(len(rows), 1)], dim=1)
        hidden = language(
            inputs_embeds=language.embed_tokens(token)[:, None],
            attention_mask=prompted.mask,
            position_ids=(prompted.position + step).expand(3, -1, -1),
            past_key_values=prompted.cache,
            use_cache=True,
        ).last_hidden_state[:, -1]
    return [
        _reading(tokenizer, *row, set(ends.tolist()))
        for row in zip(tokens[:, : step + 1].tolist(), chances.tolist(), strict=True)
    ]


def _ends(model: Any) -> list[int]:
    ends = model.generation_config.eos_token_id
    return ends if isinstance(ends, list) else [ends]


def _reading(
    tokenizer: PreTrainedTokenizerFast, tokens: list[int], chances: list[float], ends: set[int]
) -> DecodedText:
    last = next((place for place, token in enumerate(tokens) if token in ends), None)
    count = len(tokens) if last is None else last + 1
    text = tokenizer.decode(tokens[:count], skip_special_tokens=True)
    return DecodedText(text, tuple(tokens[:count]), tuple(chances[:count]), truncated=last is None)


def read_lines(
    model: PaddleOCRVLForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    lines: Sequence[np.ndarray],
    prompt: str = OCR_PROMPT,
    longest: int | None = None,
    *,
    at_once: int = LINES_AT_ONCE,
    constrain: Callable[[int], Constraint | None] | None = None,
) -> list[DecodedText]:
    """Read lines as `images.fit_line` leaves them (28 × width, uint8, widths multiples of 28), in the order given.

    ``constrain`` returns the constraint of a batch of so many rows.
    """
    longest = longest or MAX_ANSWER_TOKENS.get(prompt, max(MAX_ANSWER_TOKENS.values()))
    order = sorted(range(len(lines)), key=lambda place: lines[place].shape[1])
    readings: dict[int, DecodedText] = {}
    for start in range(0, len(order), at_once):
        places = order[start : start + at_once]
        prompted = _shown(model, tokenizer, [lines[place] for place in places], prompt)
        constraint = constrain(len(places)) if constrain else None
        readings |= dict(zip(places, answer(model, tokenizer, prompted, longest, constraint), strict=True))
    return [readings[place] for place in range(len(lines))]


@torch.no_grad()
def _shown(
    model: PaddleOCRVLForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    lines: Sequence[np.ndarray],
    prompt: str,
) -> Prompted:
    """Show lines to the model, in order of their widths; only those of one width share a pass of the vision tower."""
    by_width: dict[int, list[np.ndarray]] = {}
    for line in lines:
        by_width.setdefault(line.shape[1], []).append(line)
    parts = []
    for some in by_width.values():
        _, image_tokens, rows, columns = see(model.model, np.stack(some))
        batch = tokenise(tokenizer, prompt, None, image_tokens.shape[1], len(some))
        parts.append(embed_prompt(model, batch, image_tokens, rows, columns))
    length = max(embedded.shape[1] for embedded, _ in parts)
    gaps = [length - embedded.shape[1] for embedded, _ in parts]
    embedded = torch.cat(
        [torch.nn.functional.pad(part, (0, 0, gap, 0)) for (part, _), gap in zip(parts, gaps, strict=True)]
    )
    positions = torch.cat(
        [torch.nn.functional.pad(part, (gap, 0)) for (_, part), gap in zip(parts, gaps, strict=True)], dim=1
    )
    mask = None
    if any(gaps):
        starts = torch.tensor([gap for (part, _), gap in zip(parts, gaps, strict=True) for _ in range(len(part))])
        mask = (torch.arange(length) >= starts[:, None]).long().to(embedded.device)
    language = model.model.language_model
    cache = DynamicCache(config=language.config)
    hidden = language(
        inputs_embeds=embedded, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True
    ).last_hidden_state[:, -1]
    return Prompted(hidden, cache, positions[0, :, -1:] + 1, mask)
