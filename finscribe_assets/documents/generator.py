"""A document at random: a function of plan and index, and of nothing else.

Everything is drawn from generators seeded by name (`Random(f"{seed}:{index}:…")`), a stream for each concern, so that
a change to one concern leaves the others' draws as they were.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import TypeVar

from finscribe_assets.documents.catalogue import SUFFIXES, Item, items_of
from finscribe_assets.documents.drawn import DrawnDocument, Presentation
from finscribe_assets.documents.labels import label_keys, wordings
from finscribe_assets.documents.locales import LOCALE_FACTS, LocaleFacts, minor_unit
from finscribe_assets.documents.printing import printed_values
from finscribe_assets.documents.recipe import FONTS, LAYOUTS, Knobs, Plan, Recipe
from finscribe_assets.documents.rules import round_to
from finscribe_assets.documents.schema import Document, DocumentType, Line, Totals, VatBreakdown
from finscribe_assets.documents.vendors import VENDORS_PER_LOCALE, Vendor, draw_party, vendor

Choice = TypeVar("Choice")

FIRST_DAY, DAYS = dt.date(2019, 1, 1), 365 * 8
CONFUSABLE = "0O1I5S8B2Z"
ACCENTS = ("#1f3a5f", "#7a1f2b", "#14532d", "#3b3b3b", "#5b3a8c", "#8a5a00", "#0f4c5c", "#000000")
TERMS_DAYS = (7, 10, 14, 30, 45, 60)
TERMS = {"en": "{days} days net", "de": "{days} Tage netto", "fr": "{days} jours net"}
COLUMNS = ("line_id", "item_name", "quantity", "unit_code", "net_price", "vat_rate", "net_amount")
LONG_AMOUNT_FACTOR = 2500


def draw(plan: Plan, index: int) -> DrawnDocument:
    """Return document number ``index`` (from 0) of a plan.

    Raises:
        IndexError: the plan has no such document.
    """
    component = plan.component_of(index)
    recipe = component.recipe
    name = f"{plan.key}:{plan.seed}:{index}"
    random = Random(f"choices:{name}")
    kind = _weighted(random, recipe.document_types)
    locale = _weighted(random, recipe.locales)
    seller = vendor(locale, random.randrange(VENDORS_PER_LOCALE))
    layout = LAYOUTS[kind][Random(f"layout:{seller.id}:{kind}").randrange(len(LAYOUTS[kind]))]
    knobs = _draw_knobs(Random(f"knobs:{name}"), recipe.knobs)
    columns = _draw_columns(kind, seller)
    presentation = _draw_presentation(Random(f"look:{name}"), recipe, kind, seller, layout, columns, knobs)
    document = _draw_document(name, kind, locale, seller, columns, knobs)
    return DrawnDocument(
        id=f"{plan.key}-{index:06d}", batch=plan.key, index=index, component=component.name, vendor=seller.id,
        document=document, printed=printed_values(document, presentation), knobs=knobs, presentation=presentation,
    )  # fmt: skip


def _weighted(random: Random, weights: Mapping[Choice, float]) -> Choice:
    return random.choices(list(weights), list(weights.values()))[0]


def _draw_knobs(random: Random, knobs: Knobs) -> dict[str, float]:
    """Decide each hard feature: 1 with its intensity's chance, else 0; degradation is a strength."""
    drawn = {name: float(random.random() < intensity) for name, intensity in knobs.model_dump().items()}
    drawn["degradation"] = round(random.uniform(0, knobs.degradation), 3)
    return drawn


def _draw_columns(kind: DocumentType, seller: Vendor) -> tuple[str, ...]:
    """Return the columns that a seller's documents of a kind show: its template, always the same."""
    random = Random(f"columns:{seller.id}:{kind}")
    hidden = {
        name for name, chance in (("line_id", 0.4), ("unit_code", 0.4), ("vat_rate", 0.5)) if random.random() < chance
    }
    if kind is DocumentType.RECEIPT:  # a till roll has no room for them
        hidden = {"line_id", "unit_code", "vat_rate"}
    return tuple(name for name in COLUMNS if name not in hidden)


