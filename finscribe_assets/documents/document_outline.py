"""The outline of a document: what is drawn before its content, such as type, vendor, knob values and currency.

It also decides which knobs take effect (`draw_knobs`): the rule of a knob that some documents cannot have, or that
excludes another knob, belongs here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from finscribe_assets.documents.batch_keys import EXAMINATION_KEYS
from finscribe_assets.documents.channels import Channel, damage_chance
from finscribe_assets.documents.damage_knobs import LATE_DAMAGE_KNOBS
from finscribe_assets.documents.formats import ERA_PATTERN, SHORT_ERA_PATTERN, time_patterns
from finscribe_assets.documents.knobs import DAMAGE_KNOBS, MAIL_ROOM_KNOBS, Knobs, applicable_knobs
from finscribe_assets.documents.layout_families import LAYOUT_FACTS, LayoutFacts, fitting_trades
from finscribe_assets.documents.locales import LOCALE_FACTS, SHARED_SYMBOLS, LocaleFacts, TaxRegime
from finscribe_assets.documents.mail_room_knobs import NEIGHBOUR_KNOB
from finscribe_assets.documents.payment_slips import has_slip
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType, VatCategory
from finscribe_assets.documents.taxation import draw_category
from finscribe_assets.documents.trades import trade_table
from finscribe_assets.documents.vendor_habits import VendorHabits, columns_of, vendor_habits
from finscribe_assets.documents.vendors import Vendor, vendor, vendor_numbers, weighted_sellers

_Choice = TypeVar("_Choice")

FIRST_ISSUE_DATE, ISSUE_DAYS = dt.date(2019, 1, 1), 365 * 8 - 30  # documents are issued on one of so many days
MIN_DAMAGE = 0.3  # weakest strength of a damage effect that is drawn
FOREIGN_CURRENCIES = ("USD", "EUR", "GBP", "CHF")


@dataclass(frozen=True)
class DocumentOutline:
    """What is decided about a document before its content."""

    name: str  # seeds all random streams of the document
    document_type: DocumentType
    vendors: range  # numbers of the sellers that the document may name
    is_examination: bool  # whether it belongs to a probe or an exam
    seller: Vendor
    habits: VendorHabits
    channel: Channel  # how the document arrives
    knobs: dict[str, float]
    issue_date: dt.date
    category: VatCategory
    currency: str
    inclusive: bool  # whether prices include tax
    columns: tuple[str, ...]
    date_pattern: str
    time_pattern: str

    @property
    def facts(self) -> LocaleFacts:
        """Return the facts of the seller's locale."""
        return LOCALE_FACTS[self.seller.locale]

    @property
    def layout(self) -> LayoutFacts:
        """Return the facts of the template family."""
        return LAYOUT_FACTS[self.habits.layout]


def weighted_choice(random: Random, weights: Mapping[_Choice, float]) -> _Choice:
    """Draw one of the keys with a probability proportional to its weight."""
    return random.choices(list(weights), list(weights.values()))[0]


def draw_outline(name: str, recipe: Recipe, key: str) -> DocumentOutline:
    """Draw the outline of a document.

    Args:
        name: identifies the document; the same arguments give the same outline.
        recipe: the distribution to draw from.
        key: the key of its plan, which determines its sellers (see `vendors.vendor_numbers`) and names of items.
    """
    vendors = vendor_numbers(key)
    random = Random(f"choices:{name}")
    document_type = weighted_choice(random, recipe.document_types)
    locale = weighted_choice(random, recipe.locale_weights())
    facts = LOCALE_FACTS[locale]
    sellers, weights = weighted_sellers(locale, document_type, vendors, fitting_trades(document_type, recipe.layouts))
    seller = vendor(locale, random.choices(sellers, weights)[0])
    habits = vendor_habits(seller, document_type, recipe)
    channel_weights = recipe.channels[document_type]
    channel = weighted_choice(Random(f"channel:{name}"), channel_weights)
    knobs = draw_knobs(Random(f"knobs:{name}"), recipe.knobs, document_type, facts, channel, channel_weights)
    if not LAYOUT_FACTS[habits.layout].monospaced:
        knobs["quantity_rows"] = 0.0
    if LAYOUT_FACTS[habits.layout].landscape:
        knobs["payment_slips"] = 0.0  # they are at the foot of an upright sheet
    if LAYOUT_FACTS[habits.layout].page_rows:
        knobs["tax_invoice_forms"] = 0.0  # a form carries no subtotals forward
    if trade_table()[seller.trade].kind == "service":
        knobs["item_bar_codes"] = 0.0  # services have no article numbers
    random = Random(f"facts:{name}")
    category = draw_category(random, locale, seller.trade) if knobs["tax_exemptions"] else VatCategory.STANDARD
    taxed = category is VatCategory.STANDARD
    inclusive = bool(knobs["tax_inclusive_prices"])
    return DocumentOutline(
        name=name,
        document_type=document_type,
        vendors=vendors,
        is_examination=key in EXAMINATION_KEYS,
        seller=seller,
        habits=habits,
        channel=channel,
        knobs=knobs,
        issue_date=_draw_issue_date(random, ambiguous=bool(knobs["ambiguous_dates"])),
        category=category,
        currency=_draw_currency(random, facts, knobs),
        inclusive=inclusive,
        columns=columns_of(habits, document_type, knobs, inclusive=inclusive, taxed=taxed),
        date_pattern=_draw_date_pattern(Random(f"dates:{name}"), facts, habits, knobs),
        time_pattern=Random(f"time:{seller.style_seed}").choice(time_patterns(locale)),
    )


