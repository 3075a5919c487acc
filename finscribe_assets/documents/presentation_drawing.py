"""How a document's page is to look: its template, columns, type, wordings, number marks, decoys and damage.

A vendor's documents look alike: what is its habit is drawn from the vendor's own seed, the rest from the document's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from finscribe_assets.documents.drawn_document import Decoy, Style
from finscribe_assets.documents.fonts import MONOSPACED, fonts_for
from finscribe_assets.documents.formats import (
    APOSTROPHE,
    ERA_PATTERN,
    NARROW_SPACE,
    SHORT_ERA_PATTERN,
    TYPOGRAPHIC_APOSTROPHE,
    CurrencyDisplay,
    NegativeStyle,
    NumberStyle,
    locale_number_style,
    write_date,
)
from finscribe_assets.documents.knobs import DAMAGE_KNOBS
from finscribe_assets.documents.layout_families import LAYOUT_FACTS, LAYOUTS_BY_TYPE
from finscribe_assets.documents.line_drawing import SERVICE_TRADES
from finscribe_assets.documents.locales import LOCALE_FACTS, LocaleFacts
from finscribe_assets.documents.places import places_of
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.styling import draw_style
from finscribe_assets.documents.vendors import Vendor
from finscribe_assets.documents.wordings import phrases, wordings

ACCENTS = ("#1f3a5f", "#7a1f2b", "#14532d", "#3b3b3b", "#5b3a8c", "#8a5a00", "#0f4c5c", "#000000")
# Columns in the order that most tables have them.
LINE_COLUMNS = (
    "line_id",
    "purchase_order_line",
    "sku",
    "gtin",
    "classification",
    "item_name",
    "quantity",
    "unit",
    "gross_price",
    "price_discount",
    "net_price",
    "price_with_vat",
    "allowance_amount",
    "charge_amount",
    "vat_rate",
    "net_amount",
    "gross_amount",
)
ENTRY_COLUMNS = ("entry_date", "value_date", "description", "reference", "amount", "debit", "credit", "balance")


@dataclass(frozen=True)
class VendorHabits:
    """What a vendor's documents of a kind always have: its template and how it is set."""

    layout: str
    style: Style
    columns: tuple[str, ...]
    order: tuple[str, ...]  # of all columns that a table may have
    font_draw: float
    accent: str
    currency_display: CurrencyDisplay
    usual_date: str
    negative: NegativeStyle
    rounds: bool  # to payable coins
    party_fields: frozenset[str]  # of its own particulars


def vendor_habits(seller: Vendor, kind: DocumentType, recipe: Recipe) -> VendorHabits:
    """Return a seller's habits for a kind of document; all but its template are the same under every recipe."""
    random = Random(f"habits:{seller.style_seed}:{kind}")
    random.choice((0, 1))  # chose between two layouts once: what follows is drawn as it was then
    facts = LOCALE_FACTS[seller.locale]
    layout = _layout_of(seller, kind, recipe)
    is_statement = kind is DocumentType.BANK_STATEMENT
    is_bill = kind in (DocumentType.INVOICE, DocumentType.CREDIT_NOTE)
    particulars = ("tax_registration", "legal_registration", "contact_phone", "contact_email", "contact_name")
    drawn = _entry_columns(random) if is_statement else _line_columns(random, kind, facts, seller.trade)
    # As many English invoices have it.
    quantity_first = not is_statement and random.random() < 0.2
    order = _draw_order(
        Random(f"order:{seller.style_seed}:{kind}"),
        ENTRY_COLUMNS if is_statement else LINE_COLUMNS,
        quantity_first=quantity_first,
    )
    columns = drawn | LAYOUT_FACTS[layout].columns
    font_draw, accent = random.random(), random.choice(ACCENTS)
    return VendorHabits(
        layout=layout,
        style=draw_style(seller, kind, accent),
        columns=tuple(name for name in order if name in columns),
        order=order,
        accent=accent,
        font_draw=font_draw,
        currency_display=random.choice(("symbol", "symbol", "code", "none")),
        usual_date=random.choice((facts.numeric_dates[0], *facts.numeric_dates, *facts.worded_dates)),
        negative=random.choice(("trailing_minus", "parentheses", "debit" if is_statement else "credit")),
        rounds=random.random() < (0.7 if kind is DocumentType.RECEIPT else 0.5),
        party_fields=frozenset(name for name in particulars if is_bill and random.random() < 0.4),
    )


def _layout_of(seller: Vendor, kind: DocumentType, recipe: Recipe) -> str:
    """Return the seller's template family; one of another trade only where the recipe leaves no other."""
    weights = {layout: recipe.layouts.get(layout, 0.0) for layout in LAYOUTS_BY_TYPE[kind]}
    suited = {
        layout: weight
        for layout, weight in weights.items()
        if not LAYOUT_FACTS[layout].trades or seller.trade in LAYOUT_FACTS[layout].trades
    }
    draw = Random(f"layout:{seller.style_seed}:{kind}").random()
    return _at(draw, suited if any(suited.values()) else weights)


def _at(place: float, weights: Mapping[str, float]) -> str:
    """Return what stands at a place, from 0 to 1, of weighted names laid end to end."""
    place *= sum(weights.values())
    for name, weight in weights.items():
        place -= weight
        if place < 0:
            return name
    return next(name for name in reversed(list(weights)) if weights[name])


