"""Read the business terms of an invoice in CII and ZUGFeRD 1.0, for `e_invoice_reader.py`."""

from __future__ import annotations

from collections.abc import Iterator

from e_invoice_nodes import (
    Node,
    Terms,
    as_one_text,
    first_texts,
    has_scheme,
    iso_day,
    merged_terms,
    nodes_at,
    stated_base_quantity,
    sum_of,
    type_of_document,
)


def cii_terms(root: Node) -> Terms:
    document, deal = (nodes_at(root, name)[0] for name in ("ExchangedDocument", "SupplyChainTradeTransaction"))
    agreement, delivery, settlement = (
        next(iter(nodes_at(deal, f"ApplicableHeaderTrade{part}")), None)
        for part in ("Agreement", "Delivery", "Settlement")
    )
    day = "DateTimeString"
    currency = first_texts(settlement, "InvoiceCurrencyCode")
    tax_currency = first_texts(settlement, "TaxCurrencyCode")
    sums = next(iter(nodes_at(settlement, "SpecifiedTradeSettlementHeaderMonetarySummation")), None)
    charges = [
        node for node in nodes_at(settlement, "SpecifiedTradeAllowanceCharge") if _indicator(node) == "true"
    ] + nodes_at(settlement, "SpecifiedLogisticsServiceCharge")
    allowances = [node for node in nodes_at(settlement, "SpecifiedTradeAllowanceCharge") if _indicator(node) == "false"]
    return {
        "BT-1": first_texts(document, "ID"),
        "BT-2": iso_day(first_texts(document, f"IssueDateTime/{day}")),
        "BT-3": type_of_document(first_texts(document, "TypeCode")),
        "BT-5": currency,
        "BT-6": tax_currency,
        "BT-9": iso_day(first_texts(settlement, f"SpecifiedTradePaymentTerms/DueDateDateTime/{day}")),
        "BT-10": first_texts(agreement, "BuyerReference"),
        "BT-12": first_texts(agreement, "ContractReferencedDocument/IssuerAssignedID"),
        "BT-13": first_texts(agreement, "BuyerOrderReferencedDocument/IssuerAssignedID"),
        "BT-16": first_texts(delivery, "DespatchAdviceReferencedDocument/IssuerAssignedID"),
        "BT-25": first_texts(settlement, "InvoiceReferencedDocument/IssuerAssignedID"),
        "BT-26": iso_day(first_texts(settlement, f"InvoiceReferencedDocument/FormattedIssueDateTime/{day}")),
        "BT-72": iso_day(first_texts(delivery, f"ActualDeliverySupplyChainEvent/OccurrenceDateTime/{day}")),
        "BT-73": iso_day(first_texts(settlement, f"BillingSpecifiedPeriod/StartDateTime/{day}")),
        "BT-74": iso_day(first_texts(settlement, f"BillingSpecifiedPeriod/EndDateTime/{day}")),
        "BT-82": first_texts(settlement, "SpecifiedTradeSettlementPaymentMeans/Information"),
        "BT-83": first_texts(settlement, "PaymentReference"),
        **_cii_account(settlement),
        **_cii_party(agreement, "SellerTradeParty", "27 29 30 31 32 35 36 37 38 39 40 41 42 43"),
        **_cii_party(agreement, "BuyerTradeParty", "44 46 47 48 - 50 51 52 53 54 55 56 57 58"),
        **_cii_party(settlement, "PayeeTradeParty", "59 60 61 - - - - - - - - - - -"),
        **_cii_party(delivery, "ShipToTradeParty", "70 71 - - - 75 76 77 78 79 80 - - -"),
        "BT-106": first_texts(sums, "LineTotalAmount"),
        "BT-107": first_texts(sums, "AllowanceTotalAmount"),
        "BT-108": first_texts(sums, "ChargeTotalAmount"),
        "BT-109": first_texts(sums, "TaxBasisTotalAmount"),
        "BT-110": first_texts(sums, "TaxTotalAmount", keep=lambda node: node.get("currencyID") in (None, *currency)),
        "BT-111": first_texts(
            sums,
            "TaxTotalAmount",
            keep=lambda node: node.get("currencyID") in tax_currency and node.get("currencyID") not in currency,
        ),
        "BT-112": first_texts(sums, "GrandTotalAmount"),
        "BT-113": first_texts(sums, "TotalPrepaidAmount"),
        "BT-114": first_texts(sums, "RoundingAmount"),
        "BT-115": first_texts(sums, "DuePayableAmount"),
        **merged_terms(map(_cii_tax, nodes_at(settlement, "ApplicableTradeTax"))),
        **merged_terms(_cii_adjustment(node, "92 93 94 95 96 97") for node in allowances),
        **merged_terms(_cii_adjustment(node, "99 100 101 102 103 104") for node in charges),
        **merged_terms(map(_cii_line, _cii_lines(deal))),
    }


def _indicator(node: Node) -> str:
    return {"1": "true", "0": "false"}.get(text := "".join(first_texts(node, "ChargeIndicator/Indicator")), text)


def _cii_account(settlement: Node | None) -> Terms:
    for means in nodes_at(settlement, "SpecifiedTradeSettlementPaymentMeans"):
        account = "PayeePartyCreditorFinancialAccount"
        if number := first_texts(means, f"{account}/IBANID", f"{account}/ProprietaryID"):
            return {"BT-84": number, "BT-86": first_texts(means, "PayeeSpecifiedCreditorFinancialInstitution/BICID")}
    return {}


