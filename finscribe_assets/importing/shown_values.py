"""Which values of a truth a page shows, by its PDF's text layer: any usual written form of the value counts.

An invoice's XML holds values that its page need not print, and nobody is to be asked for those. A scan has no text
layer, so there everything counts as printed.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from babel.dates import format_date

from finscribe_assets.documents.elements import IMPLIED_FIELDS, TERMS, ValueType, field_of
from finscribe_assets.documents.formats import ERA_PATTERN, JAPANESE_ERAS, SHORT_ERA_PATTERN, write_date
from finscribe_assets.documents.locales import LOCALE_FACTS

# Positive in the schema, though a page may print them as what they do: with a minus.
_DEDUCTED = frozenset(
    {
        "allowances.amount",
        "totals.allowance_total",
        "totals.paid_amount",
        "lines.allowance_amount",
        "lines.price_discount",
        "cash_discount.amount",
    }
)
_BABEL_WIDTHS = ("short", "medium", "long", "full")
_NUMERIC = ("dd.MM.yyyy", "d.M.yyyy", "dd/MM/yyyy", "d/M/yyyy", "dd-MM-yyyy", "d-M-yyyy", "dd.MM.yy", "dd/MM/yy")
_MONTH_FIRST = ("MM/dd/yyyy", "M/d/yyyy", "MM-dd-yyyy", "MM/dd/yy", "M/d/yy")
_YEAR_FIRST = ("yyyy-MM-dd", "yyyy/MM/dd", "yyyy.MM.dd")

_HYPHENS = dict.fromkeys(map(ord, "\u00ad\u0002\ufffe"))  # soft ones, and PDFium's at a line's end
_SIGNS = str.maketrans({"−": "-", "–": "-", "’": "'", "٫": ".", "٬": "'"})
_CURRENCY = r"(?:[^\w\s]|[^\W\d_]{1,3}\.?)?"  # a sign, a code, or letters such as kr
_MINUS_BEFORE = re.compile(rf"-\s?{_CURRENCY}\s?$")
_MINUS_AFTER = re.compile(rf"\s?{_CURRENCY}-(?!\s?\d)")
# CR takes from what a bill asks for; on an account it is DR that does.
_MINUS_WORD = {False: re.compile(r"\s?CR\b"), True: re.compile(r"\s?DR\b")}
# Letters and digits that a word may not go on with; Chinese and Japanese write words without anything between.
_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff"
_WORD = rf"[^\W_{_UNSPACED}]"
_UNMAPPED, _TOLERATED = "\ufffd", 0.002  # what a font tells no character for, and how much of it may be an ornament
_LONGEST = 2_000  # characters of a text that is looked for; a longer one is not printed as a value
_GROUPS = r"[.,'\s]?"


def normal(text: str) -> str:
    """Return text in NFKC with plain digits, hyphens at line ends and marks of direction taken out."""
    body = unicodedata.normalize("NFKC", text.translate(_HYPHENS)).translate(_SIGNS)
    kept = (character for character in body if unicodedata.category(character) != "Cf")
    return "".join(str(unicodedata.decimal(character, character)) for character in kept)


def has_text_layer(texts: Sequence[str], blank: Sequence[bool]) -> bool:
    """Tell whether every page that is not blank has text that can be relied on: else nothing can be said.

    Where a font does not tell which characters its glyphs are, the text has gaps that a value would be missed in.
    """
    said = [bool(text.strip()) and text.count(_UNMAPPED) <= _TOLERATED * len(text) for text in texts]
    return any(said) and all(here or empty for here, empty in zip(said, blank, strict=True))


def found_in(leaves: dict[str, Any], texts: Iterable[str], locale: str) -> set[str]:
    """Return the paths of the values that a text layer shows, without implied ones: nobody is asked for those."""
    page = normal("\n".join(texts))
    folded = page.casefold()
    return {
        path
        for path, value in leaves.items()
        if field_of(path) not in IMPLIED_FIELDS and _shows(path, str(value), page, folded, locale)
    }


def askable(leaves: dict[str, Any]) -> set[str]:
    """Return the paths of all values that are not implied by the page as a whole."""
    return {path for path in leaves if field_of(path) not in IMPLIED_FIELDS}


def _shows(path: str, value: str, page: str, folded: str, locale: str) -> bool:
    kind = TERMS[field_of(path)].value_type
    if kind is ValueType.AMOUNT:
        return _shows_amount(
            Decimal(value),
            page,
            either_sign=field_of(path) in _DEDUCTED,
            of_account=path.startswith(("entries", "statement")),
        )
    if kind is ValueType.DATE:
        return any(_shows_text(form, folded) for form in _written(dt.date.fromisoformat(value), locale))
    return _shows_text(value, folded)


def _shows_text(value: str, folded: str) -> bool:
    """Tell whether a value stands in a text as whole words, whatever its spaces and its case."""
    wanted = "".join(normal(value).casefold().split())
    if not 0 < len(wanted) <= _LONGEST:
        return False
    body = r"\s*".join(map(re.escape, wanted))
    before, after = ("" if re.match(f"[{_UNSPACED}]", edge) else _WORD for edge in (wanted[0], wanted[-1]))
    start, end = f"(?<!{before})" if before else "", f"(?!{after})" if after else ""
    # 1 is not shown by 1,50 either.
    return re.search(rf"{start}(?<!\d[.,]){body}{end}(?![.,]\d)", folded) is not None


def _shows_amount(value: Decimal, page: str, *, either_sign: bool, of_account: bool) -> bool:
    """Tell whether an amount stands in a text, with any marks of any locale and with or without closing zeros."""
    whole, _, fraction = f"{abs(value):f}".partition(".")
    significant = fraction.rstrip("0")
    groups = _GROUPS.join(reversed([whole[max(0, end - 3) : end] for end in range(len(whole), 0, -3)]))
    lakh = whole[:-3]
    if len(lakh) > 2:
        pairs = [lakh[max(0, end - 2) : end] for end in range(len(lakh), 0, -2)][::-1]
        groups = f"(?:{groups}|{','.join(pairs)},{whole[-3:]})"
    decimals = rf"[.,]{significant}0*" if significant else r"(?:[.,](?:0+|-{1,2}))?"
    for match in re.finditer(rf"(?<!\d)(?<!\d[.,']){groups}{decimals}(?![\d]|[.,']\d)", page):
        before, after = page[max(0, match.start() - 8) : match.start()], page[match.end() : match.end() + 8]
        negative = bool(
            _MINUS_BEFORE.search(before)
            or _MINUS_AFTER.match(after)
            or _MINUS_WORD[of_account].match(after)
            or (before.rstrip().endswith("(") and after.lstrip().startswith(")"))
        )
        if either_sign or negative == (value < 0):
            return True
    return False


def _written(day: dt.date, locale: str) -> Iterator[str]:
    """Yield the usual written forms of a day in a locale: its own digits and words, and ISO 8601."""
    facts = LOCALE_FACTS.get(locale)
    month_first = locale == "en_US"
    patterns = [*_YEAR_FIRST, *(_MONTH_FIRST if month_first else _NUMERIC)]
    if facts is not None:
        patterns += [*facts.numeric_dates, *facts.worded_dates, *facts.short_dates]
    for pattern in dict.fromkeys(patterns):
        yield write_date(day, locale, pattern)
    for width in (*_BABEL_WIDTHS, "d MMM yyyy"):
        yield format_date(day, format=width, locale=locale)
    yield format_date(day, format="d MMMM yyyy", locale="en_GB")
    if facts is not None and facts.language == "ja" and day >= JAPANESE_ERAS[-1].since:
        yield write_date(day, locale, ERA_PATTERN)
        yield write_date(day, locale, SHORT_ERA_PATTERN)
