"""Count the tokens of a sample as a page-level model takes it: its images exactly, its texts by an estimate.

Trainers drop or cut samples that are longer than their context, mostly without a word.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from finscribe_assets.rendering.model_resize import PixelBudget

MAX_TOKENS = 8192  # of a sample, as trainers of PaddleOCR-VL are mostly set
_LETTERS_PER_TOKEN = 4  # of words in names, which tokenizers know less well than prose


def text_tokens(text: str) -> int:
    """Estimate the number of tokens of a text, rather too many than too few; no tokenizer is needed.

    Digits and characters beyond ASCII count one each, a run of ASCII punctuation one, four ASCII letters of a word one.
    """
    letters = sum(math.ceil(len(word) / _LETTERS_PER_TOKEN) for word in re.findall("[A-Za-z]+", text))
    return letters + len(re.findall(r"[0-9]|[^\x00-\x7f]|[!-/:-@\[-`{-~]+|\n", text))


def sample_tokens(sizes: Iterable[tuple[int, int]], texts: Iterable[str], budget: PixelBudget) -> int:
    """Return the number of tokens of a sample.

    Args:
        sizes: width and height in pixels of its images.
        texts: its prompts and responses.
        budget: to which the model's processor scales images.
    """
    return sum(budget.tokens(*size) for size in sizes) + sum(map(text_tokens, texts))
