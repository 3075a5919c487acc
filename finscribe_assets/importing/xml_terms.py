"""Where UBL and CII have each business term of the schema: one table for both, read by `mapping`.

Sources: CEN/TS 16931-3-2 (UBL 2.1) and CEN/TS 16931-3-3 (CII D16B). Paths are XPath over local names, relative to the
group; of several, divided by ` | `, the first that has a value counts.
"""

from __future__ import annotations

from typing import NamedTuple

from finscribe_assets.importing.invoice_xml import Syntax


class XmlLocation(NamedTuple):
    """Where each syntax has a field; an empty path where it has none."""

    field: str
    ubl: str
    cii: str

    def paths(self, syntax: Syntax) -> list[str]:
        """Return the paths of a syntax, the preferred one first."""
        return [path for path in getattr(self, syntax).split(" | ") if path]


class TermGroup(NamedTuple):
    """Where each syntax has the members of a list, and the terms of a member."""

    name: str
    ubl: str
    cii: str
    places: tuple[XmlLocation, ...]


_AGREEMENT = "SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement"
_DELIVERY = "SupplyChainTradeTransaction/ApplicableHeaderTradeDelivery"
_SETTLEMENT = "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement"
_SUMS = f"{_SETTLEMENT}/SpecifiedTradeSettlementHeaderMonetarySummation"
_MEANS = f"{_SETTLEMENT}/SpecifiedTradeSettlementPaymentMeans"
_PRECEDING = f"{_SETTLEMENT}/InvoiceReferencedDocument"
_PERIOD = f"{_SETTLEMENT}/BillingSpecifiedPeriod"
_OWN_TAX = "[not(@currencyID) or @currencyID=/*/DocumentCurrencyCode]"
_OWN_SUM = f"[not(@currencyID) or @currencyID=/*/{_SETTLEMENT}/InvoiceCurrencyCode]"
_OTHER_TAX = "[@currencyID=/*/TaxCurrencyCode and @currencyID!=/*/DocumentCurrencyCode]"
_OTHER_SUM = f"[@currencyID=/*/{_SETTLEMENT}/TaxCurrencyCode and @currencyID!=/*/{_SETTLEMENT}/InvoiceCurrencyCode]"

PAYMENT_TERMS = XmlLocation(
    "payment_terms", "PaymentTerms/Note", f"{_SETTLEMENT}/SpecifiedTradePaymentTerms/Description"
)

_HEADER = (
    XmlLocation("document_type", "InvoiceTypeCode | CreditNoteTypeCode", "ExchangedDocument/TypeCode"),
    XmlLocation("document_number", "ID", "ExchangedDocument/ID"),
    XmlLocation("issue_date", "IssueDate", "ExchangedDocument/IssueDateTime/DateTimeString"),
    XmlLocation(
        "due_date",
        "DueDate | PaymentMeans/PaymentDueDate",
        f"{_SETTLEMENT}/SpecifiedTradePaymentTerms/DueDateDateTime/DateTimeString",
    ),
    XmlLocation(
        "delivery_date",
        "Delivery/ActualDeliveryDate",
        f"{_DELIVERY}/ActualDeliverySupplyChainEvent/OccurrenceDateTime/DateTimeString",
    ),
    XmlLocation("period_start", "InvoicePeriod/StartDate", f"{_PERIOD}/StartDateTime/DateTimeString"),
    XmlLocation("period_end", "InvoicePeriod/EndDate", f"{_PERIOD}/EndDateTime/DateTimeString"),
    XmlLocation("currency_code", "DocumentCurrencyCode", f"{_SETTLEMENT}/InvoiceCurrencyCode"),
    XmlLocation("vat_accounting_currency_code", "TaxCurrencyCode", f"{_SETTLEMENT}/TaxCurrencyCode"),
    XmlLocation("buyer_reference", "BuyerReference", f"{_AGREEMENT}/BuyerReference"),
    XmlLocation(
        "contract_reference",
        "ContractDocumentReference/ID",
        f"{_AGREEMENT}/ContractReferencedDocument/IssuerAssignedID",
    ),
    XmlLocation(
        "purchase_order_reference", "OrderReference/ID", f"{_AGREEMENT}/BuyerOrderReferencedDocument/IssuerAssignedID"
    ),
    XmlLocation(
        "despatch_reference",
        "DespatchDocumentReference/ID",
        f"{_DELIVERY}/DespatchAdviceReferencedDocument/IssuerAssignedID | "
        f"{_DELIVERY}/DeliveryNoteReferencedDocument/IssuerAssignedID",
    ),  # the latter in ZUGFeRD 1.0
    XmlLocation(
        "preceding_invoice_reference", "BillingReference/InvoiceDocumentReference/ID", f"{_PRECEDING}/IssuerAssignedID"
    ),
    XmlLocation(
        "preceding_invoice_date",
        "BillingReference/InvoiceDocumentReference/IssueDate",
        f"{_PRECEDING}/FormattedIssueDateTime/DateTimeString | {_PRECEDING}/IssueDateTime",
    ),
    PAYMENT_TERMS,
    XmlLocation("payment_means", "PaymentMeans/PaymentMeansCode/@name", f"{_MEANS}/Information"),
    XmlLocation("payment_reference", "PaymentMeans/PaymentID", f"{_SETTLEMENT}/PaymentReference"),
    XmlLocation(
        "payment_account",
        "PaymentMeans/PayeeFinancialAccount/ID",
        f"{_MEANS}/PayeePartyCreditorFinancialAccount/IBANID | "
        f"{_MEANS}/PayeePartyCreditorFinancialAccount/ProprietaryID",
    ),
    XmlLocation(
        "bank_identifier",
        "PaymentMeans/PayeeFinancialAccount/FinancialInstitutionBranch/ID",
        f"{_MEANS}/PayeeSpecifiedCreditorFinancialInstitution/BICID",
    ),
    XmlLocation(
        "bank_name",
        "PaymentMeans/PayeeFinancialAccount/FinancialInstitutionBranch/Name",
        f"{_MEANS}/PayeeSpecifiedCreditorFinancialInstitution/Name",
    ),
)


