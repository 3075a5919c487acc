"""Read the business terms of an electronic invoice for `e_invoices.py`, independently of the importer.

It shares no code and no table with `finscribe_assets.importing`: the locations are those of CEN/TS 16931-3-2 (UBL) and
16931-3-3 (CII) and of the ZUGFeRD 1.0 specification, read with ElementTree. Values are grouped by business term.
"""

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


def business_terms(content: bytes) -> Terms:
    """Return the business terms of an invoice in UBL, CII or ZUGFeRD 1.0."""
    root = ET.fromstring(content)  # noqa: S314
    name = _local(root)
    terms = _ubl(root, name) if name in ("Invoice", "CreditNote") else _cii(root)
    return {code: values for code, values in terms.items() if values}


def _local(node: Node) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def _all(node: Node | None, path: str) -> list[Node]:
    """Return the descendants at a path of local names, those of ZUGFeRD 1.0 included."""
    nodes = [node] if node is not None else []
    for step in path.split("/"):
        names = (step, _OLD_NAMES.get(step, step))
        nodes = [child for parent in nodes for child in parent if _local(child) in names]
    return nodes


def _texts(node: Node | None, path: str, keep: Callable[[Node], bool] = lambda _: True) -> list[str]:
    """Return the texts at a path; of a last step ``@name`` the values of the attribute."""
    path, _, attribute = path.partition("/@")
    found = [child for child in _all(node, path) if keep(child)]
    texts = [(child.get(attribute, "") if attribute else child.text or "") for child in found]
    return [" ".join(text.split()) for text in texts if text.strip()]


def _first(node: Node | None, *paths: str, keep: Callable[[Node], bool] = lambda _: True) -> list[str]:
    return next((texts[:1] for path in paths if (texts := _texts(node, path, keep))), [])


def _day(texts: list[str]) -> list[str]:
    days = []
    for text in texts[:1]:
        digits = text.replace("-", "")[:8]
        try:
            days.append(dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).isoformat())
        except ValueError:
            continue  # no day: the importer does not take it either
    return days


def _amounts(texts: list[str]) -> list[Decimal]:
    return [Decimal(text) for text in texts]


def _sum(texts: list[str]) -> list[str]:
    return [str(sum(_amounts(texts), Decimal(0)))] if texts else []


def _joined(texts: list[str]) -> list[str]:
    return [", ".join(dict.fromkeys(texts))] if texts else []


def _document_type(codes: list[str], name: str = "") -> list[str]:
    is_credit_note = codes[0] in _CREDIT_NOTES if codes else name == "CreditNote"
    return ["credit_note" if is_credit_note else "invoice"]


def _is(value: str) -> Callable[[Node], bool]:
    return lambda node: node.get("schemeID") == value


def _merge(rows: Iterator[Terms]) -> Terms:
    """Return the values of a list's members by term, in order."""
    merged: Terms = {}
    for row in rows:
        for code, values in row.items():
            merged.setdefault(code, []).extend(values)
    return merged


def _base_quantity(texts: list[str]) -> list[str]:
    return [] if texts and Decimal(texts[0]) == 1 else texts


# CII


