"""List the locations of the schema's business terms in UBL 2.1 and CII D16B, for `xml_mapping`.

Sources: CEN/TS 16931-3-2 (UBL 2.1) and CEN/TS 16931-3-3 (CII D16B). Locations are XPath expressions over local names,
relative to their group. Of several, separated by ` | `, the first with a value counts. Which of several values of one
location count is for the term to say: the first one, their sum, or all of them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from finscribe_assets.importing.invoice_xml import Syntax


class Several(StrEnum):
    """What a field is of several values in the XML."""

    FIRST = "first"
    SUM = "sum"  # of amounts
    ALL = "all"  # different texts, separated by commas


class TermLocation(NamedTuple):
    """The location of a field in each syntax; empty if the syntax has none."""

    field: str
    ubl: str
    cii: str
    several: Several = Several.FIRST

    def paths(self, syntax: Syntax) -> list[str]:
        """Return the XPath expressions of a syntax, the preferred one first."""
        return _split_paths(getattr(self, syntax))


class TermGroup(NamedTuple):
    """The location of a list's members in each syntax, and the locations of terms within a member."""

    name: str
    ubl: str
    cii: str
    locations: tuple[TermLocation, ...]

    def paths(self, syntax: Syntax) -> list[str]:
        """Return the XPath expressions of the members in a syntax."""
        return _split_paths(getattr(self, syntax))


def _split_paths(paths: str) -> list[str]:
    return [path for path in paths.split(" | ") if path]


CII_AGREEMENT = "SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement"
CII_DELIVERY = "SupplyChainTradeTransaction/ApplicableHeaderTradeDelivery"
CII_SETTLEMENT = "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement"
CII_LINE_ITEM = "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem"
_TOTAL_SUMS = f"{CII_SETTLEMENT}/SpecifiedTradeSettlementHeaderMonetarySummation"
CII_PAYMENT_MEANS = f"{CII_SETTLEMENT}/SpecifiedTradeSettlementPaymentMeans"
_ACCOUNT = "PayeePartyCreditorFinancialAccount"
_ACCOUNT_CII = (
    f"{CII_PAYMENT_MEANS}[normalize-space({_ACCOUNT}/IBANID) or normalize-space({_ACCOUNT}/ProprietaryID)][1]"
)
_ACCOUNT_UBL = "PaymentMeans[normalize-space(PayeeFinancialAccount/ID)][1]/PayeeFinancialAccount"
_PRECEDING = f"{CII_SETTLEMENT}/InvoiceReferencedDocument"
_PERIOD = f"{CII_SETTLEMENT}/BillingSpecifiedPeriod"
_DOCUMENT_CURRENCY_UBL = "[not(@currencyID) or @currencyID=/*/DocumentCurrencyCode]"
_DOCUMENT_CURRENCY_CII = f"[not(@currencyID) or @currencyID=/*/{CII_SETTLEMENT}/InvoiceCurrencyCode]"
_TAX_CURRENCY_UBL = "[@currencyID=/*/TaxCurrencyCode and @currencyID!=/*/DocumentCurrencyCode]"
_TAX_CURRENCY_CII = (
    f"[@currencyID=/*/{CII_SETTLEMENT}/TaxCurrencyCode and @currencyID!=/*/{CII_SETTLEMENT}/InvoiceCurrencyCode]"
)

PAYMENT_TERMS = TermLocation(
    "payment_terms", "PaymentTerms/Note", f"{CII_SETTLEMENT}/SpecifiedTradePaymentTerms/Description"
)

