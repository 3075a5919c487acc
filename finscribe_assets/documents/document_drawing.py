"""The content of a document, drawn for an outline: its parties, header, lines or entries, taxes and totals.

How a page shows the content is drawn in `presentation_drawing.py`.
"""

from __future__ import annotations

import datetime as dt
from random import Random

from finscribe_assets.documents.document_outline import DocumentOutline
from finscribe_assets.documents.header_drawing import draw_header, draw_number, trim_party
from finscribe_assets.documents.legal_notices import REGISTER_COUNTRIES
from finscribe_assets.documents.line_drawing import Sale, draw_lines
from finscribe_assets.documents.line_groups import with_groups
from finscribe_assets.documents.locales import LOCALE_FACTS, TaxRegime, minor_unit
from finscribe_assets.documents.receipt_drawing import draw_card_payment, draw_issue_time
from finscribe_assets.documents.receipt_lines import with_till_lines
from finscribe_assets.documents.schema import Consignee, Document, DocumentType, Party, Totals, VatCategory
from finscribe_assets.documents.settlement import settle
from finscribe_assets.documents.statements import draw_statement
from finscribe_assets.documents.table_paging import page_subtotals
from finscribe_assets.documents.taxation import draw_buyer_locale, draw_tax_case, is_registered
from finscribe_assets.documents.vendors import draw_party

MAX_BUYERS_TRIED = 40  # in the search for one of the seller's own state


def draw_content(outline: DocumentOutline) -> Document:
    """Draw the values of a document with this outline."""
    if outline.document_type is DocumentType.BANK_STATEMENT:
        return _draw_bank_statement(outline)
    return _draw_sale(outline)


def _draw_sale(outline: DocumentOutline) -> Document:
    knobs, document_type, seller, day = outline.knobs, outline.document_type, outline.seller, outline.issue_date
    random = Random(f"sale:{outline.name}")
    buyer = None if document_type is DocumentType.RECEIPT else _draw_buyer(random, outline)
    tax = draw_tax_case(random, seller.locale, outline.category, day, seller.party, buyer)
    sale = Sale(
        locale=seller.locale,
        trade=seller.trade,
        style_seed=seller.style_seed,
        currency=outline.currency,
        tax=tax,
        columns=outline.columns,
        inclusive=outline.inclusive and tax.is_taxed,
        returned=bool(knobs["negative_amounts"]),
        day=day,
        date_pattern=outline.date_pattern,
        knobs=knobs,
        is_long=outline.layout.is_long,
        is_examination=outline.is_examination,
        is_receipt=document_type is DocumentType.RECEIPT,
    )
    # Lines keep their tax rate even if no column prints it: calculation rules and exports need it.
    lines = draw_lines(Random(f"lines:{outline.name}"), sale)
    if document_type is DocumentType.RECEIPT:
        lines = with_till_lines(Random(f"till_lines:{outline.name}"), lines, sale)
    if knobs["line_groups"]:
        lines = with_groups(Random(f"groups:{outline.name}"), lines, seller.locale)
    settled = settle(Random(f"totals:{outline.name}"), sale, document_type, lines, outline.habits.rounds)
    number = draw_number(Random(f"number:{outline.name}"), seller, document_type, day, knobs)
    header = draw_header(
        Random(f"header:{outline.name}"),
        document_type,
        number,
        seller,
        buyer,
        day,
        settled.totals,
        minor_unit(outline.currency),
        knobs,
    )
    if outline.category is VatCategory.INTRA_COMMUNITY and "period_end" not in header:
        header["delivery_date"] = header.get("delivery_date") or day - dt.timedelta(days=random.randint(1, 9))
    return Document(
        document_type=document_type,
        locale=seller.locale,
        document_number=number,
        issue_date=day,
        **(_draw_till_fields(outline, settled.totals) if document_type is DocumentType.RECEIPT else {}),
        currency_code=outline.currency,
        vat_accounting_currency_code=settled.accounting_currency,
        exchange_rate=settled.exchange_rate,
        seller=_printed_seller(outline),
        buyer=buyer and _printed_buyer(random, outline, buyer),
        lines=lines,
        allowances=settled.allowances,
        charges=settled.charges,
        vat_breakdown=settled.vat_breakdown,
        page_subtotals=page_subtotals(lines, knobs, outline.layout.page_rows),
        totals=settled.totals,
        **_draw_third_parties(outline, buyer),
        **header,
    )


def _draw_till_fields(outline: DocumentOutline, totals: Totals) -> dict[str, str | None]:
    """Draw the time of a receipt, and the numbers of its card payment if the knob asks for a card slip."""
    fields: dict[str, str | None] = {
        "issue_time": draw_issue_time(Random(f"clock:{outline.name}"), outline.time_pattern)
    }
    if outline.knobs["card_slips"] and totals.tendered_amount is None:
        fields |= draw_card_payment(Random(f"card:{outline.name}"))
    return fields