def _cii(root: Node) -> Terms:
    document, deal = (_all(root, name)[0] for name in ("ExchangedDocument", "SupplyChainTradeTransaction"))
    agreement, delivery, settlement = (
        next(iter(_all(deal, f"ApplicableHeaderTrade{part}")), None) for part in ("Agreement", "Delivery", "Settlement")
    )
    day = "DateTimeString"
    currency = _first(settlement, "InvoiceCurrencyCode")
    tax_currency = _first(settlement, "TaxCurrencyCode")
    sums = next(iter(_all(settlement, "SpecifiedTradeSettlementHeaderMonetarySummation")), None)
    charges = [node for node in _all(settlement, "SpecifiedTradeAllowanceCharge") if _indicator(node) == "true"] + _all(
        settlement, "SpecifiedLogisticsServiceCharge"
    )
    allowances = [node for node in _all(settlement, "SpecifiedTradeAllowanceCharge") if _indicator(node) == "false"]
    return {
        "BT-1": _first(document, "ID"),
        "BT-2": _day(_first(document, f"IssueDateTime/{day}")),
        "BT-3": _document_type(_first(document, "TypeCode")),
        "BT-5": currency,
        "BT-6": tax_currency,
        "BT-9": _day(_first(settlement, f"SpecifiedTradePaymentTerms/DueDateDateTime/{day}")),
        "BT-10": _first(agreement, "BuyerReference"),
        "BT-12": _first(agreement, "ContractReferencedDocument/IssuerAssignedID"),
        "BT-13": _first(agreement, "BuyerOrderReferencedDocument/IssuerAssignedID"),
        "BT-16": _first(delivery, "DespatchAdviceReferencedDocument/IssuerAssignedID"),
        "BT-25": _first(settlement, "InvoiceReferencedDocument/IssuerAssignedID"),
        "BT-26": _day(_first(settlement, f"InvoiceReferencedDocument/FormattedIssueDateTime/{day}")),
        "BT-72": _day(_first(delivery, f"ActualDeliverySupplyChainEvent/OccurrenceDateTime/{day}")),
        "BT-73": _day(_first(settlement, f"BillingSpecifiedPeriod/StartDateTime/{day}")),
        "BT-74": _day(_first(settlement, f"BillingSpecifiedPeriod/EndDateTime/{day}")),
        "BT-82": _first(settlement, "SpecifiedTradeSettlementPaymentMeans/Information"),
        "BT-83": _first(settlement, "PaymentReference"),
        **_cii_account(settlement),
        **_cii_party(agreement, "SellerTradeParty", "27 29 30 31 32 35 36 37 38 39 40 41 42 43"),
        **_cii_party(agreement, "BuyerTradeParty", "44 46 47 48 - 50 51 52 53 54 55 56 57 58"),
        **_cii_party(settlement, "PayeeTradeParty", "59 60 61 - - - - - - - - - - -"),
        **_cii_party(delivery, "ShipToTradeParty", "70 71 - - - 75 76 77 78 79 80 - - -"),
        "BT-106": _first(sums, "LineTotalAmount"),
        "BT-107": _first(sums, "AllowanceTotalAmount"),
        "BT-108": _first(sums, "ChargeTotalAmount"),
        "BT-109": _first(sums, "TaxBasisTotalAmount"),
        "BT-110": _first(sums, "TaxTotalAmount", keep=lambda node: node.get("currencyID") in (None, *currency)),
        "BT-111": _first(
            sums,
            "TaxTotalAmount",
            keep=lambda node: node.get("currencyID") in tax_currency and node.get("currencyID") not in currency,
        ),
        "BT-112": _first(sums, "GrandTotalAmount"),
        "BT-113": _first(sums, "TotalPrepaidAmount"),
        "BT-114": _first(sums, "RoundingAmount"),
        "BT-115": _first(sums, "DuePayableAmount"),
        **_merge(map(_cii_tax, _all(settlement, "ApplicableTradeTax"))),
        **_merge(_cii_adjustment(node, "92 93 94 95 96 97") for node in allowances),
        **_merge(_cii_adjustment(node, "99 100 101 102 103 104") for node in charges),
        **_merge(map(_cii_line, _cii_lines(deal))),
    }


def _indicator(node: Node) -> str:
    return {"1": "true", "0": "false"}.get(text := "".join(_first(node, "ChargeIndicator/Indicator")), text)


def _cii_account(settlement: Node | None) -> Terms:
    for means in _all(settlement, "SpecifiedTradeSettlementPaymentMeans"):
        account = "PayeePartyCreditorFinancialAccount"
        if number := _first(means, f"{account}/IBANID", f"{account}/ProprietaryID"):
            return {"BT-84": number, "BT-86": _first(means, "PayeeSpecifiedCreditorFinancialInstitution/BICID")}
    return {}


def _cii_party(group: Node | None, name: str, codes: str) -> Terms:
    party = next(iter(_all(group, name)), None)
    values = (
        _first(party, "Name"),
        _first(party, "ID", "GlobalID"),
        _first(party, "SpecifiedLegalOrganization/ID"),
        _first(party, "SpecifiedTaxRegistration/ID", keep=_is("VA")),
        _first(party, "SpecifiedTaxRegistration/ID", keep=_is("FC")),
        _first(party, "PostalTradeAddress/LineOne"),
        _first(party, "PostalTradeAddress/LineTwo"),
        _first(party, "PostalTradeAddress/CityName"),
        _first(party, "PostalTradeAddress/PostcodeCode"),
        _first(party, "PostalTradeAddress/CountrySubDivisionName"),
        _first(party, "PostalTradeAddress/CountryID"),
        _first(party, "DefinedTradeContact/PersonName", "DefinedTradeContact/DepartmentName"),
        _first(party, "DefinedTradeContact/TelephoneUniversalCommunication/CompleteNumber"),
        _first(party, "DefinedTradeContact/EmailURIUniversalCommunication/URIID"),
    )
    found = {f"BT-{code}": value for code, value in zip(codes.split(), values, strict=True) if code != "-"}
    if name == "ShipToTradeParty" and [code for code, value in found.items() if value] == ["BT-80"]:
        return {}  # a country alone, which BR-IC-12 requires, is no address
    return found


