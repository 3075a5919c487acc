"""A simulated reader: what is printed on a document, but for one error of a chosen kind.

It knows pages and how readers fail, and nothing of how failures are classified. An error is what happens to the printed
text; the answer is JSON text as a model writes it.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.documents.formats import write_date, write_number
from finscribe_assets.instructions.responses import unflatten

Printed = dict[str, Any]
LOOKS_LIKE = {
    "0": "O",
    "1": "l",
    "5": "S",
    "8": "B",
    "2": "Z",
    "O": "0",
    "l": "1",
    "I": "l",
    "S": "5",
    "B": "8",
    "m": "rn",
}
PARTIES = ("seller", "buyer", "payee", "ship_to")


class Unsuited(Exception):
    """The document has nothing that could fail so."""


def _of_kind(
    drawn: DrawnDocument, chance: random.Random, *kinds: ValueType, fits: Callable[[str], bool] = lambda text: True
) -> str:
    found = [path for path, text in drawn.printed.items() if value_type_of(path) in kinds and fits(text)]
    return _one(chance, found)


def _one(chance: random.Random, found: list[Any]) -> Any:
    if not found:
        raise Unsuited
    return chance.choice(found)


def _value(drawn: DrawnDocument, path: str) -> Any:
    """Return the true value of a field."""
    node: Any = drawn.document
    for part in path.replace("[", ".").replace("]", "").split("."):
        node = node[int(part)] if part.isdigit() else getattr(node, part)
    return node


def _rows(drawn: DrawnDocument) -> tuple[str, int]:
    name = "lines" if drawn.document.lines else "entries"
    if len(getattr(drawn.document, name)) < 3:
        raise Unsuited
    return name, len(getattr(drawn.document, name))


def _row(printed: Printed, name: str, index: int) -> Printed:
    start = f"{name}[{index}]."
    return {path.removeprefix(start): text for path, text in printed.items() if path.startswith(start)}


def _with_rows(printed: Printed, name: str, rows: list[Printed]) -> Printed:
    others = {path: text for path, text in printed.items() if not path.startswith(f"{name}[")}
    cells = ((index, column, text) for index, row in enumerate(rows) for column, text in row.items())
    return others | {f"{name}[{index}].{column}": text for index, column, text in cells}


def _all_rows(drawn: DrawnDocument, printed: Printed) -> tuple[str, list[Printed]]:
    name, count = _rows(drawn)
    return name, [_row(printed, name, index) for index in range(count)]


def row_missing(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    name, rows = _all_rows(drawn, printed)
    del rows[chance.randrange(len(rows))]
    return _with_rows(printed, name, rows)


def row_extra(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    name, rows = _all_rows(drawn, printed)
    rows.insert(chance.randrange(len(rows)), dict(chance.choice(rows)))
    return _with_rows(printed, name, rows)


def row_merged(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    name, rows = _all_rows(drawn, printed)
    at = chance.randrange(len(rows) - 1)
    text = "item_name" if name == "lines" else "description"
    if text not in rows[at] or text not in rows[at + 1]:
        raise Unsuited
    rows[at][text] += " " + rows.pop(at + 1)[text]
    return _with_rows(printed, name, rows)


def row_split(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    name, rows = _all_rows(drawn, printed)
    text = "item_name" if name == "lines" else "description"
    at = _one(chance, [index for index, row in enumerate(rows) if len(row.get(text, "").split()) > 2])
    words = rows[at][text].split()
    rows[at][text] = " ".join(words[:-2])
    rows.insert(at + 1, {text: " ".join(words[-2:])})
    return _with_rows(printed, name, rows)


def missing(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    printed.pop(_of_kind(drawn, chance, *ValueType))
    return printed


def hallucinated(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    absent = [
        name
        for name in ("contract_reference", "buyer_reference", "despatch_reference", "due_date", "delivery_date")
        if getattr(drawn.document, name) is None
    ]
    path = _one(chance, absent)
    invented = (
        f"{chance.randrange(2000, 2030)}-07-{chance.randrange(13, 29)}"
        if path.endswith("date")
        else (f"Q{chance.randrange(10**6, 10**7)}")
    )
    return {**printed, path: invented}


def decoy_taken(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    own = [text for path, text in printed.items() if value_type_of(path) is ValueType.DATE]
    texts = [
        one.text
        for one in drawn.presentation.decoys
        if any(map(str.isdigit, one.text)) and " - " not in one.text and one.text not in own
    ]
    path = "issue_date" if chance.random() < 0.5 and "issue_date" in printed else "delivery_date"
    printed[path] = _one(chance, texts)
    return printed


def party_swap(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    one, other = chance.sample([role for role in PARTIES if f"{role}.name" in printed] + [""] * 2, 2)
    names = [
        name
        for name in ("name", "address.street", "address.city", "vat_identifier")
        if f"{one}.{name}" in printed and f"{other}.{name}" in printed
    ]
    name = _one(chance, names)
    printed[f"{one}.{name}"], printed[f"{other}.{name}"] = printed[f"{other}.{name}"], printed[f"{one}.{name}"]
    return printed


def currency(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    pair = ["totals.total_vat", "totals.total_vat_accounting"]
    if not all(path in printed for path in pair):
        raise Unsuited
    chance.shuffle(pair)
    printed[pair[0]] = printed[pair[1]]
    return printed


def wrong_total(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    totals = [
        path
        for path in printed
        if path.startswith(("totals.", "statement."))
        and value_type_of(path) is ValueType.AMOUNT
        and path != "totals.total_vat_accounting"
    ]
    if len(totals) < 2:
        raise Unsuited
    one, other = chance.sample(totals, 2)
    if abs(_value(drawn, one)) == abs(_value(drawn, other)):  # that would be a sign
        raise Unsuited
    printed[one] = printed[other]
    return printed


def column_swap(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    name, rows = _all_rows(drawn, printed)
    pairs = [
        ("quantity", "net_price"),
        ("net_price", "net_amount"),
        ("net_amount", "gross_amount"),
        ("amount", "balance"),
        ("debit", "balance"),
        ("credit", "balance"),
    ]
    chance.shuffle(pairs)
    row = chance.choice(rows)
    one, other = _one(chance, [pair for pair in pairs if pair[0] in row and pair[1] in row])
    row[one], row[other] = row[other], row[one]
    return _with_rows(printed, name, rows)


def row_shift(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    name, rows = _all_rows(drawn, printed)
    at = chance.randrange(len(rows) - 1)
    columns = [
        column
        for column in rows[at]
        if column in rows[at + 1] and column in ("item_name", "net_amount", "net_price", "balance", "description")
    ]
    if len(rows[at]) < 4:
        raise Unsuited
    column = _one(chance, columns)
    rows[at][column], rows[at + 1][column] = rows[at + 1][column], rows[at][column]
    return _with_rows(printed, name, rows)


def label_swap(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    names = [path for path in printed if "." not in path and "[" not in path]
    dates = [path for path in names if value_type_of(path) is ValueType.DATE]
    numbers = [path for path in names if value_type_of(path) is ValueType.IDENTIFIER]
    group = _one(chance, [group for group in (dates, numbers) if len(group) > 1])
    one, other = chance.sample(group, 2)
    printed[one], printed[other] = printed[other], printed[one]
    return printed


def wrong_type(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    path = _of_kind(drawn, chance, ValueType.AMOUNT, ValueType.DATE)
    text = printed[path]
    printed[path] = chance.choice(["see attached", "as agreed", {"value": text}, "none given", [text]])
    return printed


def sign(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    path = _of_kind(drawn, chance, ValueType.AMOUNT)
    value = _value(drawn, path)
    printed[path] = write_number(-value, drawn.presentation.numbers, max(0, -value.as_tuple().exponent))
    return printed


def separator(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    path = _of_kind(drawn, chance, ValueType.AMOUNT)
    value = _value(drawn, path) * chance.choice(
        [Decimal(10), Decimal(100), Decimal(1000), Decimal("0.1"), Decimal("0.01")]
    )
    printed[path] = write_number(value, drawn.presentation.numbers, max(2, -value.as_tuple().exponent))
    return printed


def date_order(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    path = _of_kind(drawn, chance, ValueType.DATE)
    day = _value(drawn, path)
    if day.day > 12 or day.day == day.month:
        raise Unsuited
    printed[path] = _written(drawn, day.replace(month=day.day, day=day.month))
    return printed


def _written(drawn: DrawnDocument, day: dt.date) -> str:
    look = drawn.presentation
    return write_date(day, drawn.document.locale, look.date_pattern, look.numbers.digits)


def date_year(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    path = _of_kind(drawn, chance, ValueType.DATE)
    day = _value(drawn, path)
    printed[path] = f"{day.year - 100}-{day.month:02}-{day.day:02}"
    return printed


def _digit_places(text: str) -> list[int]:
    return [place for place, character in enumerate(text) if character in "0123456789"]


def _numeric(drawn: DrawnDocument, chance: random.Random, digits: int) -> str:
    return _of_kind(
        drawn, chance, ValueType.AMOUNT, ValueType.IDENTIFIER, fits=lambda text: len(_digit_places(text)) >= digits
    )


def digit_count(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    path = _numeric(drawn, chance, 4)
    text = printed[path]
    place = chance.choice(_digit_places(text)[:-1])
    if value_type_of(path) is ValueType.AMOUNT and text[place] == "0":  # that would be the number at another scale
        raise Unsuited
    printed[path] = text[:place] + chance.choice(["", text[place] + chance.choice("123456789")]) + text[place + 1 :]
    return printed


def digit(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    path = _numeric(drawn, chance, 3)
    text = printed[path]
    place = chance.choice(_digit_places(text))
    others = [other for other in "123456789" if other != text[place]]
    printed[path] = text[:place] + chance.choice(others) + text[place + 1 :]
    return printed


def character_confusion(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    path = _of_kind(drawn, chance, *ValueType, fits=lambda text: not LOOKS_LIKE.keys().isdisjoint(text))
    text = printed[path]
    place = chance.choice([place for place, character in enumerate(text) if character in LOOKS_LIKE])
    printed[path] = text[:place] + LOOKS_LIKE[text[place]] + text[place + 1 :]
    return printed


def diacritics(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    def bare(text: str) -> str:
        return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))

    path = _of_kind(drawn, chance, ValueType.TEXT, fits=lambda text: bare(text) != text)
    printed[path] = bare(printed[path])
    return printed


def spacing_or_case(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    path = _of_kind(drawn, chance, ValueType.TEXT, fits=lambda text: " " in text)
    change = chance.choice([str.upper, str.lower, lambda text: text.replace(" ", "", 1)])
    printed[path] = change(printed[path])
    return printed


def cut_short(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    path = _of_kind(drawn, chance, ValueType.TEXT, fits=lambda text: len(text.split()) > 2)
    words = printed[path].split()
    printed[path] = " ".join(words[: chance.randrange(1, len(words) - 1)])
    return printed


def repetition(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    path = _of_kind(drawn, chance, *ValueType, fits=lambda text: len(text) > 3)
    printed[path] = " ".join([printed[path]] * chance.choice([2, 2, 3]))
    return printed


def other(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    path = _of_kind(drawn, chance, ValueType.TEXT)
    printed[path] = chance.choice(["entirely different words", "quite unrelated", "something else here"])
    return printed


def unknown_field(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    return {**printed, chance.choice(["vendor_mood", "remarks.first", "checked_by"]): "good"}


def illegible(drawn: DrawnDocument, printed: Printed, chance: random.Random) -> Printed:
    return missing(drawn, printed, chance)


KINDS: dict[str, Callable[[DrawnDocument, Printed, random.Random], Printed]] = {
    function.__name__: function
    for function in (
        unknown_field,
        illegible,
        row_missing,
        row_extra,
        row_merged,
        row_split,
        missing,
        hallucinated,
        decoy_taken,
        party_swap,
        currency,
        wrong_total,
        column_swap,
        row_shift,
        label_swap,
        wrong_type,
        sign,
        separator,
        date_order,
        date_year,
        digit_count,
        digit,
        character_confusion,
        diacritics,
        spacing_or_case,
        cut_short,
        repetition,
        other,
    )
}
OF_RESPONSES = ("response", "truncated")


def answer(drawn: DrawnDocument, kind: str, chance: random.Random) -> tuple[str, frozenset[str]]:
    """Return an answer with one error of a kind, and the fields that are illegible on the page.

    Raises:
        Unsuited: nothing on the document can fail so.
    """
    if kind == "response":
        return chance.choice(["", "I cannot read this document.", "[1, 2]", "null"]), frozenset()
    printed: Printed = dict(drawn.printed)
    if kind == "truncated":
        text = json.dumps(unflatten(printed), ensure_ascii=False)
        return text[: int(len(text) * chance.uniform(0.3, 0.8))], frozenset()
    changed = KINDS[kind](drawn, printed, chance)
    lost = frozenset(drawn.printed.keys() - changed.keys()) if kind == "illegible" else frozenset()
    return json.dumps(unflatten(changed), ensure_ascii=False), lost
