"""How a sale is taxed: the category and rates of its lines, and the shares of the authorities.

A `TaxCase` is drawn for each document, and its lines take their rates from it. `breakdown` computes the tax, rounded
for each category and rate as EN 16931 requires (BR-CO-17), on top of prices or as a part of prices that include it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from finscribe_assets.documents.calculation_rules import round_to
from finscribe_assets.documents.locales import LOCALE_FACTS, TaxRegime
from finscribe_assets.documents.schema import Line, Party, VatBreakdown, VatCategory
from finscribe_assets.documents.trades import trade_table
from finscribe_assets.documents.wordings import phrases

# Sales tax rates of US states, and common ones of counties, in per cent. Source: Federation of Tax Administrators,
# 2024.
STATE_RATES = {
    "AL": "4",
    "AZ": "5.6",
    "AR": "6.5",
    "CA": "7.25",
    "CO": "2.9",
    "CT": "6.35",
    "DC": "6",
    "FL": "6",
    "GA": "4",
    "HI": "4",
    "ID": "6",
    "IL": "6.25",
    "IN": "7",
    "IA": "6",
    "KS": "6.5",
    "KY": "6",
    "LA": "4.45",
    "ME": "5.5",
    "MD": "6",
    "MA": "6.25",
    "MI": "6",
    "MN": "6.875",
    "MS": "7",
    "MO": "4.225",
    "NE": "5.5",
    "NV": "6.85",
    "NJ": "6.625",
    "NM": "4.875",
    "NY": "4",
    "NC": "4.75",
    "ND": "5",
    "OH": "5.75",
    "OK": "4.5",
    "PA": "6",
    "RI": "7",
    "SC": "6",
    "SD": "4.2",
    "TN": "7",
    "TX": "6.25",
    "UT": "4.85",
    "VT": "6",
    "VA": "4.3",
    "WA": "6.5",
    "WV": "6",
    "WI": "5",
    "WY": "4",
}
STATES_WITHOUT_COUNTY_TAX = frozenset({"CT", "DC", "IN", "KY", "ME", "MD", "MA", "MI", "NJ", "RI"})
COUNTY_RATES = ("0.25", "0.5", "1", "1.25", "1.5", "2", "2.25")

# Countries that exempt goods and services instead of small businesses, so that an exemption seldom fits what is sold.
EXEMPT_BY_GOODS = frozenset({"IT", "ES"})
UNREGISTERED_IF_EXEMPT = frozenset({"JP", "AE", "CH", "GB"})

# Locales of buyers abroad. Their names are in Latin letters, which all fonts have.
EU_BUYERS = ("de_DE", "de_AT", "fr_FR", "es_ES", "it_IT", "nl_NL", "pt_PT", "sv_SE")
OVERSEAS_BUYERS = ("en_US", "en_AU", "de_CH", "en_GB")


@dataclass(frozen=True)
class TaxShare:
    """The share of one authority in a tax rate."""

    name: str | None  # None if there is a single authority
    rate: Decimal


@dataclass(frozen=True)
class TaxCase:
    """How the lines of a document are taxed."""

    category: VatCategory  # of the lines with a rate above zero, or of all lines if no tax is due
    rates: tuple[Decimal, ...]  # per cent, the standard rate first
    divided: dict[Decimal, tuple[TaxShare, ...]]  # shares of each rate that several authorities divide
    exemption_reason: str | None = None

    @property
    def is_taxed(self) -> bool:
        """Tell whether tax is due."""
        return self.category is VatCategory.STANDARD

    def category_of(self, rate: Decimal) -> VatCategory:
        """Return the category of a line by its rate."""
        return VatCategory.ZERO if self.is_taxed and not rate else self.category


def draw_category(random: Random, locale: str, trade: str) -> VatCategory:
    """Draw the category of a sale on which the seller charges no tax, from those for its country and trade.

    Exported goods are not taxed. For services to companies in other member states, and for construction at home, the
    buyer owes the tax (reverse charge). Any seller can be an exempt small business.
    """
    choices = [VatCategory.EXEMPT]
    in_union = LOCALE_FACTS[locale].in_european_union
    kind = trade_table()[trade].kind
    if kind == "goods":
        choices += [VatCategory.INTRA_COMMUNITY, VatCategory.EXPORT] if in_union else [VatCategory.EXPORT]
    elif in_union:
        choices.append(VatCategory.REVERSE_CHARGE)
    if len(choices) > 1 and LOCALE_FACTS[locale].country_code in EXEMPT_BY_GOODS:
        choices.remove(VatCategory.EXEMPT)
    return random.choice(choices)


def is_registered(locale: str, category: VatCategory) -> bool:
    """Tell whether a seller has a tax identifier. In some countries, exempt small businesses have none."""
    return category is not VatCategory.EXEMPT or LOCALE_FACTS[locale].country_code not in UNREGISTERED_IF_EXEMPT


def draw_buyer_locale(random: Random, locale: str, category: VatCategory, trade: str) -> str:
    """Draw the locale of the buyer, which is abroad if the category requires it."""
    is_service_abroad = category is VatCategory.REVERSE_CHARGE and trade_table()[trade].kind != "construction"
    if category is VatCategory.INTRA_COMMUNITY or is_service_abroad:
        return random.choice([other for other in EU_BUYERS if other[-2:] != locale[-2:]])
    if category is VatCategory.EXPORT:
        return random.choice([other for other in OVERSEAS_BUYERS if other[-2:] != locale[-2:]])
    return locale


def draw_tax_case(
    random: Random, locale: str, category: VatCategory, day: dt.date, seller: Party, buyer: Party | None
) -> TaxCase:
    """Draw the tax case of a sale on a day. Sales on receipts have no buyer; the seller's address counts then."""
    facts = LOCALE_FACTS[locale]
    if category is not VatCategory.STANDARD:
        return TaxCase(category, (Decimal(0),), {}, random.choice(phrases(locale, f"exemption.{category}")))
    if facts.regime is TaxRegime.US_SALES_TAX:
        return _draw_american_case(random, (buyer or seller).address)
    rates = facts.rates_on(day)
    if facts.regime is not TaxRegime.INDIA_GST:
        return TaxCase(category, rates, {})
    states = [party.address.subdivision for party in (seller, buyer or seller) if party.address]
    if states[0] == states[-1]:
        names = ("CGST", "SGST")
        return TaxCase(category, rates, {rate: tuple(TaxShare(name, rate / 2) for name in names) for rate in rates})
    return TaxCase(category, rates, {rate: (TaxShare("IGST", rate),) for rate in rates})


