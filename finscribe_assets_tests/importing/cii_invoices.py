"""Small invoices in CII, written by hand: a test states the parts that it is about."""

from __future__ import annotations

EN_16931 = "urn:cen.eu:en16931:2017"
EXTENDED = f"{EN_16931}#conformant#urn:factur-x.eu:1p0:extended"
_VAT = "<ram:TypeCode>VAT</ram:TypeCode><ram:CategoryCode>S</ram:CategoryCode>"
TAX = f"{_VAT}<ram:RateApplicablePercent>19.00</ram:RateApplicablePercent>"
SELLER_ADDRESS = (
    "<ram:PostcodeCode>10115</ram:PostcodeCode><ram:LineOne>Allee 7</ram:LineOne><ram:CityName>Berlin</ram:CityName>"
)


def line(
    name: str = "Kabel",
    *,
    line_id: str = "1",
    document: str = "",
    gross: str = "",
    price: str = "50.00",
    price_more: str = "",
    quantity: str = "2",
    adjustments: str = "",
    amount: str = "100.00",
) -> str:
    """Return a line with tax at 19 %; ``document`` is put beside its number, ``price_more`` beside its net price."""
    gross = gross and f"<ram:GrossPriceProductTradePrice>{gross}</ram:GrossPriceProductTradePrice>"
    return f"""<ram:IncludedSupplyChainTradeLineItem>
    <ram:AssociatedDocumentLineDocument><ram:LineID>{line_id}</ram:LineID>{document}</ram:AssociatedDocumentLineDocument>
    <ram:SpecifiedTradeProduct><ram:Name>{name}</ram:Name></ram:SpecifiedTradeProduct>
    <ram:SpecifiedLineTradeAgreement>{gross}<ram:NetPriceProductTradePrice>
      <ram:ChargeAmount>{price}</ram:ChargeAmount>{price_more}</ram:NetPriceProductTradePrice>
    </ram:SpecifiedLineTradeAgreement>
    <ram:SpecifiedLineTradeDelivery>
      <ram:BilledQuantity unitCode="C62">{quantity}</ram:BilledQuantity></ram:SpecifiedLineTradeDelivery>
    <ram:SpecifiedLineTradeSettlement><ram:ApplicableTradeTax>{TAX}</ram:ApplicableTradeTax>{adjustments}
      <ram:SpecifiedTradeSettlementLineMonetarySummation><ram:LineTotalAmount>{amount}</ram:LineTotalAmount>
      </ram:SpecifiedTradeSettlementLineMonetarySummation></ram:SpecifiedLineTradeSettlement>
  </ram:IncludedSupplyChainTradeLineItem>"""


def note_line(text: str) -> str:
    """Return a line that has nothing but a note."""
    return f"""<ram:IncludedSupplyChainTradeLineItem><ram:AssociatedDocumentLineDocument>
    <ram:IncludedNote><ram:Content>{text}</ram:Content></ram:IncludedNote></ram:AssociatedDocumentLineDocument>
    <ram:SpecifiedLineTradeSettlement/></ram:IncludedSupplyChainTradeLineItem>"""


def status(code: str) -> str:
    """Return the status of a line, as profile EXTENDED has it."""
    return f"<ram:LineStatusReasonCode>{code}</ram:LineStatusReasonCode>"


def adjustment(amount: str, reason: str = "", *, charge: bool = False, name: str = "Specified") -> str:
    """Return an allowance or a charge."""
    why = reason and f"<ram:Reason>{reason}</ram:Reason>"
    return f"""<ram:{name}TradeAllowanceCharge><ram:ChargeIndicator><udt:Indicator>{str(charge).lower()}</udt:Indicator>
    </ram:ChargeIndicator><ram:ActualAmount>{amount}</ram:ActualAmount>{why}</ram:{name}TradeAllowanceCharge>"""


def invoice(
    *lines: str,
    guideline: str = EN_16931,
    issue_date: str = '<udt:DateTimeString format="102">20261105</udt:DateTimeString>',
    country: str = "DE",
    seller_address: str = SELLER_ADDRESS,
    delivery: str = "",
    settlement: str = "",
    taxes: bool = True,
    net: str = "100.00",
    vat: str = "19.00",
    total: str = "119.00",
    totals: str = "",
    due: str = "119.00",
) -> bytes:
    """Return an invoice; ``totals`` is put beside its totals, ``settlement`` before them."""
    standard = "urn:un:unece:uncefact:data:standard"
    breakdown = f"""<ram:ApplicableTradeTax><ram:CalculatedAmount>{vat}</ram:CalculatedAmount>
      <ram:BasisAmount>{net}</ram:BasisAmount>{TAX}</ram:ApplicableTradeTax>"""
    sums = f"<ram:LineTotalAmount>{net}</ram:LineTotalAmount>" if taxes else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="{standard}:CrossIndustryInvoice:100"
  xmlns:ram="{standard}:ReusableAggregateBusinessInformationEntity:100" xmlns:udt="{standard}:UnqualifiedDataType:100">
<rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>{guideline}</ram:ID>
</ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>
<rsm:ExchangedDocument><ram:ID>R-1</ram:ID><ram:TypeCode>380</ram:TypeCode>
  <ram:IssueDateTime>{issue_date}</ram:IssueDateTime></rsm:ExchangedDocument>
<rsm:SupplyChainTradeTransaction>{"".join(lines)}
  <ram:ApplicableHeaderTradeAgreement>
    <ram:SellerTradeParty><ram:Name>Musterhandel GmbH</ram:Name>
      <ram:PostalTradeAddress>{seller_address}<ram:CountryID>{country}</ram:CountryID></ram:PostalTradeAddress>
      <ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">{country}136695976</ram:ID></ram:SpecifiedTaxRegistration>
    </ram:SellerTradeParty>
    <ram:BuyerTradeParty><ram:Name>Beispiel AG</ram:Name></ram:BuyerTradeParty>
  </ram:ApplicableHeaderTradeAgreement>
  <ram:ApplicableHeaderTradeDelivery>{delivery}</ram:ApplicableHeaderTradeDelivery>
  <ram:ApplicableHeaderTradeSettlement><ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>
    {breakdown if taxes else ""}{settlement}
    <ram:SpecifiedTradeSettlementHeaderMonetarySummation>{sums}{totals}
      <ram:TaxBasisTotalAmount>{net}</ram:TaxBasisTotalAmount>
      <ram:TaxTotalAmount currencyID="EUR">{vat}</ram:TaxTotalAmount>
      <ram:GrandTotalAmount>{total}</ram:GrandTotalAmount>
      <ram:DuePayableAmount>{due}</ram:DuePayableAmount></ram:SpecifiedTradeSettlementHeaderMonetarySummation>
  </ram:ApplicableHeaderTradeSettlement>
</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>""".encode()
