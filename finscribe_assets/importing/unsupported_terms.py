"""Business terms that EN 16931 has and the schema lacks, and what in the XML is no business term at all."""

from __future__ import annotations

from finscribe_assets.importing.invoice_xml import Syntax

_AGREEMENT = "SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement"
_DELIVERY = "SupplyChainTradeTransaction/ApplicableHeaderTradeDelivery"
_SETTLEMENT = "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement"
_LINE = "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem"
_PRODUCT = f"{_LINE}/SpecifiedTradeProduct"
_PRICES = f"{_LINE}/SpecifiedLineTradeAgreement"
_MEANS = f"{_SETTLEMENT}/SpecifiedTradeSettlementPaymentMeans"

# Code → path in UBL, where a credit note's lines are called as an invoice's, and path in CII.
_TERMS = (
    ("BT-7", "TaxPointDate", f"{_SETTLEMENT}/ApplicableTradeTax/TaxPointDate/DateString"),
    ("BT-8", "InvoicePeriod/DescriptionCode", f"{_SETTLEMENT}/ApplicableTradeTax/DueDateTypeCode"),
    ("BT-11", "ProjectReference/ID", f"{_AGREEMENT}/SpecifiedProcuringProject/ID"),
    ("BT-14", "OrderReference/SalesOrderID", f"{_AGREEMENT}/SellerOrderReferencedDocument/IssuerAssignedID"),
    ("BT-15", "ReceiptDocumentReference/ID", f"{_DELIVERY}/ReceivingAdviceReferencedDocument/IssuerAssignedID"),
    ("BT-19", "AccountingCost", f"{_SETTLEMENT}/ReceivableSpecifiedTradeAccountingAccount/ID"),
    ("BT-21", "", "ExchangedDocument/IncludedNote/SubjectCode"),
    ("BT-22", "Note", "ExchangedDocument/IncludedNote/Content"),
    ("BT-23", "ProfileID", "ExchangedDocumentContext/BusinessProcessSpecifiedDocumentContextParameter/ID"),
    ("BT-24", "CustomizationID", "ExchangedDocumentContext/GuidelineSpecifiedDocumentContextParameter/ID"),
    (
        "BT-28",
        "AccountingSupplierParty/Party/PartyName/Name",
        f"{_AGREEMENT}/SellerTradeParty/SpecifiedLegalOrganization/TradingBusinessName",
    ),
    (
        "BT-33",
        "AccountingSupplierParty/Party/PartyLegalEntity/CompanyLegalForm",
        f"{_AGREEMENT}/SellerTradeParty/Description",
    ),
    (
        "BT-34",
        "AccountingSupplierParty/Party/EndpointID",
        f"{_AGREEMENT}/SellerTradeParty/URIUniversalCommunication/URIID",
    ),
    (
        "BT-45",
        "AccountingCustomerParty/Party/PartyName/Name",
        f"{_AGREEMENT}/BuyerTradeParty/SpecifiedLegalOrganization/TradingBusinessName",
    ),
    (
        "BT-49",
        "AccountingCustomerParty/Party/EndpointID",
        f"{_AGREEMENT}/BuyerTradeParty/URIUniversalCommunication/URIID",
    ),
    ("BT-62", "TaxRepresentativeParty/PartyName/Name", f"{_AGREEMENT}/SellerTaxRepresentativeTradeParty/Name"),
    ("BT-81", "PaymentMeans/PaymentMeansCode", f"{_MEANS}/TypeCode"),
    ("BT-85", "PaymentMeans/PayeeFinancialAccount/Name", f"{_MEANS}/PayeePartyCreditorFinancialAccount/AccountName"),
    ("BT-89", "PaymentMeans/PaymentMandate/ID", f"{_SETTLEMENT}/SpecifiedTradePaymentTerms/DirectDebitMandateID"),
    ("BT-90", "", f"{_SETTLEMENT}/CreditorReferenceID"),
    (
        "BT-91",
        "PaymentMeans/PaymentMandate/PayerFinancialAccount/ID",
        f"{_MEANS}/PayerPartyDebtorFinancialAccount/IBANID",
    ),
    ("BT-98", "AllowanceCharge/AllowanceChargeReasonCode", f"{_SETTLEMENT}/SpecifiedTradeAllowanceCharge/ReasonCode"),
    (
        "BT-121",
        "TaxTotal/TaxSubtotal/TaxCategory/TaxExemptionReasonCode",
        f"{_SETTLEMENT}/ApplicableTradeTax/ExemptionReasonCode",
    ),
    ("BT-122", "AdditionalDocumentReference/ID", f"{_AGREEMENT}/AdditionalReferencedDocument/IssuerAssignedID"),
    (
        "BT-125",
        "AdditionalDocumentReference/Attachment/EmbeddedDocumentBinaryObject",
        f"{_AGREEMENT}/AdditionalReferencedDocument/AttachmentBinaryObject",
    ),
    (
        "BT-128",
        "InvoiceLine/DocumentReference/ID",
        f"{_LINE}/SpecifiedLineTradeSettlement/AdditionalReferencedDocument/IssuerAssignedID",
    ),
    (
        "BT-133",
        "InvoiceLine/AccountingCost",
        f"{_LINE}/SpecifiedLineTradeSettlement/ReceivableSpecifiedTradeAccountingAccount/ID",
    ),
    (
        "BT-134",
        "InvoiceLine/InvoicePeriod/StartDate",
        f"{_LINE}/SpecifiedLineTradeSettlement/BillingSpecifiedPeriod/StartDateTime/DateTimeString",
    ),
    (
        "BT-135",
        "InvoiceLine/InvoicePeriod/EndDate",
        f"{_LINE}/SpecifiedLineTradeSettlement/BillingSpecifiedPeriod/EndDateTime/DateTimeString",
    ),
    ("BT-149", "InvoiceLine/Price/BaseQuantity", f"{_PRICES}/NetPriceProductTradePrice/BasisQuantity"),
    ("BT-149", "", f"{_PRICES}/GrossPriceProductTradePrice/BasisQuantity"),
    (
        "BT-150",
        "InvoiceLine/Price/BaseQuantity/@unitCode",
        f"{_PRICES}/NetPriceProductTradePrice/BasisQuantity/@unitCode",
    ),
    ("BT-154", "InvoiceLine/Item/Description", f"{_PRODUCT}/Description"),
    ("BT-156", "InvoiceLine/Item/BuyersItemIdentification/ID", f"{_PRODUCT}/BuyerAssignedID"),
    (
        "BT-162",
        "AccountingSupplierParty/Party/PostalAddress/AddressLine/Line",
        f"{_AGREEMENT}/SellerTradeParty/PostalTradeAddress/LineThree",
    ),
    (
        "BT-163",
        "AccountingCustomerParty/Party/PostalAddress/AddressLine/Line",
        f"{_AGREEMENT}/BuyerTradeParty/PostalTradeAddress/LineThree",
    ),
    (
        "BT-165",
        "Delivery/DeliveryLocation/Address/AddressLine/Line",
        f"{_DELIVERY}/ShipToTradeParty/PostalTradeAddress/LineThree",
    ),
    ("BT-157-1", "InvoiceLine/Item/StandardItemIdentification/ID/@schemeID", f"{_PRODUCT}/GlobalID/@schemeID"),
    (
        "BT-158-1",
        "InvoiceLine/Item/CommodityClassification/ItemClassificationCode/@listID",
        f"{_PRODUCT}/DesignatedProductClassification/ClassCode/@listID",
    ),
    (
        "BT-158",
        "InvoiceLine/Item/CommodityClassification/ItemClassificationCode",
        f"{_PRODUCT}/DesignatedProductClassification/ClassCode",
    ),
    ("BT-159", "InvoiceLine/Item/OriginCountry/IdentificationCode", f"{_PRODUCT}/OriginTradeCountry/ID"),
    (
        "BT-160",
        "InvoiceLine/Item/AdditionalItemProperty/Name",
        f"{_PRODUCT}/ApplicableProductCharacteristic/Description",
    ),
    ("BT-161", "InvoiceLine/Item/AdditionalItemProperty/Value", f"{_PRODUCT}/ApplicableProductCharacteristic/Value"),
)

_CODES = {
    Syntax.UBL: {ubl: code for code, ubl, _ in reversed(_TERMS) if ubl},
    Syntax.CII: {cii: code for code, _, cii in reversed(_TERMS) if cii},
}

# What says how other values are to be read, and is no term: ends of paths.
STRUCTURE = (
    "ChargeIndicator",
    "ChargeIndicator/Indicator",
    "TaxScheme/ID",
    "ApplicableTradeTax/TypeCode",
    "CategoryTradeTax/TypeCode",
    "@currencyID",
    "@format",
    "@schemaLocation",
    "UBLVersionID",
    "SpecifiedTaxRegistration/ID/@schemeID",
    "TestIndicator/Indicator",
)


def code_of(path: str, syntax: Syntax) -> str:
    """Return the code of a term that the schema lacks, by its path; empty where it has none that is known here."""
    return _CODES[syntax].get(path.replace("CreditNoteLine", "InvoiceLine"), "")
