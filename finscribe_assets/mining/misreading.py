"""Classify how one value was misread, from the true and the predicted value alone.

Both values are canonical (`evaluation/normalise.py`): an amount is a plain decimal and a date is ISO 8601. A predicted
value that could not be normalised is text.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from decimal import Decimal

from rapidfuzz.distance import Levenshtein

from finscribe_assets.documents.calculation_rules import amount_of
from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.documents.formats import JAPANESE_ERAS
from finscribe_assets.evaluation.normalise import ValueContext, canonical_value, without_currency
from finscribe_assets.mining.error_types import ErrorType
from finscribe_assets.mining.text_edits import classify_edits, drops_words

# Characters that look alike in print; the first of each group stands for all.
_LOOK_ALIKES = ("0OoQD", "1lLIi|!", "2Zz", "5Ss", "6bG", "8B", "9gq", "ce", "uv", "nh")
_FOLD = str.maketrans({other: group[0] for group in _LOOK_ALIKES for other in group[1:]})
_FOLDED_PAIRS = (("rn", "m"), ("RN", "M"), ("cl", "d"), ("vv", "w"), ("VV", "W"))
# Letters that Unicode does not decompose.
_STRIPPED = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "æ": "ae", "Æ": "AE", "ß": "ss"})
MIN_CUT_CHARACTERS = 2  # lost characters from which on a text counts as cut short
MIN_PRINTED_DECIMALS = 2  # that amounts are printed with
MAX_CLASSIFIED_LENGTH = 400  # characters of a predicted value: a model may repeat itself for ever


def classify_misreading(path: str, true: str, predicted: str, context: ValueContext) -> ErrorType:
    """Return how a value was misread; ``GARBLED`` if the predicted value has nothing to do with the true one.

    Args:
        path: of the field.
        true: canonical true value.
        predicted: canonical predicted value, which differs.
        context: what is known of the document.
    """
    predicted = predicted[:MAX_CLASSIFIED_LENGTH]
    value_type = value_type_of(path) or ValueType.TEXT
    if value_type is ValueType.AMOUNT and (amount := amount_of(true)) is not None:
        predicted_amount = amount_of(without_currency(predicted))
        if predicted_amount is None:
            return _of_text_for_amount(path, true, predicted, context)
        return ErrorType.CURRENCY if amount == predicted_amount else _of_amounts(amount, predicted_amount)
    if value_type is ValueType.DATE and (day := _date(true)) is not None:
        predicted_day = _date(predicted)
        if predicted_day is None:
            return _of_unreadable(path, true, predicted, context)
        return _of_dates(day, predicted_day)
    return _of_texts(true, predicted)


def reads_as(path: str, text: str, value: str, context: ValueContext) -> bool:
    """Return whether a text, written for a field, means a canonical value."""
    form = canonical_value(path, text, context)
    return form is not None and form.text == value


def is_exact(error: ErrorType) -> bool:
    """Return whether a misreading turns the true value into exactly the predicted one, which is no coincidence."""
    return error in (ErrorType.SIGN, ErrorType.DATE_ORDER, ErrorType.CURRENCY)


def _of_amounts(true: Decimal, predicted: Decimal) -> ErrorType:
    if true == -predicted:
        return ErrorType.SIGN
    true_digits, predicted_digits = _significant_digits(true), _significant_digits(predicted)
    if true_digits == predicted_digits:
        return ErrorType.SEPARATOR
    if len(true_digits) > 1 and predicted_digits in (true_digits * 2, true_digits * 3):
        return ErrorType.REPETITION
    decimals, predicted_decimals = (max(0, -int(value.as_tuple().exponent)) for value in (true, predicted))
    most = max(decimals, predicted_decimals)
    aligned, predicted_aligned = (format(abs(value), f".{most}f").replace(".", "") for value in (true, predicted))
    # 12.3 for 12.34 has lost a digit: a 4 that was read as a 0 is less likely. Nor does a reading add decimals.
    may_be_digit = decimals <= predicted_decimals <= max(MIN_PRINTED_DECIMALS, decimals)
    if may_be_digit and _substitutions(aligned, predicted_aligned) == 1:
        return ErrorType.DIGIT
    return _of_digits(true_digits, predicted_digits, aligned, predicted_aligned)


def _of_digits(
    true: str, predicted: str, aligned: str | None = None, predicted_aligned: str | None = None
) -> ErrorType:
    """Compare strings of digits; the aligned ones, if given, have their decimal points at the same position."""
    distance = Levenshtein.distance(true, predicted)
    if distance == abs(len(true) - len(predicted)) and distance <= 2:
        return ErrorType.DIGIT_COUNT
    substitutions = _substitutions(aligned or true, predicted_aligned or predicted)
    return ErrorType.DIGIT if substitutions else classify_edits(true, predicted)


def _significant_digits(value: Decimal) -> str:
    return "".join(map(str, value.as_tuple().digits)).strip("0")


def _substitutions(true: str, predicted: str) -> int:
    """Return the number of digits that became other digits; 0 if anything else, or more than half, differs."""
    changed = [(a, b) for a, b in zip(true, predicted, strict=False) if a != b]
    only_digits = len(true) == len(predicted) and all(a.isdigit() and b.isdigit() for a, b in changed)
    return len(changed) if only_digits and len(changed) <= max(1, len(true) // 2) else 0


def _of_text_for_amount(path: str, true: str, predicted: str, context: ValueContext) -> ErrorType:
    error = _of_unreadable(path, true, predicted, context)
    if error is not ErrorType.WRONG_TYPE or sum(map(str.isalpha, predicted)) > 3:  # a currency code has three letters
        return error
    # The digits may be grouped in a way that is not an amount: 1,34.50 for 1,234.50.
    digits = "".join(str(unicodedata.decimal(character, "")) for character in predicted).strip("0")
    by_digits = _of_digits(_significant_digits(Decimal(true)), digits) if digits else ErrorType.GARBLED
    return by_digits if by_digits in (ErrorType.DIGIT, ErrorType.DIGIT_COUNT) else ErrorType.WRONG_TYPE


def _of_unreadable(path: str, true: str, predicted: str, context: ValueContext) -> ErrorType:
    """Return why a predicted text is not a value of its field's type."""
    # Only words with a digit are folded at first, so that names of months stay.
    numbers = re.sub(r"\S*\d\S*", lambda word: word[0].translate(_FOLD), predicted)
    if any(reads_as(path, text, true, context) for text in (numbers, predicted.translate(_FOLD))):
        return ErrorType.CHARACTER_CONFUSION
    for times in (2, 3):
        part = len(predicted) // times
        if part and all(reads_as(path, text, true, context) for text in (predicted[:part], predicted[-part:])):
            return ErrorType.REPETITION
    return ErrorType.WRONG_TYPE


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _of_dates(true: dt.date, predicted: dt.date) -> ErrorType:
    parts, predicted_parts = ((day.year % 100, day.month, day.day) for day in (true, predicted))
    if parts != predicted_parts and sorted(parts) == sorted(predicted_parts):
        return ErrorType.DATE_ORDER
    if parts[1:] == predicted_parts[1:]:
        years = {true.year % 100, *(true.year - era.since.year + 1 for era in JAPANESE_ERAS)}
        if predicted.year % 100 in years:
            return ErrorType.DATE_YEAR
    wrong = [(str(a), str(b)) for a, b in zip(_ymd(true), _ymd(predicted), strict=True) if a != b]
    if len(wrong) != 1:
        return classify_edits(true.isoformat(), predicted.isoformat())
    # Days and months are mostly printed with a leading zero: 02 becomes 12 by one digit, and 12 becomes 2 by losing
    # one.
    before, after = wrong[0]
    return _of_digits(before, after) if len(before) >= len(after) else _of_digits(before.zfill(len(after)), after)


