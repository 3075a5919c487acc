"""Read the business terms of an invoice in UBL, for `e_invoice_reader.py`."""

from __future__ import annotations

from e_invoice_nodes import (
    Node,
    Terms,
    as_one_text,
    first_texts,
    iso_day,
    local_name,
    merged_terms,
    nodes_at,
    stated_base_quantity,
    sum_of,
    texts_at,
    type_of_document,
)


def ubl_terms(root: Node, name: str) -> Terms:
    currency, tax_currency = first_texts(root, "DocumentCurrencyCode"), first_texts(root, "TaxCurrencyCode")
    totals = next(iter(nodes_at(root, "LegalMonetaryTotal")), None)
    means = nodes_at(root, "PaymentMeans")
    account = next((node for node in means if first_texts(node, "PayeeFinancialAccount/ID")), None)
    adjustments = nodes_at(root, "AllowanceCharge")
    delivery = next(iter(nodes_at(root, "Delivery")), None)
    seller, buyer = (
        next(iter(nodes_at(root, f"Accounting{role}Party/Party")), None) for role in ("Supplier", "Customer")
    )
    payee = next(iter(nodes_at(root, "PayeeParty")), None)
    place = next(iter(nodes_at(delivery, "DeliveryLocation")), None)
    taxes = [
        tax
        for total in nodes_at(root, "TaxTotal")
        if any(node.get("currencyID") in (None, *currency) for node in nodes_at(total, "TaxAmount"))
        for tax in nodes_at(total, "TaxSubtotal")
    ]
    ship_to = {
        "BT-70": first_texts(delivery, "DeliveryParty/PartyName/Name"),
        "BT-71": first_texts(place, "ID"),
        **_ubl_address(place, "Address", "75 76 77 78 79 80"),
    }
    if [code for code, value in ship_to.items() if value] == ["BT-80"]:
        ship_to = {}
    return {
        "BT-1": first_texts(root, "ID"),
        "BT-2": iso_day(first_texts(root, "IssueDate")),
        "BT-3": type_of_document(first_texts(root, f"{name}TypeCode"), name),
        "BT-5": currency,
        "BT-6": tax_currency,
        "BT-9": iso_day(first_texts(root, "DueDate", "PaymentMeans/PaymentDueDate")),
        "BT-10": first_texts(root, "BuyerReference"),
        "BT-12": first_texts(root, "ContractDocumentReference/ID"),
        "BT-13": first_texts(root, "OrderReference/ID"),
        "BT-16": first_texts(root, "DespatchDocumentReference/ID"),
        "BT-25": first_texts(root, "BillingReference/InvoiceDocumentReference/ID"),
        "BT-26": iso_day(first_texts(root, "BillingReference/InvoiceDocumentReference/IssueDate")),
        "BT-72": iso_day(first_texts(delivery, "ActualDeliveryDate")),
        "BT-73": iso_day(first_texts(root, "InvoicePeriod/StartDate")),
        "BT-74": iso_day(first_texts(root, "InvoicePeriod/EndDate")),
        "BT-82": first_texts(root, "PaymentMeans/PaymentMeansCode/@name"),
        "BT-83": first_texts(root, "PaymentMeans/PaymentID"),
        "BT-84": first_texts(account, "PayeeFinancialAccount/ID"),
        "BT-86": first_texts(account, "PayeeFinancialAccount/FinancialInstitutionBranch/ID"),
        **_ubl_party(seller, "27 29 30 31 32 35 36 37 38 39 40 41 42 43"),
        **_ubl_party(buyer, "44 46 47 48 - 50 51 52 53 54 55 56 57 58"),
        "BT-59": first_texts(payee, "PartyName/Name"),
        "BT-60": first_texts(payee, "PartyIdentification/ID", keep=lambda node: node.get("schemeID") != "SEPA"),
        "BT-61": first_texts(payee, "PartyLegalEntity/CompanyID"),
        **ship_to,
        "BT-106": first_texts(totals, "LineExtensionAmount"),
        "BT-107": first_texts(totals, "AllowanceTotalAmount"),
        "BT-108": first_texts(totals, "ChargeTotalAmount"),
        "BT-109": first_texts(totals, "TaxExclusiveAmount"),
        "BT-110": first_texts(
            root, "TaxTotal/TaxAmount", keep=lambda node: node.get("currencyID") in (None, *currency)
        ),
        "BT-111": first_texts(
            root,
            "TaxTotal/TaxAmount",
            keep=lambda node: node.get("currencyID") in tax_currency and node.get("currencyID") not in currency,
        ),
        "BT-112": first_texts(totals, "TaxInclusiveAmount"),
        "BT-113": first_texts(totals, "PrepaidAmount"),
        "BT-114": first_texts(totals, "PayableRoundingAmount"),
        "BT-115": first_texts(totals, "PayableAmount"),
        **merged_terms(map(_ubl_tax, taxes)),
        **merged_terms(
            _ubl_adjustment(node, "92 93 94 95 96 97") for node in adjustments if _ubl_charge(node) == "false"
        ),
        **merged_terms(
            _ubl_adjustment(node, "99 100 101 102 103 104") for node in adjustments if _ubl_charge(node) == "true"
        ),
        **merged_terms(map(_ubl_line, nodes_at(root, f"{name}Line"))),
    }