def _address(field: str, ubl: str, cii: str) -> tuple[XmlLocation, ...]:
    cii = f"{cii}/PostalTradeAddress"
    return (
        XmlLocation(f"{field}.address.street", f"{ubl}/StreetName", f"{cii}/LineOne"),
        XmlLocation(f"{field}.address.additional_line", f"{ubl}/AdditionalStreetName", f"{cii}/LineTwo"),
        XmlLocation(f"{field}.address.post_code", f"{ubl}/PostalZone", f"{cii}/PostcodeCode"),
        XmlLocation(f"{field}.address.city", f"{ubl}/CityName", f"{cii}/CityName"),
        XmlLocation(f"{field}.address.subdivision", f"{ubl}/CountrySubentity", f"{cii}/CountrySubDivisionName"),
        XmlLocation(f"{field}.address.country_code", f"{ubl}/Country/IdentificationCode", f"{cii}/CountryID"),
    )


def _party(field: str, ubl: str, cii: str) -> tuple[XmlLocation, ...]:
    contact = f"{cii}/DefinedTradeContact"
    return (
        XmlLocation(f"{field}.name", f"{ubl}/PartyLegalEntity/RegistrationName | {ubl}/PartyName/Name", f"{cii}/Name"),
        *_address(field, f"{ubl}/PostalAddress", cii),
        # A creditor identifier (BT-90) stands among the seller's numbers.
        XmlLocation(
            f"{field}.identifier", f"{ubl}/PartyIdentification/ID[not(@schemeID='SEPA')]", f"{cii}/ID | {cii}/GlobalID"
        ),
        XmlLocation(
            f"{field}.legal_registration", f"{ubl}/PartyLegalEntity/CompanyID", f"{cii}/SpecifiedLegalOrganization/ID"
        ),
        XmlLocation(
            f"{field}.vat_identifier",
            f"{ubl}/PartyTaxScheme[normalize-space(TaxScheme/ID)='VAT']/CompanyID",
            f"{cii}/SpecifiedTaxRegistration/ID[@schemeID='VA']",
        ),
        XmlLocation(f"{field}.contact_name", f"{ubl}/Contact/Name", f"{contact}/PersonName | {contact}/DepartmentName"),
        XmlLocation(
            f"{field}.contact_phone",
            f"{ubl}/Contact/Telephone",
            f"{contact}/TelephoneUniversalCommunication/CompleteNumber",
        ),
        XmlLocation(
            f"{field}.contact_email", f"{ubl}/Contact/ElectronicMail", f"{contact}/EmailURIUniversalCommunication/URIID"
        ),
    )