def _draw_american_case(random: Random, address: object) -> TaxCase:
    state = str(getattr(address, "subdivision", ""))
    if state not in STATE_RATES:  # Alaska, Delaware, Montana, New Hampshire and Oregon have no sales tax
        return TaxCase(VatCategory.OUTSIDE_SCOPE, (Decimal(0),), {})
    shares = [TaxShare("STATE", Decimal(STATE_RATES[state]))]
    if state not in STATES_WITHOUT_COUNTY_TAX:
        shares.append(TaxShare("COUNTY", Decimal(random.choice(COUNTY_RATES))))
    total = sum((share.rate for share in shares), Decimal(0))
    # The second rate, 0, is that of food and medicine in most states.
    return TaxCase(VatCategory.STANDARD, (total, Decimal(0)), {total: tuple(shares)})


@dataclass(frozen=True)
class TaxBase:
    """The amount that one category and rate applies to, after allowances and charges."""

    category: VatCategory
    rate: Decimal
    amount: Decimal  # without tax; with tax if prices include it


def bases_of(lines: Sequence[Line], adjustments: Sequence[tuple[Decimal | None, Decimal]]) -> list[TaxBase]:
    """Return the tax bases of lines, by ascending rate.

    Args:
        lines: the lines.
        adjustments: rate and signed amount of each allowance (negative) and charge (positive) on the document.
    """
    sums: dict[tuple[Decimal, VatCategory], Decimal] = {}
    for line in lines:
        amount = line.net_amount if line.net_amount is not None else line.gross_amount
        if amount is None or line.vat_rate is None or line.vat_category is None:
            raise ValueError(f"line {line.line_id or line.item_name!r} lacks its amount, tax rate or tax category")
        key = (line.vat_rate, line.vat_category)
        sums[key] = sums.get(key, Decimal(0)) + amount
    for rate, amount in adjustments:
        key = next(key for key in sums if key[0] == rate)
        sums[key] += amount
    return [TaxBase(category, rate, amount) for (rate, category), amount in sorted(sums.items())]


def breakdown(bases: Sequence[TaxBase], case: TaxCase, unit: Decimal, *, inclusive: bool) -> tuple[VatBreakdown, ...]:
    """Compute the tax of each base (BR-CO-17).

    Args:
        bases: the tax bases.
        case: how the sale is taxed.
        unit: minor unit of the currency.
        inclusive: whether the bases include the tax, which is then computed out of them.
    """
    shares: list[tuple[str | None, TaxBase, Decimal, Decimal, Decimal, str | None]] = []
    for base in bases:
        reason = case.exemption_reason if base.category not in (VatCategory.STANDARD, VatCategory.ZERO) else None
        if inclusive:
            taxable, tax = _split_gross(base, unit)
            shares.append((None, base, base.rate, taxable, tax, reason))
            continue
        for share in case.divided.get(base.rate) or (TaxShare(None, base.rate),):
            tax = round_to(base.amount * share.rate / 100, unit)
            shares.append((share.name, base, share.rate, base.amount, tax, reason))
    return tuple(
        VatBreakdown(
            tax_name=name,
            category=base.category,
            rate=rate,
            taxable_amount=taxable,
            tax_amount=tax,
            exemption_reason=reason,
        )
        for name, base, rate, taxable, tax, reason in shares
    )


def _split_gross(base: TaxBase, unit: Decimal) -> tuple[Decimal, Decimal]:
    """Split an amount with tax into net amount and tax."""
    taxable = round_to(base.amount * 100 / (100 + base.rate), unit)
    return taxable, base.amount - taxable


def is_consistent(base: TaxBase, unit: Decimal) -> bool:
    """Tell whether an amount with tax splits into a net amount and the tax on it, as BR-CO-17 requires.

    Both are rounded, so some amounts, such as 0.03 at 20 %, have no such split.
    """
    taxable, tax = _split_gross(base, unit)
    return round_to(taxable * base.rate / 100, unit) == tax