def _draw_presentation(random: Random, recipe: Recipe, kind: DocumentType, seller: Vendor, layout: str,
                       columns: tuple[str, ...], knobs: Mapping[str, float]) -> Presentation:  # fmt: skip
    facts = LOCALE_FACTS[seller.locale]
    # A vendor keeps its font; a recipe that gives it no weight makes it take another.
    habits = Random(f"habits:{seller.style_seed}:{kind}")
    font = _weighted(habits, {name: recipe.fonts.get(name, 0.0) for name in FONTS})
    display = habits.choice(("symbol", "symbol", "code", "none"))
    usual_date = habits.choice((facts.numeric_dates[0], *facts.numeric_dates, *facts.worded_dates))
    rare = bool(knobs["label_synonyms"])
    labels = {key: random.choice(words[1:] or words) if rare else words[0]
              for key in label_keys() if (words := wordings(facts.locale, key))}  # fmt: skip
    if knobs["two_digit_years"]:
        date_pattern = random.choice(facts.short_dates)
    elif knobs["ambiguous_dates"]:
        date_pattern = facts.numeric_dates[0]
    else:
        date_pattern = usual_date
    size = random.uniform(6.5, 7.5) if knobs["small_print"] else random.uniform(8.5, 10.5)
    return Presentation(
        layout=layout, font=font, font_size=round(size, 2), accent=habits.choice(ACCENTS),
        reversed_print=bool(knobs["reversed_print"]), date_pattern=date_pattern, currency_display=display,
        labels=labels, columns=columns, degradation=knobs["degradation"], noise_seed=random.getrandbits(31),
    )  # fmt: skip


def _draw_document(name: str, kind: DocumentType, locale: str, seller: Vendor, columns: tuple[str, ...],
                   knobs: Mapping[str, float]) -> Document:  # fmt: skip
    facts = LOCALE_FACTS[locale]
    random = Random(f"facts:{name}")

    def optional() -> bool:
        return bool(knobs["optional_fields"]) and random.random() < 0.8

    issued = _draw_date(random, ambiguous=bool(knobs["ambiguous_dates"]))
    days = random.choice(TERMS_DAYS)
    is_invoice, is_receipt = kind is DocumentType.INVOICE, kind is DocumentType.RECEIPT
    has_terms = is_invoice and random.random() < 0.7
    delivery = issued + dt.timedelta(days=random.randint(-9, -1) if is_invoice else random.randint(3, 40))
    lines = _draw_lines(Random(f"lines:{name}"), facts, seller, columns, knobs)
    breakdown, totals = _settle(Random(f"totals:{name}"), facts, lines, knobs, prepaid=is_invoice)
    # The rate of a line is asked for only where a column prints it.
    shown = tuple(line if "vat_rate" in columns else line.model_copy(update={"vat_rate": None}) for line in lines)
    return Document(
        document_type=kind,
        locale=locale,
        document_number=_draw_number(random, seller.number_prefix, seller.number_digits, knobs),
        issue_date=issued,
        due_date=issued + dt.timedelta(days=days) if has_terms else None,
        delivery_date=delivery if not is_receipt and optional() else None,
        currency_code=facts.currency_code,
        payment_terms=TERMS[facts.language].format(days=days) if has_terms else None,
        purchase_order_reference=_draw_number(random, "PO-", 6, knobs) if is_invoice and optional() else None,
        payment_account=seller.account if is_invoice and optional() else None,
        seller=seller.party
        if not is_receipt or optional()
        else seller.party.model_copy(update={"vat_identifier": None}),
        buyer=None if is_receipt else draw_party(f"buyer:{name}", locale, with_vat=optional()),
        lines=shown,
        vat_breakdown=breakdown,
        totals=totals,
    )


def _draw_date(random: Random, *, ambiguous: bool) -> dt.date:
    day = FIRST_DAY + dt.timedelta(days=random.randrange(DAYS))
    return day.replace(day=random.randint(1, 12)) if ambiguous else day


def _draw_number(random: Random, prefix: str, length: int, knobs: Mapping[str, float]) -> str:
    alphabet = CONFUSABLE if knobs["confusable_identifiers"] else "0123456789"
    return prefix + "".join(random.choice(alphabet) for _ in range(length))