_HEADER = (
    TermLocation("document_type", "InvoiceTypeCode | CreditNoteTypeCode", "ExchangedDocument/TypeCode"),
    TermLocation("document_number", "ID", "ExchangedDocument/ID"),
    TermLocation("issue_date", "IssueDate", "ExchangedDocument/IssueDateTime/DateTimeString"),
    TermLocation(
        "due_date",
        "DueDate | PaymentMeans/PaymentDueDate",
        f"{CII_SETTLEMENT}/SpecifiedTradePaymentTerms/DueDateDateTime/DateTimeString",
    ),
    TermLocation(
        "delivery_date",
        "Delivery/ActualDeliveryDate",
        f"{CII_DELIVERY}/ActualDeliverySupplyChainEvent/OccurrenceDateTime/DateTimeString",
    ),
    TermLocation("period_start", "InvoicePeriod/StartDate", f"{_PERIOD}/StartDateTime/DateTimeString"),
    TermLocation("period_end", "InvoicePeriod/EndDate", f"{_PERIOD}/EndDateTime/DateTimeString"),
    TermLocation("currency_code", "DocumentCurrencyCode", f"{CII_SETTLEMENT}/InvoiceCurrencyCode"),
    TermLocation("vat_accounting_currency_code", "TaxCurrencyCode", f"{CII_SETTLEMENT}/TaxCurrencyCode"),
    TermLocation("buyer_reference", "BuyerReference", f"{CII_AGREEMENT}/BuyerReference"),
    TermLocation(
        "contract_reference",
        "ContractDocumentReference/ID",
        f"{CII_AGREEMENT}/ContractReferencedDocument/IssuerAssignedID",
    ),
    TermLocation(
        "purchase_order_reference",
        "OrderReference/ID",
        f"{CII_AGREEMENT}/BuyerOrderReferencedDocument/IssuerAssignedID",
    ),
    TermLocation(
        "despatch_reference",
        "DespatchDocumentReference/ID",
        f"{CII_DELIVERY}/DespatchAdviceReferencedDocument/IssuerAssignedID | "
        f"{CII_DELIVERY}/DeliveryNoteReferencedDocument/IssuerAssignedID",
    ),  # the second one in ZUGFeRD 1.0
    TermLocation(
        "preceding_invoice_reference", "BillingReference/InvoiceDocumentReference/ID", f"{_PRECEDING}/IssuerAssignedID"
    ),
    TermLocation(
        "preceding_invoice_date",
        "BillingReference/InvoiceDocumentReference/IssueDate",
        f"{_PRECEDING}/FormattedIssueDateTime/DateTimeString | {_PRECEDING}/IssueDateTime",
    ),
    PAYMENT_TERMS,
    TermLocation("payment_means", "PaymentMeans/PaymentMeansCode/@name", f"{CII_PAYMENT_MEANS}/Information"),
    TermLocation("payment_reference", "PaymentMeans/PaymentID", f"{CII_SETTLEMENT}/PaymentReference"),
    # Several accounts may be given. The first one counts, with its own bank.
    TermLocation(
        "payment_account",
        f"{_ACCOUNT_UBL}/ID",
        f"{_ACCOUNT_CII}/{_ACCOUNT}/IBANID | {_ACCOUNT_CII}/{_ACCOUNT}/ProprietaryID",
    ),
    TermLocation(
        "bank_identifier",
        f"{_ACCOUNT_UBL}/FinancialInstitutionBranch/ID",
        f"{_ACCOUNT_CII}/PayeeSpecifiedCreditorFinancialInstitution/BICID",
    ),
    TermLocation(
        "bank_name",
        f"{_ACCOUNT_UBL}/FinancialInstitutionBranch/Name",
        f"{_ACCOUNT_CII}/PayeeSpecifiedCreditorFinancialInstitution/Name",
    ),
)


def _address(field: str, ubl: str, cii: str) -> tuple[TermLocation, ...]:
    cii = f"{cii}/PostalTradeAddress"
    return (
        TermLocation(f"{field}.address.street", f"{ubl}/StreetName", f"{cii}/LineOne"),
        TermLocation(f"{field}.address.additional_line", f"{ubl}/AdditionalStreetName", f"{cii}/LineTwo"),
        TermLocation(f"{field}.address.post_code", f"{ubl}/PostalZone", f"{cii}/PostcodeCode"),
        TermLocation(f"{field}.address.city", f"{ubl}/CityName", f"{cii}/CityName"),
        TermLocation(f"{field}.address.subdivision", f"{ubl}/CountrySubentity", f"{cii}/CountrySubDivisionName"),
        TermLocation(f"{field}.address.country_code", f"{ubl}/Country/IdentificationCode", f"{cii}/CountryID"),
    )