def _cii_tax(tax: Node) -> Terms:
    category = _first(tax, "CategoryCode")
    return {
        "BT-116": _first(tax, "BasisAmount"),
        "BT-117": _first(tax, "CalculatedAmount"),
        "BT-118": category,
        "BT-119": _first(tax, "RateApplicablePercent") or (["0"] if category == ["O"] else []),
        "BT-120": _first(tax, "ExemptionReason"),
    }


def _cii_adjustment(node: Node, codes: str) -> Terms:
    values = (
        _first(node, "ActualAmount", "AppliedAmount"),
        _first(node, "BasisAmount"),
        _first(node, "CalculationPercent"),
        _first(node, "CategoryTradeTax/CategoryCode", "AppliedTradeTax/CategoryCode"),
        _first(node, "CategoryTradeTax/RateApplicablePercent", "AppliedTradeTax/RateApplicablePercent"),
        _first(node, "Reason", "Description"),
    )
    return {f"BT-{code}": value for code, value in zip(codes.split(), values, strict=True)}


def _cii_lines(deal: Node) -> Iterator[Node]:
    """Yield the lines that count: no titles of groups, no lines for information, no comments."""
    for line in _all(deal, "IncludedSupplyChainTradeLineItem"):
        if _first(line, "AssociatedDocumentLineDocument/LineStatusReasonCode") in (["GROUP"], ["INFORMATION"]):
            continue
        total = "SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount"
        if any(
            _first(line, path)
            for path in ("SpecifiedTradeProduct/Name", total, "SpecifiedLineTradeDelivery/BilledQuantity")
        ):
            yield line


def _cii_line(line: Node) -> Terms:
    product, about, agreement, delivery, settlement = (
        next(iter(_all(line, name)), None)
        for name in (
            "SpecifiedTradeProduct",
            "AssociatedDocumentLineDocument",
            "SpecifiedLineTradeAgreement",
            "SpecifiedLineTradeDelivery",
            "SpecifiedLineTradeSettlement",
        )
    )
    gross = next(iter(_all(agreement, "GrossPriceProductTradePrice")), None)
    net = next(iter(_all(agreement, "NetPriceProductTradePrice")), None)
    adjustments = _all(settlement, "SpecifiedTradeAllowanceCharge")
    allowances, charges = ([node for node in adjustments if _indicator(node) == kind] for kind in ("false", "true"))
    discounts = [node for node in _all(gross, "AppliedTradeAllowanceCharge") if _indicator(node) == "false"]
    classes = _all(product, "DesignatedProductClassification/ClassCode")
    goods = [node.text for node in classes if node.get("listID") in (None, "HS") and node.text]
    return {
        "BT-126": _first(about, "LineID"),
        "BT-129": _first(delivery, "BilledQuantity"),
        "BT-130": _first(delivery, "BilledQuantity/@unitCode"),
        "BT-131": _first(settlement, "SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount"),
        "BT-132": _first(agreement, "BuyerOrderReferencedDocument/LineID"),
        "BT-136": _sum([text for node in allowances for text in _first(node, "ActualAmount")]),
        "BT-139": _joined([text for node in allowances for text in _first(node, "Reason")]),
        "BT-141": _sum([text for node in charges for text in _first(node, "ActualAmount")]),
        "BT-144": _joined([text for node in charges for text in _first(node, "Reason")]),
        "BT-146": _first(net, "ChargeAmount"),
        "BT-147": _sum([text for node in discounts for text in _first(node, "ActualAmount")]),
        "BT-148": _first(gross, "ChargeAmount"),
        "BT-149": _base_quantity(_first(net, "BasisQuantity") or _first(gross, "BasisQuantity")),
        "BT-151": _first(settlement, "ApplicableTradeTax/CategoryCode"),
        "BT-152": _first(settlement, "ApplicableTradeTax/RateApplicablePercent"),
        "BT-153": _first(product, "Name"),
        "BT-155": _first(product, "SellerAssignedID"),
        "BT-157": _first(product, "GlobalID", keep=lambda node: node.get("schemeID") in (None, "0160", "0088")),
        "BT-158": goods[:1],
    }


# UBL


