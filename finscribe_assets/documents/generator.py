"""A document at random: a function of plan and index, and of nothing else.

Everything is drawn from generators seeded by name (`Random(f"lines:{name}")`), a stream for each concern, so that a
change to one concern leaves the others' draws as they were.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from finscribe_assets.documents.captions import labels_needed
from finscribe_assets.documents.drawn_document import DrawnDocument, Presentation
from finscribe_assets.documents.formats import CurrencyDisplay
from finscribe_assets.documents.header_drawing import draw_header, draw_number, trimmed
from finscribe_assets.documents.knobs import DAMAGE_KNOBS, Knobs, applicable_knobs
from finscribe_assets.documents.layout_families import LAYOUT_FACTS, PAGE_LABELS, LayoutFacts
from finscribe_assets.documents.line_drawing import Sale, draw_lines, reduced_lines
from finscribe_assets.documents.locales import LOCALE_FACTS, SHARED_SYMBOLS, LocaleFacts, TaxRegime, minor_unit
from finscribe_assets.documents.plan import Plan
from finscribe_assets.documents.presentation_drawing import (
    VendorHabits,
    columns_of,
    damage_of,
    draw_date_pattern,
    draw_decoys,
    draw_labels,
    draw_number_style,
    draw_seating,
    font_of,
    vendor_habits,
)
from finscribe_assets.documents.printed_values import REDUNDANT_TOTALS, printed_values
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import Document, DocumentType, Party, VatCategory
from finscribe_assets.documents.settlement import settle
from finscribe_assets.documents.statements import draw_statement
from finscribe_assets.documents.table_paging import page_breaks, page_subtotals, sub_rows
from finscribe_assets.documents.taxation import draw_buyer_locale, draw_category, draw_tax_case, is_registered
from finscribe_assets.documents.vendors import Vendor, draw_party, vendor, vendor_numbers
from finscribe_assets.documents.wordings import phrases

Choice = TypeVar("Choice")

FIRST_DAY, DAYS = dt.date(2019, 1, 1), 365 * 8 - 30
WEAKEST_DAMAGE = 0.3
# What a document closes with where it is not the seller's thanks.
_CLOSINGS = {kind: f"thanks.{kind}" for kind in (DocumentType.PURCHASE_ORDER, DocumentType.BANK_STATEMENT)}
FOREIGN_CURRENCIES = ("USD", "EUR", "GBP", "CHF")


@dataclass(frozen=True)
class _Frame:
    """What is decided about a document before its content is."""

    name: str  # of its random streams
    kind: DocumentType
    seller: Vendor
    vendors: range  # numbers of the sellers that the document may name
    habits: VendorHabits
    knobs: dict[str, float]
    day: dt.date
    category: VatCategory
    currency: str
    inclusive: bool
    columns: tuple[str, ...]
    date_pattern: str

    @property
    def facts(self) -> LocaleFacts:
        return LOCALE_FACTS[self.seller.locale]

    @property
    def layout(self) -> LayoutFacts:
        return LAYOUT_FACTS[self.habits.layout]


def draw_document(plan: Plan, index: int) -> DrawnDocument:
    """Return document number ``index`` (from 0) of a plan.

    Raises:
        IndexError: the plan has no such document.
    """
    component = plan.component_of(index)
    recipe = component.recipe
    frame = _draw_frame(f"{plan.key}:{plan.seed}:{index}", recipe, vendor_numbers(plan.key))
    document = _draw_statement(frame) if frame.kind is DocumentType.BANK_STATEMENT else _draw_sale(frame)
    look = _draw_look(frame, recipe, document)
    printed = printed_values(document, look)
    keys = labels_needed(document, printed, look.columns, merged_head=look.merged_head)
    keys |= {**LAYOUT_FACTS[look.layout].labels, **PAGE_LABELS}
    labels = draw_labels(
        Random(f"labels:{frame.name}"),
        frame.seller.locale,
        keys,
        frame.knobs,
        capital_heads=look.style.head == "capitals",
    )
    return DrawnDocument(
        id=f"{plan.key}-{index:06d}",
        batch=plan.key,
        index=index,
        component=component.name,
        vendor=frame.seller.id,
        document=document,
        printed=printed,
        knobs=frame.knobs,
        presentation=look.model_copy(update={"labels": labels}),
    )


def _weighted(random: Random, weights: Mapping[Choice, float]) -> Choice:
    return random.choices(list(weights), list(weights.values()))[0]


def _draw_frame(name: str, recipe: Recipe, vendors: range) -> _Frame:
    random = Random(f"choices:{name}")
    kind = _weighted(random, recipe.document_types)
    locale = _weighted(random, recipe.locale_weights())
    facts = LOCALE_FACTS[locale]
    seller = vendor(locale, random.choice(vendors))
    habits = vendor_habits(seller, kind, recipe)
    knobs = _draw_knobs(Random(f"knobs:{name}"), recipe.knobs, kind, facts)
    random = Random(f"facts:{name}")
    category = draw_category(random, locale, seller.trade) if knobs["tax_exemptions"] else VatCategory.STANDARD
    taxed = category is VatCategory.STANDARD
    inclusive = bool(knobs["tax_inclusive_prices"])
    return _Frame(
        name=name,
        kind=kind,
        seller=seller,
        vendors=vendors,
        habits=habits,
        knobs=knobs,
        day=_draw_date(random, ambiguous=bool(knobs["ambiguous_dates"])),
        category=category,
        currency=_draw_currency(random, facts, knobs),
        inclusive=inclusive,
        columns=columns_of(habits, kind, knobs, inclusive=inclusive, taxed=taxed),
        date_pattern=draw_date_pattern(Random(f"dates:{name}"), facts, habits, knobs),
    )


# Knobs that cannot act beside another that was drawn: the one on the right is dropped.
EXCLUSIVE_KNOBS = (
    ("tax_exemptions", ("several_rates", "tax_inclusive_prices", "gross_columns", "dual_currency")),
    ("tax_inclusive_prices", ("list_prices", "gross_columns", "line_allowances", "discounts", "charges")),
    ("negative_amounts", ("discounts", "charges", "line_allowances")),
    ("dual_currency", ("ambiguous_currency",)),
    ("era_dates", ("two_digit_years", "ambiguous_dates")),
    ("unlabelled_values", ("label_distance",)),
)


def _draw_knobs(random: Random, knobs: Knobs, kind: DocumentType, facts: LocaleFacts) -> dict[str, float]:
    """Decide each hard feature: 1 with its intensity's chance, else 0; damage has a strength.

    What is stored is what took effect: a knob that cannot act on this kind of document, in this country, or beside
    another that was drawn is 0, so that mining compares documents by what is on their pages.
    """
    drawn = {}
    acting = applicable_knobs(kind, facts.language)
    for name, wanted in knobs:
        chance, strength = random.random(), random.random()
        # Most tills of the world show prices with tax.
        shows_tax = name == "tax_inclusive_prices" and kind is DocumentType.RECEIPT
        intensity = wanted**0.25 if shows_tax else wanted
        value = float(chance < intensity)
        if name in DAMAGE_KNOBS:
            value *= round(WEAKEST_DAMAGE + (1 - WEAKEST_DAMAGE) * strength, 3)
        drawn[name] = value if name in acting else 0.0
    drawn["degradation"] = round(random.uniform(0, knobs.degradation), 3)
    if facts.regime in (TaxRegime.US_SALES_TAX, TaxRegime.INDIA_GST):
        drawn["tax_inclusive_prices"] = 0.0  # tax is added, and by two authorities
    if drawn["sign_styles"] and kind is DocumentType.CREDIT_NOTE and not drawn["negative_amounts"]:
        drawn["sign_styles"] = 0.0  # nothing is below zero
    for one, others in EXCLUSIVE_KNOBS:
        if drawn[one]:
            drawn |= dict.fromkeys(others, 0.0)
    if not (drawn["several_pages"] or drawn["many_lines"] or drawn["very_long_tables"]):
        drawn["carried_forward"] = 0.0
    return drawn


def _draw_date(random: Random, *, ambiguous: bool) -> dt.date:
    day = FIRST_DAY + dt.timedelta(days=random.randrange(DAYS))
    return day.replace(day=random.randint(1, 12)) if ambiguous else day


def _draw_currency(random: Random, facts: LocaleFacts, knobs: Mapping[str, float]) -> str:
    """Return the document's currency: the country's own, unless a knob asks for another."""
    if knobs["ambiguous_currency"]:
        shared = [code for codes in SHARED_SYMBOLS.values() for code in codes if code != facts.currency_code]
        return random.choice(shared)
    if knobs["dual_currency"]:
        return random.choice([code for code in FOREIGN_CURRENCIES if code != facts.currency_code])
    return facts.currency_code


def _draw_sale(frame: _Frame) -> Document:
    knobs, kind, seller = frame.knobs, frame.kind, frame.seller
    random = Random(f"sale:{frame.name}")
    buyer = None if kind is DocumentType.RECEIPT else _draw_buyer(random, frame)
    tax = draw_tax_case(random, seller.locale, frame.category, frame.day, seller.party, buyer)
    sale = Sale(
        locale=seller.locale,
        trade=seller.trade,
        currency=frame.currency,
        tax=tax,
        columns=frame.columns,
        inclusive=frame.inclusive and tax.is_taxed,
        returned=bool(knobs["negative_amounts"]),
        day=frame.day,
        date_pattern=frame.date_pattern,
        knobs=knobs,
        is_long=frame.layout.is_long,
    )
    lines = draw_lines(Random(f"lines:{frame.name}"), sale)
    settled = settle(Random(f"totals:{frame.name}"), sale, kind, lines, frame.habits.rounds)
    # The rate of a line is asked for only where a column prints it, but rules and exports need it: it is kept.
    header = draw_header(
        Random(f"header:{frame.name}"),
        kind,
        seller,
        buyer,
        frame.day,
        settled.totals,
        minor_unit(frame.currency),
        knobs,
    )
    must_identify = kind is not DocumentType.RECEIPT or frame.habits.rounds
    third_parties: dict[str, Party | None] = {}
    if knobs["third_parties"]:
        third_parties = {
            "payee": Party(name=_stranger(f"payee:{frame.name}", seller.locale, seller.party, buyer).name),
            "ship_to": trimmed(
                _stranger(f"ship_to:{frame.name}", _home(buyer, seller), seller.party, buyer), frozenset()
            ),
        }
    if frame.category is VatCategory.INTRA_COMMUNITY and "period_end" not in header:
        header["delivery_date"] = header.get("delivery_date") or frame.day - dt.timedelta(days=random.randint(1, 9))
    return Document(
        document_type=kind,
        locale=seller.locale,
        document_number=draw_number(random, seller, frame.day, knobs),
        issue_date=frame.day,
        currency_code=frame.currency,
        vat_accounting_currency_code=settled.accounting_currency,
        exchange_rate=settled.exchange_rate,
        seller=_identified(frame, must_identify=must_identify),
        buyer=buyer
        and trimmed(
            buyer,
            frozenset({"identifier"} if knobs["optional_fields"] and random.random() < 0.4 else ()),
            with_vat=_needs_buyer_vat(frame.category) or (bool(knobs["optional_fields"]) and random.random() < 0.7),
        ),
        lines=lines,
        allowances=settled.allowances,
        charges=settled.charges,
        vat_breakdown=settled.vat_breakdown,
        page_subtotals=page_subtotals(lines, knobs, frame.layout.page_rows),
        totals=settled.totals,
        **third_parties,
        **header,
    )


def _identified(frame: _Frame, *, must_identify: bool) -> Party:
    """Return the seller with what its documents print of it; who has no number for its tax gives its other ones."""
    seller, fields = frame.seller, frame.habits.party_fields
    registered = is_registered(seller.locale, frame.category)
    if not registered:
        fields |= {"tax_registration", "legal_registration"}
    return trimmed(seller.party, fields, with_vat=must_identify and registered)


def _stranger(seed: str, locale: str, *known: Party | None) -> Party:
    """Return a company with none of these names: nobody sells to himself, and a payee is another (UBL-SR-19)."""
    party = draw_party(seed, locale, with_vat=True)
    while party.name in [other.name for other in known if other]:
        seed += ":another"
        party = draw_party(seed, locale, with_vat=True)
    return party


def _home(buyer: Party | None, seller: Vendor) -> str:
    """Return the locale of the buyer's country: what is exempt because it leaves the country does leave it."""
    country = buyer.address.country_code if buyer and buyer.address else LOCALE_FACTS[seller.locale].country_code
    return next(locale for locale, facts in LOCALE_FACTS.items() if facts.country_code == country)


