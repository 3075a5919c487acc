"""Responses of a model with the probabilities of their tokens, whoever decoded them: this process or a server.

What belongs here: the response, its confidence, and how long responses to the stock prompts may be. Decoding is in
`decoding`; this module loads no torch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT

_CONFIDENCE_DIGITS = 4
MAX_LINE_TOKENS = {OCR_PROMPT: 96, TABLE_PROMPT: 200}  # longest responses about printed lines, by prompt
MAX_PAGE_TOKENS = 4096  # longest response about pages, unless a caller asks for another


@dataclass(frozen=True)
class DecodedText:
    """A response and the probabilities of its tokens."""

    text: str
    # Ids of the response's tokens, or their texts where a server decoded them. The end token is the last, unless the
    # response is truncated or the server leaves it out.
    tokens: tuple[int | str, ...]
    probabilities: tuple[float, ...] | None  # of each token, given all tokens before it; None if a server gives none
    truncated: bool  # the maximum number of new tokens was reached before an end token

    @property
    def confidence(self) -> float | None:
        """The geometric mean of the token probabilities, or None if they are unknown.

        The end token counts: where to stop may be wrong too.
        """
        return None if self.probabilities is None else geometric_mean(self.probabilities)


def geometric_mean(probabilities: Sequence[float]) -> float:
    """Return the geometric mean of probabilities; 0 if there are none, or if one of them is 0."""
    if not probabilities or min(probabilities) <= 0:
        return 0.0
    return math.exp(math.fsum(map(math.log, probabilities)) / len(probabilities))


def joint_probabilities(texts: Iterable[DecodedText]) -> tuple[float, ...] | None:
    """Return the probabilities of the tokens of several texts in order; None if those of a text are unknown."""
    joint: list[float] = []
    for text in texts:
        if text.probabilities is None:
            return None
        joint += text.probabilities
    return tuple(joint)


def rounded_confidence(probabilities: Sequence[float] | None) -> float | None:
    """Return the geometric mean of probabilities as prediction records state it; None if they are unknown."""
    return None if probabilities is None else round(geometric_mean(probabilities), _CONFIDENCE_DIGITS)


def lowest_confidence(confidences: Iterable[float | None]) -> float | None:
    """Return the lowest of some confidences; None if one of them is unknown."""
    known: list[float] = []
    for confidence in confidences:
        if confidence is None:
            return None
        known.append(confidence)
    return min(known)


def line_token_limit(prompt: str) -> int:
    """Return the longest response about a printed line in tokens, unless a caller asks for another."""
    return MAX_LINE_TOKENS.get(prompt, max(MAX_LINE_TOKENS.values()))