def _cii_party(group: Node | None, name: str, codes: str) -> Terms:
    party = next(iter(nodes_at(group, name)), None)
    values = (
        first_texts(party, "Name"),
        first_texts(party, "ID", "GlobalID"),
        first_texts(party, "SpecifiedLegalOrganization/ID"),
        first_texts(party, "SpecifiedTaxRegistration/ID", keep=has_scheme("VA")),
        first_texts(party, "SpecifiedTaxRegistration/ID", keep=has_scheme("FC")),
        first_texts(party, "PostalTradeAddress/LineOne"),
        first_texts(party, "PostalTradeAddress/LineTwo"),
        first_texts(party, "PostalTradeAddress/CityName"),
        first_texts(party, "PostalTradeAddress/PostcodeCode"),
        first_texts(party, "PostalTradeAddress/CountrySubDivisionName"),
        first_texts(party, "PostalTradeAddress/CountryID"),
        first_texts(party, "DefinedTradeContact/PersonName", "DefinedTradeContact/DepartmentName"),
        first_texts(party, "DefinedTradeContact/TelephoneUniversalCommunication/CompleteNumber"),
        first_texts(party, "DefinedTradeContact/EmailURIUniversalCommunication/URIID"),
    )
    found = {f"BT-{code}": value for code, value in zip(codes.split(), values, strict=True) if code != "-"}
    if name == "ShipToTradeParty" and [code for code, value in found.items() if value] == ["BT-80"]:
        return {}  # a country alone, which BR-IC-12 requires, is no address
    return found


def _cii_tax(tax: Node) -> Terms:
    category = first_texts(tax, "CategoryCode")
    return {
        "BT-116": first_texts(tax, "BasisAmount"),
        "BT-117": first_texts(tax, "CalculatedAmount"),
        "BT-118": category,
        "BT-119": first_texts(tax, "RateApplicablePercent") or (["0"] if category == ["O"] else []),
        "BT-120": first_texts(tax, "ExemptionReason"),
    }


def _cii_adjustment(node: Node, codes: str) -> Terms:
    values = (
        first_texts(node, "ActualAmount", "AppliedAmount"),
        first_texts(node, "BasisAmount"),
        first_texts(node, "CalculationPercent"),
        first_texts(node, "CategoryTradeTax/CategoryCode", "AppliedTradeTax/CategoryCode"),
        first_texts(node, "CategoryTradeTax/RateApplicablePercent", "AppliedTradeTax/RateApplicablePercent"),
        first_texts(node, "Reason", "Description"),
    )
    return {f"BT-{code}": value for code, value in zip(codes.split(), values, strict=True)}


def _cii_lines(deal: Node) -> Iterator[Node]:
    """Yield the lines that count: no titles of groups, no lines for information, no comments."""
    for line in nodes_at(deal, "IncludedSupplyChainTradeLineItem"):
        if first_texts(line, "AssociatedDocumentLineDocument/LineStatusReasonCode") in (["GROUP"], ["INFORMATION"]):
            continue
        total = "SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount"
        if any(
            first_texts(line, path)
            for path in ("SpecifiedTradeProduct/Name", total, "SpecifiedLineTradeDelivery/BilledQuantity")
        ):
            yield line


def _cii_line(line: Node) -> Terms:
    product, about, agreement, delivery, settlement = (
        next(iter(nodes_at(line, name)), None)
        for name in (
            "SpecifiedTradeProduct",
            "AssociatedDocumentLineDocument",
            "SpecifiedLineTradeAgreement",
            "SpecifiedLineTradeDelivery",
            "SpecifiedLineTradeSettlement",
        )
    )
    gross = next(iter(nodes_at(agreement, "GrossPriceProductTradePrice")), None)
    net = next(iter(nodes_at(agreement, "NetPriceProductTradePrice")), None)
    adjustments = nodes_at(settlement, "SpecifiedTradeAllowanceCharge")
    allowances, charges = ([node for node in adjustments if _indicator(node) == kind] for kind in ("false", "true"))
    discounts = [node for node in nodes_at(gross, "AppliedTradeAllowanceCharge") if _indicator(node) == "false"]
    classes = nodes_at(product, "DesignatedProductClassification/ClassCode")
    goods = [node.text for node in classes if node.get("listID") in (None, "HS") and node.text]
    return {
        "BT-126": first_texts(about, "LineID"),
        "BT-129": first_texts(delivery, "BilledQuantity"),
        "BT-130": first_texts(delivery, "BilledQuantity/@unitCode"),
        "BT-131": first_texts(settlement, "SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount"),
        "BT-132": first_texts(agreement, "BuyerOrderReferencedDocument/LineID"),
        "BT-136": sum_of([text for node in allowances for text in first_texts(node, "ActualAmount")]),
        "BT-139": as_one_text([text for node in allowances for text in first_texts(node, "Reason")]),
        "BT-141": sum_of([text for node in charges for text in first_texts(node, "ActualAmount")]),
        "BT-144": as_one_text([text for node in charges for text in first_texts(node, "Reason")]),
        "BT-146": first_texts(net, "ChargeAmount"),
        "BT-147": sum_of([text for node in discounts for text in first_texts(node, "ActualAmount")]),
        "BT-148": first_texts(gross, "ChargeAmount"),
        "BT-149": stated_base_quantity(first_texts(net, "BasisQuantity") or first_texts(gross, "BasisQuantity")),
        "BT-151": first_texts(settlement, "ApplicableTradeTax/CategoryCode"),
        "BT-152": first_texts(settlement, "ApplicableTradeTax/RateApplicablePercent"),
        "BT-153": first_texts(product, "Name"),
        "BT-155": first_texts(product, "SellerAssignedID"),
        "BT-157": first_texts(product, "GlobalID", keep=lambda node: node.get("schemeID") in (None, "0160", "0088")),
        "BT-158": goods[:1],
    }
