"""The habits of a vendor: what all its documents of one type have in common, such as template, columns and typography.

Habits are drawn from the vendor's own seed, so they recur in every batch. What varies between the documents of a vendor
is drawn from the document's seed, in `document_outline.py` and `presentation_drawing.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from finscribe_assets.documents.drawn_document import Style
from finscribe_assets.documents.fonts import MONOSPACED, fonts_for
from finscribe_assets.documents.formats import CurrencyDisplay, NegativeStyle
from finscribe_assets.documents.layout_families import LAYOUT_FACTS, LAYOUTS_BY_TYPE
from finscribe_assets.documents.locales import LOCALE_FACTS, LocaleFacts
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.styling import draw_accent, draw_style
from finscribe_assets.documents.tax_forms import FORM_COLUMNS
from finscribe_assets.documents.trades import trade_table
from finscribe_assets.documents.vendors import Vendor

# Columns in their most common order.
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

_Number = TypeVar("_Number", int, float)

NARROW_ROLL = 58  # millimetres: item names do not fit beside quantity and amounts


@dataclass(frozen=True)
class VendorHabits:
    """What a vendor's documents of one type have in common."""

    layout: str
    style: Style
    columns: tuple[str, ...]
    column_order: tuple[str, ...]  # of all columns that a table may have
    font_position: float  # from 0 to 1: the position of the font among the weighted fonts of a recipe
    accent: str
    currency_display: CurrencyDisplay
    date_pattern: str  # unless a knob asks for another
    negative: NegativeStyle  # if the knob asks for an unusual mark
    rounds: bool  # whether amounts due are rounded to payable coins
    party_fields: frozenset[str]  # the vendor's registrations and contact details that it prints


def vendor_habits(seller: Vendor, document_type: DocumentType, recipe: Recipe) -> VendorHabits:
    """Draw a vendor's habits for a document type. Template, roll and spacing depend on the recipe."""
    random = Random(f"habits:{seller.style_seed}:{document_type}")
    random.choice((0, 1))  # unused, but keeps the later draws of this stream as they were
    facts = LOCALE_FACTS[seller.locale]
    layout = _draw_layout(seller, document_type, recipe)
    is_statement = document_type is DocumentType.BANK_STATEMENT
    is_bill = document_type in (DocumentType.INVOICE, DocumentType.CREDIT_NOTE)
    optional = ("tax_registration", "legal_registration", "contact_phone", "contact_email", "contact_name")
    drawn = _draw_entry_columns(random) if is_statement else _draw_line_columns(random, document_type, facts, seller)
    # Many English invoices begin with the quantity.
    quantity_first = not is_statement and random.random() < 0.2
    order = _draw_column_order(
        Random(f"order:{seller.style_seed}:{document_type}"),
        ENTRY_COLUMNS if is_statement else LINE_COLUMNS,
        quantity_first=quantity_first,
    )
    columns = drawn | LAYOUT_FACTS[layout].columns
    font_position, accent = random.random(), draw_accent(seller)
    return VendorHabits(
        layout=layout,
        style=_adapted(draw_style(seller, document_type, accent), seller, recipe),
        columns=tuple(name for name in order if name in columns),
        column_order=order,
        accent=accent,
        font_position=font_position,
        currency_display=random.choice(("symbol", "symbol", "code", "none")),
        date_pattern=random.choice((facts.numeric_dates[0], *facts.numeric_dates, *facts.worded_dates)),
        negative=random.choice(("trailing_minus", "parentheses", "debit" if is_statement else "credit")),
        rounds=random.random() < (0.7 if document_type is DocumentType.RECEIPT else 0.5),
        party_fields=frozenset(name for name in optional if is_bill and random.random() < 0.4),
    )


def columns_of(
    habits: VendorHabits, document_type: DocumentType, knobs: Mapping[str, float], *, inclusive: bool, taxed: bool
) -> tuple[str, ...]:
    """Return the columns of one document: those of the vendor and those of its knobs, in the vendor's order.

    Args:
        habits: the vendor's habits.
        document_type: the document's type.
        knobs: the knob values that were drawn for the document.
        inclusive: whether prices include tax.
        taxed: whether the sale is taxed at the usual rates.
    """
    if document_type is DocumentType.BANK_STATEMENT:
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
    if knobs["item_bar_codes"]:
        columns.add("gtin")
    if knobs["tax_invoice_forms"]:
        columns |= FORM_COLUMNS
    if knobs["several_rates"] and document_type is not DocumentType.RECEIPT:
        columns.add("vat_rate")
    return tuple(name for name in habits.column_order if name in columns)


