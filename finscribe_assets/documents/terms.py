"""How a business term is declared: its EN 16931 code, what it is counted with, and whether a page prints it."""

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

Code = str | Mapping[str, str]  # of one term, or by the role of the party that has it

NO_CODE = ""  # an extension: EN 16931 has no such term


class Term(BaseModel):
    """A group of business terms; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def group(code: Code, description: str, **options: Any) -> Any:
    """Return a field that holds a group of terms (BG-…)."""
    return Field(description=description, json_schema_extra=_extra(code), **options)


def term(
    code: Code, element: Element, value_type: ValueType, description: str, *, implied: bool = False, **options: Any
) -> Any:
    """Return a field that holds one term (BT-…); an implied one is true of a page that does not print it as a value."""
    extra = _extra(code) | {"element": str(element), "kind": str(value_type), "implied": implied}
    return Field(description=description, json_schema_extra=extra, **options)


def text(code: Code, description: str, element: Element = Element.TEXT, **options: Any) -> Any:
    """Return a field of free text."""
    return term(code, element, ValueType.TEXT, description, **options)


def identifier(code: Code, description: str, element: Element = Element.IDENTIFIER, **options: Any) -> Any:
    """Return a field of characters that must be read exactly."""
    return term(code, element, ValueType.IDENTIFIER, description, **options)


def amount(code: Code, description: str, element: Element = Element.AMOUNT, **options: Any) -> Any:
    """Return a field of a number."""
    return term(code, element, ValueType.AMOUNT, description, **options)


def date(code: Code, description: str, element: Element = Element.DATE, **options: Any) -> Any:
    """Return a field of a day."""
    return term(code, element, ValueType.DATE, description, **options)


def _extra(code: Code) -> dict[str, Any]:
    return {"en16931": code if isinstance(code, str) else dict(code)}
