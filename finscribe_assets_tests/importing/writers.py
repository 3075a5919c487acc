"""Writers that know nothing of the importer: CII and UBL by the package `factur-x`, PDFs by WeasyPrint and pypdf."""

from __future__ import annotations

import html
import re
from io import BytesIO
from typing import Any

from facturx import generate_cii_xml, generate_from_binary, generate_ubl_xml
from pypdf import PdfWriter
from weasyprint import HTML

from finscribe_assets.documents.elements import TERMS, field_of
from finscribe_assets.documents.schema import Document, Party, flatten

TYPE_CODES = {"invoice": "380", "credit_note": "381"}
_MEMBER = re.compile(r"(\w+)\[(\d+)\]\.(\w+)")


def business_terms(document: Document) -> dict[str, Any]:
    """Return a document by EN 16931's codes, in the form that `factur-x` takes."""
    leaves = flatten(document.to_json())
    said: dict[str, Any] = {}
    members: dict[str, dict[int, dict[str, str]]] = {}
    for path, value in leaves.items():
        code = TERMS[field_of(path)].code
        if not code or field_of(path) == "lines.unit":
            continue
        if member := _MEMBER.fullmatch(path):
            members.setdefault(member[1], {}).setdefault(int(member[2]), {})[
                code if member[1] in ("lines", "vat_breakdown") else member[3]
            ] = value
        elif path.split(".")[0] not in ("seller", "buyer", "payee", "ship_to"):
            said[code] = value
    said["BT-3"] = TYPE_CODES[document.document_type]
    said["BG-23"] = list(members.get("vat_breakdown", {}).values())
    said["BG-25"] = [_line(number, line) for number, line in members["lines"].items()]
    for code, group in (("BG-20", "allowances"), ("BG-21", "charges")):
        said[code] = [_adjustment(one) for one in members.get(group, {}).values()]
    if "BT-25" in said:
        said["BG-3"] = [{name: said.pop(name) for name in ("BT-25", "BT-26") if name in said}]
    for code, role in (("BG-4", "seller"), ("BG-7", "buyer"), ("BG-10", "payee"), ("BG-13", "ship_to")):
        if (party := getattr(document, role)) is not None:
            said[code] = _party(party)
    if {"BT-82", "BT-84"} & set(said):
        said["BT-81"] = "30"
    return said


def _line(number: int, line: dict[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {"BT-126": str(number + 1), **line}
    if "BT-127" in said:
        said["BT-127-00"] = [{"BT-127": said.pop("BT-127")}]
    if "BT-147" in said:
        said["BT-147-00"] = [{"BT-147": said.pop("BT-147")}]
    if "BT-157" in said:
        said["BT-157-1"] = "0160"
    if "BT-158" in said:
        said["BT-158"] = {"HS": {None: said["BT-158"]}}
    for group, amount, reason in (("BG-27", "BT-136", "BT-139"), ("BG-28", "BT-141", "BT-144")):
        if amount in said:
            said[group] = [{"amount": said.pop(amount), "reason": said.pop(reason, "")}]
    return said


def _adjustment(one: dict[str, str]) -> dict[str, str]:
    names = {"percentage": "rate", "vat_category": "vat_category_code"}
    return {names.get(name, name): value for name, value in one.items()}


def _party(party: Party) -> dict[str, Any]:
    address = party.address
    said: dict[str, Any] = {
        "name": party.name,
        "identifiers": {None: party.identifier} if party.identifier else {},
        "legal_identifier": party.legal_registration,
        "vat_identifier": party.vat_identifier,
        "tax_identifier": party.tax_registration,
    }
    contact = {"name": party.contact_name, "phone": party.contact_phone, "email": party.contact_email}
    if any(contact.values()):
        said["contacts"] = [{name: value for name, value in contact.items() if value}]
    if address:
        said |= {
            "addr_l1": address.street,
            "addr_l2": address.additional_line,
            "postcode": address.post_code,
            "city": address.city,
            "country_subdivision": address.subdivision,
            "country_code": address.country_code,
        }
    return {name: value for name, value in said.items() if value}


def cii(document: Document, **options: Any) -> bytes:
    """Return a document as CII, written by `factur-x`."""
    return generate_cii_xml(business_terms(document), "en16931", check_schematron=None, **options)


def ubl(document: Document) -> bytes:
    """Return a document as UBL, written by `factur-x`."""
    return generate_ubl_xml(business_terms(document), "en16931", check_schematron=None)


def pdf(*pages: str, width: str = "210mm", height: str = "297mm") -> bytes:
    """Return a PDF with the lines of each text on a page of its own."""
    body = "".join(f'<pre style="break-after: page">{html.escape(page)}</pre>' for page in pages)
    style = f"<style>@page {{ size: {width} {height}; margin: 5mm }} pre {{ font-size: 8pt }}</style>"
    return HTML(string=style + body).write_pdf()


def with_embedded(content: bytes, **files: bytes) -> bytes:
    """Return a PDF with files embedded, by name; two underscores stand for a hyphen, one for a point."""
    writer = PdfWriter(clone_from=BytesIO(content))
    for name, attached in files.items():
        writer.add_attachment(name.replace("__", "-").replace("_", "."), attached)
    return _bytes(writer)


def factur_x(content: bytes, xml: bytes) -> bytes:
    """Return a PDF made a Factur-X invoice by `factur-x`."""
    return generate_from_binary(content, xml, flavor="factur-x", level="en16931", check_schematron=False)


def encrypted(content: bytes, password: str) -> bytes:
    """Return a PDF with a user's password, which may be empty."""
    writer = PdfWriter(clone_from=BytesIO(content))
    writer.encrypt(password, "owner")
    return _bytes(writer)


def blank(pages: int, width: float = 595, height: float = 842) -> bytes:
    """Return a PDF of so many empty pages, in points."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width, height)
    return _bytes(writer)


def _bytes(writer: PdfWriter) -> bytes:
    stream = BytesIO()
    writer.write(stream)
    return stream.getvalue()