def _needs_buyer_vat(category: VatCategory) -> bool:
    return category in (VatCategory.REVERSE_CHARGE, VatCategory.INTRA_COMMUNITY)


def _draw_buyer(random: Random, frame: _Frame) -> Party:
    """Return the buyer; in countries whose states tax, half of them are of the seller's own state."""
    locale = draw_buyer_locale(random, frame.seller.locale, frame.category, frame.seller.trade)
    buyer = _stranger(f"buyer:{frame.name}", locale, frame.seller.party)
    home = frame.seller.party.address
    if frame.facts.regime is TaxRegime.INDIA_GST and home and random.random() < 0.5:
        for attempt in range(40):
            if buyer.address and buyer.address.subdivision == home.subdivision:
                break
            buyer = _stranger(f"buyer:{frame.name}:{attempt}", locale, frame.seller.party)
    return buyer


def _draw_statement(frame: _Frame) -> Document:
    seller, knobs = frame.seller, frame.knobs
    start = frame.day.replace(day=1) if knobs["ambiguous_dates"] else frame.day - dt.timedelta(days=29)
    statement, entries = draw_statement(
        Random(f"lines:{frame.name}"),
        seller.locale,
        seller.bank.number,
        frame.vendors,
        start,
        (frame.day - start).days + 1,
        frame.columns,
        knobs,
    )
    bank = seller.party.model_copy(update={"name": seller.bank.bank_name})
    holder = draw_party(f"buyer:{frame.name}", seller.locale, with_vat=False)
    return Document(
        document_type=frame.kind,
        locale=seller.locale,
        document_number=f"{frame.day.month}/{frame.day.year}",
        issue_date=frame.day,
        period_start=start,
        period_end=frame.day,
        currency_code=frame.currency,
        bank_identifier=seller.bank.bic,
        seller=trimmed(bank, frozenset()),
        buyer=trimmed(holder, frozenset()),
        page_subtotals=page_subtotals(entries, knobs, frame.layout.page_rows),
        statement=statement,
        entries=entries,
    )


