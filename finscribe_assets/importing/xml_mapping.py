"""Map the XML of an invoice to fields of the schema, and list the values that the schema has no field for.

What belongs here: reading business terms at the locations of `xml_terms`, in canonical form, and the few conventions
that a table of locations cannot express. Parsing the XML is in `invoice_xml`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from finscribe_assets.documents.calculation_rules import amount_of
from finscribe_assets.documents.elements import TERMS, ValueType, field_of
from finscribe_assets.documents.labelled_fields import LabelledFields
from finscribe_assets.documents.schema import DocumentType, VatCategory
from finscribe_assets.documents.ubl import XmlElement
from finscribe_assets.importing.invoice_xml import Syntax, element_path
from finscribe_assets.importing.rejects import field_with_code
from finscribe_assets.importing.unsupported_terms import STRUCTURAL_PATHS, unsupported_term_code
from finscribe_assets.importing.xml_lines import LineGroups, group_lines
from finscribe_assets.importing.xml_profiles import stated_fields
from finscribe_assets.importing.xml_terms import DOCUMENT_TERMS, LIST_TERMS, PAYMENT_TERMS, Several, TermLocation
from finscribe_assets.opening.input_limits import (
    InputLimits,
    Problem,
    RejectedDocumentError,
    escape_unprintable,
    rejection,
)

# Codes of UNTDID 1001 that EN 16931 allows for the document type (BT-3, rule BR-CL-01).
_CREDIT_NOTE_CODES = frozenset({81, 83, 261, 262, 296, 308, 381, 396, 420, 458, 532})
_INVOICE_CODES = frozenset(
    {80, 82, 84, 130, 202, 203, 204, 211, 295, 325, 326, 380, 456, 457, 527, 575, 623, 633, 751, 780, 935}
    | set(range(383, 391))
    | set(range(393, 396))
    | set(range(875, 878))
)

_REQUIRED_DATES = ("issue_date",)
_TAX_CATEGORIES = frozenset(map(str, VatCategory))
_CATEGORIES = (".vat_category", "vat_breakdown.category")
_USUAL_LENGTH = 16  # characters of an amount
_PLAIN_AMOUNT = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_DATE = re.compile(r"(\d{4})(-?)(\d{2})\2(\d{2})(?:T.*|Z|[+-]\d{2}:\d{2})?", re.ASCII)
_DATE_WITH_TIME = re.compile(r"(\d{8})\d{4,6}(?:[+-]\d{4})?", re.ASCII)
_DAY = ("", "102")  # formats of UNTDID 2379: none, which is xs:date, and CCYYMMDD
_DAY_AND_TIME = ("203", "204", "205")  # CCYYMMDD and then a time of day
# XRechnung, rule BR-DE-18: a discount for early payment, in days from the issue date and per cent.
_CASH_DISCOUNT = re.compile(
    r"^\s*#SKONTO#TAGE=(\d{1,3})#PROZENT=(\d{1,3}\.\d{2})#(?:BASISBETRAG=-?\d+\.\d{2}#)?\s*$", re.MULTILINE | re.ASCII
)


@dataclass(frozen=True)
class UnmappedValue:
    """A value of the XML that the schema has no field for."""

    path: str  # local names below the root, joined by slashes
    term: str  # code of EN 16931, such as BT-22; empty if unknown


@dataclass(frozen=True)
class MappedInvoice:
    """The values of an invoice."""

    values: dict[str, str]  # canonical values by field path
    labelled: LabelledFields  # fields that the XML states, or would state if the invoice had them
    must_be_complete: bool  # whether those of them that the schema requires must have values
    unmapped: list[UnmappedValue]
    unreadable: list[Problem]  # values of optional fields that are not of their type


def collapse_whitespace(text: str) -> str:
    """Return a text on one line, with single spaces."""
    return " ".join(text.split())


class _Source(NamedTuple):
    """Where a value stands in the XML."""

    element: XmlElement
    attribute: str  # its name, or empty for the element's text
    text: str

    @classmethod
    def of(cls, match: XmlElement) -> _Source:
        """Return the source for a result of an XPath expression: an element or the value of an attribute."""
        if attribute := getattr(match, "attrname", None):
            return cls(match.getparent(), attribute, str(match))
        return cls(match, "", match.text or "")


class _InvoiceMapper:
    """The mapping of one invoice in progress."""

    def __init__(self, syntax: Syntax, root: XmlElement) -> None:
        self.syntax, self.root = syntax, root
        self.values: dict[str, str] = {}  # canonical values by field path
        self.sources: dict[str, list[_Source]] = {}  # where each value is from
        self.problems: list[Problem] = []
        self.unreadable: dict[str, Problem] = {}  # by path

    def read_terms(self, group: XmlElement, locations: tuple[TermLocation, ...], prefix: str = "") -> None:
        """Read the terms of a group of elements; of several locations, the first with a value counts."""
        for location in locations:
            for xpath in location.paths(self.syntax):
                if found := [source for match in group.xpath(xpath) if (source := _Source.of(match)).text.strip()]:
                    self.add(prefix + location.field, found[:1] if location.several is Several.FIRST else found)
                    break

    def add(self, path: str, sources: Sequence[_Source]) -> None:
        """Add the value of a field: of several sources, the sum if it is an amount, else the different texts."""
        self.sources[path] = list(sources)
        values = []
        for source in sources:
            try:
                values.append(_canonical_value(path, source.text, source.element))
            except ValueError as error:
                quoted = f"{escape_unprintable(collapse_whitespace(source.text))[:60]!r}"
                problem = Problem(field_with_code(path), f"{quoted} {error}")
                # A sender's slip in an optional date, or in a code that no page prints, is not worth the document.
                if path not in _REQUIRED_DATES and TERMS[field_of(path)].value_type is not ValueType.AMOUNT:
                    self.unreadable[path] = problem
                else:
                    self.problems.append(problem)
                return
        if TERMS[field_of(path)].value_type is ValueType.AMOUNT:
            self.values[path] = format(sum(map(Decimal, values[1:]), Decimal(values[0])), "f")
        else:
            self.values[path] = ", ".join(dict.fromkeys(values))

    def discard(self, paths: list[str]) -> None:
        """Remove values, so that their sources count as unmapped."""
        for path in paths:
            del self.values[path], self.sources[path]

    def unmapped(self) -> list[UnmappedValue]:
        """Return every value of the XML that is the source of no field, in document order."""
        sources = {(source.element, source.attribute) for found in self.sources.values() for source in found}
        unmapped = []
        for element in self.root.iter():
            attributes = [] if (element, "") in sources or not (element.text or "").strip() else [""]
            attributes += [name for name in element.attrib if (element, name) not in sources]
            for name in attributes:
                steps = (element_path(element), name and f"@{name.rpartition('}')[2]}")
                path = "/".join(step for step in steps if step)
                if not path.endswith(STRUCTURAL_PATHS):
                    unmapped.append(UnmappedValue(path, unsupported_term_code(path, self.syntax)))
        return unmapped


def _canonical_value(path: str, text: str, element: XmlElement) -> str:
    """Return a value in the schema's canonical form; of payment terms the text with its line breaks.

    Raises:
        ValueError: The text is not a value of the field's type; the message continues a sentence that begins with it.
    """
    if path == PAYMENT_TERMS.field:
        return text
    value_type = TERMS[field_of(path)].value_type
    body = collapse_whitespace(text)
    if value_type is ValueType.AMOUNT:
        if len(body) > _USUAL_LENGTH and "." in body:
            body = body.rstrip("0")  # some software writes 18 decimals
        if not _PLAIN_AMOUNT.fullmatch(body) or amount_of(body) is None:
            raise ValueError("is not a plain decimal such as 1234.50")
        return format(Decimal(body), "f")
    if field_of(path).endswith(_CATEGORIES) and body not in _TAX_CATEGORIES:
        raise ValueError("is not a tax category of EN 16931, such as S")
    if value_type is ValueType.DATE:
        date_format = element.get("format", "")
        if date_format in _DAY_AND_TIME and (date_and_time := _DATE_WITH_TIME.fullmatch(body)):
            body, date_format = date_and_time[1], "102"
        date = _DATE.fullmatch(body)
        if date_format not in _DAY:
            raise ValueError(f"in format {date_format[:9]!r} is not a day; days are such as 20240301 in format 102")
        if date is None:
            raise ValueError("is not a date such as 2024-03-01, or 20240301 in format 102")
        try:
            return dt.date(int(date[1]), int(date[3]), int(date[4])).isoformat()
        except ValueError as error:
            raise ValueError("is not a date of the calendar") from error
    return body


def map_invoice(syntax: Syntax, root: XmlElement, limits: InputLimits) -> MappedInvoice:
    """Map a parsed invoice to fields of the schema.

    Args:
        syntax: The invoice's syntax.
        root: The root element, as `invoice_xml.parse_invoice_xml` gives it.
        limits: Limits on the number of members of each list.

    Raises:
        RejectedDocumentError: A value does not have its field's type, or a list has too many members.
    """
    mapper = _InvoiceMapper(syntax, root)
    mapper.read_terms(root, DOCUMENT_TERMS)
    for group in LIST_TERMS:
        members = [member for xpath in group.paths(syntax) for member in root.xpath(xpath)]
        if len(members) > limits.lines:
            raise rejection(f"{len(members)} members; at most {limits.lines} are read", group.name)
        lines = group_lines(members) if group.name == "lines" else None
        for index, member in enumerate(lines.lines if lines else members):
            mapper.read_terms(member, group.locations, f"{group.name}[{index}].")
        if lines:
            _add_headings(mapper, lines)
    _set_document_type(mapper)
    _discard_bare_delivery_country(mapper)
    _set_rate_out_of_scope(mapper)
    _drop_base_quantities_of_one(mapper)
    unmapped = _split_cash_discount(mapper) + mapper.unmapped()
    if mapper.problems:
        raise RejectedDocumentError(mapper.problems)
    stated = stated_fields(syntax, root)
    labelled = stated.names.union(map(field_of, mapper.values)) - set(map(field_of, mapper.unreadable))
    return MappedInvoice(mapper.values, labelled, stated.must_be_complete, unmapped, list(mapper.unreadable.values()))


def _add_headings(mapper: _InvoiceMapper, groups: LineGroups) -> None:
    """Add headings and comments to the line below them, and comments at the end to the notes of the last line."""
    for index, headings in enumerate(groups.headings):
        if headings:
            mapper.add(f"lines[{index}].heading", [_Source.of(element) for element in headings])
    if groups.closing and groups.lines:
        path = f"lines[{len(groups.lines) - 1}].note"
        mapper.add(path, [*mapper.sources.get(path, ()), *map(_Source.of, groups.closing)])


def _drop_base_quantities_of_one(mapper: _InvoiceMapper) -> None:
    """Remove the base quantity (BT-149) of prices of one unit, which no page prints."""
    for path, value in list(mapper.values.items()):
        if field_of(path) == "lines.price_base_quantity" and Decimal(value) == 1:
            del mapper.values[path]


def _set_document_type(mapper: _InvoiceMapper) -> None:
    """Replace the type code (BT-3) by the document type."""
    text = mapper.values.pop("document_type", None)
    code = int(text) if text and text.isascii() and text.isdigit() and len(text) <= 3 else None
    if code in _CREDIT_NOTE_CODES or (text is None and mapper.root.tag == "CreditNote"):
        mapper.values["document_type"] = str(DocumentType.CREDIT_NOTE)
    elif code in _INVOICE_CODES:
        mapper.values["document_type"] = str(DocumentType.INVOICE)
    elif text is not None:
        quoted = f"{escape_unprintable(text)[:60]!r}"
        problem = f"{quoted} is not a code of UNTDID 1001 for an invoice or credit note, such as 380"
        mapper.problems.append(Problem(field_with_code("document_type"), problem))


def _discard_bare_delivery_country(mapper: _InvoiceMapper) -> None:
    """Discard a delivery address that is only a country: rule BR-IC-12 requires it, but no page prints it."""
    paths = [path for path in mapper.values if path.startswith("ship_to.")]
    if paths == ["ship_to.address.country_code"]:
        mapper.discard(paths)


def _set_rate_out_of_scope(mapper: _InvoiceMapper) -> None:
    """Set the VAT rate 0 outside the scope of VAT: rule BR-O-05 forbids to state it, but the schema requires it."""
    for path, value in list(mapper.values.items()):
        if path.startswith("vat_breakdown[") and path.endswith(".category") and value == VatCategory.OUTSIDE_SCOPE:
            mapper.values.setdefault(path.removesuffix("category") + "rate", "0")


def _split_cash_discount(mapper: _InvoiceMapper) -> list[UnmappedValue]:
    """Move the first discount for early payment from the payment terms (BT-20) to its fields; return the others."""
    text = mapper.values.pop(PAYMENT_TERMS.field, "")
    discounts = _CASH_DISCOUNT.findall(text)
    terms = collapse_whitespace(_CASH_DISCOUNT.sub("", text))
    issue_date = mapper.values.get("issue_date")
    if discounts and issue_date:
        days, percentage = discounts[0]
        until = dt.date.fromisoformat(issue_date) + dt.timedelta(int(days))
        mapper.values["cash_discount.percentage"] = format(Decimal(percentage), "f")
        mapper.values["cash_discount.until"] = until.isoformat()
    if terms:
        mapper.values[PAYMENT_TERMS.field] = terms
    return [UnmappedValue(f"{PAYMENT_TERMS.paths(mapper.syntax)[0]}/#SKONTO#", "BT-20") for _ in discounts[1:]]
