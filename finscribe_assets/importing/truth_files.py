"""Read the ground truth of a real document: JSON in the schema of documents, or the XML of an invoice.

What belongs here: parsing, validation with reasons that name the field, and the arithmetic rules that a ground truth
breaks. Mapping XML to fields is in `xml_mapping`.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

from babel.core import get_global
from pydantic import ValidationError

from finscribe_assets.documents.calculation_rules import (
    OPTIONAL_AMOUNTS,
    Outcome,
    amount_of,
    amounts_of,
    check_calculations,
)
from finscribe_assets.documents.elements import TERMS, ValueType, field_of
from finscribe_assets.documents.labelled_fields import LabelledFields, is_labelled, labelled_fields
from finscribe_assets.documents.locales import LOCALE_FACTS, is_known_currency, is_known_locale
from finscribe_assets.documents.partial_documents import partial_document
from finscribe_assets.documents.schema import Document, flatten
from finscribe_assets.errors import UserError
from finscribe_assets.evaluation.user_keys import canonical_values
from finscribe_assets.importing.invoice_xml import parse_invoice_xml
from finscribe_assets.importing.printed_lines import LabelledLine, lines_from_json
from finscribe_assets.importing.rejects import field_with_code
from finscribe_assets.importing.xml_mapping import UnmappedValue, collapse_whitespace, map_invoice
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.opening.input_limits import (
    MAX_REASON_LENGTH,
    InputLimits,
    Problem,
    RejectedDocumentError,
    escape_unprintable,
    rejection,
)
from finscribe_assets.schema_mapping.key_reading import is_in_user_keys, nest
from finscribe_assets.schema_mapping.key_reading import read_document as read_user_document
from finscribe_assets.schema_mapping.mapping import Labelled, SchemaMapping, is_custom
from finscribe_assets.splitting.split_assignment import Split

JSON_SYNTAX = "json"  # of ground truth in the schema of documents
_PARTS = ("lines", "totals", "statement", "entries")  # groups, of which each type of document requires two
# What an invoice in XML may not lack, whatever its profile allows.
_ESSENTIAL_FIELDS = frozenset(
    {"document_type", "document_number", "issue_date", "currency_code", "seller.name", "totals.total_with_vat"}
)
# In units of the currency, exclusively: what rounding each line's tax may add up to.
_TOLERANCES = {"BR-CO-17": 1, "BR-S-08": 1}
_LOCALE_BY_COUNTRY = {facts.country_code: locale for locale, facts in LOCALE_FACTS.items()}


@dataclass(frozen=True)
class LabelledTruth:
    """The ground truth of a real document."""

    document: Document  # if not all fields are labelled, required ones may be absent: see `partial_documents`
    syntax: str  # json, ubl or cii
    printed: frozenset[str] | None = None  # paths that the pages print; None if the file does not state them
    labelled: LabelledFields | None = None  # fields that it states; None if it states all
    unmapped: tuple[UnmappedValue, ...] = ()
    unreadable: tuple[Problem, ...] = ()  # values of optional fields that are not of their type
    custom: dict[str, str] = field(default_factory=dict)  # values of a user's keys that the schema lacks, by path
    written: dict[str, str] = field(default_factory=dict)  # values as the user's JSON has them, by path
    lines: tuple[LabelledLine, ...] = ()  # where values are printed, as a person who corrected them left it
    split: Split | None = None  # of its vendor, which a review has assigned

    def values(self) -> dict[str, Any]:
        """Return all canonical values by path."""
        return flatten(self.document.to_json()) | self.custom


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
    values: dict[str, Any] = dict(mapped.values)
    if (known_locale := _locale_of(mapped.values, locale)) is not None:
        values["locale"] = known_locale
    document, labelled = unflatten(values), mapped.labelled
    if not mapped.must_be_complete:
        labelled -= _absent_fields(document) - _ESSENTIAL_FIELDS
    return LabelledTruth(
        _validate(document, labelled | {"locale"}),
        str(syntax),
        labelled=labelled,
        unmapped=tuple(mapped.unmapped),
        unreadable=tuple(mapped.unreadable),
    )


def _locale_of(values: dict[str, str], default: str | None) -> str | None:
    """Return the locale of the seller's country: of the platform, else the default, else of the usual language.

    A seller without an address may state its country in its VAT identifier.
    """
    country = values.get("seller.address.country_code") or values.get("seller.vat_identifier", "")[:2]
    if country in _LOCALE_BY_COUNTRY or default is not None:
        return _LOCALE_BY_COUNTRY.get(country, default)
    language = get_global("likely_subtags").get(f"und_{country}", "").partition("_")[0]
    return locale if is_known_locale(locale := f"{language}_{country}") else None


def _absent_fields(value: dict[str, Any]) -> LabelledFields:
    """Return the fields that the schema requires of a document, but that it lacks."""
    try:
        Document.model_validate(value)
    except ValidationError as error:
        missing = (item["loc"] for item in error.errors() if item["type"] == "missing")
        return frozenset(".".join(step for step in path if isinstance(step, str)) for path in missing)
    return frozenset()


def truth_from_json(
    content: bytes,
    locale: str | None,
    limits: InputLimits,
    mapping: SchemaMapping | None = None,
    default_labelled: LabelledFields | None = None,
) -> LabelledTruth:
    """Read the ground truth from JSON: a document in the schema, or a record ``{"document", "printed"}`` with one.

    Args:
        content: Content of the JSON file, in UTF-8.
        locale: The document's locale if it does not state one.
        limits: Limits on the number of lines.
        mapping: Of a user's keys, which the file may have in the place of the schema's.
        default_labelled: Labelled fields of a document that does not list its own; None if all are labelled.

    Raises:
        RejectedDocumentError: The content is not such a document; every wrong field is named.
    """
    try:
        # A number of JSON has a decimal point, whatever the user's locale; the schema's amounts are texts.
        as_float, as_int = (str, str) if mapping is None else (float, int)
        value = json.loads(
            content.decode("utf-8-sig"), parse_float=as_float, parse_int=as_int, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError as error:
        raise rejection(f"byte {error.start} is not UTF-8; save the file in UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise rejection(f"not JSON: {error}") from error
    if mapping is not None and isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise rejection("the JSON is not an object")
    record = value if "document" in value else {"document": value}
    document = record["document"]
    if not isinstance(document, dict):
        raise rejection("`document` is not an object")
    printed, labelled = (_paths(record, name) for name in ("printed", "labelled"))
    if mapping is not None and is_in_user_keys(mapping, document):
        return _truth_in_user_keys(document, locale, limits, mapping)
    try:
        labels = default_labelled if labelled is None else labelled_fields(labelled)
    except UserError as error:
        raise rejection(str(error)) from error
    try:
        cleaned = _clean(document)
    except RecursionError as error:
        raise rejection("the JSON is nested too deeply") from error
    if locale is not None:
        cleaned.setdefault("locale", locale)
    for name in ("lines", "entries"):
        if isinstance(cleaned.get(name), list) and len(cleaned[name]) > limits.lines:
            raise rejection(f"{len(cleaned[name])} members; at most {limits.lines} are read", name)
    # What people labelled may be absent from a page. Without its locale, no page can be read.
    document = _validate(cleaned, None if labels is None else frozenset({"locale"}))
    boxes = record.get("boxes")
    if boxes is not None and mapping is None:
        boxes = json.loads(content.decode("utf-8-sig"))["boxes"]  # with numbers, which were read as texts above
    return LabelledTruth(document, JSON_SYNTAX, printed, labels, lines=lines_from_json(boxes), split=_split(record))


def _truth_in_user_keys(
    document: dict[str, Any], locale: str | None, limits: InputLimits, mapping: SchemaMapping
) -> LabelledTruth:
    """Return the ground truth of a user's JSON. Values that are not of their key's type are left out, and reported."""
    read = read_user_document(mapping, document)
    if not read.values:
        keys = ", ".join(key.key for key in mapping.keys[:6])
        raise rejection(f"it has no key of the mapping {mapping.name}: {keys}, …")
    values, custom, unreadable = dict[str, Any](), dict[str, str](), list[Problem]()
    for path, (text, note) in canonical_values(read, mapping).items():
        if is_custom(path):
            custom[path] = collapse_whitespace(text)
        elif note is None or read.keys[path].type is ValueType.TEXT:
            values[path] = collapse_whitespace(text)
        else:
            reason = f"{escape_unprintable(text)[:60]!r} is {note}; give the mapping a locale, or the key a format"
            unreadable.append(Problem(escape_unprintable(read.keys[path].key), reason))
    country = {path: value.upper() for path, value in values.items() if path.startswith("seller.")}
    defaults = {"currency_code": mapping.currency, "locale": _locale_of(country, locale or mapping.locale)}
    nested = nest({name: value for name, value in defaults.items() if value is not None} | values)
    if len(nested.get("lines", ())) > limits.lines:
        raise rejection(f"{len(nested['lines'])} members; at most {limits.lines} are read", "lines")
    labelled = read.fields if mapping.labelled is Labelled.PRESENT_KEYS else mapping.labelled_fields
    return LabelledTruth(
        _validate(nested, frozenset({"locale"})),
        JSON_SYNTAX,
        labelled=labelled - {field_of(path) for path in read.values if path not in values and path not in custom},
        unreadable=tuple(unreadable),
        custom=custom,
        written={path: str(value) for path, value in read.values.items() if value is not None},
    )


def _paths(record: dict[str, Any], name: str) -> frozenset[str] | None:
    """Return a list of field paths of a record, or None if it has no such list."""
    paths = record.get(name)
    if paths is None:
        return None
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise rejection(f"`{name}` is not a list of field paths")
    return frozenset(paths)


def _split(record: dict[str, Any]) -> Split | None:
    """Return the split that a review has assigned to a record's vendor; None if it states none."""
    stated = record.get("split")
    if stated is None:
        return None
    if stated not in (Split.TRAIN, Split.VALIDATION, Split.TEST):
        raise rejection(f"{escape_unprintable(str(stated))[:40]!r}; write train, validation or test", "split")
    return Split(stated)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _clean(value: Any) -> Any:
    """Return a JSON value with each text on one line, without empty texts and null members."""
    if isinstance(value, dict):
        return {key: cleaned for key, member in value.items() if (cleaned := _clean(member)) is not None}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return (collapse_whitespace(value) or None) if isinstance(value, str) else value


