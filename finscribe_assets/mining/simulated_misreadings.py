"""How a simulated reader misreads one value that it takes from the right position on the page.

What belongs here: injections that change the text of a single field, and the choice of that field. Injections that
move, drop or invent values and rows are in `simulated_reader.py`.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.documents.formats import write_date, write_number

PrintedTexts = dict[str, Any]
"""Text printed on the page, by field path; an injection may also put a JSON value of another type there."""

Injection = Callable[[DrawnDocument, PrintedTexts, random.Random], PrintedTexts]
"""Returns the printed values of a document with one error in them; it may change its argument."""

LOOK_ALIKES = {
    **{"0": "O", "1": "l", "5": "S", "8": "B", "2": "Z"},
    **{"O": "0", "l": "1", "I": "l", "S": "5", "B": "8", "m": "rn"},
}

_Item = TypeVar("_Item")


class InjectionNotPossible(Exception):
    """The document has nothing that could fail in this way; draw another document."""


def choose(options: Sequence[_Item], chance: random.Random) -> _Item:
    """Choose one of some options at random.

    Raises:
        InjectionNotPossible: there are none.
    """
    if not options:
        raise InjectionNotPossible
    return chance.choice(options)


def choose_field(
    drawn: DrawnDocument,
    chance: random.Random,
    *value_types: ValueType,
    where: Callable[[str], bool] = lambda text: True,
) -> str:
    """Choose the path of a printed field of one of these value types whose text satisfies ``where``.

    Raises:
        InjectionNotPossible: the document prints no such field.
    """
    paths = [path for path, text in drawn.printed.items() if value_type_of(path) in value_types and where(text)]
    return choose(paths, chance)


def true_value(drawn: DrawnDocument, path: str) -> Any:
    """Return the true value of a field, such as a ``Decimal`` or a ``date``."""
    node: Any = drawn.document
    for part in path.replace("[", ".").replace("]", "").split("."):
        node = node[int(part)] if part.isdigit() else getattr(node, part)
    return node


def replace_by_wrong_type(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Put words, an object or a list where an amount or a date is expected."""
    path = choose_field(drawn, chance, ValueType.AMOUNT, ValueType.DATE)
    text = printed[path]
    printed[path] = chance.choice(["see attached", "as agreed", {"value": text}, "none given", [text]])
    return printed


def negate(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Change the sign of an amount."""
    path = choose_field(drawn, chance, ValueType.AMOUNT)
    value = true_value(drawn, path)
    printed[path] = write_number(-value, drawn.presentation.numbers, max(0, -value.as_tuple().exponent))
    return printed


def move_decimal_mark(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Multiply an amount by a power of ten."""
    path = choose_field(drawn, chance, ValueType.AMOUNT)
    factors = [Decimal(10), Decimal(100), Decimal(1000), Decimal("0.1"), Decimal("0.01")]
    value = true_value(drawn, path) * chance.choice(factors)
    printed[path] = write_number(value, drawn.presentation.numbers, max(2, -value.as_tuple().exponent))
    return printed


def exchange_day_and_month(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Exchange day and month of a date that stays a valid date."""
    path = choose_field(drawn, chance, ValueType.DATE)
    day = true_value(drawn, path)
    if day.day > 12 or day.day == day.month:
        raise InjectionNotPossible
    exchanged, style = day.replace(month=day.day, day=day.month), drawn.presentation
    printed[path] = write_date(exchanged, drawn.document.locale, style.date_pattern, style.numbers.digits)
    return printed


def change_century(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Put a date into the century before."""
    path = choose_field(drawn, chance, ValueType.DATE)
    day = true_value(drawn, path)
    printed[path] = f"{day.year - 100}-{day.month:02}-{day.day:02}"
    return printed


def _digit_positions(text: str) -> list[int]:
    return [position for position, character in enumerate(text) if character in "0123456789"]


def _choose_numeric(drawn: DrawnDocument, chance: random.Random, digits: int) -> str:
    """Choose an amount or an identifier of at least so many digits."""
    value_types = ValueType.AMOUNT, ValueType.IDENTIFIER
    return choose_field(drawn, chance, *value_types, where=lambda text: len(_digit_positions(text)) >= digits)


def drop_or_insert_digit(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Drop a digit, or insert one after it."""
    path = _choose_numeric(drawn, chance, 4)
    text = printed[path]
    position = chance.choice(_digit_positions(text)[:-1])
    if value_type_of(path) is ValueType.AMOUNT and text[position] == "0":  # that would be the number at another scale
        raise InjectionNotPossible
    inserted = chance.choice(["", text[position] + chance.choice("123456789")])
    printed[path] = text[:position] + inserted + text[position + 1 :]
    return printed


def substitute_digit(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Read a digit as another digit."""
    path = _choose_numeric(drawn, chance, 3)
    text = printed[path]
    position = chance.choice(_digit_positions(text))
    others = [other for other in "123456789" if other != text[position]]
    printed[path] = text[:position] + chance.choice(others) + text[position + 1 :]
    return printed


def confuse_look_alikes(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Read a character as one that looks like it."""
    path = choose_field(drawn, chance, *ValueType, where=lambda text: not LOOK_ALIKES.keys().isdisjoint(text))
    text = printed[path]
    position = chance.choice([position for position, character in enumerate(text) if character in LOOK_ALIKES])
    printed[path] = text[:position] + LOOK_ALIKES[text[position]] + text[position + 1 :]
    return printed


def strip_diacritics(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Drop the diacritics of a text that has some."""

    def stripped(text: str) -> str:
        return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))

    path = choose_field(drawn, chance, ValueType.TEXT, where=lambda text: stripped(text) != text)
    printed[path] = stripped(printed[path])
    return printed


def change_spacing_or_case(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Write a text in capitals, in small letters, or without its first space."""
    path = choose_field(drawn, chance, ValueType.TEXT, where=lambda text: " " in text)
    change = chance.choice([str.upper, str.lower, lambda text: text.replace(" ", "", 1)])
    printed[path] = change(printed[path])
    return printed


def cut_text(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Keep the first words of a text only."""
    path = choose_field(drawn, chance, ValueType.TEXT, where=lambda text: len(text.split()) > 2)
    words = printed[path].split()
    printed[path] = " ".join(words[: chance.randrange(1, len(words) - 1)])
    return printed


def repeat_value(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Write a value two or three times."""
    path = choose_field(drawn, chance, *ValueType, where=lambda text: len(text) > 3)
    printed[path] = " ".join([printed[path]] * chance.choice([2, 2, 3]))
    return printed


def replace_text(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Replace a text by words that have nothing to do with it."""
    path = choose_field(drawn, chance, ValueType.TEXT)
    printed[path] = chance.choice(["entirely different words", "quite unrelated", "something else here"])
    return printed
