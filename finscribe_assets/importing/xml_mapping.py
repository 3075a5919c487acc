"""An invoice's XML → the values of the schema by path, and what the XML says that the schema has no place for."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from decimal import Decimal

from finscribe_assets.documents.calculation_rules import amount_of
from finscribe_assets.documents.elements import TERMS, ValueType, field_of
from finscribe_assets.documents.schema import DocumentType, VatCategory
from finscribe_assets.errors import UserError
from finscribe_assets.importing.invoice_xml import Syntax, XmlElement, path_of
from finscribe_assets.importing.rejects import Limits, Problem, Rejected, named, reject, shown
from finscribe_assets.importing.unsupported_terms import STRUCTURE, code_of
from finscribe_assets.importing.xml_terms import DOCUMENT_TERMS, LIST_TERMS, PAYMENT_TERMS, XmlLocation

# UNTDID 1001, as far as EN 16931 admits it (BR-CL-01).
_CREDIT_NOTES = frozenset({81, 83, 261, 262, 296, 308, 381, 396, 420, 458, 532})
_INVOICES = frozenset(
    {
        80,
        82,
        84,
        130,
        202,
        203,
        204,
        211,
        295,
        325,
        326,
        380,
        383,
        384,
        385,
        386,
        387,
        388,
        389,
        390,
        393,
        394,
        395,
        456,
        457,
        527,
        575,
        623,
        633,
        751,
        780,
        875,
        876,
        877,
        935,
    }
)

_PLAIN_AMOUNT = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_DAY = re.compile(r"(\d{4})(-?)(\d{2})\2(\d{2})(?:T.*|Z|[+-]\d{2}:\d{2})?", re.ASCII)
_DAYS_ONLY = ("", "102")  # UNTDID 2379: 102 is CCYYMMDD
# XRechnung, BR-DE-18: a discount for early payment as days from the issue date and per cent.
_CASH_DISCOUNT = re.compile(
    r"^\s*#SKONTO#TAGE=(\d{1,3})#PROZENT=(\d{1,3}\.\d{2})#(?:BASISBETRAG=-?\d+\.\d{2}#)?\s*$", re.MULTILINE | re.ASCII
)


@dataclass(frozen=True)
class Unmapped:
    """A value of the XML that the schema has no place for."""

    path: str  # local names below the root
    term: str  # its code of EN 16931, where it is known


@dataclass
class Mapped:
    """What an invoice's XML says."""

    leaves: dict[str, str] = field(default_factory=dict)  # canonical values by the schema's paths
    unmapped: list[Unmapped] = field(default_factory=list)


def plain(text: str) -> str:
    """Return text on one line, with single spaces."""
    return " ".join(text.split())


class _Reading:
    """The reading of one invoice: values by path, the places they came from, and what was wrong with them."""

    def __init__(self, syntax: Syntax, root: XmlElement) -> None:
        self.syntax, self.root = syntax, root
        self.values: dict[str, str] = {}
        self.taken: dict[str, tuple[XmlElement, str]] = {}  # path → element, attribute name or empty
        self.problems: list[Problem] = []

    def read(self, group: XmlElement, places: tuple[XmlLocation, ...], prefix: str = "") -> None:
        for place in places:
            path = prefix + place.field
            for found in (found for where in place.paths(self.syntax) for found in group.xpath(where)):
                attribute = getattr(found, "attrname", None) or ""
                node = found.getparent() if attribute else found
                text = str(found) if attribute else (found.text or "")
                if text.strip():
                    self._take(path, text, node, attribute)
                    break

    def _take(self, path: str, text: str, node: XmlElement, attribute: str) -> None:
        self.taken[path] = (node, attribute)
        try:
            self.values[path] = text if path == PAYMENT_TERMS.field else _canonical(path, text, node)
        except ValueError as error:
            self.problems.append(Problem(named(path), f"{shown(plain(text))[:60]!r} {error}"))

    def drop(self, paths: list[str]) -> None:
        """Give back what was taken, so that it counts as not mapped."""
        for path in paths:
            del self.values[path], self.taken[path]

    def unmapped(self) -> list[Unmapped]:
        """Return every value that nothing was read from, in document order."""
        taken = set(self.taken.values())
        left = []
        for node in self.root.iter():
            names = [] if (node, "") in taken or not (node.text or "").strip() else [""]
            names += [name for name in node.attrib if (node, name) not in taken]
            for name in names:
                path = "/".join(part for part in (path_of(node), name and f"@{name.rpartition('}')[2]}") if part)
                if not path.endswith(STRUCTURE):
                    left.append(Unmapped(path, code_of(path, self.syntax)))
        return left