def _draw_look(frame: _Frame, recipe: Recipe, document: Document) -> Presentation:
    """Return how the page looks; its labels are drawn when it is known what is printed."""
    random, knobs, habits = Random(f"look:{frame.name}"), frame.knobs, frame.habits
    locale = frame.seller.locale
    numbers = draw_number_style(random, locale, habits, knobs)
    size = random.uniform(6.5, 7.5) if knobs["small_print"] else random.uniform(8.5, 10.5)
    absent = [
        name
        for name in (
            "due_date",
            "delivery_date",
            "purchase_order_reference",
            "contract_reference",
            "buyer_reference",
            "despatch_reference",
        )
        if getattr(document, name) is None
    ]
    is_order = frame.kind is DocumentType.PURCHASE_ORDER
    decoys = draw_decoys(
        random,
        locale,
        frame.day,
        frame.date_pattern,
        numbers.digits,
        [name for name in absent if not is_order or name == "contract_reference"],
        knobs,
    )
    marked = reduced_lines(document.lines, locale)
    remarks = []
    if document.lines and document.lines[0].price_with_vat is not None:
        remarks.append(random.choice(phrases(locale, "tax_included")))
    if marked:
        remarks.append(random.choice(phrases(locale, "reduced_rate_note")))
    return Presentation(
        engine=_weighted(Random(f"engine:{frame.name}"), recipe.engines),
        layout=habits.layout,
        font=font_of(habits, recipe, locale),
        font_size=round(size, 2),
        accent=habits.accent,
        style=habits.style,
        reversed_print=bool(knobs["reversed_print"]),
        date_pattern=frame.date_pattern,
        numbers=numbers,
        currency_display=_currency_display(frame),
        labels={},
        columns=frame.columns,
        sub_rows=sub_rows(random, document, knobs),
        page_breaks=page_breaks(document),
        decoys=decoys,
        seating=draw_seating(Random(f"seating:{frame.name}"), locale) if frame.layout.seating else (),
        remarks=(*remarks, random.choice(phrases(locale, _CLOSINGS.get(frame.kind, "thanks")))),
        marked_lines=marked,
        rate_mark=phrases(locale, "reduced_rate_mark")[0].split(" ", maxsplit=1)[0] if marked else "",
        repeated_totals=tuple(REDUNDANT_TOTALS) if knobs["repeated_totals"] else (),
        labels_apart=bool(knobs["label_distance"]),
        unlabelled=bool(knobs["unlabelled_values"]),
        parties_side_by_side=bool(knobs["parties_side_by_side"]),
        borderless=bool(knobs["borderless_tables"]),
        merged_head=bool(knobs["merged_headers"]),
        repeated_head=bool(knobs["repeated_headers"]) or frame.kind is DocumentType.RECEIPT,
        degradation=knobs["degradation"],
        damage=damage_of(knobs),
        stamp=random.choice(phrases(locale, "stamps")),
        handwriting=random.choice(phrases(locale, "handwriting")),
        noise_seed=random.getrandbits(31),
    )


def _currency_display(frame: _Frame) -> CurrencyDisplay:
    if frame.knobs["ambiguous_currency"]:
        return "shared_symbol"
    # The country's own symbol for a foreign currency may be its neighbour's: the code is sure.
    is_foreign = frame.currency != frame.facts.currency_code
    return "code" if is_foreign else frame.habits.currency_display
