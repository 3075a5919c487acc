"""How a document's page is to look: its template, columns, type, wordings, number marks, decoys and damage.

A vendor's documents look alike: what is its habit is drawn from the vendor's own seed, the rest from the document's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from finscribe_assets.documents.drawn import Decoy
from finscribe_assets.documents.formats import (
    APOSTROPHE,
    ERA,
    NARROW_SPACE,
    SHORT_ERA,
    TYPOGRAPHIC_APOSTROPHE,
    Display,
    Negative,
    NumberStyle,
    usual_style,
    write_date,
)
from finscribe_assets.documents.goods import SERVICE_TRADES
from finscribe_assets.documents.knobs import DAMAGE
from finscribe_assets.documents.locales import LOCALE_FACTS, LocaleFacts
from finscribe_assets.documents.recipe import LAYOUTS, Recipe, fonts_for
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.vendors import Vendor
from finscribe_assets.documents.words import phrases, wordings

ACCENTS = ("#1f3a5f", "#7a1f2b", "#14532d", "#3b3b3b", "#5b3a8c", "#8a5a00", "#0f4c5c", "#000000")
# Columns in the order that most tables have them.
LINE_COLUMNS = ("line_id", "purchase_order_line", "sku", "gtin", "classification", "item_name", "quantity", "unit",
                "gross_price", "price_discount", "net_price", "price_with_vat", "allowance_amount", "charge_amount",
                "vat_rate", "net_amount", "gross_amount")  # fmt: skip
ENTRY_COLUMNS = ("entry_date", "value_date", "description", "reference", "amount", "debit", "credit", "balance")


@dataclass(frozen=True)
class Habits:
    """What a vendor's documents of a kind always have: its template."""

    layout: str
    columns: tuple[str, ...]
    font_draw: float
    accent: str
    currency_display: Display
    usual_date: str
    negative: Negative
    rounds: bool  # to payable coins
    party_fields: frozenset[str]  # of its own particulars


def habits_of(seller: Vendor, kind: DocumentType) -> Habits:
    """Return a seller's template for a kind of document."""
    random = Random(f"habits:{seller.style_seed}:{kind}")
    facts = LOCALE_FACTS[seller.locale]
    layouts = LAYOUTS[kind]
    is_bill = kind in (DocumentType.INVOICE, DocumentType.CREDIT_NOTE)
    particulars = ("tax_registration", "legal_registration", "contact_phone", "contact_email", "contact_name")
    return Habits(
        layout=random.choice(layouts),
        columns=(_entry_columns(random) if kind is DocumentType.BANK_STATEMENT
                 else _line_columns(random, kind, facts, seller.trade)),
        font_draw=random.random(),
        accent=random.choice(ACCENTS),
        currency_display=random.choice(("symbol", "symbol", "code", "none")),
        usual_date=random.choice((facts.numeric_dates[0], *facts.numeric_dates, *facts.worded_dates)),
        negative=random.choice(("trailing_minus", "parentheses",
                                "debit" if kind is DocumentType.BANK_STATEMENT else "credit")),
        rounds=random.random() < (0.7 if kind is DocumentType.RECEIPT else 0.5),
        party_fields=frozenset(name for name in particulars if is_bill and random.random() < 0.4),
    )  # fmt: skip


def _line_columns(random: Random, kind: DocumentType, facts: LocaleFacts, trade: str) -> tuple[str, ...]:
    chances = {"line_id": 0.6, "sku": 0.3, "gtin": 0.08, "unit": 0.6, "vat_rate": 0.5,
               "classification": 0.9 if facts.country_code == "IN" else 0.06,
               "purchase_order_line": 0.0 if kind is DocumentType.PURCHASE_ORDER else 0.08}  # fmt: skip
    drawn = {name for name, chance in chances.items() if random.random() < chance}
    if trade in SERVICE_TRADES and facts.country_code != "IN":  # customs code goods
        drawn -= {"classification"}
    if kind is DocumentType.RECEIPT:  # a till roll has no room for them
        drawn = set()
    order = list(LINE_COLUMNS)
    if random.random() < 0.2:  # quantity first, as many English invoices have it
        order.remove("quantity")
        order.insert(order.index("item_name"), "quantity")
    always = {"item_name", "quantity", "net_price", "net_amount"}
    return tuple(name for name in order if name in drawn | always)


def _entry_columns(random: Random) -> tuple[str, ...]:
    drawn = {name for name, chance in (("value_date", 0.4), ("reference", 0.3), ("balance", 0.85))
             if random.random() < chance}  # fmt: skip
    drawn |= {"debit", "credit"} if random.random() < 0.5 else {"amount"}
    return tuple(name for name in ENTRY_COLUMNS if name in drawn | {"entry_date", "description"})