def _ubl_charge(node: Node) -> str:
    return {"1": "true", "0": "false"}.get(text := "".join(first_texts(node, "ChargeIndicator")), text)


def _ubl_address(node: Node | None, name: str, codes: str) -> Terms:
    names = [
        "StreetName",
        "AdditionalStreetName",
        "CityName",
        "PostalZone",
        "CountrySubentity",
        "Country/IdentificationCode",
    ]
    return {f"BT-{code}": first_texts(node, f"{name}/{part}") for code, part in zip(codes.split(), names, strict=True)}


def _ubl_party(party: Node | None, codes: str) -> Terms:
    name, identifier, register, vat, tax, *address = codes.split()
    schemes = {True: [], False: []}  # whether a tax scheme is VAT → numbers
    for node in nodes_at(party, "PartyTaxScheme"):
        schemes[first_texts(node, "TaxScheme/ID") == ["VAT"]] += first_texts(node, "CompanyID")
    found = {
        name: first_texts(party, "PartyLegalEntity/RegistrationName"),
        identifier: first_texts(party, "PartyIdentification/ID", keep=lambda node: node.get("schemeID") != "SEPA"),
        register: first_texts(party, "PartyLegalEntity/CompanyID"),
        vat: schemes[True][:1],
        tax: schemes[False][:1],
        address[6]: first_texts(party, "Contact/Name"),
        address[7]: first_texts(party, "Contact/Telephone"),
        address[8]: first_texts(party, "Contact/ElectronicMail"),
    }
    found.pop("-", None)
    return {f"BT-{code}": value for code, value in found.items()} | _ubl_address(
        party, "PostalAddress", " ".join(address[:6])
    )


def _ubl_tax(tax: Node) -> Terms:
    category = first_texts(tax, "TaxCategory/ID")
    return {
        "BT-116": first_texts(tax, "TaxableAmount"),
        "BT-117": first_texts(tax, "TaxAmount"),
        "BT-118": category,
        "BT-119": first_texts(tax, "TaxCategory/Percent") or (["0"] if category == ["O"] else []),
        "BT-120": first_texts(tax, "TaxCategory/TaxExemptionReason"),
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
    return {f"BT-{code}": first_texts(node, name) for code, name in zip(codes.split(), names, strict=True)}


def _ubl_line(line: Node) -> Terms:
    quantity = "CreditedQuantity" if local_name(line) == "CreditNoteLine" else "InvoicedQuantity"
    adjustments = nodes_at(line, "AllowanceCharge")
    allowances, charges = ([node for node in adjustments if _ubl_charge(node) == kind] for kind in ("false", "true"))
    discounts = [node for node in nodes_at(line, "Price/AllowanceCharge") if _ubl_charge(node) == "false"]
    codes = nodes_at(line, "Item/CommodityClassification/ItemClassificationCode")
    goods = [node.text for node in codes if node.get("listID") in (None, "HS") and node.text]
    return {
        "BT-126": first_texts(line, "ID"),
        "BT-127": as_one_text(texts_at(line, "Note")),
        "BT-129": first_texts(line, quantity),
        "BT-130": first_texts(line, f"{quantity}/@unitCode"),
        "BT-131": first_texts(line, "LineExtensionAmount"),
        "BT-132": first_texts(line, "OrderLineReference/LineID"),
        "BT-136": sum_of([text for node in allowances for text in first_texts(node, "Amount")]),
        "BT-139": as_one_text([text for node in allowances for text in first_texts(node, "AllowanceChargeReason")]),
        "BT-141": sum_of([text for node in charges for text in first_texts(node, "Amount")]),
        "BT-144": as_one_text([text for node in charges for text in first_texts(node, "AllowanceChargeReason")]),
        "BT-146": first_texts(line, "Price/PriceAmount"),
        "BT-147": sum_of([text for node in discounts for text in first_texts(node, "Amount")]),
        "BT-148": first_texts(line, "Price/AllowanceCharge/BaseAmount"),
        "BT-149": stated_base_quantity(first_texts(line, "Price/BaseQuantity")),
        "BT-151": first_texts(line, "Item/ClassifiedTaxCategory/ID"),
        "BT-152": first_texts(line, "Item/ClassifiedTaxCategory/Percent"),
        "BT-153": first_texts(line, "Item/Name"),
        "BT-155": first_texts(line, "Item/SellersItemIdentification/ID"),
        "BT-157": first_texts(
            line, "Item/StandardItemIdentification/ID", keep=lambda node: node.get("schemeID") in (None, "0160", "0088")
        ),
        "BT-158": [" ".join(text.split()) for text in goods[:1]],
    }