def _ymd(day: dt.date) -> tuple[int, int, int]:
    return day.year, day.month, day.day


def _of_texts(true: str, predicted: str) -> ErrorType:
    plain, predicted_plain = _without_spaces_and_case(true), _without_spaces_and_case(predicted)
    if plain == predicted_plain:
        return ErrorType.SPACING_OR_CASE
    if _without_diacritics(plain) == _without_diacritics(predicted_plain):
        return ErrorType.DIACRITICS
    if _look_alikes_folded(true) == _look_alikes_folded(predicted):
        return ErrorType.CHARACTER_CONFUSION
    if _repeats(plain, predicted_plain):
        return ErrorType.REPETITION
    lost = len(plain) - len(predicted_plain)
    only_digits = all(character.isdigit() for character in _edited_characters(plain, predicted_plain))
    is_part = bool(predicted_plain) and (plain.startswith(predicted_plain) or plain.endswith(predicted_plain))
    if is_part and lost >= MIN_CUT_CHARACTERS and (lost > 2 or not only_digits):
        return ErrorType.CUT_SHORT
    if not is_part and drops_words(true, predicted):
        return ErrorType.WORD_DROPPED
    if 0 < abs(lost) <= 2 and only_digits and Levenshtein.distance(plain, predicted_plain) == abs(lost):
        return ErrorType.DIGIT_COUNT
    return ErrorType.DIGIT if _substitutions(plain, predicted_plain) else classify_edits(true, predicted)


def _without_spaces_and_case(text: str) -> str:
    return "".join(text.split()).casefold()


def _without_diacritics(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.translate(_STRIPPED))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _look_alikes_folded(text: str) -> str:
    for pair, single in _FOLDED_PAIRS:
        text = text.replace(pair, single)
    return "".join(text.split()).translate(_FOLD)


def _edited_characters(one: str, other: str) -> str:
    """Return the characters that the shortest edit deletes or inserts; ``?`` for each that it replaces."""
    return "".join(
        one[edit.src_pos] if edit.tag == "delete" else other[edit.dest_pos] if edit.tag == "insert" else "?"
        for edit in Levenshtein.editops(one, other)
    )


def _repeats(true: str, predicted: str) -> bool:
    """Return whether a predicted text is the true one with a stretch of it, or all of it, repeated."""
    more = len(predicted) - len(true)
    if more < min(len(true), 3) or more < 2:
        return False
    if (true * (len(predicted) // len(true) + 1)).startswith(predicted):
        return True
    # A stretch that stands twice in a row: without its second occurrence the text is the true one.
    return any(
        predicted[start : start + more] == predicted[start + more :][:more]
        and predicted[:start] + predicted[start + more :] == true
        for start in range(len(predicted) - 2 * more + 1)
    )
