"""A simulated reader: it reads what is printed on a document, except for one error of a chosen type.

For tests and benchmarks that need a reader whose weaknesses are known. It knows pages and how readers fail, but not how
failures are classified: an error is injected into the printed text, and the response is JSON text as a model writes it.

What belongs here: the response, and injections that move, drop or invent values and rows. Injections that misread a
value are in `simulated_misreadings.py`.
"""

from __future__ import annotations

import json
import random

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.documents.page_evidence import determined_values
from finscribe_assets.documents.schema import flatten
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.mining import simulated_misreadings as misreadings
from finscribe_assets.mining.error_types import ErrorType
from finscribe_assets.mining.simulated_misreadings import (
    Injection,
    InjectionNotPossible,
    PrintedTexts,
    choose,
    choose_field,
    true_value,
)

__all__ = ["FIELD_ERRORS", "RESPONSE_ERRORS", "InjectionNotPossible", "simulate_response"]

_PARTIES = ("seller", "buyer", "payee", "ship_to")
_PARTY_FIELDS = ("name", "address.street", "address.city", "vat_identifier")
_OFTEN_ABSENT = ("contract_reference", "buyer_reference", "despatch_reference", "due_date", "delivery_date")
_SWAPPED_COLUMNS = (
    ("quantity", "net_price"),
    ("net_price", "net_amount"),
    ("net_amount", "gross_amount"),
    ("amount", "balance"),
    ("debit", "balance"),
    ("credit", "balance"),
)
_SHIFTED_COLUMNS = ("item_name", "net_amount", "net_price", "balance", "description")


def simulate_response(drawn: DrawnDocument, error_type: str, chance: random.Random) -> tuple[str, frozenset[str]]:
    """Write a response to a document that has one error of a type.

    Args:
        drawn: the document that is read.
        error_type: a key of ``FIELD_ERRORS``, or one of ``RESPONSE_ERRORS``.
        chance: decides which field fails, and how.

    Returns:
        The response, and the paths of the fields that are to be taken for illegible on the page: none, unless the error
        type is ``illegible``.

    Raises:
        InjectionNotPossible: the document has nothing that could fail in this way.
    """
    if error_type == ErrorType.RESPONSE:
        return chance.choice(["", "I cannot read this document.", "[1, 2]", "null"]), frozenset()
    values = flatten(drawn.document.to_json())
    determined = {path: values[path] for path in determined_values(drawn, drawn.printed.keys())}
    printed: PrintedTexts = determined | drawn.printed
    if error_type == ErrorType.TRUNCATED:
        text = json.dumps(unflatten(printed), ensure_ascii=False)
        return text[: int(len(text) * chance.uniform(0.3, 0.8))], frozenset()
    changed = FIELD_ERRORS[error_type](drawn, printed, chance)
    illegible = error_type == ErrorType.ILLEGIBLE
    lost = frozenset(drawn.printed.keys() - changed.keys()) if illegible else frozenset()
    return json.dumps(unflatten(changed), ensure_ascii=False), lost


def _rows_of(drawn: DrawnDocument, printed: PrintedTexts) -> tuple[str, list[PrintedTexts]]:
    """Return the name of the document's list and its rows, printed values by column; three rows at least."""
    name = "lines" if drawn.document.lines else "entries"
    count = len(getattr(drawn.document, name))
    if count < 3:
        raise InjectionNotPossible
    prefixes = [f"{name}[{index}]." for index in range(count)]
    return name, [
        {path.removeprefix(prefix): text for path, text in printed.items() if path.startswith(prefix)}
        for prefix in prefixes
    ]


def _with_rows(printed: PrintedTexts, name: str, rows: list[PrintedTexts]) -> PrintedTexts:
    others = {path: text for path, text in printed.items() if not path.startswith(f"{name}[")}
    cells = ((index, column, text) for index, row in enumerate(rows) for column, text in row.items())
    return others | {f"{name}[{index}].{column}": text for index, column, text in cells}