# Knobs that exclude others: if the one on the left is drawn, those on the right have no effect.
EXCLUSIVE_KNOBS = (
    ("tax_exemptions", ("several_rates", "tax_inclusive_prices", "gross_columns", "dual_currency")),
    ("tax_inclusive_prices", ("list_prices", "gross_columns", "line_allowances", "discounts", "charges")),
    ("negative_amounts", ("discounts", "charges", "line_allowances")),
    ("dual_currency", ("ambiguous_currency", "payment_slips", "tax_invoice_forms")),
    (
        "ambiguous_currency",
        ("payment_slips", "tax_invoice_forms"),
    ),  # banks and states of the country have its own currency
    ("payment_slips", ("payment_codes",)),  # the slip has the code
    ("tax_invoice_forms", ("payment_codes", "parties_side_by_side", "bilingual_labels")),  # the form has its own
    ("era_dates", ("two_digit_years", "ambiguous_dates")),
    ("unlabelled_values", ("label_distance",)),
)


_LATE_KNOBS = (*MAIL_ROOM_KNOBS, *LATE_DAMAGE_KNOBS)
_EARLY_KNOBS = tuple(name for name in Knobs.model_fields if name not in _LATE_KNOBS)
_STRENGTH_KNOBS = frozenset(DAMAGE_KNOBS)


def draw_knobs(
    random: Random,
    knobs: Knobs,
    document_type: DocumentType,
    facts: LocaleFacts,
    channel: Channel,
    channel_weights: Mapping[Channel, float],
) -> dict[str, float]:
    """Draw the value of each knob for one document.

    The values are those that take effect: a knob that cannot apply to this type of document, in this country, or beside
    another knob that was drawn, is 0. Mining relies on it when it compares documents by their knobs.

    Args:
        random: the stream to draw from; each knob takes two numbers, whether or not it uses them. Those of mail rooms
            and late damage take theirs last.
        knobs: the probability of each feature.
        document_type: the document's type.
        facts: the facts of its locale.
        channel: how it arrives.
        channel_weights: the weights that this was drawn with.

    Returns:
        1 for each feature that the document has, a strength for each damage effect, and 0 for the others.
    """
    applicable = applicable_knobs(document_type, facts.language)

    def draw(name: str) -> float:
        probability, draw, strength = getattr(knobs, name), random.random(), random.random()
        # Most receipts of the world show prices with tax, so the knob acts more strongly on them.
        if name == "tax_inclusive_prices" and document_type is DocumentType.RECEIPT:
            probability **= 0.25
        has_strength = name in _STRENGTH_KNOBS
        if has_strength or name == NEIGHBOUR_KNOB:
            probability = damage_chance(name, probability, channel, channel_weights)
        value = float(draw < probability)
        if has_strength:
            value *= round(MIN_DAMAGE + (1 - MIN_DAMAGE) * strength, 3)
        return value if name in applicable else 0.0

    drawn = {name: draw(name) for name in _EARLY_KNOBS}
    degradation = random.uniform(0, knobs.degradation)
    drawn["degradation"] = 0.0 if channel is Channel.BORN_DIGITAL else round(degradation, 3)
    drawn |= {name: draw(name) for name in _LATE_KNOBS}
    if facts.regime in (TaxRegime.US_SALES_TAX, TaxRegime.INDIA_GST):
        drawn["tax_codes"] = 0.0  # tills there mark no rates
        drawn["tax_inclusive_prices"] = 0.0  # there, tax is added to prices, by two authorities
    if not has_slip(facts.locale):
        drawn["payment_slips"] = 0.0
    if drawn["sign_styles"] and document_type is DocumentType.CREDIT_NOTE and not drawn["negative_amounts"]:
        drawn["sign_styles"] = 0.0  # no amount is negative
    for knob, excluded in EXCLUSIVE_KNOBS:
        if drawn[knob]:
            drawn |= dict.fromkeys(excluded, 0.0)
    if not (drawn["several_pages"] or drawn["many_lines"] or drawn["very_long_tables"]):
        drawn["carried_forward"] = 0.0
    return drawn


def _draw_issue_date(random: Random, *, ambiguous: bool) -> dt.date:
    day = FIRST_ISSUE_DATE + dt.timedelta(days=random.randrange(ISSUE_DAYS))
    return day.replace(day=random.randint(1, 12)) if ambiguous else day


def _draw_currency(random: Random, facts: LocaleFacts, knobs: Mapping[str, float]) -> str:
    """Draw the currency: that of the country, unless a knob asks for another."""
    if knobs["ambiguous_currency"]:
        shared = [code for codes in SHARED_SYMBOLS.values() for code in codes if code != facts.currency_code]
        return random.choice(shared)
    if knobs["dual_currency"]:
        return random.choice([code for code in FOREIGN_CURRENCIES if code != facts.currency_code])
    return facts.currency_code


def _draw_date_pattern(random: Random, facts: LocaleFacts, habits: VendorHabits, knobs: Mapping[str, float]) -> str:
    """Draw the pattern of all dates: that of the vendor, unless a knob asks for another."""
    if knobs["era_dates"]:
        return random.choice((ERA_PATTERN, ERA_PATTERN, SHORT_ERA_PATTERN))
    if knobs["two_digit_years"]:
        return random.choice(facts.short_dates)
    return facts.numeric_dates[0] if knobs["ambiguous_dates"] else habits.date_pattern
