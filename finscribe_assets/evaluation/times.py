"""Parse times of day as people and models write them into ISO 8601 text."""

from __future__ import annotations

import datetime as dt
import re

from finscribe_assets.evaluation.plain_text import UnreadableValueError, plain_form

_NUMBERS = re.compile(r"(\d{1,2})\s?[:.h時时点]\s?(\d{2})(?:\s?[:.分]\s?(\d{2})(?:[.,]\d+)?)?[分秒]?")
_SURROUNDINGS = re.compile(r"uhr|hrs?|h|kl\.?|godz\.?|z", re.IGNORECASE)
_BEFORE_NOON, _AFTER_NOON = (
    frozenset({"am", "a", "fm", "午前", "上午", "ص"}),
    frozenset({"pm", "p", "em", "午後", "下午", "م"}),
)


def parse_time(text: str) -> str:
    """Parse a time of day: 14:05, 2:05 PM, 14h05, 14.05 Uhr, 14時05分, with or without seconds.

    Returns:
        ISO 8601: hh:mm, and :ss if the text has seconds.

    Raises:
        UnreadableValueError: the text is not a time of day.
    """
    body = plain_form(text)
    found = _NUMBERS.search(body)
    if found is None:
        raise UnreadableValueError(f"{text!r} is not a time of day")
    around = (body[: found.start()] + body[found.end() :]).replace(".", "").replace(" ", "").casefold()
    hour, minute, second = int(found[1]), int(found[2]), found[3]
    if around in _BEFORE_NOON | _AFTER_NOON:
        if not 1 <= hour <= 12:
            raise UnreadableValueError(f"{text!r} is not a time of day: no hour of 1 to 12")
        hour = hour % 12 + (12 if around in _AFTER_NOON else 0)
    elif around and not _SURROUNDINGS.fullmatch(around):
        raise UnreadableValueError(f"{text!r} is not a time of day alone")
    try:
        time = dt.time(hour, minute, int(second or 0))
    except ValueError as error:
        raise UnreadableValueError(f"{text!r} is not a time of day") from error
    return time.isoformat("seconds" if second else "minutes")
