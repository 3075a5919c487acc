"""Classify how a text was misread by its edit script: which characters and words were dropped, added or exchanged.

What belongs here: differences of two texts that no more specific rule of `misreading.py` explains. It knows nothing of
fields, documents or value types.
"""

from __future__ import annotations

from collections import Counter

from rapidfuzz.distance import OSA, Levenshtein

from finscribe_assets.mining.error_types import ErrorType

GARBLED_ERROR_RATE = 0.5  # character error rate above which nothing of the true text can be recognised
MIN_CONTINUATION = 3  # characters after the end of the true text, from which on they are a continuation


def classify_edits(true: str, predicted: str) -> ErrorType:
    """Return how a predicted text differs from the true one.

    Args:
        true: The true text.
        predicted: The predicted text, which differs in more than spaces and case.

    Returns:
        The first that applies: a dropped word; the text with something after it, or with words around it; neighbouring
        words or characters exchanged; garbled, if the character error rate (Levenshtein distance per character of the
        true text) is above 0.5; else characters that were only substituted, only dropped or only added; else several
        kinds of edits.
    """
    true, predicted = (" ".join(text.casefold().split()) for text in (true, predicted))
    if drops_words(true, predicted):
        return ErrorType.WORD_DROPPED
    is_within = predicted.startswith(true) or f" {true} " in f" {predicted} "
    if is_within and len(predicted) - len(true) >= MIN_CONTINUATION:
        return ErrorType.CONTINUATION
    distance = Levenshtein.distance(true, predicted)
    if _has_exchanged_neighbours(true, predicted, distance):
        return ErrorType.NEIGHBOUR_SWAP
    if distance > GARBLED_ERROR_RATE * len(true):
        return ErrorType.GARBLED
    edits = {edit.tag for edit in Levenshtein.editops(true, predicted)}
    if len(edits) > 1:
        return ErrorType.SEVERAL_EDITS
    return {
        "replace": ErrorType.SUBSTITUTION,
        "delete": ErrorType.CHARACTERS_DROPPED,
        "insert": ErrorType.CHARACTERS_ADDED,
    }[edits.pop()]


def drops_words(true: str, predicted: str) -> bool:
    """Return whether the predicted words are the true ones in order, one or more of them missing."""
    words, predicted_words = true.casefold().split(), predicted.casefold().split()
    if not predicted_words or len(predicted_words) >= len(words):
        return False
    remaining = iter(words)
    return all(word in remaining for word in predicted_words)


def _has_exchanged_neighbours(true: str, predicted: str, distance: int) -> bool:
    """Return whether two neighbouring words, or two neighbouring characters, stand in the other order."""
    words, predicted_words = true.split(), predicted.split()
    if len(words) > 1 and words != predicted_words and Counter(words) == Counter(predicted_words):
        return True
    # Optimal string alignment counts an exchange of neighbours as one edit, Levenshtein's distance as two.
    return OSA.distance(true, predicted) == 1 and distance == 2
