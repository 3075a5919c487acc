"""How fields are classified: by element (what is read) and by value type (how it is written and compared)."""

from __future__ import annotations

from enum import StrEnum


class Element(StrEnum):
    """A group of fields that readers get wrong in the same way. Errors are counted by element."""

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
    """How a value is written on a page and compared with a prediction."""

    AMOUNT = "amount"
    DATE = "date"
    TIME = "time"
    IDENTIFIER = "identifier"
    TEXT = "text"