def _validate(value: dict[str, Any], required: LabelledFields | None) -> Document:
    """Return the document of a JSON value.

    Args:
        value: The JSON value.
        required: Fields that may not be absent if the schema requires them; None for all.

    Raises:
        RejectedDocumentError: The value is not such a document; every wrong field is named.
    """
    problems = _unusable_values(flatten(value))
    try:
        document = Document.model_validate(value)
    except ValidationError as error:
        fields = {problem.field for problem in problems}
        schema_problems = [item for item in _schema_problems(error, value, required) if item.field not in fields]
        if problems or schema_problems:
            raise RejectedDocumentError([*problems, *schema_problems]) from error
    if required is not None:
        document = partial_document().model_validate(value)
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


def _may_lack(item: Any, value: dict[str, Any], required: LabelledFields | None) -> bool:
    """Tell whether an error of the validation is that a field is absent, or a group, which is not required."""
    if required is None:
        return False
    absent = [".".join(step for step in item["loc"] if isinstance(step, str))]
    if not item["loc"]:  # the document as a whole lacks groups
        absent = [name for name in _PARTS if not value.get(name)]
    elif item["type"] != "missing":
        return False
    return not any(name == path or name.startswith(f"{path}.") for path in absent for name in required)


def _schema_problems(error: ValidationError, value: dict[str, Any], required: LabelledFields | None) -> list[Problem]:
    problems = []
    for item in error.errors():
        if _may_lack(item, value, required):
            continue
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


