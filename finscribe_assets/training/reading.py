"""Greedy reading of many lines at once with the embedded model: the equally-wide pass and the model's own cache.

Where the base is scored while it is pretrained. It gives the text that the model's own ``generate`` gives, some times
faster, because lines of one width share a prompt and so need no padding and no attention mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import DynamicCache, PaddleOCRVLForConditionalGeneration, PreTrainedTokenizerFast

from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT
from finscribe_assets.training.equal_size import embed_prompt, see, tokenise

LINES_AT_ONCE = 64
MAX_ANSWER_TOKENS = {OCR_PROMPT: 96, TABLE_PROMPT: 200}


@dataclass(frozen=True)
class Reading:
    """A line's text as read, and the probability of each token chosen, the end of the answer included."""

    text: str
    probabilities: tuple[float, ...]


def read_lines(model: PaddleOCRVLForConditionalGeneration, tokenizer: PreTrainedTokenizerFast,
               lines: Sequence[np.ndarray], prompt: str = OCR_PROMPT) -> list[Reading]:  # fmt: skip
    """Read lines as `images.fit_line` leaves them (28 × width, uint8, widths multiples of 28), in the order given."""
    by_width: dict[int, list[int]] = {}
    for place, line in enumerate(lines):
        by_width.setdefault(line.shape[1], []).append(place)
    readings: dict[int, Reading] = {}
    for places in by_width.values():
        for start in range(0, len(places), LINES_AT_ONCE):
            chosen = places[start : start + LINES_AT_ONCE]
            read = _read_equally_wide(model, tokenizer, np.stack([lines[place] for place in chosen]), prompt)
            readings |= dict(zip(chosen, read, strict=True))
    return [readings[place] for place in range(len(lines))]


@torch.no_grad()
def _read_equally_wide(model: PaddleOCRVLForConditionalGeneration, tokenizer: PreTrainedTokenizerFast,
                       pixels: np.ndarray, prompt: str) -> list[Reading]:  # fmt: skip
    language = model.model.language_model
    _, image_tokens, rows, columns = see(model.model, pixels)
    batch = tokenise(tokenizer, prompt, None, image_tokens.shape[1], len(pixels))
    embedded, positions = embed_prompt(model, batch, image_tokens, rows, columns)
    cache = DynamicCache(config=language.config)
    count, following = len(pixels), int(positions[0, 0, -1]) + 1
    ended = torch.zeros(count, dtype=torch.bool)
    tokens: list[torch.Tensor] = []
    chances: list[torch.Tensor] = []
    for step in range(MAX_ANSWER_TOKENS[prompt]):
        hidden = language(inputs_embeds=embedded, position_ids=positions, past_key_values=cache,
                          use_cache=True).last_hidden_state[:, -1]  # fmt: skip
        chance, token = model.lm_head(hidden).float().softmax(-1).max(-1)
        tokens.append(token.masked_fill(ended, tokenizer.pad_token_id))
        chances.append(chance.masked_fill(ended, torch.nan))  # NaN stands after the end
        ended |= token == tokenizer.eos_token_id
        if bool(ended.all()):
            break
        embedded = language.embed_tokens(tokens[-1])[:, None]
        positions = torch.full((3, count, 1), following + step)
    texts = tokenizer.batch_decode(torch.stack(tokens, dim=1), skip_special_tokens=True)
    table = torch.stack(chances, dim=1)
    return [Reading(text, tuple(row[~row.isnan()].tolist())) for text, row in zip(texts, table, strict=True)]