def _party(field: str, ubl: str, cii: str) -> tuple[TermLocation, ...]:
    contact = f"{cii}/DefinedTradeContact"
    return (
        TermLocation(f"{field}.name", f"{ubl}/PartyLegalEntity/RegistrationName | {ubl}/PartyName/Name", f"{cii}/Name"),
        *_address(field, f"{ubl}/PostalAddress", cii),
        # In UBL, a creditor identifier (BT-90) is one of the seller's identifiers.
        TermLocation(
            f"{field}.identifier", f"{ubl}/PartyIdentification/ID[not(@schemeID='SEPA')]", f"{cii}/ID | {cii}/GlobalID"
        ),
        TermLocation(
            f"{field}.legal_registration", f"{ubl}/PartyLegalEntity/CompanyID", f"{cii}/SpecifiedLegalOrganization/ID"
        ),
        TermLocation(
            f"{field}.vat_identifier",
            f"{ubl}/PartyTaxScheme[normalize-space(TaxScheme/ID)='VAT']/CompanyID",
            f"{cii}/SpecifiedTaxRegistration/ID[@schemeID='VA']",
        ),
        TermLocation(
            f"{field}.contact_name", f"{ubl}/Contact/Name", f"{contact}/PersonName | {contact}/DepartmentName"
        ),
        TermLocation(
            f"{field}.contact_phone",
            f"{ubl}/Contact/Telephone",
            f"{contact}/TelephoneUniversalCommunication/CompleteNumber",
        ),
        TermLocation(
            f"{field}.contact_email", f"{ubl}/Contact/ElectronicMail", f"{contact}/EmailURIUniversalCommunication/URIID"
        ),
    )


_SELLER, _BUYER = f"{CII_AGREEMENT}/SellerTradeParty", f"{CII_AGREEMENT}/BuyerTradeParty"
_PAYEE, _SHIP_TO = f"{CII_SETTLEMENT}/PayeeTradeParty", f"{CII_DELIVERY}/ShipToTradeParty"
_PARTIES = (
    *_party("seller", "AccountingSupplierParty/Party", _SELLER),
    TermLocation(
        "seller.tax_registration",
        "AccountingSupplierParty/Party/PartyTaxScheme[normalize-space(TaxScheme/ID)!='VAT']/CompanyID",
        f"{_SELLER}/SpecifiedTaxRegistration/ID[@schemeID='FC']",
    ),
    *_party("buyer", "AccountingCustomerParty/Party", _BUYER),
    TermLocation("payee.name", "PayeeParty/PartyName/Name", f"{_PAYEE}/Name"),
    TermLocation(
        "payee.identifier",
        "PayeeParty/PartyIdentification/ID[not(@schemeID='SEPA')]",
        f"{_PAYEE}/ID | {_PAYEE}/GlobalID",
    ),
    TermLocation(
        "payee.legal_registration", "PayeeParty/PartyLegalEntity/CompanyID", f"{_PAYEE}/SpecifiedLegalOrganization/ID"
    ),
    TermLocation("ship_to.name", "Delivery/DeliveryParty/PartyName/Name", f"{_SHIP_TO}/Name"),
    TermLocation("ship_to.identifier", "Delivery/DeliveryLocation/ID", f"{_SHIP_TO}/ID | {_SHIP_TO}/GlobalID"),
    *_address("ship_to", "Delivery/DeliveryLocation/Address", _SHIP_TO),
)

