"""The vocabulary that fields are sorted by: what is read together, and how a value is written and compared."""

from __future__ import annotations

from enum import StrEnum


class Element(StrEnum):
    """A group of fields that fail alike, and are counted together."""

    DOCUMENT_TYPE = "document_type"
    IDENTIFIER = "identifier"
    DATE = "date"
    PARTY = "party"
    ADDRESS = "address"
    AMOUNT = "amount"
    TAX = "tax"
    LINE_ITEM = "line_item"
    LINE_AMOUNT = "line_amount"
    ENTRY = "entry"
    ENTRY_AMOUNT = "entry_amount"
    TEXT = "text"


class ValueType(StrEnum):
    """How a value is written and compared."""

    AMOUNT = "amount"
    DATE = "date"
    IDENTIFIER = "identifier"
    TEXT = "text"
