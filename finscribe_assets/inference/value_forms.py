"""Recognise values of each type in a printed text: which part of it is an amount, a date, a time or an identifier.

What belongs here: the forms that a value beside a label or in a cell may have. What such a value means is decided in
`label_assignment`; `evaluation.normalise` converts values.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from finscribe_assets.documents.currency_marks import currency_pattern
from finscribe_assets.documents.elements import ValueType, value_type_of

AMOUNT_PATTERN = re.compile(r"[-+(]?\s*[^\W\d]{0,4}[^\w\d]{0,3}\d[\d\s.,'’]*\s*\D{0,5}")
_DATE = re.compile(
    r"\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,4}"  # in digits
    r"|\d{1,2}\.?[\s-](?:de\s)?[^\W\d]{3,10}\.?,?[\s-](?:de\s)?\d{2,4}"  # day, month in words, year
    r"|[^\W\d]{3,10}\.?\s\d{1,2}(?:\s?,)?\s\d{4}|\d{4}年\d{1,2}月\d{1,2}日"
)
_TIME = re.compile(r"\d{1,2}\s?[:.h時时]\s?\d{2}.{0,10}")
_TIME_OF_DAY = r"\d{1,2}\s?[:.h]\s?\d{2}(?:[:.]\d{2})?(?:\s?(?:[AaPp]\.?[Mm]\.?|Uhr|h))?"
# Words with digits or short words in capitals; an e-mail address; or a BIC (ISO 9362).
_IDENTIFIER = re.compile(
    r"(?=.*\d)(?:(?:\S*\d\S*|[A-Z]{1,4}\.?)(?:\s|$))+|[^\s@]+@[^\s@]+|[A-Z]{6}[A-Z\d]{2}(?:[A-Z\d]{3})?"
)
RATE_PATTERN = re.compile(r"[([@+à]?\s*\d{1,2}(?:[.,]\d{1,3})?\s?%\s?[)\]]?[\s:=]*")
_AFTER_DATE = re.compile(r"[\s,T/|-]+(?:\w{1,5}\s)?\d{1,2}\s?[:.h時时]\s?\d{2}.{0,12}")
_LETTERS = re.compile(r"[^\W\d_]+")
_AMOUNT_WORDS = ("CR", "DR", "Cr", "Dr", "H", "S")
_DIGITS = re.compile(r"\d(?:[\d.,\s'’]*\d)?")
_MASKED = re.compile(r"[#＃*•]{3}|[xX]{4}")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z\d]{11,30}", re.ASCII)
_THOUSANDS = 3  # digits after a mark that may separate thousands


_DATE_AND_TIME = re.compile(rf"(?:{_TIME_OF_DAY}\s+)?(?P<date>{_DATE.pattern})(?:[\s,/|-]+{_TIME_OF_DAY})?")


def date_alone(text: str) -> tuple[int, int] | None:
    """Return where the date is in a text that is a date, or a date and a time, and nothing else."""
    match = _DATE_AND_TIME.fullmatch(text.strip())
    start = len(text) - len(text.lstrip())
    return (start + match.start("date"), start + match.end("date")) if match else None


def is_time_of_day(text: str) -> bool:
    """Tell whether a text is a time and nothing else."""
    return re.fullmatch(_TIME_OF_DAY, text.strip()) is not None


def value_in(path: str, text: str) -> tuple[int, int] | None:
    """Return where in a text the value of a field is; None if it is not a value of the field's type."""
    value_type = value_type_of(path)
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if value_type is ValueType.AMOUNT:
        if rate := RATE_PATTERN.match(text, start):
            start = rate.end()  # of the tax: "VAT 20 %: 4.00"
        return (start, end) if is_amount(text[start:end]) else None
    if value_type is ValueType.DATE:
        date = _DATE.match(text, start, end)
        if date is None or not (date.end() == end or _AFTER_DATE.fullmatch(text, date.end(), end)):
            return None
        return date.span()
    if value_type is ValueType.TIME:
        return (start, end) if _TIME.fullmatch(text, start, end) else None
    if value_type is ValueType.TEXT:
        return (start, end) if start < end else None
    if RATE_PATTERN.fullmatch(text, start, end):
        return None  # "VAT 20%:" is followed by an amount
    if path == "payment_account" and _MASKED.search(text):
        return None  # of the card that paid
    return (start, end) if _IDENTIFIER.fullmatch(text, start, end) else None


def is_amount(text: str) -> bool:
    """Tell whether a text is an amount, with nothing but a currency, a sign or a tax code beside its digits."""
    if any(mark in text for mark in "%[]") or AMOUNT_PATTERN.fullmatch(text) is None:
        return False
    words = _LETTERS.findall(currency_pattern().sub(" ", unicodedata.normalize("NFKC", text)))
    return all(word in _AMOUNT_WORDS or (len(word) == 1 and word.isupper()) for word in words)


def is_currency(text: str) -> bool:
    """Tell whether a text is a currency's code, symbol or word and nothing else."""
    return currency_pattern().fullmatch(unicodedata.normalize("NFKC", text.strip())) is not None


def is_iban(text: str) -> bool:
    """Tell whether a text is an account number with the country and the check digits of ISO 13616."""
    plain = "".join(text.split()).upper()
    if _IBAN.fullmatch(plain) is None:
        return False
    return int("".join(str(int(character, 36)) for character in plain[4:] + plain[:4])) % 97 == 1


def plain_amount(text: str) -> Decimal | None:
    """Return the number in an amount, a rate or a quantity, for comparing sums; None for any other text.

    The last mark before one, two or more than three digits stands before decimals. A single mark before three digits
    separates thousands.
    """
    plain = text.replace("%", "").strip()
    if AMOUNT_PATTERN.fullmatch(plain) is None:
        return None
    found = _DIGITS.search(plain)
    digits = re.sub(r"[\s'’]", "", found[0]) if found else ""
    marks = [index for index, character in enumerate(digits) if character in ".,"]
    last = marks[-1] if marks else len(digits)
    is_decimal = bool(marks) and (len(digits) - last - 1 != _THOUSANDS or len({digits[index] for index in marks}) > 1)
    whole, decimals = (digits[:last], digits[last + 1 :]) if is_decimal else (digits, "")
    number = Decimal(f"{re.sub('[.,]', '', whole) or '0'}.{decimals or '0'}")
    return -number if plain.startswith(("-", "(")) or plain.endswith("-") else number