def _canonical(path: str, text: str, node: XmlElement) -> str:
    """Return a value as the schema has it.

    Raises:
        UserError: it is no value of the field's kind; the message goes on from the value.
    """
    kind = TERMS[field_of(path)].value_type
    body = plain(text)
    if kind is ValueType.AMOUNT:
        if not _PLAIN_AMOUNT.fullmatch(body) or amount_of(body) is None:
            raise UserError("is no plain decimal")
        return format(Decimal(body), "f")
    if kind is ValueType.DATE:
        day = _DAY.fullmatch(body)
        if day is None or node.get("format", "") not in _DAYS_ONLY:
            raise UserError("is no day")
        try:
            return dt.date(int(day[1]), int(day[3]), int(day[4])).isoformat()
        except ValueError as error:
            raise UserError("is no day of the calendar") from error
    return body


def read_terms(syntax: Syntax, root: XmlElement, limits: Limits) -> Mapped:
    """Return an invoice's values by path, and what the schema has no place for.

    Raises:
        Rejected: a value is none of its kind, or the document has more lines than ``limits`` allows.
    """
    reading = _Reading(syntax, root)
    reading.read(root, DOCUMENT_TERMS)
    for group in LIST_TERMS:
        places = XmlLocation(group.name, group.ubl, group.cii).paths(syntax)
        members = [member for where in places for member in root.xpath(where)]
        if len(members) > limits.lines:
            raise reject(f"{len(members)} members; at most {limits.lines} are read", group.name)
        for index, member in enumerate(members):
            reading.read(member, group.places, f"{group.name}[{index}].")
    _document_type(reading)
    _country_alone(reading)
    _rate_out_of_scope(reading)
    unmapped = _cash_discount(reading) + reading.unmapped()
    if reading.problems:
        raise Rejected(reading.problems)
    return Mapped(reading.values, unmapped)


def _document_type(reading: _Reading) -> None:
    said = reading.values.pop("document_type", None)
    code = int(said) if said and said.isascii() and said.isdigit() and len(said) <= 3 else None
    if code in _CREDIT_NOTES or (said is None and reading.root.tag == "CreditNote"):
        reading.values["document_type"] = str(DocumentType.CREDIT_NOTE)
    elif code in _INVOICES:
        reading.values["document_type"] = str(DocumentType.INVOICE)
    elif said is not None:
        reading.problems.append(Problem(named("document_type"), f"{shown(said)[:60]!r} is no code of an invoice"))


def _country_alone(reading: _Reading) -> None:
    """Take a place of delivery that is but a country for what it is: BR-IC-12 asks for it, no page prints it."""
    where = [path for path in reading.values if path.startswith("ship_to.")]
    if where == ["ship_to.address.country_code"]:
        reading.drop(where)


def _rate_out_of_scope(reading: _Reading) -> None:
    """Give what is outside the scope of the tax the rate 0: BR-O-05 forbids to write it, the schema asks for it."""
    for path, value in list(reading.values.items()):
        rate = path.removesuffix("category") + "rate"
        if path.startswith("vat_breakdown[") and value == VatCategory.OUTSIDE_SCOPE and path.endswith(".category"):
            reading.values.setdefault(rate, "0")


def _cash_discount(reading: _Reading) -> list[Unmapped]:
    """Take a discount for early payment out of the terms of payment; return those beyond the first."""
    said = reading.values.pop(PAYMENT_TERMS.field, "")
    offers = _CASH_DISCOUNT.findall(said)
    rest = plain(_CASH_DISCOUNT.sub("", said))
    issued = reading.values.get("issue_date")
    if offers and issued:
        days, percentage = offers[0]
        reading.values["cash_discount.percentage"] = format(Decimal(percentage), "f")
        reading.values["cash_discount.until"] = (dt.date.fromisoformat(issued) + dt.timedelta(int(days))).isoformat()
    if rest:
        reading.values[PAYMENT_TERMS.field] = rest
    return [Unmapped(f"{PAYMENT_TERMS.paths(reading.syntax)[0]}/#SKONTO#", "BT-20") for _ in offers[1:]]