_SELLER, _BUYER = f"{_AGREEMENT}/SellerTradeParty", f"{_AGREEMENT}/BuyerTradeParty"
_PAYEE, _SHIP_TO = f"{_SETTLEMENT}/PayeeTradeParty", f"{_DELIVERY}/ShipToTradeParty"
_PARTIES = (
    *_party("seller", "AccountingSupplierParty/Party", _SELLER),
    XmlLocation(
        "seller.tax_registration",
        "AccountingSupplierParty/Party/PartyTaxScheme[normalize-space(TaxScheme/ID)!='VAT']/CompanyID",
        f"{_SELLER}/SpecifiedTaxRegistration/ID[@schemeID='FC']",
    ),
    *_party("buyer", "AccountingCustomerParty/Party", _BUYER),
    XmlLocation("payee.name", "PayeeParty/PartyName/Name", f"{_PAYEE}/Name"),
    XmlLocation(
        "payee.identifier",
        "PayeeParty/PartyIdentification/ID[not(@schemeID='SEPA')]",
        f"{_PAYEE}/ID | {_PAYEE}/GlobalID",
    ),
    XmlLocation(
        "payee.legal_registration", "PayeeParty/PartyLegalEntity/CompanyID", f"{_PAYEE}/SpecifiedLegalOrganization/ID"
    ),
    XmlLocation("ship_to.name", "Delivery/DeliveryParty/PartyName/Name", f"{_SHIP_TO}/Name"),
    XmlLocation("ship_to.identifier", "Delivery/DeliveryLocation/ID", f"{_SHIP_TO}/ID | {_SHIP_TO}/GlobalID"),
    *_address("ship_to", "Delivery/DeliveryLocation/Address", _SHIP_TO),
)

_TOTALS = (
    XmlLocation("totals.sum_of_line_net_amounts", "LegalMonetaryTotal/LineExtensionAmount", f"{_SUMS}/LineTotalAmount"),
    XmlLocation("totals.allowance_total", "LegalMonetaryTotal/AllowanceTotalAmount", f"{_SUMS}/AllowanceTotalAmount"),
    XmlLocation("totals.charge_total", "LegalMonetaryTotal/ChargeTotalAmount", f"{_SUMS}/ChargeTotalAmount"),
    XmlLocation("totals.total_without_vat", "LegalMonetaryTotal/TaxExclusiveAmount", f"{_SUMS}/TaxBasisTotalAmount"),
    XmlLocation("totals.total_vat", f"TaxTotal/TaxAmount{_OWN_TAX}", f"{_SUMS}/TaxTotalAmount{_OWN_SUM}"),
    XmlLocation(
        "totals.total_vat_accounting", f"TaxTotal/TaxAmount{_OTHER_TAX}", f"{_SUMS}/TaxTotalAmount{_OTHER_SUM}"
    ),
    XmlLocation("totals.total_with_vat", "LegalMonetaryTotal/TaxInclusiveAmount", f"{_SUMS}/GrandTotalAmount"),
    XmlLocation("totals.paid_amount", "LegalMonetaryTotal/PrepaidAmount", f"{_SUMS}/TotalPrepaidAmount"),
    XmlLocation("totals.rounding_amount", "LegalMonetaryTotal/PayableRoundingAmount", f"{_SUMS}/RoundingAmount"),
    XmlLocation("totals.amount_due", "LegalMonetaryTotal/PayableAmount", f"{_SUMS}/DuePayableAmount"),
)

DOCUMENT_TERMS: tuple[XmlLocation, ...] = (*_HEADER, *_PARTIES, *_TOTALS)


def _adjustments(ubl: str, cii: str, *, charge: bool) -> tuple[str, str]:
    """Return where discounts or charges stand, which both syntaxes tell apart by an indicator."""
    said = "('true', '1')" if charge else "('false', '0')"
    one, other = said.strip("()").split(", ")
    ubl_test = f"[normalize-space(ChargeIndicator)={one} or normalize-space(ChargeIndicator)={other}]"
    return f"{ubl}{ubl_test}", f"{cii}{ubl_test.replace('ChargeIndicator', 'ChargeIndicator/Indicator')}"


def _line_adjustment(field: str, *, charge: bool) -> tuple[XmlLocation, ...]:
    ubl, cii = _adjustments(
        "AllowanceCharge", "SpecifiedLineTradeSettlement/SpecifiedTradeAllowanceCharge", charge=charge
    )
    return (
        XmlLocation(f"{field}_amount", f"{ubl}/Amount", f"{cii}/ActualAmount"),
        XmlLocation(f"{field}_reason", f"{ubl}/AllowanceChargeReason", f"{cii}/Reason"),
    )