def _ubl(root: Node, name: str) -> Terms:
    currency, tax_currency = _first(root, "DocumentCurrencyCode"), _first(root, "TaxCurrencyCode")
    totals = next(iter(_all(root, "LegalMonetaryTotal")), None)
    means = _all(root, "PaymentMeans")
    account = next((node for node in means if _first(node, "PayeeFinancialAccount/ID")), None)
    adjustments = _all(root, "AllowanceCharge")
    delivery = next(iter(_all(root, "Delivery")), None)
    seller, buyer = (next(iter(_all(root, f"Accounting{role}Party/Party")), None) for role in ("Supplier", "Customer"))
    payee = next(iter(_all(root, "PayeeParty")), None)
    place = next(iter(_all(delivery, "DeliveryLocation")), None)
    taxes = [
        tax
        for total in _all(root, "TaxTotal")
        if any(node.get("currencyID") in (None, *currency) for node in _all(total, "TaxAmount"))
        for tax in _all(total, "TaxSubtotal")
    ]
    ship_to = {
        "BT-70": _first(delivery, "DeliveryParty/PartyName/Name"),
        "BT-71": _first(place, "ID"),
        **_ubl_address(place, "Address", "75 76 77 78 79 80"),
    }
    if [code for code, value in ship_to.items() if value] == ["BT-80"]:
        ship_to = {}
    return {
        "BT-1": _first(root, "ID"),
        "BT-2": _day(_first(root, "IssueDate")),
        "BT-3": _document_type(_first(root, f"{name}TypeCode"), name),
        "BT-5": currency,
        "BT-6": tax_currency,
        "BT-9": _day(_first(root, "DueDate", "PaymentMeans/PaymentDueDate")),
        "BT-10": _first(root, "BuyerReference"),
        "BT-12": _first(root, "ContractDocumentReference/ID"),
        "BT-13": _first(root, "OrderReference/ID"),
        "BT-16": _first(root, "DespatchDocumentReference/ID"),
        "BT-25": _first(root, "BillingReference/InvoiceDocumentReference/ID"),
        "BT-26": _day(_first(root, "BillingReference/InvoiceDocumentReference/IssueDate")),
        "BT-72": _day(_first(delivery, "ActualDeliveryDate")),
        "BT-73": _day(_first(root, "InvoicePeriod/StartDate")),
        "BT-74": _day(_first(root, "InvoicePeriod/EndDate")),
        "BT-82": _first(root, "PaymentMeans/PaymentMeansCode/@name"),
        "BT-83": _first(root, "PaymentMeans/PaymentID"),
        "BT-84": _first(account, "PayeeFinancialAccount/ID"),
        "BT-86": _first(account, "PayeeFinancialAccount/FinancialInstitutionBranch/ID"),
        **_ubl_party(seller, "27 29 30 31 32 35 36 37 38 39 40 41 42 43"),
        **_ubl_party(buyer, "44 46 47 48 - 50 51 52 53 54 55 56 57 58"),
        "BT-59": _first(payee, "PartyName/Name"),
        "BT-60": _first(payee, "PartyIdentification/ID", keep=lambda node: node.get("schemeID") != "SEPA"),
        "BT-61": _first(payee, "PartyLegalEntity/CompanyID"),
        **ship_to,
        "BT-106": _first(totals, "LineExtensionAmount"),
        "BT-107": _first(totals, "AllowanceTotalAmount"),
        "BT-108": _first(totals, "ChargeTotalAmount"),
        "BT-109": _first(totals, "TaxExclusiveAmount"),
        "BT-110": _first(root, "TaxTotal/TaxAmount", keep=lambda node: node.get("currencyID") in (None, *currency)),
        "BT-111": _first(
            root,
            "TaxTotal/TaxAmount",
            keep=lambda node: node.get("currencyID") in tax_currency and node.get("currencyID") not in currency,
        ),
        "BT-112": _first(totals, "TaxInclusiveAmount"),
        "BT-113": _first(totals, "PrepaidAmount"),
        "BT-114": _first(totals, "PayableRoundingAmount"),
        "BT-115": _first(totals, "PayableAmount"),
        **_merge(map(_ubl_tax, taxes)),
        **_merge(_ubl_adjustment(node, "92 93 94 95 96 97") for node in adjustments if _ubl_charge(node) == "false"),
        **_merge(
            _ubl_adjustment(node, "99 100 101 102 103 104") for node in adjustments if _ubl_charge(node) == "true"
        ),
        **_merge(map(_ubl_line, _all(root, f"{name}Line"))),
    }


def _ubl_charge(node: Node) -> str:
    return {"1": "true", "0": "false"}.get(text := "".join(_first(node, "ChargeIndicator")), text)