_TOTALS = (
    TermLocation(
        "totals.sum_of_line_net_amounts", "LegalMonetaryTotal/LineExtensionAmount", f"{_TOTAL_SUMS}/LineTotalAmount"
    ),
    TermLocation(
        "totals.allowance_total", "LegalMonetaryTotal/AllowanceTotalAmount", f"{_TOTAL_SUMS}/AllowanceTotalAmount"
    ),
    TermLocation("totals.charge_total", "LegalMonetaryTotal/ChargeTotalAmount", f"{_TOTAL_SUMS}/ChargeTotalAmount"),
    TermLocation(
        "totals.total_without_vat", "LegalMonetaryTotal/TaxExclusiveAmount", f"{_TOTAL_SUMS}/TaxBasisTotalAmount"
    ),
    TermLocation(
        "totals.total_vat",
        f"TaxTotal/TaxAmount{_DOCUMENT_CURRENCY_UBL}",
        f"{_TOTAL_SUMS}/TaxTotalAmount{_DOCUMENT_CURRENCY_CII}",
    ),
    TermLocation(
        "totals.total_vat_accounting",
        f"TaxTotal/TaxAmount{_TAX_CURRENCY_UBL}",
        f"{_TOTAL_SUMS}/TaxTotalAmount{_TAX_CURRENCY_CII}",
    ),
    TermLocation("totals.total_with_vat", "LegalMonetaryTotal/TaxInclusiveAmount", f"{_TOTAL_SUMS}/GrandTotalAmount"),
    TermLocation("totals.paid_amount", "LegalMonetaryTotal/PrepaidAmount", f"{_TOTAL_SUMS}/TotalPrepaidAmount"),
    TermLocation("totals.rounding_amount", "LegalMonetaryTotal/PayableRoundingAmount", f"{_TOTAL_SUMS}/RoundingAmount"),
    TermLocation("totals.amount_due", "LegalMonetaryTotal/PayableAmount", f"{_TOTAL_SUMS}/DuePayableAmount"),
)

DOCUMENT_TERMS: tuple[TermLocation, ...] = (*_HEADER, *_PARTIES, *_TOTALS)


def _adjustments(ubl: str, cii: str, *, charge: bool) -> tuple[str, str]:
    """Return the locations of allowances or of charges, which both syntaxes distinguish by an indicator."""
    word, digit = ("true", "1") if charge else ("false", "0")
    test = "[normalize-space({0})='{1}' or normalize-space({0})='{2}']"
    return (
        ubl + test.format("ChargeIndicator", word, digit),
        cii + test.format("ChargeIndicator/Indicator", word, digit),
    )


def _line_adjustment(field: str, *, charge: bool) -> tuple[TermLocation, ...]:
    ubl, cii = _adjustments(
        "AllowanceCharge", "SpecifiedLineTradeSettlement/SpecifiedTradeAllowanceCharge", charge=charge
    )
    return (
        TermLocation(f"{field}_amount", f"{ubl}/Amount", f"{cii}/ActualAmount", Several.SUM),
        TermLocation(f"{field}_reason", f"{ubl}/AllowanceChargeReason", f"{cii}/Reason", Several.ALL),
    )