def _text_column(name: str) -> str:
    return "item_name" if name == "lines" else "description"


def _drop_row(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    name, rows = _rows_of(drawn, printed)
    del rows[chance.randrange(len(rows))]
    return _with_rows(printed, name, rows)


def _repeat_row(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    name, rows = _rows_of(drawn, printed)
    rows.insert(chance.randrange(len(rows)), dict(chance.choice(rows)))
    return _with_rows(printed, name, rows)


def _merge_rows(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Join the texts of two neighbouring rows; the first one's amounts stay."""
    name, rows = _rows_of(drawn, printed)
    index, column = chance.randrange(len(rows) - 1), _text_column(name)
    if column not in rows[index] or column not in rows[index + 1]:
        raise InjectionNotPossible
    rows[index][column] += " " + rows.pop(index + 1)[column]
    return _with_rows(printed, name, rows)


def _split_row(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Put the last two words of a row's text into a row of their own, as a wrapped line would be."""
    name, rows = _rows_of(drawn, printed)
    column = _text_column(name)
    index = choose([index for index, row in enumerate(rows) if len(row.get(column, "").split()) > 2], chance)
    words = rows[index][column].split()
    rows[index][column] = " ".join(words[:-2])
    rows.insert(index + 1, {column: " ".join(words[-2:])})
    return _with_rows(printed, name, rows)


def _swap_columns(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    name, rows = _rows_of(drawn, printed)
    pairs = list(_SWAPPED_COLUMNS)
    chance.shuffle(pairs)
    row = chance.choice(rows)
    one, other = choose([pair for pair in pairs if pair[0] in row and pair[1] in row], chance)
    row[one], row[other] = row[other], row[one]
    return _with_rows(printed, name, rows)


def _shift_rows(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Exchange the values of one column between neighbouring rows."""
    name, rows = _rows_of(drawn, printed)
    index = chance.randrange(len(rows) - 1)
    row, below = rows[index], rows[index + 1]
    if len(row) < 4:
        raise InjectionNotPossible
    column = choose([column for column in row if column in below and column in _SHIFTED_COLUMNS], chance)
    row[column], below[column] = below[column], row[column]
    return _with_rows(printed, name, rows)


def _drop_field(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    printed.pop(choose_field(drawn, chance, *ValueType))
    return printed


def _invent_field(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    path = choose([name for name in _OFTEN_ABSENT if getattr(drawn.document, name) is None], chance)
    if path.endswith("date"):
        return {**printed, path: f"{chance.randrange(2000, 2030)}-07-{chance.randrange(13, 29)}"}
    return {**printed, path: f"Q{chance.randrange(10**6, 10**7)}"}


def _add_unknown_field(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    return {**printed, chance.choice(["vendor_mood", "remarks.first", "checked_by"]): "good"}


def _take_decoy(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Read a date from print that is not the value of any field."""
    dates = [text for path, text in printed.items() if value_type_of(path) is ValueType.DATE]
    decoys = [decoy.text for decoy in drawn.presentation.decoys]
    texts = [text for text in decoys if any(map(str.isdigit, text)) and " - " not in text and text not in dates]
    path = "issue_date" if chance.random() < 0.5 and "issue_date" in printed else "delivery_date"
    printed[path] = choose(texts, chance)
    return printed


def _swap_parties(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    present = [role for role in _PARTIES if f"{role}.name" in printed]
    one, other = chance.sample(present + [""] * 2, 2)  # an empty role has no fields, so the next lines refuse it
    shared = [name for name in _PARTY_FIELDS if f"{one}.{name}" in printed and f"{other}.{name}" in printed]
    name = choose(shared, chance)
    printed[f"{one}.{name}"], printed[f"{other}.{name}"] = printed[f"{other}.{name}"], printed[f"{one}.{name}"]
    return printed


def _take_other_currency(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    pair = ["totals.total_vat", "totals.total_vat_accounting"]
    if not all(path in printed for path in pair):
        raise InjectionNotPossible
    chance.shuffle(pair)
    printed[pair[0]] = printed[pair[1]]
    return printed


def _take_other_total(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    totals = [
        path
        for path in printed
        if path.startswith(("totals.", "statement."))
        and value_type_of(path) is ValueType.AMOUNT
        and path != "totals.total_vat_accounting"
    ]
    if len(totals) < 2:
        raise InjectionNotPossible
    one, other = chance.sample(totals, 2)
    if abs(true_value(drawn, one)) == abs(true_value(drawn, other)):  # that would be an error of the sign
        raise InjectionNotPossible
    printed[one] = printed[other]
    return printed


def _swap_labels(drawn: DrawnDocument, printed: PrintedTexts, chance: random.Random) -> PrintedTexts:
    """Exchange two dates, or two identifiers, of the document's head."""
    paths = [path for path in printed if "." not in path and "[" not in path]
    dates = [path for path in paths if value_type_of(path) is ValueType.DATE]
    identifiers = [path for path in paths if value_type_of(path) is ValueType.IDENTIFIER]
    group = choose([group for group in (dates, identifiers) if len(group) > 1], chance)
    one, other = chance.sample(group, 2)
    printed[one], printed[other] = printed[other], printed[one]
    return printed


RESPONSE_ERRORS = (ErrorType.RESPONSE, ErrorType.TRUNCATED)
"""Errors of the response as a whole."""

FIELD_ERRORS: dict[str, Injection] = {
    ErrorType.UNKNOWN_FIELD: _add_unknown_field,
    ErrorType.ILLEGIBLE: _drop_field,
    ErrorType.ROW_MISSING: _drop_row,
    ErrorType.ROW_EXTRA: _repeat_row,
    ErrorType.ROW_MERGED: _merge_rows,
    ErrorType.ROW_SPLIT: _split_row,
    ErrorType.MISSING: _drop_field,
    ErrorType.HALLUCINATED: _invent_field,
    ErrorType.DECOY_TAKEN: _take_decoy,
    ErrorType.PARTY_SWAP: _swap_parties,
    ErrorType.CURRENCY: _take_other_currency,
    ErrorType.WRONG_TOTAL: _take_other_total,
    ErrorType.COLUMN_SWAP: _swap_columns,
    ErrorType.ROW_SHIFT: _shift_rows,
    ErrorType.LABEL_SWAP: _swap_labels,
    ErrorType.WRONG_TYPE: misreadings.replace_by_wrong_type,
    ErrorType.SIGN: misreadings.negate,
    ErrorType.SEPARATOR: misreadings.move_decimal_mark,
    ErrorType.DATE_ORDER: misreadings.exchange_day_and_month,
    ErrorType.DATE_YEAR: misreadings.change_century,
    ErrorType.DIGIT_COUNT: misreadings.drop_or_insert_digit,
    ErrorType.DIGIT: misreadings.substitute_digit,
    ErrorType.CHARACTER_CONFUSION: misreadings.confuse_look_alikes,
    ErrorType.DIACRITICS: misreadings.strip_diacritics,
    ErrorType.SPACING_OR_CASE: misreadings.change_spacing_or_case,
    ErrorType.CUT_SHORT: misreadings.cut_text,
    ErrorType.REPETITION: misreadings.repeat_value,
    ErrorType.WORD_DROPPED: misreadings.drop_word,
    ErrorType.CONTINUATION: misreadings.continue_text,
    ErrorType.NEIGHBOUR_SWAP: misreadings.exchange_neighbours,
    ErrorType.SUBSTITUTION: misreadings.substitute_letters,
    ErrorType.CHARACTERS_DROPPED: misreadings.drop_letters,
    ErrorType.CHARACTERS_ADDED: misreadings.add_letters,
    ErrorType.SEVERAL_EDITS: misreadings.edit_letters,
    ErrorType.WRONG_LINE: misreadings.misread_other_line,
    ErrorType.GARBLED: misreadings.replace_text,
}
"""How to inject an error of each type into a document's printed values."""