def _printed_seller(outline: DocumentOutline) -> Party:
    """Return the seller with the fields that its documents print.

    A seller without a tax identifier prints its registrations. Some receipts print no tax identifier.
    """
    seller, fields = outline.seller, outline.habits.party_fields
    registered = is_registered(seller.locale, outline.category)
    if not registered:
        fields |= {"tax_registration", "legal_registration"}
    is_bill = outline.document_type in (DocumentType.INVOICE, DocumentType.CREDIT_NOTE)
    if is_bill and outline.facts.country_code in REGISTER_COUNTRIES:
        fields |= {"legal_registration"}
    must_identify = outline.document_type is not DocumentType.RECEIPT or outline.habits.rounds
    return trim_party(seller.party, fields, with_vat=must_identify and registered)


def _printed_buyer(random: Random, outline: DocumentOutline, buyer: Party) -> Party:
    """Return the buyer with the fields that the document prints, among them the tax identifier if the law asks."""
    optional = bool(outline.knobs["optional_fields"])
    fields = frozenset({"identifier"} if optional and random.random() < 0.4 else ())
    needs_vat = outline.category in (VatCategory.REVERSE_CHARGE, VatCategory.INTRA_COMMUNITY)
    return trim_party(buyer, fields, with_vat=needs_vat or (optional and random.random() < 0.7))


def _draw_third_parties(outline: DocumentOutline, buyer: Party | None) -> dict[str, Party | Consignee]:
    """Draw a payee and a consignee if the knob asks for them.

    The consignee is in the buyer's country: goods that are exempt because they leave the country must do so.
    """
    if not outline.knobs["third_parties"]:
        return {}
    name, seller = outline.name, outline.seller
    payee = draw_other_company(f"payee:{name}", seller.locale, seller.party, buyer)
    country = buyer.address.country_code if buyer and buyer.address else outline.facts.country_code
    locale = next(locale for locale, facts in LOCALE_FACTS.items() if facts.country_code == country)
    consignee = draw_other_company(f"ship_to:{name}", locale, seller.party, buyer)
    return {"payee": Party(name=payee.name), "ship_to": Consignee(**dict(trim_party(consignee, frozenset())))}


def draw_other_company(seed: str, locale: str, *others: Party | None) -> Party:
    """Draw a company whose name is different from those of the other parties (UBL-SR-19 requires it of a payee)."""
    party = draw_party(seed, locale, with_vat=True)
    while party.name in [other.name for other in others if other]:
        seed += ":another"
        party = draw_party(seed, locale, with_vat=True)
    return party


def _draw_buyer(random: Random, outline: DocumentOutline) -> Party:
    """Draw the buyer; in India, half of the buyers are in the seller's own state, which determines the tax."""
    seller = outline.seller
    locale = draw_buyer_locale(random, seller.locale, outline.category, seller.trade)
    buyer = draw_other_company(f"buyer:{outline.name}", locale, seller.party)
    home = seller.party.address
    if outline.facts.regime is TaxRegime.INDIA_GST and home and random.random() < 0.5:
        for attempt in range(MAX_BUYERS_TRIED):
            if buyer.address and buyer.address.subdivision == home.subdivision:
                break
            buyer = draw_other_company(f"buyer:{outline.name}:{attempt}", locale, seller.party)
    return buyer


def _draw_bank_statement(outline: DocumentOutline) -> Document:
    """Draw a statement of the seller's bank about the buyer's account, over the days up to the issue date."""
    seller, knobs, end = outline.seller, outline.knobs, outline.issue_date
    start = end.replace(day=1) if knobs["ambiguous_dates"] else end - dt.timedelta(days=29)
    statement, entries = draw_statement(
        Random(f"lines:{outline.name}"),
        seller.locale,
        seller.bank.number,
        outline.vendors,
        start,
        (end - start).days + 1,
        outline.columns,
        knobs,
    )
    bank = seller.party.model_copy(update={"name": seller.bank.bank_name})
    holder = draw_party(f"buyer:{outline.name}", seller.locale, with_vat=False)
    return Document(
        document_type=outline.document_type,
        locale=seller.locale,
        document_number=f"{end.month}/{end.year}",
        issue_date=end,
        period_start=start,
        period_end=end,
        currency_code=outline.currency,
        bank_identifier=seller.bank.bic,
        seller=trim_party(bank, frozenset()),
        buyer=trim_party(holder, frozenset()),
        page_subtotals=page_subtotals(entries, knobs, outline.layout.page_rows),
        statement=statement,
        entries=entries,
    )
