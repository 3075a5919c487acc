"""List the business terms of EN 16931 that the schema lacks, and the XML values that are not business terms at all."""

from __future__ import annotations

from finscribe_assets.importing.invoice_xml import Syntax
from finscribe_assets.importing.xml_terms import (
    CII_AGREEMENT,
    CII_DELIVERY,
    CII_LINE_ITEM,
    CII_PAYMENT_MEANS,
    CII_SETTLEMENT,
)

_PRODUCT = f"{CII_LINE_ITEM}/SpecifiedTradeProduct"
_PRICES = f"{CII_LINE_ITEM}/SpecifiedLineTradeAgreement"

# Code, path in UBL and path in CII; empty if the syntax has none. UBL paths are those of invoices.
_TERMS = (
    ("BT-7", "TaxPointDate", f"{CII_SETTLEMENT}/ApplicableTradeTax/TaxPointDate/DateString"),
    ("BT-8", "InvoicePeriod/DescriptionCode", f"{CII_SETTLEMENT}/ApplicableTradeTax/DueDateTypeCode"),
    ("BT-11", "ProjectReference/ID", f"{CII_AGREEMENT}/SpecifiedProcuringProject/ID"),
    ("BT-14", "OrderReference/SalesOrderID", f"{CII_AGREEMENT}/SellerOrderReferencedDocument/IssuerAssignedID"),
    ("BT-15", "ReceiptDocumentReference/ID", f"{CII_DELIVERY}/ReceivingAdviceReferencedDocument/IssuerAssignedID"),
    ("BT-19", "AccountingCost", f"{CII_SETTLEMENT}/ReceivableSpecifiedTradeAccountingAccount/ID"),
    ("BT-21", "", "ExchangedDocument/IncludedNote/SubjectCode"),
    ("BT-22", "Note", "ExchangedDocument/IncludedNote/Content"),
    ("BT-23", "ProfileID", "ExchangedDocumentContext/BusinessProcessSpecifiedDocumentContextParameter/ID"),
    ("BT-24", "CustomizationID", "ExchangedDocumentContext/GuidelineSpecifiedDocumentContextParameter/ID"),
    (
        "BT-28",
        "AccountingSupplierParty/Party/PartyName/Name",
        f"{CII_AGREEMENT}/SellerTradeParty/SpecifiedLegalOrganization/TradingBusinessName",
    ),
    (
        "BT-33",
        "AccountingSupplierParty/Party/PartyLegalEntity/CompanyLegalForm",
        f"{CII_AGREEMENT}/SellerTradeParty/Description",
    ),
    (
        "BT-34",
        "AccountingSupplierParty/Party/EndpointID",
        f"{CII_AGREEMENT}/SellerTradeParty/URIUniversalCommunication/URIID",
    ),
    (
        "BT-45",
        "AccountingCustomerParty/Party/PartyName/Name",
        f"{CII_AGREEMENT}/BuyerTradeParty/SpecifiedLegalOrganization/TradingBusinessName",
    ),
    (
        "BT-49",
        "AccountingCustomerParty/Party/EndpointID",
        f"{CII_AGREEMENT}/BuyerTradeParty/URIUniversalCommunication/URIID",
    ),
    ("BT-62", "TaxRepresentativeParty/PartyName/Name", f"{CII_AGREEMENT}/SellerTaxRepresentativeTradeParty/Name"),
    ("BT-81", "PaymentMeans/PaymentMeansCode", f"{CII_PAYMENT_MEANS}/TypeCode"),
    (
        "BT-85",
        "PaymentMeans/PayeeFinancialAccount/Name",
        f"{CII_PAYMENT_MEANS}/PayeePartyCreditorFinancialAccount/AccountName",
    ),
    ("BT-89", "PaymentMeans/PaymentMandate/ID", f"{CII_SETTLEMENT}/SpecifiedTradePaymentTerms/DirectDebitMandateID"),
    ("BT-90", "", f"{CII_SETTLEMENT}/CreditorReferenceID"),
    (
        "BT-91",
        "PaymentMeans/PaymentMandate/PayerFinancialAccount/ID",
        f"{CII_PAYMENT_MEANS}/PayerPartyDebtorFinancialAccount/IBANID",
    ),
    (
        "BT-98",
        "AllowanceCharge/AllowanceChargeReasonCode",
        f"{CII_SETTLEMENT}/SpecifiedTradeAllowanceCharge/ReasonCode",
    ),
    (
        "BT-121",
        "TaxTotal/TaxSubtotal/TaxCategory/TaxExemptionReasonCode",
        f"{CII_SETTLEMENT}/ApplicableTradeTax/ExemptionReasonCode",
    ),
    ("BT-122", "AdditionalDocumentReference/ID", f"{CII_AGREEMENT}/AdditionalReferencedDocument/IssuerAssignedID"),
    (
        "BT-125",
        "AdditionalDocumentReference/Attachment/EmbeddedDocumentBinaryObject",
        f"{CII_AGREEMENT}/AdditionalReferencedDocument/AttachmentBinaryObject",
    ),
    (
        "BT-128",
        "InvoiceLine/DocumentReference/ID",
        f"{CII_LINE_ITEM}/SpecifiedLineTradeSettlement/AdditionalReferencedDocument/IssuerAssignedID",
    ),
    (
        "BT-133",
        "InvoiceLine/AccountingCost",
        f"{CII_LINE_ITEM}/SpecifiedLineTradeSettlement/ReceivableSpecifiedTradeAccountingAccount/ID",
    ),
    (
        "BT-134",
        "InvoiceLine/InvoicePeriod/StartDate",
        f"{CII_LINE_ITEM}/SpecifiedLineTradeSettlement/BillingSpecifiedPeriod/StartDateTime/DateTimeString",
    ),
    (
        "BT-135",
        "InvoiceLine/InvoicePeriod/EndDate",
        f"{CII_LINE_ITEM}/SpecifiedLineTradeSettlement/BillingSpecifiedPeriod/EndDateTime/DateTimeString",
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
        f"{CII_AGREEMENT}/SellerTradeParty/PostalTradeAddress/LineThree",
    ),
    (
        "BT-163",
        "AccountingCustomerParty/Party/PostalAddress/AddressLine/Line",
        f"{CII_AGREEMENT}/BuyerTradeParty/PostalTradeAddress/LineThree",
    ),
    (
        "BT-165",
        "Delivery/DeliveryLocation/Address/AddressLine/Line",
        f"{CII_DELIVERY}/ShipToTradeParty/PostalTradeAddress/LineThree",
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

# Ends of paths whose values only state how other values are to be read.
STRUCTURAL_PATHS = (
    "ChargeIndicator",
    "ChargeIndicator/Indicator",
    "TaxScheme/ID",
    "ApplicableTradeTax/TypeCode",
    "CategoryTradeTax/TypeCode",
    "AppliedTradeTax/TypeCode",
    "LineStatusReasonCode",
    "ParentLineID",
    "@currencyID",
    "@format",
    "@schemaLocation",
    "UBLVersionID",
    "SpecifiedTaxRegistration/ID/@schemeID",
    "TestIndicator/Indicator",
)


def unsupported_term_code(path: str, syntax: Syntax) -> str:
    """Return the code of a business term that the schema lacks, by its path; empty if the path is unknown."""
    return _CODES[syntax].get(path.replace("CreditNoteLine", "InvoiceLine"), "")
