"""XML of strangers → elements by their local names, and which syntax they are in.

No entity is expanded, no DTD is read, nothing is fetched: a document with a DTD is refused whole, as no syntax of
invoices has one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from lxml import etree

from finscribe_assets.documents.ubl import NAMESPACES as UBL_NAMESPACES
from finscribe_assets.importing.rejects import reject

XmlElement = Any  # an lxml element


class Syntax(StrEnum):
    """A syntax that business terms are bound to; ZUGFeRD 1.0 is read as an older spelling of CII."""

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

# ZUGFeRD 1.0's names → those of CII D16B, on which ZUGFeRD 2 and Factur-X stand.
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
_LINE = "IncludedSupplyChainTradeLineItem"


def parse(content: bytes) -> tuple[Syntax, XmlElement]:
    """Return an invoice's syntax and its root; elements of the syntax's namespaces have lost their prefixes.

    Raises:
        Rejected: it is no XML, has a DTD, or is in no syntax of invoices.
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
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise reject(f"not XML that can be read: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise reject("the XML has a document type declaration, which no invoice needs; it is not read")
    if root.tag not in _ROOTS:
        raise reject(f"the XML is neither an invoice of CII nor one of UBL: its root is {root.tag}")
    syntax, namespaces = _ROOTS[root.tag]
    old = namespaces is _ZUGFERD_1_NAMESPACES
    for element in root.iter():
        name = etree.QName(element)
        if name.namespace in namespaces:
            element.tag = _ZUGFERD_1_NAMES.get(name.localname, name.localname) if old else name.localname
    if old:
        _rename_by_place(root)
    return syntax, root


def _rename_by_place(root: XmlElement) -> None:
    """Give what ZUGFeRD 1.0 calls by one name, in a line and in the header, CII's name for each."""
    for element in root.iter("SpecifiedTradeSettlementMonetarySummation"):
        level = "Line" if next(element.iterancestors(_LINE), None) is not None else "Header"
        element.tag = f"SpecifiedTradeSettlement{level}MonetarySummation"
    for element in root.iter("ID"):
        if str(element.getparent().tag).endswith("ReferencedDocument"):
            element.tag = "IssuerAssignedID"


def is_invoice(content: bytes) -> bool:
    """Tell whether bytes are an invoice's XML, in a syntax that is read here."""
    try:
        parse(content)
    except ValueError:
        return False
    return True


def path_of(node: XmlElement) -> str:
    """Return the local names from below the root to an element, joined by slashes."""
    steps = [etree.QName(node).localname, *(etree.QName(above).localname for above in node.iterancestors())]
    return "/".join(steps[-2::-1])