def font_of(habits: VendorHabits, recipe: Recipe, locale: str) -> str:
    """Return the vendor's font under a recipe, one that has the glyphs of the locale."""
    weights = {font: recipe.fonts.get(font, 0.0) for font in fonts_for(locale)}
    if habits.style.typewriter and LAYOUT_FACTS[habits.layout].monospaced:
        monospaced = {font: weight for font, weight in weights.items() if font in MONOSPACED}
        weights = monospaced if any(monospaced.values()) else weights
    return _choice_at(habits.font_position, weights)


def _adapted(style: Style, seller: Vendor, recipe: Recipe) -> Style:
    """Return a vendor's style with the roll and the spacing of the recipe, if it has any."""
    changes: dict[str, object] = {}
    if recipe.rolls:
        roll = _pick(f"roll:{seller.style_seed}", {int(width): weight for width, weight in recipe.rolls.items()})
        changes |= {"roll": roll, "stacked": style.stacked or roll == NARROW_ROLL}
    if recipe.line_spacings:
        factor = _pick(f"spacing:{seller.style_seed}", recipe.line_spacings)
        line_height, row_height = style.line_height * factor, style.row_height * factor
        changes["line_height"] = round(min(1.8, max(1.2, line_height)), 2)
        changes["row_height"] = round(min(2.0, max(0.5, row_height)), 2)
    return style.model_copy(update=changes)


def _pick(stream: str, weights: Mapping[_Number, float]) -> _Number:
    return Random(stream).choices(list(weights), list(weights.values()))[0]


def _draw_layout(seller: Vendor, document_type: DocumentType, recipe: Recipe) -> str:
    """Draw the template family, among those for the seller's trade unless the recipe gives them no weight."""
    weights = {layout: recipe.layouts.get(layout, 0.0) for layout in LAYOUTS_BY_TYPE[document_type]}
    suited = {
        layout: weight
        for layout, weight in weights.items()
        if not LAYOUT_FACTS[layout].trades or seller.trade in LAYOUT_FACTS[layout].trades
    }
    position = Random(f"layout:{seller.style_seed}:{document_type}").random()
    return _choice_at(position, suited if any(suited.values()) else weights)


def _choice_at(position: float, weights: Mapping[str, float]) -> str:
    """Return the name at a position, from 0 to 1, of weighted names laid end to end."""
    position *= sum(weights.values())
    for name, weight in weights.items():
        position -= weight
        if position < 0:
            return name
    return next(name for name in reversed(list(weights)) if weights[name])


def _draw_line_columns(random: Random, document_type: DocumentType, facts: LocaleFacts, seller: Vendor) -> set[str]:
    chances = {
        "line_id": 0.6,
        "sku": 0.3,
        "gtin": 0.08,
        "unit": 0.6,
        "vat_rate": 0.5,
        "classification": 0.9 if facts.country_code == "IN" else 0.06,
        "purchase_order_line": 0.0 if document_type is DocumentType.PURCHASE_ORDER else 0.08,
    }
    drawn = {name for name, chance in chances.items() if random.random() < chance}
    if trade_table()[seller.trade].kind == "service":  # article numbers are for goods, and customs codes too
        drawn -= {"gtin"} if facts.country_code == "IN" else {"gtin", "classification"}
    if document_type is DocumentType.RECEIPT:  # a till roll is too narrow for these columns
        drawn = set()
    return drawn | {"item_name", "quantity", "net_price", "net_amount"}


def _draw_entry_columns(random: Random) -> set[str]:
    chances = {"value_date": 0.4, "reference": 0.3, "balance": 0.85}
    drawn = {name for name, chance in chances.items() if random.random() < chance}
    drawn |= {"debit", "credit"} if random.random() < 0.5 else {"amount"}
    return drawn | {"entry_date", "description"}


# Deviations from the common column order: the chance, the columns that move, and the column that they move before.
_MOVES: tuple[tuple[float, tuple[str, ...], str], ...] = (
    (0.12, ("unit",), "quantity"),
    (0.12, ("gross_price", "price_discount", "net_price", "price_with_vat"), "quantity"),
    (0.2, ("sku", "gtin", "classification"), "quantity"),  # after the name
    (0.2, ("vat_rate",), "gross_amount"),  # after the amount
    (0.2, ("credit",), "debit"),
    (0.25, ("reference",), "description"),
    (0.15, ("value_date",), "reference"),
)


def _draw_column_order(random: Random, common: tuple[str, ...], *, quantity_first: bool) -> tuple[str, ...]:
    """Draw a vendor's order of all columns that a table may have."""
    order = list(common)
    moves = [(moved, before) for chance, moved, before in _MOVES if random.random() < chance]
    for moved, before in (*moves, *([(("quantity",), "item_name")] if quantity_first else [])):
        if before in order:
            order = [name for name in order if name not in moved]
            index = order.index(before)
            order[index:index] = moved
    return tuple(order)