def _line_columns(random: Random, kind: DocumentType, facts: LocaleFacts, trade: str) -> set[str]:
    chances = {
        "line_id": 0.6,
        "sku": 0.3,
        "gtin": 0.08,
        "unit": 0.6,
        "vat_rate": 0.5,
        "classification": 0.9 if facts.country_code == "IN" else 0.06,
        "purchase_order_line": 0.0 if kind is DocumentType.PURCHASE_ORDER else 0.08,
    }
    drawn = {name for name, chance in chances.items() if random.random() < chance}
    if trade in SERVICE_TRADES and facts.country_code != "IN":  # customs code goods
        drawn -= {"classification"}
    if kind is DocumentType.RECEIPT:  # a till roll has no room for them
        drawn = set()
    return drawn | {"item_name", "quantity", "net_price", "net_amount"}


# Habits of order: how often, what moves, and before what.
_MOVES: tuple[tuple[float, tuple[str, ...], str], ...] = (
    (0.12, ("unit",), "quantity"),
    (0.12, ("gross_price", "price_discount", "net_price", "price_with_vat"), "quantity"),
    (0.2, ("sku", "gtin", "classification"), "quantity"),  # after the name
    (0.2, ("vat_rate",), "gross_amount"),  # after the amount
    (0.2, ("credit",), "debit"),
    (0.25, ("reference",), "description"),
    (0.15, ("value_date",), "reference"),
)


def _draw_order(random: Random, usual: tuple[str, ...], *, quantity_first: bool) -> tuple[str, ...]:
    """Return a vendor's order of all columns that a table may have."""
    order = list(usual)
    moves = [(moved, before) for chance, moved, before in _MOVES if random.random() < chance]
    for moved, before in (*moves, *([(("quantity",), "item_name")] if quantity_first else [])):
        if before in order:
            order = [name for name in order if name not in moved]
            place = order.index(before)
            order[place:place] = moved
    return tuple(order)


def _entry_columns(random: Random) -> set[str]:
    drawn = {
        name
        for name, chance in (("value_date", 0.4), ("reference", 0.3), ("balance", 0.85))
        if random.random() < chance
    }
    drawn |= {"debit", "credit"} if random.random() < 0.5 else {"amount"}
    return drawn | {"entry_date", "description"}


def columns_of(
    habits: VendorHabits, kind: DocumentType, knobs: Mapping[str, float], *, inclusive: bool, taxed: bool
) -> tuple[str, ...]:
    """Return the columns of one document: the vendor's, and those that knobs ask for, in the vendor's order."""
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
    return tuple(name for name in habits.order if name in columns)


def font_of(habits: VendorHabits, recipe: Recipe, locale: str) -> str:
    """Return the vendor's font, or where the recipe gives it no weight another."""
    weights = {font: recipe.fonts.get(font, 0.0) for font in fonts_for(locale)}
    if habits.style.typewriter and LAYOUT_FACTS[habits.layout].monospaced:
        printers = {font: weight for font, weight in weights.items() if font in MONOSPACED}
        weights = printers if any(printers.values()) else weights
    return _at(habits.font_draw, weights)


def draw_date_pattern(random: Random, facts: LocaleFacts, habits: VendorHabits, knobs: Mapping[str, float]) -> str:
    """Return the pattern of every date on the page."""
    if knobs["era_dates"]:
        return random.choice((ERA_PATTERN, ERA_PATTERN, SHORT_ERA_PATTERN))
    if knobs["two_digit_years"]:
        return random.choice(facts.short_dates)
    return facts.numeric_dates[0] if knobs["ambiguous_dates"] else habits.usual_date


def draw_number_style(random: Random, locale: str, habits: VendorHabits, knobs: Mapping[str, float]) -> NumberStyle:
    """Return the marks of every number on the page."""
    style = locale_number_style(locale)
    marks: dict[str, object] = {}
    if knobs["foreign_separators"]:
        # Of a country that writes the other mark for decimals, so that it shows in every number.
        point = style.decimal == "."
        marks |= {"decimal": "," if point else ".", "group": "." if point else ",", "lakh": False, "shortest_group": 1}
    if knobs["rare_grouping"]:
        usual = {style.group, *(("'", "’") if style.group in ("'", "’") else ())}
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


def draw_labels(
    random: Random, locale: str, keys: Mapping[str, str], knobs: Mapping[str, float], *, capital_heads: bool
) -> dict[str, str]:
    """Return the wording of each label: name of its use → wording, for keys given by name."""
    rare, bilingual = bool(knobs["label_synonyms"]), bool(knobs["bilingual_labels"])
    labels = {}
    for name, key in keys.items():
        words = wordings(locale, key)
        wording = random.choice(words[1:] or words) if rare else words[0]
        other = wordings("en_GB", key)[0] if not key.startswith("letter.") else wording
        text = f"{wording} / {other}" if bilingual and other.casefold() != wording.casefold() else wording
        labels[name] = text.upper() if capital_heads and name.startswith(("lines.", "entries.", "group_")) else text
    return labels


def draw_decoys(
    random: Random,
    locale: str,
    issued: dt.date,
    date_pattern: str,
    digits: str,
    absent: Sequence[str],
    knobs: Mapping[str, float],
) -> tuple[Decoy, ...]:
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


def draw_seating(random: Random, locale: str) -> tuple[Decoy, ...]:
    """Return who sat where and was served by whom, as restaurants print it."""
    places = places_of(locale)
    texts = {
        "decoy.table": str(random.randint(1, 40)),
        "decoy.guests": str(random.randint(1, 8)),
        "cashier": places.write(random, random.choice(places.people)).split(" ")[0],
    }
    return tuple(Decoy(label=random.choice(wordings(locale, key)), text=text) for key, text in texts.items())


def damage_of(knobs: Mapping[str, float]) -> dict[str, float]:
    """Return the strength of each effect that the page suffers."""
    return {name: knobs[name] for name in DAMAGE_KNOBS if knobs[name]}