def columns_of(habits: Habits, kind: DocumentType, knobs: Mapping[str, float], *, inclusive: bool,
               taxed: bool) -> tuple[str, ...]:  # fmt: skip
    """Return the columns of one document: the vendor's, and those that knobs ask for."""
    if kind is DocumentType.BANK_STATEMENT:
        return habits.columns
    columns = set(habits.columns)
    if inclusive:
        columns = columns - {"net_price", "net_amount"} | {"price_with_vat", "gross_amount"}
    elif knobs["gross_columns"] and taxed:
        columns.add("gross_amount")
    if knobs["list_prices"] and not inclusive:
        columns |= {"gross_price", "price_discount"}
    if knobs["line_allowances"] and not inclusive:
        columns |= {"allowance_amount", "charge_amount"}
    if knobs["blank_cells"] and not columns & {"sku", "unit", "gtin", "classification", "purchase_order_line"}:
        columns |= {"sku", "unit"}
    if knobs["several_rates"] and kind is not DocumentType.RECEIPT:
        columns.add("vat_rate")
    order = [*habits.columns, *(name for name in LINE_COLUMNS if name not in habits.columns)]
    # What a knob adds stands in its usual place among the vendor's columns.
    order.sort(key=lambda name: LINE_COLUMNS.index(name) if name not in ("quantity",) else _quantity_place(habits))
    return tuple(name for name in order if name in columns)


def _quantity_place(habits: Habits) -> float:
    """Return where a vendor has the quantity: before or after the item's name."""
    quantity_first = habits.columns.index("quantity") < habits.columns.index("item_name")
    return LINE_COLUMNS.index("item_name") + (-0.5 if quantity_first else 0.5)


def font_of(habits: Habits, recipe: Recipe, locale: str) -> str:
    """Return the vendor's font, or where the recipe gives it no weight another."""
    weights = {font: recipe.fonts.get(font, 0.0) for font in fonts_for(locale)}
    place = habits.font_draw * sum(weights.values())
    for font, weight in weights.items():
        place -= weight
        if place < 0:
            return font
    return next(font for font, weight in reversed(weights.items()) if weight)


def draw_date_pattern(random: Random, facts: LocaleFacts, habits: Habits, knobs: Mapping[str, float]) -> str:
    """Return the pattern of every date on the page."""
    if knobs["era_dates"]:
        return random.choice((ERA, ERA, SHORT_ERA))
    if knobs["two_digit_years"]:
        return random.choice(facts.short_dates)
    return facts.numeric_dates[0] if knobs["ambiguous_dates"] else habits.usual_date


def draw_number_style(random: Random, locale: str, habits: Habits, knobs: Mapping[str, float]) -> NumberStyle:
    """Return the marks of every number on the page."""
    style = usual_style(locale)
    marks: dict[str, object] = {}
    if knobs["foreign_separators"]:
        # Of a country that writes the other mark for decimals, so that it shows in every number.
        point = style.decimal == "."
        marks |= {"decimal": "," if point else ".", "group": "." if point else ",", "lakh": False, "shortest_group": 1}
    if knobs["rare_grouping"]:
        usual = {style.group, *( ("'", "’") if style.group in ("'", "’") else ())}
        choices = [mark for mark in (APOSTROPHE, TYPOGRAPHIC_APOSTROPHE, NARROW_SPACE, "") if mark not in usual]
        marks |= {"group": random.choice(choices), "shortest_group": 1}
    if knobs["sign_styles"]:
        marks["negative"] = habits.negative
    if knobs["native_digits"]:
        arabic = locale.startswith("ar")
        marks["digits"] = "arabic" if arabic else "full_width"
        if arabic:
            marks |= {"decimal": "٫", "group": "٬"}
    return style.model_copy(update=marks)


def draw_labels(random: Random, locale: str, keys: Mapping[str, str], knobs: Mapping[str, float]) -> dict[str, str]:
    """Return the wording of each label: name of its use → wording, for keys given by name."""
    rare, bilingual = bool(knobs["label_synonyms"]), bool(knobs["bilingual_labels"])
    labels = {}
    for name, key in keys.items():
        words = wordings(locale, key)
        wording = random.choice(words[1:] or words) if rare else words[0]
        other = wordings("en_GB", key)[0]
        labels[name] = f"{wording} / {other}" if bilingual and other.casefold() != wording.casefold() else wording
    return labels


def draw_decoys(random: Random, locale: str, issued: dt.date, date_pattern: str, digits: str, absent: Sequence[str],
                knobs: Mapping[str, float]) -> tuple[Decoy, ...]:  # fmt: skip
    """Return dates of no account, and labels of absent fields (by label key) with nothing beside them."""
    decoys = []

    def written(day: dt.date) -> str:
        return write_date(day, locale, date_pattern, digits)

    if knobs["decoy_dates"]:
        earlier = issued - dt.timedelta(days=random.randint(2, 60))
        later = issued + dt.timedelta(days=random.randint(0, 20))
        texts = {
            "decoy.printed_on": written(later),
            "decoy.order_date": written(earlier),
            "decoy.service_period": f"{written(earlier)} - {written(issued)}",
            "decoy.customer_since": written(earlier - dt.timedelta(days=random.randint(200, 360))),
        }
        chosen = random.sample(list(texts), random.randint(1, 3))
        decoys += [Decoy(label=wordings(locale, key)[0], text=texts[key]) for key in chosen]
    if knobs["decoy_labels"] and absent:
        for key in random.sample(list(absent), min(len(absent), random.randint(1, 3))):
            empty = random.choice((*phrases(locale, "empty"), ""))
            decoys.append(Decoy(label=random.choice(wordings(locale, key)), text=empty))
    random.shuffle(decoys)
    return tuple(decoys)


def damage_of(knobs: Mapping[str, float]) -> dict[str, float]:
    """Return the strength of each effect that the page suffers."""
    return {name: knobs[name] for name in DAMAGE if knobs[name]}
