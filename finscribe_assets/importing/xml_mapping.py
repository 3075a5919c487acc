"""Map the XML of an invoice to fields of the schema, and list the values that the schema has no field for.

What belongs here: reading business terms at the locations of `xml_terms`, in canonical form, and the few conventions
that a table of locations cannot express. Parsing the XML is in `invoice_xml`.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from decimal import Decimal

from finscribe_assets.documents.calculation_rules import amount_of
from finscribe_assets.documents.elements import TERMS, ValueType, field_of
from finscribe_assets.documents.schema import DocumentType, VatCategory
from finscribe_assets.documents.ubl import XmlElement
from finscribe_assets.importing.invoice_xml import Syntax, element_path
from finscribe_assets.importing.rejects import (
    InputLimits,
    Problem,
    RejectedDocumentError,
    escape_unprintable,
    field_with_code,
    rejection,
)
from finscribe_assets.importing.unsupported_terms import STRUCTURAL_PATHS, unsupported_term_code
from finscribe_assets.importing.xml_terms import DOCUMENT_TERMS, LIST_TERMS, PAYMENT_TERMS, TermLocation

# Codes of UNTDID 1001 that EN 16931 allows for the document type (BT-3, rule BR-CL-01).
_CREDIT_NOTE_CODES = frozenset({81, 83, 261, 262, 296, 308, 381, 396, 420, 458, 532})
_INVOICE_CODES = frozenset(
    {80, 82, 84, 130, 202, 203, 204, 211, 295, 325, 326, 380, 456, 457, 527, 575, 623, 633, 751, 780, 935}
    | set(range(383, 391))
    | set(range(393, 396))
    | set(range(875, 878))
)

_PLAIN_AMOUNT = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_DATE = re.compile(r"(\d{4})(-?)(\d{2})\2(\d{2})(?:T.*|Z|[+-]\d{2}:\d{2})?", re.ASCII)
_DATE_FORMATS = ("", "102")  # UNTDID 2379: 102 is CCYYMMDD; others are not dates
# XRechnung, rule BR-DE-18: a discount for early payment, in days from the issue date and per cent.
_CASH_DISCOUNT = re.compile(
    r"^\s*#SKONTO#TAGE=(\d{1,3})#PROZENT=(\d{1,3}\.\d{2})#(?:BASISBETRAG=-?\d+\.\d{2}#)?\s*$", re.MULTILINE | re.ASCII
)


@dataclass(frozen=True)
class UnmappedValue:
    """A value of the XML that the schema has no field for."""

    path: str  # local names below the root, joined by slashes
    term: str  # code of EN 16931, such as BT-22; empty if unknown


@dataclass
class MappedInvoice:
    """The values of an invoice."""

    values: dict[str, str] = field(default_factory=dict)  # canonical values by field path
    unmapped: list[UnmappedValue] = field(default_factory=list)


def collapse_whitespace(text: str) -> str:
    """Return a text on one line, with single spaces."""
    return " ".join(text.split())


class _InvoiceMapper:
    """The mapping of one invoice in progress."""

    def __init__(self, syntax: Syntax, root: XmlElement) -> None:
        self.syntax, self.root = syntax, root
        self.values: dict[str, str] = {}  # canonical values by field path
        self.sources: dict[str, tuple[XmlElement, str]] = {}  # path → element, and attribute name or empty for its text
        self.problems: list[Problem] = []

    def read_terms(self, group: XmlElement, locations: tuple[TermLocation, ...], prefix: str = "") -> None:
        """Read the terms of a group of elements; of several locations, the first with a value counts."""
        for location in locations:
            path = prefix + location.field
            for match in (match for xpath in location.paths(self.syntax) for match in group.xpath(xpath)):
                attribute = getattr(match, "attrname", None) or ""
                element = match.getparent() if attribute else match
                text = str(match) if attribute else (match.text or "")
                if text.strip():
                    self._add_value(path, text, element, attribute)
                    break

    def _add_value(self, path: str, text: str, element: XmlElement, attribute: str) -> None:
        self.sources[path] = (element, attribute)
        try:
            self.values[path] = text if path == PAYMENT_TERMS.field else _canonical_value(path, text, element)
        except ValueError as error:
            quoted = f"{escape_unprintable(collapse_whitespace(text))[:60]!r}"
            self.problems.append(Problem(field_with_code(path), f"{quoted} {error}"))

    def discard(self, paths: list[str]) -> None:
        """Remove values, so that their sources count as unmapped."""
        for path in paths:
            del self.values[path], self.sources[path]

    def unmapped(self) -> list[UnmappedValue]:
        """Return every value of the XML that is the source of no field, in document order."""
        sources = set(self.sources.values())
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
    """Return a value in the schema's canonical form.

    Raises:
        ValueError: The text is not a value of the field's type; the message continues a sentence that begins with it.
    """
    value_type = TERMS[field_of(path)].value_type
    body = collapse_whitespace(text)
    if value_type is ValueType.AMOUNT:
        if not _PLAIN_AMOUNT.fullmatch(body) or amount_of(body) is None:
            raise ValueError("is not a plain decimal such as 1234.50")
        return format(Decimal(body), "f")
    if value_type is ValueType.DATE:
        date = _DATE.fullmatch(body)
        if date is None or element.get("format", "") not in _DATE_FORMATS:
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
        for index, member in enumerate(members):
            mapper.read_terms(member, group.locations, f"{group.name}[{index}].")
    _set_document_type(mapper)
    _discard_bare_delivery_country(mapper)
    _set_rate_out_of_scope(mapper)
    unmapped = _split_cash_discount(mapper) + mapper.unmapped()
    if mapper.problems:
        raise RejectedDocumentError(mapper.problems)
    return MappedInvoice(mapper.values, unmapped)


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
