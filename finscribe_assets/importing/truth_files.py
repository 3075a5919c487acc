"""Read the ground truth of a real document: JSON in the schema of documents, or the XML of an invoice.

What belongs here: parsing, validation with reasons that name the field, and the arithmetic rules that a ground truth
breaks. Mapping XML to fields is in `xml_mapping`.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, NoReturn

from pydantic import ValidationError

from finscribe_assets.documents.calculation_rules import Outcome, amount_of, amounts_of, check_calculations
from finscribe_assets.documents.elements import TERMS, ValueType, field_of
from finscribe_assets.documents.locales import LOCALE_FACTS, MINOR_UNITS, is_known_locale
from finscribe_assets.documents.schema import Document, flatten
from finscribe_assets.importing.invoice_xml import parse_invoice_xml
from finscribe_assets.importing.rejects import (
    MAX_REASON_LENGTH,
    InputLimits,
    Problem,
    RejectedDocumentError,
    escape_unprintable,
    field_with_code,
    rejection,
)
from finscribe_assets.importing.xml_mapping import UnmappedValue, collapse_whitespace, map_invoice
from finscribe_assets.instructions.responses import unflatten

_LOCALE_BY_COUNTRY = {facts.country_code: locale for locale, facts in LOCALE_FACTS.items()}


@dataclass(frozen=True)
class LabelledTruth:
    """The ground truth of a real document."""

    document: Document
    syntax: str  # json, ubl or cii
    printed: frozenset[str] | None = None  # paths that the pages print; None if the file does not state them
    unmapped: tuple[UnmappedValue, ...] = ()


def truth_from_xml(content: bytes, locale: str | None, limits: InputLimits) -> LabelledTruth:
    """Read the ground truth from an invoice in UBL or CII.

    Args:
        content: Content of the XML file.
        locale: The document's locale if none is known for the seller's country; XML does not state one.
        limits: Limits on the number of lines.

    Raises:
        RejectedDocumentError: The content is not an invoice, or lacks fields that the schema requires.
    """
    syntax, root = parse_invoice_xml(content)
    mapped = map_invoice(syntax, root, limits)
    country = mapped.values.get("seller.address.country_code", "")
    values: dict[str, Any] = dict(mapped.values)
    if (known_locale := _LOCALE_BY_COUNTRY.get(country, locale)) is not None:
        values["locale"] = known_locale
    return LabelledTruth(_validate(unflatten(values)), str(syntax), unmapped=tuple(mapped.unmapped))


def truth_from_json(content: bytes, locale: str | None, limits: InputLimits) -> LabelledTruth:
    """Read the ground truth from JSON: a document in the schema, or a record ``{"document", "printed"}`` with one.

    Args:
        content: Content of the JSON file, in UTF-8.
        locale: The document's locale if it does not state one.
        limits: Limits on the number of lines.

    Raises:
        RejectedDocumentError: The content is not such a document; every wrong field is named.
    """
    try:
        value = json.loads(content.decode("utf-8-sig"), parse_float=str, parse_int=str, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise rejection(f"byte {error.start} is not UTF-8; save the file in UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise rejection(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise rejection("the JSON is not an object")
    document, printed = (value.get("document"), value.get("printed")) if "document" in value else (value, None)
    if not isinstance(document, dict):
        raise rejection("`document` is not an object")
    if printed is not None and (not isinstance(printed, list) or not all(isinstance(path, str) for path in printed)):
        raise rejection("`printed` is not a list of field paths")
    try:
        cleaned = _clean(document)
    except RecursionError as error:
        raise rejection("the JSON is nested too deeply") from error
    if locale is not None:
        cleaned.setdefault("locale", locale)
    for name in ("lines", "entries"):
        if isinstance(cleaned.get(name), list) and len(cleaned[name]) > limits.lines:
            raise rejection(f"{len(cleaned[name])} members; at most {limits.lines} are read", name)
    return LabelledTruth(_validate(cleaned), "json", None if printed is None else frozenset(printed))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _clean(value: Any) -> Any:
    """Return a JSON value with each text on one line, without empty texts and null members."""
    if isinstance(value, dict):
        return {key: cleaned for key, member in value.items() if (cleaned := _clean(member)) is not None}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return (collapse_whitespace(value) or None) if isinstance(value, str) else value


def _validate(value: dict[str, Any]) -> Document:
    problems = _unusable_values(flatten(value))
    try:
        document = Document.model_validate(value)
    except ValidationError as error:
        fields = {problem.field for problem in problems}
        schema_problems = [problem for problem in _schema_problems(error) if problem.field not in fields]
        raise RejectedDocumentError([*problems, *schema_problems]) from error
    if not is_known_locale(document.locale):
        locale = escape_unprintable(document.locale)[:40]
        problems.append(Problem(field_with_code("locale"), f"{locale!r} is unknown; use one such as de_AT"))
    if problems:
        raise RejectedDocumentError(problems)
    return document


def _unusable_values(values: dict[str, Any]) -> list[Problem]:
    """Find values that no field may have: characters that cannot be printed, and amounts that are not decimals."""
    problems = []
    for path, value in values.items():
        if isinstance(value, str) and not value.isprintable() and _has_control_characters(value):
            quoted = f"{escape_unprintable(value)[:60]!r}"
            field = field_with_code(escape_unprintable(path))
            problems.append(Problem(field, f"{quoted} has characters that cannot be printed"))
        term = TERMS.get(field_of(path))
        if term and term.value_type is ValueType.AMOUNT and amount_of(value) is None:
            quoted = f"{escape_unprintable(str(value))[:60]!r}"
            problems.append(Problem(field_with_code(path), f"{quoted} is not a plain decimal such as 1234.50"))
    return problems


def _has_control_characters(text: str) -> bool:
    """Tell whether a text has control characters or surrogates; format characters, as direction marks, are allowed."""
    return any(
        ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 or 0xD800 <= ord(character) < 0xE000
        for character in text
    )


def _schema_problems(error: ValidationError) -> list[Problem]:
    problems = []
    for item in error.errors():
        steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in item["loc"]]
        path = escape_unprintable("".join(steps).removeprefix("."))
        if item["type"] == "missing":
            reason = "the schema requires it, and the ground truth lacks it"
        elif item["type"] == "extra_forbidden":
            reason = "the schema has no such field"
        else:
            reason = item["msg"].removeprefix("Value error, ")
            reason += f" (it is {item['input']!r})" if isinstance(item["input"], str) else ""
        problems.append(Problem(field_with_code(path), escape_unprintable(reason)[:MAX_REASON_LENGTH]))
    return problems


def broken_rules(document: Document) -> list[Outcome] | None:
    """Return the arithmetic rules that a ground truth breaks, or None if its currency's minor unit is unknown."""
    if document.currency_code not in MINOR_UNITS:
        return None
    outcomes = check_calculations(amounts_of(document.to_json()), document.currency_code)
    return [outcome for outcome in outcomes if not outcome.holds]


def count_unmapped(unmapped: tuple[UnmappedValue, ...]) -> Counter[tuple[str, str]]:
    """Count the unmapped values by path and term."""
    return Counter((value.path, value.term) for value in unmapped)
