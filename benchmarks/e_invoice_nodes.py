"""Find and join values in the XML of an electronic invoice, for the readings of both syntaxes."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from decimal import Decimal

Terms = dict[str, list[str]]
"""Values by business term. A term of lines, allowances, charges or tax rates has a value for each that states it."""

Node = ET.Element

# Names of ZUGFeRD 1.0 for elements of CII D16B.
_OLD_NAMES = {
    "ExchangedDocumentContext": "SpecifiedExchangedDocumentContext",
    "ExchangedDocument": "HeaderExchangedDocument",
    "SupplyChainTradeTransaction": "SpecifiedSupplyChainTradeTransaction",
    "ApplicableHeaderTradeAgreement": "ApplicableSupplyChainTradeAgreement",
    "ApplicableHeaderTradeDelivery": "ApplicableSupplyChainTradeDelivery",
    "ApplicableHeaderTradeSettlement": "ApplicableSupplyChainTradeSettlement",
    "SpecifiedLineTradeAgreement": "SpecifiedSupplyChainTradeAgreement",
    "SpecifiedLineTradeDelivery": "SpecifiedSupplyChainTradeDelivery",
    "SpecifiedLineTradeSettlement": "SpecifiedSupplyChainTradeSettlement",
    "SpecifiedTradeSettlementHeaderMonetarySummation": "SpecifiedTradeSettlementMonetarySummation",
    "SpecifiedTradeSettlementLineMonetarySummation": "SpecifiedTradeSettlementMonetarySummation",
    "RateApplicablePercent": "ApplicablePercent",
    "IssuerAssignedID": "ID",
    "DespatchAdviceReferencedDocument": "DeliveryNoteReferencedDocument",
}
_CREDIT_NOTES = {"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532"}


def local_name(node: Node) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def nodes_at(node: Node | None, path: str) -> list[Node]:
    """Return the descendants at a path of local names, those of ZUGFeRD 1.0 included."""
    nodes = [node] if node is not None else []
    for step in path.split("/"):
        names = (step, _OLD_NAMES.get(step, step))
        nodes = [child for parent in nodes for child in parent if local_name(child) in names]
    return nodes


def texts_at(node: Node | None, path: str, keep: Callable[[Node], bool] = lambda _: True) -> list[str]:
    """Return the texts at a path; of a last step ``@name`` the values of the attribute."""
    path, _, attribute = path.partition("/@")
    found = [child for child in nodes_at(node, path) if keep(child)]
    texts = [(child.get(attribute, "") if attribute else child.text or "") for child in found]
    return [" ".join(text.split()) for text in texts if text.strip()]


def first_texts(node: Node | None, *paths: str, keep: Callable[[Node], bool] = lambda _: True) -> list[str]:
    return next((texts[:1] for path in paths if (texts := texts_at(node, path, keep))), [])


def iso_day(texts: list[str]) -> list[str]:
    days = []
    for text in texts[:1]:
        digits = text.replace("-", "")[:8]
        try:
            days.append(dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).isoformat())
        except ValueError:
            continue  # no day: the importer does not take it either
    return days


def as_amounts(texts: list[str]) -> list[Decimal]:
    return [Decimal(text) for text in texts]


def sum_of(texts: list[str]) -> list[str]:
    return [str(sum(as_amounts(texts), Decimal(0)))] if texts else []


def as_one_text(texts: list[str]) -> list[str]:
    return [", ".join(dict.fromkeys(texts))] if texts else []


def type_of_document(codes: list[str], name: str = "") -> list[str]:
    is_credit_note = codes[0] in _CREDIT_NOTES if codes else name == "CreditNote"
    return ["credit_note" if is_credit_note else "invoice"]


def has_scheme(value: str) -> Callable[[Node], bool]:
    return lambda node: node.get("schemeID") == value


def merged_terms(rows: Iterator[Terms]) -> Terms:
    """Return the values of a list's members by term, in order."""
    merged: Terms = {}
    for row in rows:
        for code, values in row.items():
            merged.setdefault(code, []).extend(values)
    return merged


def stated_base_quantity(texts: list[str]) -> list[str]:
    return [] if texts and Decimal(texts[0]) == 1 else texts
