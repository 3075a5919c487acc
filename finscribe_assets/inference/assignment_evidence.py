"""Define what speaks for the assignment of a value to a field: where the value was found, and what else was possible.

What belongs here: evidence as the modules that assign values state it, and the amounts that calculation rules confirm
or contradict. `assignment_confidence` turns evidence into a probability.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import Any

from finscribe_assets.documents.calculation_rules import CALCULATION_RULES, EXACT_DIGITS, Outcome
from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.documents.locales import MINOR_UNITS, minor_unit
from finscribe_assets.inference.value_forms import plain_amount

_USUAL_CURRENCY = "EUR"  # whose two decimals amounts are rounded to if the currency is unknown


class Source(StrEnum):
    """What identified a field."""

    SAME_LINE = "same_line"  # a label before the value, on its line
    RIGHT = "right"  # a label to the left of the value's line
    BELOW = "below"  # a label above the value's line
    TITLE = "title"  # the title of the document
    AFTER_TITLE = "after_title"  # the title before the value
    TABLE = "table"  # the head of a column
    BLOCK_TABLE = "block_table"  # the head of a column of a table that was read as a whole
    CAPTION = "caption"  # the caption over an address
    POSITION = "position"  # the order of the addresses
    TAX_LINE = "tax_line"  # the form of the line
    DERIVED = "derived"  # other values, as those of a currency


@dataclass(frozen=True)
class AssignmentEvidence:
    """What speaks for the assignment of one value.

    Attributes:
        source: what identified the field.
        similarity: of the label as read to the label that it was taken for, from 0 to 1.
        meanings: number of fields that the label may mean for a value of this type.
        repeats: number of further labels that identify the same value.
        rivals: number of other values under a less specific label of the field.
        distance: from the label to the value, in line heights.
    """

    source: Source
    similarity: float = 1.0
    meanings: int = 1
    repeats: int = 0
    rivals: int = 0
    distance: float = 0.0


class _ReadAmounts(dict[str, Decimal]):
    """Amounts that remember which of them a rule has looked up."""

    def __init__(self, amounts: Mapping[str, Decimal]) -> None:
        super().__init__(amounts)
        self.read: set[str] = set()

    def get(self, path: str, default: Any = None) -> Any:
        if path in self:
            self.read.add(path)
        return super().get(path, default)

    def __getitem__(self, path: str) -> Decimal:
        self.read.add(path)
        return super().__getitem__(path)


@dataclass(frozen=True)
class SumAgreement:
    """The amounts that calculation rules relate.

    Attributes:
        confirmed: paths of amounts in a rule that holds.
        contradicted: paths of amounts in a rule that does not hold.
    """

    confirmed: frozenset[str]
    contradicted: frozenset[str]


def check_sums(texts: Mapping[str, str]) -> SumAgreement:
    """Apply the calculation rules to printed amounts.

    A rule that relates fewer than two of the amounts shows nothing.

    Args:
        texts: values as printed, by field path.
    """
    parsed = {path: plain_amount(text) for path, text in texts.items() if value_type_of(path) is ValueType.AMOUNT}
    amounts = _ReadAmounts({path: amount for path, amount in parsed.items() if amount is not None})
    stated = texts.get("currency_code", "")
    unit = minor_unit(stated if stated in MINOR_UNITS else _USUAL_CURRENCY)
    confirmed, contradicted = set[str](), set[str]()
    with localcontext(prec=EXACT_DIGITS):
        for outcome, paths in _outcomes(amounts, unit):
            if len(paths) > 1:
                holds = abs(outcome.expected - outcome.actual) <= unit / 2
                (confirmed if holds else contradicted).update(paths)
    return SumAgreement(frozenset(confirmed), frozenset(contradicted))


def _outcomes(amounts: _ReadAmounts, unit: Decimal) -> Iterator[tuple[Outcome, frozenset[str]]]:
    """Yield each outcome of a rule with the paths of the amounts that it relates."""
    for rule in CALCULATION_RULES:
        amounts.read.clear()
        for outcome in rule(amounts, unit):
            yield outcome, frozenset({*amounts.read, outcome.path})
            amounts.read.clear()