class BrokenRules(NamedTuple):
    """The calculation rules that a ground truth breaks."""

    rules: tuple[Outcome, ...]
    conventions: tuple[Outcome, ...]  # rules that EN 16931 lacks, so that a valid electronic invoice may break them


def broken_rules(truth: LabelledTruth) -> BrokenRules | None:
    """Return the calculation rules that a ground truth breaks, or None if its currency's minor unit is unknown.

    A rule is not checked if one of its amounts may be on the page, but is not labelled.
    """
    currency = truth.document.currency_code
    if currency is None or not is_known_currency(currency):
        return None
    broken = [
        outcome
        for outcome in check_calculations(amounts_of(truth.document.to_json()), currency)
        if not outcome.holds
        and all(is_labelled(path, truth.labelled) for path in OPTIONAL_AMOUNTS.get(outcome.code, ()))
    ]
    is_rule = [truth.syntax == JSON_SYNTAX or _breaks_standard(outcome) for outcome in broken]
    return BrokenRules(
        tuple(outcome for outcome, binding in zip(broken, is_rule, strict=True) if binding),
        tuple(outcome for outcome, binding in zip(broken, is_rule, strict=True) if not binding),
    )


def _breaks_standard(outcome: Outcome) -> bool:
    """Tell whether a broken rule is one of EN 16931, beyond the difference that its schematron tolerates."""
    difference = abs(outcome.expected - outcome.actual)
    return outcome.code.startswith("BR-") and difference >= _TOLERANCES.get(outcome.code, 0)


def count_unmapped(unmapped: tuple[UnmappedValue, ...]) -> Counter[tuple[str, str]]:
    """Count the unmapped values by path and term."""
    return Counter((value.path, value.term) for value in unmapped)