LINE_NOTE_CII = "AssociatedDocumentLineDocument/IncludedNote/Content"
_NET = "SpecifiedLineTradeAgreement/NetPriceProductTradePrice"
_GROSS = "SpecifiedLineTradeAgreement/GrossPriceProductTradePrice"
_PRICE_DISCOUNT = _adjustments("Price/AllowanceCharge", f"{_GROSS}/AppliedTradeAllowanceCharge", charge=False)
_GTIN = "[not(@schemeID) or @schemeID='0160' or @schemeID='0088']"
_HS = "[not(@listID) or @listID='HS']"
_LINE = (
    TermLocation("line_id", "ID", "AssociatedDocumentLineDocument/LineID"),
    TermLocation(
        "purchase_order_line",
        "OrderLineReference/LineID",
        "SpecifiedLineTradeAgreement/BuyerOrderReferencedDocument/LineID",
    ),
    TermLocation("sku", "Item/SellersItemIdentification/ID", "SpecifiedTradeProduct/SellerAssignedID"),
    TermLocation("gtin", f"Item/StandardItemIdentification/ID{_GTIN}", f"SpecifiedTradeProduct/GlobalID{_GTIN}"),
    TermLocation(
        "classification",
        f"Item/CommodityClassification/ItemClassificationCode{_HS}",
        f"SpecifiedTradeProduct/DesignatedProductClassification/ClassCode{_HS}",
    ),
    TermLocation("item_name", "Item/Name", "SpecifiedTradeProduct/Name"),
    TermLocation("note", "Note", LINE_NOTE_CII, Several.ALL),
    TermLocation("quantity", "InvoicedQuantity | CreditedQuantity", "SpecifiedLineTradeDelivery/BilledQuantity"),
    TermLocation(
        "unit_code",
        "InvoicedQuantity/@unitCode | CreditedQuantity/@unitCode",
        "SpecifiedLineTradeDelivery/BilledQuantity/@unitCode",
    ),
    TermLocation("gross_price", "Price/AllowanceCharge/BaseAmount", f"{_GROSS}/ChargeAmount"),
    TermLocation("price_discount", f"{_PRICE_DISCOUNT[0]}/Amount", f"{_PRICE_DISCOUNT[1]}/ActualAmount", Several.SUM),
    TermLocation("net_price", "Price/PriceAmount", f"{_NET}/ChargeAmount"),
    TermLocation("price_base_quantity", "Price/BaseQuantity", f"{_NET}/BasisQuantity | {_GROSS}/BasisQuantity"),
    *_line_adjustment("allowance", charge=False),
    *_line_adjustment("charge", charge=True),
    TermLocation(
        "vat_category", "Item/ClassifiedTaxCategory/ID", "SpecifiedLineTradeSettlement/ApplicableTradeTax/CategoryCode"
    ),
    TermLocation(
        "vat_rate",
        "Item/ClassifiedTaxCategory/Percent",
        "SpecifiedLineTradeSettlement/ApplicableTradeTax/RateApplicablePercent",
    ),
    TermLocation(
        "net_amount",
        "LineExtensionAmount",
        "SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount",
    ),
)

_ADJUSTMENT = (
    # In CII, the second location is that of a logistics service charge.
    TermLocation("reason", "AllowanceChargeReason", "Reason | Description"),
    TermLocation("percentage", "MultiplierFactorNumeric", "CalculationPercent"),
    TermLocation("base_amount", "BaseAmount", "BasisAmount"),
    TermLocation("amount", "Amount", "ActualAmount | AppliedAmount"),
    TermLocation("vat_category", "TaxCategory/ID", "CategoryTradeTax/CategoryCode | AppliedTradeTax/CategoryCode"),
    TermLocation(
        "vat_rate",
        "TaxCategory/Percent",
        "CategoryTradeTax/RateApplicablePercent | AppliedTradeTax/RateApplicablePercent",
    ),
)

_BREAKDOWN = (
    TermLocation("category", "TaxCategory/ID", "CategoryCode"),
    TermLocation("rate", "TaxCategory/Percent", "RateApplicablePercent"),
    TermLocation("taxable_amount", "TaxableAmount", "BasisAmount"),
    TermLocation("tax_amount", "TaxAmount", "CalculatedAmount"),
    TermLocation("exemption_reason", "TaxCategory/TaxExemptionReason", "ExemptionReason"),
)

_ADJUSTMENT_CII = f"{CII_SETTLEMENT}/SpecifiedTradeAllowanceCharge"
_CHARGES = _adjustments("AllowanceCharge", _ADJUSTMENT_CII, charge=True)
LIST_TERMS: tuple[TermGroup, ...] = (
    TermGroup("lines", "InvoiceLine | CreditNoteLine", CII_LINE_ITEM, _LINE),
    TermGroup("allowances", *_adjustments("AllowanceCharge", _ADJUSTMENT_CII, charge=False), _ADJUSTMENT),
    TermGroup("charges", _CHARGES[0], f"{_CHARGES[1]} | {CII_SETTLEMENT}/SpecifiedLogisticsServiceCharge", _ADJUSTMENT),
    TermGroup(
        "vat_breakdown",
        f"TaxTotal[TaxAmount{_DOCUMENT_CURRENCY_UBL}]/TaxSubtotal",
        f"{CII_SETTLEMENT}/ApplicableTradeTax",
        _BREAKDOWN,
    ),
)
