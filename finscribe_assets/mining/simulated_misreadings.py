"""How a simulated reader misreads one value that it takes from the right position on the page.

What belongs here: injections that change the text of a single field, and the choice of that field. Injections that
move, drop or invent values and rows are in `simulated_reader.py`.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeVar

from rapidfuzz.distance import Levenshtein

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
    """Choose an amount or an identifier with at least ``digits`` digits."""
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


def _choose_words(drawn: DrawnDocument, chance: random.Random, words: int) -> str:
    """Choose a text with at least ``words`` words, all of them different."""
    return choose_field(
        drawn,
        chance,
        ValueType.TEXT,
        where=lambda text: len(set(text.casefold().split())) == len(text.split()) >= words,
    )


def drop_word(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Drop a word from within a text."""
    path = _choose_words(drawn, chance, 3)
    words = printed[path].split()
    del words[chance.randrange(1, len(words) - 1)]
    printed[path] = " ".join(words)
    return printed


def continue_text(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Go on after the end of a text."""
    path = _choose_words(drawn, chance, 2)
    printed[path] += chance.choice([" and all further charges", ", as agreed by phone", " (see page two)"])
    return printed


def exchange_neighbours(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Exchange two neighbouring words, or two neighbouring letters."""
    path = _choose_words(drawn, chance, 3)
    parts = printed[path].split() if chance.random() < 0.5 else list(printed[path])
    pairs = [
        index
        for index in range(len(parts) - 1)
        if parts[index].casefold() != parts[index + 1].casefold() and (parts[index] + parts[index + 1]).isalpha()
    ]
    index = choose(pairs, chance)
    parts[index], parts[index + 1] = parts[index + 1], parts[index]
    printed[path] = (" " if len(parts) == len(printed[path].split()) else "").join(parts)
    return printed


def _letter_positions(text: str, chance: random.Random, share: float) -> list[int]:
    """Return positions of letters that have no look-alike, at most this share of a text of eight letters or more."""
    letters = [position for position, letter in enumerate(text) if letter in _DISTINCT_LETTERS]
    if len(letters) < 8:
        raise InjectionNotPossible
    return sorted(chance.sample(letters, max(1, int(share * len(letters)))))


_DISTINCT_LETTERS = "aekptxyzAEKPTXYZ"  # read as one of them, a letter is no look-alike of what it was


def _edit_letters(
    drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random, share: float, *edits: str
) -> PrintedTexts:
    path = choose_field(drawn, chance, ValueType.TEXT, where=lambda text: len(text) >= 12)
    text = list(printed[path])
    positions = _letter_positions(printed[path], chance, share)
    if len(edits) > len(positions) or any(after - before < 3 for before, after in pairwise(positions)):
        raise InjectionNotPossible  # edits side by side are another edit: one dropped and one added is one replaced
    for number, position in enumerate(positions):
        others = [other for other in "kxyz" if other != text[position].casefold()]
        edit = edits[number % len(edits)]
        added = chance.choice(others)
        text[position] = {"replace": added, "delete": "", "insert": text[position] + added}[edit]
    printed[path] = "".join(text)
    return printed


def substitute_letters(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Read one letter in eight as another."""
    return _edit_letters(drawn, printed, chance, 0.125, "replace")


def drop_letters(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Drop one letter in eight."""
    return _edit_letters(drawn, printed, chance, 0.125, "delete")


def add_letters(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Add a letter after one in eight."""
    return _edit_letters(drawn, printed, chance, 0.125, "insert")


def edit_letters(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Substitute, drop and add letters, a quarter of those that have no look-alike in all."""
    return _edit_letters(drawn, printed, chance, 0.375, "replace", "delete", "insert")


def misread_other_line(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Read the line of another field instead of the field's own, with one letter wrong."""
    path = choose_field(drawn, chance, ValueType.TEXT, where=lambda text: len(text) >= 12)
    others = [
        text
        for other, text in drawn.printed.items()
        if value_type_of(other) is ValueType.TEXT
        and len(text) >= 12
        and Levenshtein.normalized_distance(text.casefold(), printed[path].casefold()) > 0.7
    ]
    text = choose(others, chance)
    (position,) = chance.sample(range(1, len(text) - 1), 1)
    printed[path] = text[:position] + ("k" if text[position] not in "kK" else "x") + text[position + 1 :]
    return printed


def replace_text(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Replace a text by words that have nothing to do with it."""
    path = choose_field(drawn, chance, ValueType.TEXT)
    printed[path] = chance.choice(["entirely different words", "quite unrelated", "something else here"])
    return printed
