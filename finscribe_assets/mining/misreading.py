"""How one value was misread, from the right value and the one that was said alone.

Both are canonical (evaluation/normalise.py): an amount is a plain decimal and a date is ISO 8601, or else text.
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
from finscribe_assets.evaluation.normalise import ValueContext, canonical_value
from finscribe_assets.mining.error_types import ErrorType

# Characters that readers of print take for each other; the first of each stands for all.
_LOOK_ALIKES = ("0OoQD", "1lLIi|!", "2Zz", "5Ss", "6bG", "8B", "9gq", "ce", "uv", "nh")
_FOLD = str.maketrans({other: group[0] for group in _LOOK_ALIKES for other in group[1:]})
_FOLDED_PAIRS = (("rn", "m"), ("RN", "M"), ("cl", "d"), ("vv", "w"), ("VV", "W"))
# Letters that Unicode does not take apart.
_BARE = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "æ": "ae", "Æ": "AE", "ß": "ss"})
CUT = 2  # characters lost, from which on a text is cut rather than misread
DECIMALS = 2  # that amounts are printed with, if not more
COMPARED = 400  # characters of what was said: a model may say the same for ever


def misreading(path: str, true: str, said: str, context: ValueContext) -> ErrorType:
    """Return how a value was misread; OTHER when it has nothing to do with the right one."""
    said = said[:COMPARED]
    kind = value_type_of(path) or ValueType.TEXT
    if kind is ValueType.AMOUNT and (wanted := amount_of(true)) is not None:
        given = amount_of(said)
        return _of_text_for_amount(path, true, said, context) if given is None else _of_amount(wanted, given)
    if kind is ValueType.DATE and (day := _date(true)) is not None:
        other = _date(said)
        return _of_unreadable(path, true, said, context) if other is None else _of_date(day, other)
    return _of_text(true, said)


def reads_as(path: str, text: str, value: str, context: ValueContext) -> bool:
    """Tell whether a text, written for a field, means a canonical value."""
    read = canonical_value(path, text, context)
    return read is not None and read.text == value


def is_exact(error: ErrorType) -> bool:
    """Tell whether a misreading says exactly how the one value becomes the other, so that it is no coincidence."""
    return error in (ErrorType.SIGN, ErrorType.DATE_ORDER)


def _of_amount(wanted: Decimal, given: Decimal) -> ErrorType:
    if wanted == -given:
        return ErrorType.SIGN
    true, said = _significant(wanted), _significant(given)
    if true == said:
        return ErrorType.SEPARATOR
    if len(true) > 1 and said in (true * 2, true * 3):
        return ErrorType.REPETITION
    fractions = [max(0, -int(value.as_tuple().exponent)) for value in (wanted, given)]
    aligned = [format(abs(value), f".{max(fractions)}f").replace(".", "") for value in (wanted, given)]
    # 12.34 read as 12.3 has lost a digit: that the 4 was read as a 0 is less likely. Nor does print grow decimals.
    if fractions[0] <= fractions[1] <= max(DECIMALS, fractions[0]) and _substituted(*aligned) == 1:
        return ErrorType.DIGIT
    return _of_digits(true, said, *aligned)


def _of_digits(true: str, said: str, *aligned: str) -> ErrorType:
    distance = Levenshtein.distance(true, said)
    if distance == abs(len(true) - len(said)) and distance <= 2:
        return ErrorType.DIGIT_COUNT
    return ErrorType.DIGIT if _substituted(*(aligned or (true, said))) else ErrorType.OTHER


def _significant(value: Decimal) -> str:
    return "".join(map(str, value.as_tuple().digits)).strip("0")


def _substituted(true: str, said: str) -> int:
    """Return how many digits became others, 0 where anything else differs or more than half of the characters do."""
    changed = [(a, b) for a, b in zip(true, said, strict=False) if a != b]
    alone = len(true) == len(said) and all(a.isdigit() and b.isdigit() for a, b in changed)
    return len(changed) if alone and len(changed) <= max(1, len(true) // 2) else 0


def _of_text_for_amount(path: str, true: str, said: str, context: ValueContext) -> ErrorType:
    error = _of_unreadable(path, true, said, context)
    if error is not ErrorType.WRONG_TYPE or sum(map(str.isalpha, said)) > 3:  # a currency's code has three
        return error
    # Digits that are in no order of an amount: 1,34.50 for 1,234.50.
    digits = "".join(str(unicodedata.decimal(character, "")) for character in said).strip("0")
    found = _of_digits(_significant(Decimal(true)), digits) if digits else ErrorType.OTHER
    return ErrorType.WRONG_TYPE if found is ErrorType.OTHER else found


def _of_unreadable(path: str, true: str, said: str, context: ValueContext) -> ErrorType:
    """Return what was done to a value so that it is none of its kind any more."""
    numbers = re.sub(r"\S*\d\S*", lambda word: word[0].translate(_FOLD), said)  # words, as of a month, stay
    if any(reads_as(path, text, true, context) for text in (numbers, said.translate(_FOLD))):
        return ErrorType.CHARACTER_CONFUSION
    for times in (2, 3):
        part = len(said) // times
        if part and all(reads_as(path, text, true, context) for text in (said[:part], said[-part:])):
            return ErrorType.REPETITION
    return ErrorType.WRONG_TYPE


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _of_date(true: dt.date, said: dt.date) -> ErrorType:
    parts = [(day.year % 100, day.month, day.day) for day in (true, said)]
    if true != said and parts[0] != parts[1] and sorted(parts[0]) == sorted(parts[1]):
        return ErrorType.DATE_ORDER
    if parts[0][1:] == parts[1][1:]:
        years = {true.year % 100, *(true.year - era.since.year + 1 for era in JAPANESE_ERAS)}
        if said.year % 100 in years:
            return ErrorType.DATE_YEAR
    wrong = [(str(a), str(b)) for a, b in zip(_ymd(true), _ymd(said), strict=True) if a != b]
    if len(wrong) != 1:
        return ErrorType.OTHER
    # Days and months are mostly printed with their zero: 02 becomes 12 by one digit, and 12 becomes 2 by losing one.
    before, after = wrong[0]
    return _of_digits(before, after) if len(before) >= len(after) else _of_digits(before.zfill(len(after)), after)


def _ymd(day: dt.date) -> tuple[int, int, int]:
    return day.year, day.month, day.day


def _of_text(true: str, said: str) -> ErrorType:
    wanted, given = _squeezed(true), _squeezed(said)
    if wanted == given:
        return ErrorType.SPACING_OR_CASE
    if _bare(wanted) == _bare(given):
        return ErrorType.DIACRITICS
    if _folded(true) == _folded(said):
        return ErrorType.CHARACTER_CONFUSION
    if _repeats(wanted, given):
        return ErrorType.REPETITION
    lost = len(wanted) - len(given)
    digits_alone = all(character.isdigit() for character in _difference(wanted, given))
    is_part = bool(given) and (wanted.startswith(given) or wanted.endswith(given))
    if is_part and lost >= CUT and (lost > 2 or not digits_alone):
        return ErrorType.CUT_SHORT
    if 0 < abs(lost) <= 2 and digits_alone and Levenshtein.distance(wanted, given) == abs(lost):
        return ErrorType.DIGIT_COUNT
    return ErrorType.DIGIT if _substituted(wanted, given) else ErrorType.OTHER


def _squeezed(text: str) -> str:
    return "".join(text.split()).casefold()


def _bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.translate(_BARE)) if not unicodedata.combining(c))


def _folded(text: str) -> str:
    for pair, single in _FOLDED_PAIRS:
        text = text.replace(pair, single)
    return "".join(text.split()).translate(_FOLD)


def _difference(one: str, other: str) -> str:
    """Return the characters that are only in one of two texts, by their shortest edit."""
    ops = Levenshtein.editops(one, other)
    return "".join(
        one[op.src_pos] if op.tag == "delete" else other[op.dest_pos] if op.tag == "insert" else "?" for op in ops
    )


def _repeats(true: str, said: str) -> bool:
    """Tell whether what was said is the true text and then a part of it of some length again, once or more often."""
    more = len(said) - len(true)
    if more < min(len(true), 3) or more < 2:
        return False
    if (true * (len(said) // len(true) + 1)).startswith(said):
        return True
    # A stretch told twice in a row: without its second telling the text is right.
    return any(
        said[place : place + more] == said[place + more :][:more] and said[:place] + said[place + more :] == true
        for place in range(len(said) - 2 * more + 1)
    )