def _ubl_address(node: Node | None, name: str, codes: str) -> Terms:
    names = [
        "StreetName",
        "AdditionalStreetName",
        "CityName",
        "PostalZone",
        "CountrySubentity",
        "Country/IdentificationCode",
    ]
    return {f"BT-{code}": _first(node, f"{name}/{part}") for code, part in zip(codes.split(), names, strict=True)}


def _ubl_party(party: Node | None, codes: str) -> Terms:
    name, identifier, register, vat, tax, *address = codes.split()
    schemes = {True: [], False: []}  # whether a tax scheme is VAT → numbers
    for node in _all(party, "PartyTaxScheme"):
        schemes[_first(node, "TaxScheme/ID") == ["VAT"]] += _first(node, "CompanyID")
    found = {
        name: _first(party, "PartyLegalEntity/RegistrationName"),
        identifier: _first(party, "PartyIdentification/ID", keep=lambda node: node.get("schemeID") != "SEPA"),
        register: _first(party, "PartyLegalEntity/CompanyID"),
        vat: schemes[True][:1],
        tax: schemes[False][:1],
        address[6]: _first(party, "Contact/Name"),
        address[7]: _first(party, "Contact/Telephone"),
        address[8]: _first(party, "Contact/ElectronicMail"),
    }
    found.pop("-", None)
    return {f"BT-{code}": value for code, value in found.items()} | _ubl_address(
        party, "PostalAddress", " ".join(address[:6])
    )


def _ubl_tax(tax: Node) -> Terms:
    category = _first(tax, "TaxCategory/ID")
    return {
        "BT-116": _first(tax, "TaxableAmount"),
        "BT-117": _first(tax, "TaxAmount"),
        "BT-118": category,
        "BT-119": _first(tax, "TaxCategory/Percent") or (["0"] if category == ["O"] else []),
        "BT-120": _first(tax, "TaxCategory/TaxExemptionReason"),
    }


def _ubl_adjustment(node: Node, codes: str) -> Terms:
    names = [
        "Amount",
        "BaseAmount",
        "MultiplierFactorNumeric",
        "TaxCategory/ID",
        "TaxCategory/Percent",
        "AllowanceChargeReason",
    ]
    return {f"BT-{code}": _first(node, name) for code, name in zip(codes.split(), names, strict=True)}


def _ubl_line(line: Node) -> Terms:
    quantity = "CreditedQuantity" if _local(line) == "CreditNoteLine" else "InvoicedQuantity"
    adjustments = _all(line, "AllowanceCharge")
    allowances, charges = ([node for node in adjustments if _ubl_charge(node) == kind] for kind in ("false", "true"))
    discounts = [node for node in _all(line, "Price/AllowanceCharge") if _ubl_charge(node) == "false"]
    codes = _all(line, "Item/CommodityClassification/ItemClassificationCode")
    goods = [node.text for node in codes if node.get("listID") in (None, "HS") and node.text]
    return {
        "BT-126": _first(line, "ID"),
        "BT-127": _joined(_texts(line, "Note")),
        "BT-129": _first(line, quantity),
        "BT-130": _first(line, f"{quantity}/@unitCode"),
        "BT-131": _first(line, "LineExtensionAmount"),
        "BT-132": _first(line, "OrderLineReference/LineID"),
        "BT-136": _sum([text for node in allowances for text in _first(node, "Amount")]),
        "BT-139": _joined([text for node in allowances for text in _first(node, "AllowanceChargeReason")]),
        "BT-141": _sum([text for node in charges for text in _first(node, "Amount")]),
        "BT-144": _joined([text for node in charges for text in _first(node, "AllowanceChargeReason")]),
        "BT-146": _first(line, "Price/PriceAmount"),
        "BT-147": _sum([text for node in discounts for text in _first(node, "Amount")]),
        "BT-148": _first(line, "Price/AllowanceCharge/BaseAmount"),
        "BT-149": _base_quantity(_first(line, "Price/BaseQuantity")),
        "BT-151": _first(line, "Item/ClassifiedTaxCategory/ID"),
        "BT-152": _first(line, "Item/ClassifiedTaxCategory/Percent"),
        "BT-153": _first(line, "Item/Name"),
        "BT-155": _first(line, "Item/SellersItemIdentification/ID"),
        "BT-157": _first(
            line, "Item/StandardItemIdentification/ID", keep=lambda node: node.get("schemeID") in (None, "0160", "0088")
        ),
        "BT-158": [" ".join(text.split()) for text in goods[:1]],
    }
