"""The first cause of a failed field: ordered rules, the first that applies counts."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum

from rapidfuzz.distance import Levenshtein

from finscribe_assets.documents.elements import ValueKind, kind_of
from finscribe_assets.documents.rules import amount_of
from finscribe_assets.evaluation.fields import FieldOutcome, Status
from finscribe_assets.evaluation.response import Fate
from finscribe_assets.evaluation.scoring import Scored


class ErrorType(StrEnum):
    """How a field failed."""

    TRUNCATED = "truncated"  # missing after the response broke off
    ROW_MISSING = "row_missing"  # a line with none of its fields
    ROW_EXTRA = "row_extra"  # a line that the document does not have
    MISSING = "missing"
    HALLUCINATED = "hallucinated"
    PARTY_SWAP = "party_swap"  # the other party's value
    WRONG_TOTAL = "wrong_total"  # another total's value
    SIGN = "sign"
    SEPARATOR = "separator"  # the right digits, the decimal point elsewhere
    DATE_ORDER = "date_order"  # day and month exchanged
    DIGIT_COUNT = "digit_count"  # a digit dropped or inserted
    CHARACTER_CONFUSION = "character_confusion"  # as many characters, some of them others
    SPACING_OR_CASE = "spacing_or_case"
    CUT_SHORT = "cut_short"  # the beginning or the end of the right text
    OTHER = "other"


def classify(scored: Scored) -> list[tuple[FieldOutcome, ErrorType]]:
    """Return every failed field of a document with its first cause."""
    failed = [outcome for outcome in scored.outcomes if outcome.status is not Status.CORRECT]
    return [(outcome, _cause(outcome, scored)) for outcome in failed]


def _cause(outcome: FieldOutcome, scored: Scored) -> ErrorType:
    if outcome.status is Status.EXTRA:
        line = _line_of(outcome.path)
        return ErrorType.ROW_EXTRA if line and not _has(line, scored.comparison.truth) else ErrorType.HALLUCINATED
    if outcome.status is Status.MISSING:
        if Fate.TRUNCATED in scored.fates:
            return ErrorType.TRUNCATED
        line = _line_of(outcome.path)
        return ErrorType.ROW_MISSING if line and not _has(line, scored.comparison.predicted) else ErrorType.MISSING
    true, said = outcome.truth or "", outcome.predicted or ""
    if _is_others(outcome.path, said, scored, "seller.", "buyer."):
        return ErrorType.PARTY_SWAP
    kind = kind_of(outcome.path) or ValueKind.TEXT
    if kind is ValueKind.AMOUNT:
        return _amount_cause(outcome.path, true, said, scored)
    if kind is ValueKind.DATE and _exchanged(true, said):
        return ErrorType.DATE_ORDER
    return _text_cause(true, said)


def _line_of(path: str) -> str | None:
    found = re.match(r"(lines|vat_breakdown)\[\d+\]\.", path)
    return found[0] if found else None


def _has(prefix: str, leaves: dict[str, str]) -> bool:
    return any(path.startswith(prefix) for path in leaves)


def _is_others(path: str, said: str, scored: Scored, one: str, other: str) -> bool:
    for mine, theirs in ((one, other), (other, one)):
        if path.startswith(mine):
            return scored.comparison.truth.get(theirs + path.removeprefix(mine)) == said
    return False


def _amount_cause(path: str, true: str, said: str, scored: Scored) -> ErrorType:
    wanted, given = amount_of(true), amount_of(said)
    if wanted is None or given is None:
        return _text_cause(true, said)
    if path.startswith("totals.") and any(
        value == said for name, value in scored.comparison.truth.items() if name.startswith("totals.") and name != path
    ):
        return ErrorType.WRONG_TOTAL
    if wanted == -given:
        return ErrorType.SIGN
    if wanted and given and _digits(wanted) == _digits(given):
        return ErrorType.SEPARATOR
    return _digit_cause(_digits(wanted), _digits(given))


def _digits(value: Decimal) -> str:
    return "".join(map(str, value.normalize().as_tuple().digits)).strip("0")


def _digit_cause(true: str, said: str) -> ErrorType:
    if len(true) == len(said):
        return ErrorType.CHARACTER_CONFUSION
    return ErrorType.DIGIT_COUNT if Levenshtein.distance(true, said) <= 2 else ErrorType.OTHER


def _exchanged(true: str, said: str) -> bool:
    try:
        wanted, given = dt.date.fromisoformat(true), dt.date.fromisoformat(said)
    except ValueError:
        return False
    return (wanted.year, wanted.month, wanted.day) == (given.year, given.day, given.month)


def _text_cause(true: str, said: str) -> ErrorType:
    tests: tuple[tuple[ErrorType, Callable[[], bool]], ...] = (
        (ErrorType.SPACING_OR_CASE, lambda: _squeezed(true) == _squeezed(said)),
        (ErrorType.CUT_SHORT, lambda: len(said) < len(true) and (true.startswith(said) or true.endswith(said))),
        (ErrorType.CHARACTER_CONFUSION,
         lambda: len(true) == len(said) and Levenshtein.distance(true, said) <= max(1, len(true) // 2)),
        (ErrorType.DIGIT_COUNT, lambda: any(map(str.isdigit, true)) and Levenshtein.distance(true, said) <= 2),
    )  # fmt: skip
    return next((cause for cause, applies in tests if applies()), ErrorType.OTHER)


def _squeezed(text: str) -> str:
    return "".join(text.split()).casefold()