def _draw_lines(random: Random, facts: LocaleFacts, seller: Vendor, columns: tuple[str, ...],
                knobs: Mapping[str, float]) -> tuple[Line, ...]:  # fmt: skip
    unit = minor_unit(facts.currency_code)
    # Long-tailed: most documents have a few lines.
    count = random.randint(15, 40) if knobs["many_lines"] else min(1 + int(random.expovariate(0.4)), 9)
    rates = facts.tax_rates if knobs["several_rates"] else facts.tax_rates[:1]
    catalogue = items_of(facts.language, seller.trade)
    lines = []
    for number in range(1, count + 1):
        item = random.choice(catalogue)
        price = _draw_price(random, item, unit, long=bool(knobs["long_amounts"]))
        quantity = _draw_quantity(random, item)
        long_name = bool(knobs["wrapped_descriptions"]) and random.random() < 0.6
        lines.append(Line(
            line_id=str(number) if "line_id" in columns else None,
            item_name=f"{item.name}, {random.choice(SUFFIXES[facts.language])}" if long_name else item.name,
            quantity=quantity,
            unit_code=item.unit if "unit_code" in columns else None,
            net_price=price,
            vat_rate=random.choice(rates),
            net_amount=round_to(quantity * price, unit),
        ))  # fmt: skip
    return tuple(lines)


def _draw_price(random: Random, item: Item, unit: Decimal, *, long: bool) -> Decimal:
    lowest, highest = int(item.lowest / unit), int(item.highest / unit)
    cents = random.randint(lowest, highest)
    return unit * (cents * random.randint(LONG_AMOUNT_FACTOR // 2, LONG_AMOUNT_FACTOR) if long else cents)


def _draw_quantity(random: Random, item: Item) -> Decimal:
    if item.unit in {"m", "m2", "t", "hr", "h", "Std"} and random.random() < 0.4:
        return Decimal(random.randint(2, 300)) / 4  # quarters of hours, metres and tonnes
    return Decimal(random.choice((1, 1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 12, 20, 25, 50, 100)))


def _settle(random: Random, facts: LocaleFacts, lines: tuple[Line, ...], knobs: Mapping[str, float], *,
            prepaid: bool) -> tuple[tuple[VatBreakdown, ...], Totals]:  # fmt: skip
    """Compute the totals from the lines, by EN 16931's rules and rounding.

    A discount on the whole document is spread over the rates in proportion, the last rate taking what rounding leaves,
    so that the taxable amounts add up to the total without tax exactly.
    """
    unit = minor_unit(facts.currency_code)
    total = sum((line.net_amount for line in lines), Decimal(0))
    allowance = round_to(total * random.choice((2, 3, 5, 10, 15)) / 100, unit) if knobs["discounts"] else Decimal(0)
    by_rate: dict[Decimal, Decimal] = {}
    for line in lines:
        rate = line.vat_rate if line.vat_rate is not None else facts.tax_rates[0]
        by_rate[rate] = by_rate.get(rate, Decimal(0)) + line.net_amount
    shares, left = [], allowance
    for place, (rate, amount) in enumerate(sorted(by_rate.items())):
        last = place == len(by_rate) - 1
        discount = left if last or not total else round_to(allowance * amount / total, unit)
        left -= discount
        base = amount - discount
        shares.append(VatBreakdown(rate=rate, taxable_amount=base, tax_amount=round_to(base * rate / 100, unit)))
    tax = sum((share.tax_amount for share in shares), Decimal(0))
    with_tax = total - allowance + tax
    paid = (
        round_to(with_tax * random.choice((10, 20, 25, 50)) / 100, unit)
        if prepaid and knobs["prepayments"]
        else Decimal(0)
    )
    return tuple(shares), Totals(
        sum_of_line_net_amounts=total, allowance_total=allowance or None, total_without_vat=total - allowance,
        total_vat=tax, total_with_vat=with_tax, paid_amount=paid or None, amount_due=with_tax - paid,
    )  # fmt: skip
