"""Parse dates as people and models write them into `datetime.date`."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from functools import cache

from babel import Locale
from babel.dates import get_day_names, get_month_names

from finscribe_assets.documents.formats import JAPANESE_ERAS
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.evaluation.plain_text import AmbiguousValueError, UnreadableValueError, plain_form

_PARTICLES = frozenset({"de", "del", "of", "the", "st", "nd", "rd", "th", "er", "den", "le", "al", "il", "o", "d"})
_ERA = re.compile(r"(令和|平成|R|H)\s?(\d{1,2}|元)\s?[年./-]\s?(\d{1,2})\s?[月./-]\s?(\d{1,2})\s?日?")
_UNSPACED_WEEKDAY = re.compile(r"[月火水木金土日]曜日?|(?:星期|周)[一二三四五六日天]|\([月火水木金土日]\)")
# Times of day beside a date: 13:45, 1:45:10 PM, 13h45, 13時45分, T13:45:00.000Z; 13.45 only after the whole date.
_PERIOD = r"(?:a\.?\s?m\.?|p\.?\s?m\.?|[fe]\.?m\.?|Uhr|hrs?|h|Z|ص|م)(?![^\W\d_])|午前|午後|上午|下午"
_TIME = re.compile(
    rf"(?:(?:{_PERIOD})\s?)?(?:[T\s,;-]|\bkl\.?|\bum|\bat|\bà|\ba\sle|\balle|\bgodz\.?)*"
    r"(?<![\d.:])[0-2]?\d(?:\s?:\s?[0-5]\d(?:\s?:\s?[0-6]\d(?:[.,]\d+)?)?|h[0-5]\d|[時时点][0-5]\d分(?:[0-6]\d秒)?)(?!\d)"
    rf"(?:\s?(?:{_PERIOD}))?(?:\s?[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)
_DOTTED_TIME = re.compile(r"(?<=[^.\s])\s+[0-2]?\d\.[0-5]\d(?:\s?(?:Uhr|h))?$", re.IGNORECASE)
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?:[T\s]?([01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?Z?)?")  # CCYYMMDD(HHMM)


def parse_date(text: str, locale: str | None = None) -> dt.date:
    """Parse a date: ISO 8601, digits in the locale's order, Japanese eras, or a month's name in any language.

    Years of two digits are 1970 to 2069. A time of day beside the date is ignored.

    Args:
        text: the date, in digits of any script.
        locale: whose order of day, month and year a date of digits has.

    Raises:
        AmbiguousValueError: day and month may be either way round, and the locale does not decide.
        UnreadableValueError: the text is not a date.
    """
    body = plain_form(text)
    try:
        if (compact := _COMPACT.fullmatch(body)) is not None:
            return dt.date(*map(int, compact.groups()[:3]))
        return _parse(_without_time(body), text, locale)
    except UnreadableValueError:
        raise
    except ValueError as error:
        raise UnreadableValueError(f"{text[:60]!r} is not a date") from error


def _without_time(body: str) -> str:
    """Return a date without the time of day beside it."""
    body = _UNSPACED_WEEKDAY.sub("", _TIME.sub(" ", body, count=1)).strip(" ,;-")
    shorter = _DOTTED_TIME.sub("", body)
    return shorter if len(re.findall(r"\d+", shorter)) >= 3 or re.search(r"[^\W\d_]", shorter) else body


def _parse(body: str, text: str, locale: str | None) -> dt.date:
    if (era := _ERA.fullmatch(body)) is not None:
        return _of_era(*era.groups())
    numbers = re.findall(r"\d+", body, re.ASCII)
    words = [_fold(word) for word in re.findall(r"[^\W\d_]+", body)]
    months = _months_named(words, locale)
    if all(len(number) in (1, 2, 4) for number in numbers):
        if len(months) == 1 and len(numbers) == 2 and all(_is_part(word, locale) for word in words):
            return _of_words(numbers, months.pop())
        if words and len(numbers) == 3 and words[0] in _weekdays():
            body = re.sub(r"^[^\W\d_]+[.,\s]*", "", body)  # "Mo, 04.03.2024"
        if len(numbers) == 3 and re.fullmatch(r"[\d\s./\-–年月日]+", body):
            return _of_digits(text, numbers, locale)
    raise UnreadableValueError(f"{text[:60]!r} is not a date")


def _months_named(words: list[str], locale: str | None) -> set[int]:
    """Return the months that words name; words that are days of the week too count if there is no other."""
    named = {word: month for word in words if (month := _months(locale).get(word) or _months(None).get(word))}
    surely = {month for word, month in named.items() if word not in _weekdays()}
    return surely or set(named.values())


def _of_era(name: str, year: str, month: str, day: str) -> dt.date:
    since = next(era.since for era in JAPANESE_ERAS if name in (era.name, era.initial))
    return dt.date(since.year - 1 + (1 if year == "元" else int(year)), int(month), int(day))


def _of_words(numbers: list[str], month: int) -> dt.date:
    first, second = numbers
    day, year = (first, second) if len(first) <= 2 and int(first) <= 31 and len(second) >= 2 else (second, first)
    return dt.date(_year(year), month, int(day))


def _of_digits(text: str, numbers: list[str], locale: str | None) -> dt.date:
    if len(numbers[0]) == 4:
        return dt.date(*map(int, numbers))
    first, second, last = numbers
    order = None if locale is None else _order(locale)
    if order == "ymd" and len(last) <= 2:
        return dt.date(_year(first), int(second), int(last))
    if order not in ("dmy", "mdy"):  # a locale that writes the year first does not decide a date that has it last
        if int(first) <= 12 and int(second) <= 12 and int(first) != int(second):
            raise AmbiguousValueError(f"{text[:60]!r}: day and month may be either way round; give the locale")
        order = "mdy" if int(second) > 12 else "dmy"
    elif int(second if order == "dmy" else first) > 12:  # there is no such month: it is written in the other order
        order = "mdy" if order == "dmy" else "dmy"
    month, day = (first, second) if order == "mdy" else (second, first)
    return dt.date(_year(last), int(month), int(day))


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) <= 2:
        return year + (1900 if year >= 70 else 2000)
    return year


@cache
def _order(locale: str) -> str:
    """Return the order of day, month and year in a locale's dates of digits, such as ``dmy``."""
    facts = LOCALE_FACTS.get(locale)
    pattern = facts.short_dates[0] if facts else str(Locale.parse(locale).date_formats["short"].pattern)
    return "".join(dict.fromkeys(character for character in pattern.lower() if character in "dmy"))


@cache
def _months(locale: str | None) -> dict[str, int]:
    """Return the months of one locale, or of all, by folded name."""
    months: dict[str, int] = {}
    for known in LOCALE_FACTS if locale is None else (locale,):
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, known).items():
                    if not any(character.isdigit() for character in name):  # names such as 3月 are read as digits
                        months[_fold(name)] = number
    return months


@cache
def _weekdays() -> frozenset[str]:
    return frozenset(
        _fold(word)
        for locale in LOCALE_FACTS
        for width in ("wide", "abbreviated")
        for name in get_day_names(width, "format", locale).values()
        for word in re.findall(r"[^\W\d_]+", name)
    )


def _is_part(word: str, locale: str | None) -> bool:
    """Tell whether a word may be part of a date."""
    return word in _PARTICLES or word in _months(locale) or word in _months(None) or word in _weekdays()


def _fold(word: str) -> str:
    """Return the letters of a word without case and diacritics."""
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(character for character in decomposed if character.isalpha())