_GROSS = "SpecifiedLineTradeAgreement/GrossPriceProductTradePrice"
_GTIN = "[not(@schemeID) or @schemeID='0160' or @schemeID='0088']"
_HS = "[not(@listID) or @listID='HS']"
_LINE = (
    XmlLocation("line_id", "ID", "AssociatedDocumentLineDocument/LineID"),
    XmlLocation(
        "purchase_order_line",
        "OrderLineReference/LineID",
        "SpecifiedLineTradeAgreement/BuyerOrderReferencedDocument/LineID",
    ),
    XmlLocation("sku", "Item/SellersItemIdentification/ID", "SpecifiedTradeProduct/SellerAssignedID"),
    XmlLocation("gtin", f"Item/StandardItemIdentification/ID{_GTIN}", f"SpecifiedTradeProduct/GlobalID{_GTIN}"),
    XmlLocation(
        "classification",
        f"Item/CommodityClassification/ItemClassificationCode{_HS}",
        f"SpecifiedTradeProduct/DesignatedProductClassification/ClassCode{_HS}",
    ),
    XmlLocation("item_name", "Item/Name", "SpecifiedTradeProduct/Name"),
    XmlLocation("note", "Note", "AssociatedDocumentLineDocument/IncludedNote/Content"),
    XmlLocation("quantity", "InvoicedQuantity | CreditedQuantity", "SpecifiedLineTradeDelivery/BilledQuantity"),
    XmlLocation(
        "unit_code",
        "InvoicedQuantity/@unitCode | CreditedQuantity/@unitCode",
        "SpecifiedLineTradeDelivery/BilledQuantity/@unitCode",
    ),
    XmlLocation("gross_price", "Price/AllowanceCharge/BaseAmount", f"{_GROSS}/ChargeAmount"),
    XmlLocation("price_discount", "Price/AllowanceCharge/Amount", f"{_GROSS}/AppliedTradeAllowanceCharge/ActualAmount"),
    XmlLocation("net_price", "Price/PriceAmount", "SpecifiedLineTradeAgreement/NetPriceProductTradePrice/ChargeAmount"),
    *_line_adjustment("allowance", charge=False),
    *_line_adjustment("charge", charge=True),
    XmlLocation(
        "vat_category", "Item/ClassifiedTaxCategory/ID", "SpecifiedLineTradeSettlement/ApplicableTradeTax/CategoryCode"
    ),
    XmlLocation(
        "vat_rate",
        "Item/ClassifiedTaxCategory/Percent",
        "SpecifiedLineTradeSettlement/ApplicableTradeTax/RateApplicablePercent",
    ),
    XmlLocation(
        "net_amount",
        "LineExtensionAmount",
        "SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount",
    ),
)

_ADJUSTMENT = (
    XmlLocation("reason", "AllowanceChargeReason", "Reason"),
    XmlLocation("percentage", "MultiplierFactorNumeric", "CalculationPercent"),
    XmlLocation("base_amount", "BaseAmount", "BasisAmount"),
    XmlLocation("amount", "Amount", "ActualAmount"),
    XmlLocation("vat_category", "TaxCategory/ID", "CategoryTradeTax/CategoryCode"),
    XmlLocation("vat_rate", "TaxCategory/Percent", "CategoryTradeTax/RateApplicablePercent"),
)

_BREAKDOWN = (
    XmlLocation("category", "TaxCategory/ID", "CategoryCode"),
    XmlLocation("rate", "TaxCategory/Percent", "RateApplicablePercent"),
    XmlLocation("taxable_amount", "TaxableAmount", "BasisAmount"),
    XmlLocation("tax_amount", "TaxAmount", "CalculatedAmount"),
    XmlLocation("exemption_reason", "TaxCategory/TaxExemptionReason", "ExemptionReason"),
)

LIST_TERMS: tuple[TermGroup, ...] = (
    TermGroup(
        "lines", "InvoiceLine | CreditNoteLine", "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem", _LINE
    ),
    *(
        TermGroup(
            name,
            *_adjustments("AllowanceCharge", f"{_SETTLEMENT}/SpecifiedTradeAllowanceCharge", charge=charge),
            _ADJUSTMENT,
        )
        for name, charge in (("allowances", False), ("charges", True))
    ),
    TermGroup(
        "vat_breakdown", f"TaxTotal[TaxAmount{_OWN_TAX}]/TaxSubtotal", f"{_SETTLEMENT}/ApplicableTradeTax", _BREAKDOWN
    ),
)
