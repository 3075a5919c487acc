"""A document's truth from what stands beside or inside its pages: JSON in the schema, or an invoice's XML."""

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
from finscribe_assets.errors import UserError
from finscribe_assets.importing.invoice_xml import parse
from finscribe_assets.importing.rejects import LONGEST_REASON, Limits, Problem, Rejected, named, reject, shown
from finscribe_assets.importing.xml_mapping import Unmapped, plain, read_terms
from finscribe_assets.instructions.responses import unflatten

_BY_COUNTRY = {facts.country_code: locale for locale, facts in LOCALE_FACTS.items()}


@dataclass(frozen=True)
class LabelledTruth:
    """What is true of a real document."""

    document: Document
    syntax: str  # json, ubl or cii
    printed: frozenset[str] | None = None  # paths that the labels say are printed; None where they do not say
    unmapped: tuple[Unmapped, ...] = ()


def from_xml(content: bytes, locale: str | None, limits: Limits) -> LabelledTruth:
    """Return the truth that an invoice's XML, UBL or CII, holds.

    XML tells no locale: it is that of the seller's country, else ``locale``.

    Raises:
        Rejected: it is no invoice, or lacks what the schema requires.
    """
    syntax, root = parse(content)
    mapped = read_terms(syntax, root, limits)
    country = mapped.leaves.get("seller.address.country_code", "")
    leaves: dict[str, Any] = dict(mapped.leaves)
    if (known := _BY_COUNTRY.get(country, locale)) is not None:
        leaves["locale"] = known
    return LabelledTruth(_validated(unflatten(leaves)), str(syntax), unmapped=tuple(mapped.unmapped))


def from_json(content: bytes, locale: str | None, limits: Limits) -> LabelledTruth:
    """Return the truth of a JSON file: a document in the schema, or a record of the ground-truth format.

    ``locale`` is taken where the document names none.

    Raises:
        Rejected: it is no such document; each wrong field is named.
    """
    try:
        value = json.loads(content.decode("utf-8-sig"), parse_float=str, parse_int=str, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise reject(f"byte {error.start} is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise reject(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise reject("the JSON is no object")
    document, printed = (value.get("document"), value.get("printed")) if "document" in value else (value, None)
    if not isinstance(document, dict):
        raise reject("`document` is no object")
    if printed is not None and (not isinstance(printed, list) or not all(isinstance(path, str) for path in printed)):
        raise reject("`printed` is no list of field paths")
    try:
        cleaned = _cleaned(document)
    except RecursionError as error:
        raise reject("the JSON is nested too deep") from error
    if locale is not None:
        cleaned.setdefault("locale", locale)
    for name in ("lines", "entries"):
        if isinstance(cleaned.get(name), list) and len(cleaned[name]) > limits.lines:
            raise reject(f"{len(cleaned[name])} members; at most {limits.lines} are read", name)
    return LabelledTruth(_validated(cleaned), "json", None if printed is None else frozenset(printed))


def _no_number(name: str) -> NoReturn:
    raise UserError(f"{name} is no number")


def _cleaned(value: Any) -> Any:
    """Return JSON with its texts on one line each, and without those that say nothing."""
    if isinstance(value, dict):
        return {key: inner for key, item in value.items() if (inner := _cleaned(item)) is not None}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return (plain(value) or None) if isinstance(value, str) else value


def _validated(value: dict[str, Any]) -> Document:
    problems = _unfit(flatten(value))
    try:
        document = Document.model_validate(value)
    except ValidationError as error:
        named_before = {one.field for one in problems}
        raise Rejected([*problems, *(one for one in _findings(error) if one.field not in named_before)]) from error
    if not is_known_locale(document.locale):
        problems.append(Problem(named("locale"), f"{shown(document.locale)[:40]!r} is unknown; give one such as de_AT"))
    if problems:
        raise Rejected(problems)
    return document


def _unfit(leaves: dict[str, Any]) -> list[Problem]:
    """Return what no value may be, whatever its field: characters that do not print, numbers without bound."""
    problems = []
    for path, value in leaves.items():
        if isinstance(value, str) and not value.isprintable() and _unwritable(value):
            problems.append(Problem(named(shown(path)), f"{shown(value)[:60]!r} holds characters that no page has"))
        term = TERMS.get(field_of(path))
        if term and term.value_type is ValueType.AMOUNT and amount_of(value) is None:
            problems.append(Problem(named(path), f"{shown(str(value))[:60]!r} is no plain decimal"))
    return problems


def _unwritable(text: str) -> bool:
    # Control characters and halves of surrogate pairs; format characters such as marks of direction do stand in texts.
    return any(
        ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 or 0xD800 <= ord(character) < 0xE000
        for character in text
    )


def _findings(error: ValidationError) -> list[Problem]:
    problems = []
    for finding in error.errors():
        steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in finding["loc"]]
        path = shown("".join(steps).removeprefix("."))
        if finding["type"] == "missing":
            said = "the schema requires it, and the truth lacks it"
        elif finding["type"] == "extra_forbidden":
            said = "the schema has no such field"
        else:
            said = finding["msg"].removeprefix("Value error, ")
            said += f" (it is {finding['input']!r})" if isinstance(finding["input"], str) else ""
        problems.append(Problem(named(path), shown(said)[:LONGEST_REASON]))
    return problems


def broken_rules(document: Document) -> list[Outcome] | None:
    """Return the arithmetic rules that a truth breaks; None where its currency's smallest amount is not known."""
    if document.currency_code not in MINOR_UNITS:
        return None
    return [one for one in check_calculations(amounts_of(document.to_json()), document.currency_code) if not one.holds]


def counted(unmapped: tuple[Unmapped, ...]) -> Counter[tuple[str, str]]:
    """Return how often each path, with its term, was not mapped."""
    return Counter((one.path, one.term) for one in unmapped)
