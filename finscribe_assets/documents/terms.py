"""Helpers that declare the fields of `schema.py` with their metadata.

Each helper returns a pydantic field whose JSON schema holds the EN 16931 code, the element and the value type of the
field, and whether it is implied. `elements.py` reads this metadata back.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from finscribe_assets.documents.value_types import Element, ValueType

Exact = Annotated[
    Decimal,
    PlainSerializer(lambda value: format(value, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "description": "a decimal number as text"}),
]
"""A decimal number that JSON holds as text, so that no digit is lost."""

Code = str | Mapping[str, str]
"""The code of a business term, or a code for each role (group of the document) in which the field occurs."""

ISO_TIME = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"
NO_CODE = ""  # an extension: EN 16931 has no such term


class Term(BaseModel):
    """The base class of all groups of business terms. Unknown names are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def group(code: Code, description: str, **options: Any) -> Any:
    """Declare a field that holds a group of business terms (BG-…)."""
    return Field(description=description, json_schema_extra=_metadata(code), **options)


def term(
    code: Code, element: Element, value_type: ValueType, description: str, *, implied: bool = False, **options: Any
) -> Any:
    """Declare a field that holds one business term (BT-…).

    Args:
        code: code of the term in EN 16931, or `NO_CODE`.
        element: the element that errors in this field are counted with.
        value_type: how values are written and compared.
        description: a short phrase for the data dictionary; prompts have names of their own.
        implied: whether the value is true of the page as a whole instead of being printed as a value of its own.
        **options: further arguments of `pydantic.Field`, such as ``default``.
    """
    metadata = _metadata(code) | {"element": str(element), "kind": str(value_type), "implied": implied}
    return Field(description=description, json_schema_extra=metadata, **options)


def text(code: Code, description: str, element: Element = Element.TEXT, **options: Any) -> Any:
    """Declare a field of free text."""
    return term(code, element, ValueType.TEXT, description, **options)


def identifier(code: Code, description: str, element: Element = Element.IDENTIFIER, **options: Any) -> Any:
    """Declare a field whose characters must all be read correctly."""
    return term(code, element, ValueType.IDENTIFIER, description, **options)


def amount(code: Code, description: str, element: Element = Element.AMOUNT, **options: Any) -> Any:
    """Declare a field of a number."""
    return term(code, element, ValueType.AMOUNT, description, **options)


def date(code: Code, description: str, element: Element = Element.DATE, **options: Any) -> Any:
    """Declare a field of a date."""
    return term(code, element, ValueType.DATE, description, **options)


def time(code: Code, description: str, element: Element = Element.DATE, **options: Any) -> Any:
    """Declare a field of a time of day, as ISO 8601 text: hh:mm or hh:mm:ss."""
    return term(code, element, ValueType.TIME, description, pattern=ISO_TIME, **options)


def _metadata(code: Code) -> dict[str, Any]:
    return {"en16931": code if isinstance(code, str) else dict(code)}
