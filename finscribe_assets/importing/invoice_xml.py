"""Parse invoice XML of unknown origin, and determine its syntax: UBL 2.1, CII D16B or ZUGFeRD 1.0.

Entities are not expanded, DTDs are not read and nothing is fetched. A document with a DTD is rejected, as no invoice
syntax has one.
"""

from __future__ import annotations

import codecs
from enum import StrEnum

from lxml import etree

from finscribe_assets.documents.ubl import NAMESPACES as UBL_NAMESPACES
from finscribe_assets.documents.ubl import XmlElement
from finscribe_assets.opening.input_limits import RejectedDocumentError, rejection


class Syntax(StrEnum):
    """A syntax of EN 16931's business terms. ZUGFeRD 1.0 is read as CII with older names."""

    UBL = "ubl"
    CII = "cii"


_CII_NAMESPACES = frozenset(
    {
        "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
        "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
        "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
        "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
    }
)
_ZUGFERD_1_NAMESPACES = frozenset(
    {
        "urn:ferd:CrossIndustryDocument:invoice:1p0",
        "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:12",
        "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:15",
    }
)
_ROOTS = {
    f"{{{UBL_NAMESPACES['Invoice']}}}Invoice": (Syntax.UBL, frozenset(UBL_NAMESPACES.values())),
    f"{{{UBL_NAMESPACES['CreditNote']}}}CreditNote": (Syntax.UBL, frozenset(UBL_NAMESPACES.values())),
    "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice": (Syntax.CII, _CII_NAMESPACES),
    "{urn:ferd:CrossIndustryDocument:invoice:1p0}CrossIndustryDocument": (Syntax.CII, _ZUGFERD_1_NAMESPACES),
}

# Element names of ZUGFeRD 1.0 → those of CII D16B, which ZUGFeRD 2 and Factur-X use.
_ZUGFERD_1_NAMES = {
    "CrossIndustryDocument": "CrossIndustryInvoice",
    "SpecifiedExchangedDocumentContext": "ExchangedDocumentContext",
    "HeaderExchangedDocument": "ExchangedDocument",
    "SpecifiedSupplyChainTradeTransaction": "SupplyChainTradeTransaction",
    "ApplicableSupplyChainTradeAgreement": "ApplicableHeaderTradeAgreement",
    "ApplicableSupplyChainTradeDelivery": "ApplicableHeaderTradeDelivery",
    "ApplicableSupplyChainTradeSettlement": "ApplicableHeaderTradeSettlement",
    "SpecifiedSupplyChainTradeAgreement": "SpecifiedLineTradeAgreement",
    "SpecifiedSupplyChainTradeDelivery": "SpecifiedLineTradeDelivery",
    "SpecifiedSupplyChainTradeSettlement": "SpecifiedLineTradeSettlement",
    "ApplicablePercent": "RateApplicablePercent",
}
_LINE_ITEM = "IncludedSupplyChainTradeLineItem"


def parse_invoice_xml(content: bytes) -> tuple[Syntax, XmlElement]:
    """Parse an invoice.

    Returns:
        The syntax and the root element. Elements of the syntax's namespaces have local names only; others keep their
        namespace.

    Raises:
        RejectedDocumentError: The content is not XML, has a DTD, or is not an invoice in a known syntax.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    text = content.removeprefix(codecs.BOM_UTF8).lstrip()  # some software writes an empty line first
    try:
        root = etree.fromstring(text if text.startswith(b"<?xml") else content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise rejection(f"not readable as XML: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise rejection("the XML has a document type declaration, which is not allowed; remove it")
    if root.tag not in _ROOTS:
        raise rejection(f"the XML is neither a UBL nor a CII invoice: its root element is {root.tag}")
    syntax, namespaces = _ROOTS[root.tag]
    is_zugferd_1 = namespaces is _ZUGFERD_1_NAMESPACES
    for element in root.iter():
        name = etree.QName(element)
        if name.namespace in namespaces:
            element.tag = _ZUGFERD_1_NAMES.get(name.localname, name.localname) if is_zugferd_1 else name.localname
    if is_zugferd_1:
        _rename_by_parent(root)
    return syntax, root


def _rename_by_parent(root: XmlElement) -> None:
    """Rename elements that ZUGFeRD 1.0 calls the same in lines and in the header, but CII does not."""
    for element in root.iter("SpecifiedTradeSettlementMonetarySummation"):
        level = "Line" if next(element.iterancestors(_LINE_ITEM), None) is not None else "Header"
        element.tag = f"SpecifiedTradeSettlement{level}MonetarySummation"
    for element in root.iter("ID"):
        if str(element.getparent().tag).endswith("ReferencedDocument"):
            element.tag = "IssuerAssignedID"


def is_invoice_xml(content: bytes) -> bool:
    """Tell whether `parse_invoice_xml` accepts the content."""
    try:
        parse_invoice_xml(content)
    except RejectedDocumentError:
        return False
    return True


def element_path(node: XmlElement) -> str:
    """Return the local names from below the root down to an element, joined by slashes."""
    steps = [etree.QName(node).localname, *(etree.QName(above).localname for above in node.iterancestors())]
    return "/".join(steps[-2::-1])
