"""Writers independent of the importer: CII and UBL by the package `factur-x`, PDFs by WeasyPrint and pypdf."""

from __future__ import annotations

import html
import re
from io import BytesIO
from typing import Any

from facturx import generate_cii_xml, generate_from_binary, generate_ubl_xml
from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)
from weasyprint import HTML

from finscribe_assets.documents.elements import TERMS, field_of
from finscribe_assets.documents.schema import Document, Party, flatten

TYPE_CODES = {"invoice": "380", "credit_note": "381"}
_MEMBER = re.compile(r"(\w+)\[(\d+)\]\.(\w+)")


def business_terms(document: Document) -> dict[str, Any]:
    """Return a document's values by EN 16931 code, in the form that `factur-x` takes."""
    leaves = flatten(document.to_json())
    terms: dict[str, Any] = {}
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
            terms[code] = value
    terms["BT-3"] = TYPE_CODES[document.document_type]
    terms["BG-23"] = list(members.get("vat_breakdown", {}).values())
    terms["BG-25"] = [_line(index, line) for index, line in members["lines"].items()]
    for code, group in (("BG-20", "allowances"), ("BG-21", "charges")):
        terms[code] = [_adjustment(member) for member in members.get(group, {}).values()]
    if "BT-25" in terms:
        terms["BG-3"] = [{name: terms.pop(name) for name in ("BT-25", "BT-26") if name in terms}]
    for code, role in (("BG-4", "seller"), ("BG-7", "buyer"), ("BG-10", "payee"), ("BG-13", "ship_to")):
        if (party := getattr(document, role)) is not None:
            terms[code] = _party(party)
    if {"BT-82", "BT-84"} & set(terms):
        terms["BT-81"] = "30"
    return terms


def _line(index: int, line: dict[str, str]) -> dict[str, Any]:
    terms: dict[str, Any] = {"BT-126": str(index + 1), **line}
    if "BT-127" in terms:
        terms["BT-127-00"] = [{"BT-127": terms.pop("BT-127")}]
    if "BT-147" in terms:
        terms["BT-147-00"] = [{"BT-147": terms.pop("BT-147")}]
    if "BT-157" in terms:
        terms["BT-157-1"] = "0160"
    if "BT-158" in terms:
        terms["BT-158"] = {"HS": {None: terms["BT-158"]}}
    for group, amount, reason in (("BG-27", "BT-136", "BT-139"), ("BG-28", "BT-141", "BT-144")):
        if amount in terms:
            terms[group] = [{"amount": terms.pop(amount), "reason": terms.pop(reason, "")}]
    return terms


def _adjustment(member: dict[str, str]) -> dict[str, str]:
    names = {"percentage": "rate", "vat_category": "vat_category_code"}
    return {names.get(name, name): value for name, value in member.items()}


def _party(party: Party) -> dict[str, Any]:
    address = party.address
    terms: dict[str, Any] = {
        "name": party.name,
        "identifiers": {None: party.identifier} if party.identifier else {},
        "legal_identifier": party.legal_registration,
        "vat_identifier": party.vat_identifier,
        "tax_identifier": party.tax_registration,
    }
    contact = {"name": party.contact_name, "phone": party.contact_phone, "email": party.contact_email}
    if any(contact.values()):
        terms["contacts"] = [{name: value for name, value in contact.items() if value}]
    if address:
        terms |= {
            "addr_l1": address.street,
            "addr_l2": address.additional_line,
            "postcode": address.post_code,
            "city": address.city,
            "country_subdivision": address.subdivision,
            "country_code": address.country_code,
        }
    return {name: value for name, value in terms.items() if value}


def cii(document: Document, **options: Any) -> bytes:
    """Return a document as CII, written by `factur-x`."""
    return generate_cii_xml(business_terms(document), "en16931", check_schematron=None, **options)


def ubl(document: Document) -> bytes:
    """Return a document as UBL, written by `factur-x`."""
    return generate_ubl_xml(business_terms(document), "en16931", check_schematron=None)


def pdf(*pages: str, width: str = "210mm", height: str = "297mm") -> bytes:
    """Return a PDF with each text on a separate page."""
    body = "".join(f'<pre style="break-after: page">{html.escape(page)}</pre>' for page in pages)
    style = f"<style>@page {{ size: {width} {height}; margin: 5mm }} pre {{ font-size: 8pt }}</style>"
    return HTML(string=style + body).write_pdf()


def with_embedded(content: bytes, **files: bytes) -> bytes:
    """Embed files in a PDF, by name; in names, two underscores stand for a hyphen and one for a full stop."""
    writer = PdfWriter(clone_from=BytesIO(content))
    for name, attached in files.items():
        writer.add_attachment(name.replace("__", "-").replace("_", "."), attached)
    return _bytes(writer)


def factur_x(content: bytes, xml: bytes) -> bytes:
    """Turn a PDF into a Factur-X invoice."""
    return generate_from_binary(content, xml, flavor="factur-x", level="en16931", check_schematron=False)


def encrypted(content: bytes, password: str) -> bytes:
    """Encrypt a PDF with a user password, which may be empty."""
    writer = PdfWriter(clone_from=BytesIO(content))
    writer.encrypt(password, "owner")
    return _bytes(writer)


def blank(pages: int, width: float = 595, height: float = 842) -> bytes:
    """Return a PDF of empty pages; width and height are in points."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width, height)
    return _bytes(writer)


def with_script_and_stamp(content: bytes) -> bytes:
    """Add a script that runs when the PDF is opened, and an annotation that covers a part of its first page."""
    writer = PdfWriter(clone_from=BytesIO(content))
    script = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert('open')")}
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(script)
    appearance = StreamObject()
    appearance.set_data(b"0 0 0 rg 0 0 200 200 re f")
    box = ArrayObject(map(FloatObject, (0, 0, 200, 200)))
    appearance |= {NameObject("/Type"): NameObject("/XObject"), NameObject("/Subtype"): NameObject("/Form")}
    appearance[NameObject("/BBox")] = box
    stamp = DictionaryObject({NameObject("/Type"): NameObject("/Annot"), NameObject("/Subtype"): NameObject("/Stamp")})
    stamp |= {NameObject("/Rect"): box, NameObject("/F"): NumberObject(4)}
    stamp[NameObject("/AP")] = DictionaryObject({NameObject("/N"): writer._add_object(appearance)})
    writer.pages[0][NameObject("/Annots")] = ArrayObject([writer._add_object(stamp)])
    return _bytes(writer)


def _bytes(writer: PdfWriter) -> bytes:
    stream = BytesIO()
    writer.write(stream)
    return stream.getvalue()
