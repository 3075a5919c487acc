"""How a sale is taxed: which category and rates its lines have, and how the tax divides between authorities.

A `TaxCase` is drawn once a document; lines take their rates from it and `breakdown` states the tax, rounded for each
category and rate as EN 16931 does (BR-CO-17), or taken out of prices that include it.
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
from finscribe_assets.documents.wordings import phrases
from finscribe_assets.errors import UserError

# Rates of states and usual ones of their counties in per cent: Federation of Tax Administrators, 2024.
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

TRADES_IN_GOODS = ("office", "retail", "medical", "automotive")
SERVICES_ABROAD, BUILDING = "software", "construction"

# Buyers abroad whose names are in Latin letters, which every font here has.
EU_BUYERS = ("de_DE", "de_AT", "fr_FR", "es_ES", "it_IT", "nl_NL", "pt_PT", "sv_SE")
OVERSEAS_BUYERS = ("en_US", "en_AU", "de_CH", "en_GB")


@dataclass(frozen=True)
class TaxShare:
    """One authority's part of a rate."""

    name: str | None  # None where there is one authority
    rate: Decimal


@dataclass(frozen=True)
class TaxCase:
    """What tax the lines of a document bear."""

    category: VatCategory  # of the taxed lines
    rates: tuple[Decimal, ...]  # per cent, the standard rate first
    divided: dict[Decimal, tuple[TaxShare, ...]]  # rate → its shares, where there are several authorities
    exemption_reason: str | None = None

    @property
    def is_taxed(self) -> bool:
        """Tell whether any tax is due."""
        return self.category is VatCategory.STANDARD

    def category_of(self, rate: Decimal) -> VatCategory:
        """Return the category of a line with a rate."""
        return VatCategory.ZERO if self.is_taxed and not rate else self.category


def draw_category(random: Random, locale: str, trade: str) -> VatCategory:
    """Return the category of a sale on which no tax is due, one that its seller's country and trade know.

    Goods leave the country untaxed; services to a company abroad in the Union, and building at home, are taxed at the
    buyer's. Anybody may be a small business, which is exempt.
    """
    choices = [VatCategory.EXEMPT]
    in_union = LOCALE_FACTS[locale].in_european_union
    if trade in TRADES_IN_GOODS:
        choices += [VatCategory.INTRA_COMMUNITY, VatCategory.EXPORT] if in_union else [VatCategory.EXPORT]
    elif in_union and trade in (SERVICES_ABROAD, BUILDING):
        choices.append(VatCategory.REVERSE_CHARGE)
    return random.choice(choices)


def is_registered(locale: str, category: VatCategory) -> bool:
    """Tell whether a seller has a number for its tax: Japan's and the Emirates' exempt businesses have none."""
    return category is not VatCategory.EXEMPT or LOCALE_FACTS[locale].country_code not in ("JP", "AE")


def draw_buyer_locale(random: Random, locale: str, category: VatCategory, trade: str) -> str:
    """Return where the buyer is: abroad where the category asks for it."""
    if category is VatCategory.INTRA_COMMUNITY or (category is VatCategory.REVERSE_CHARGE and trade != BUILDING):
        return random.choice([other for other in EU_BUYERS if other[-2:] != locale[-2:]])
    if category is VatCategory.EXPORT:
        return random.choice([other for other in OVERSEAS_BUYERS if other[-2:] != locale[-2:]])
    return locale


def draw_tax_case(
    random: Random, locale: str, category: VatCategory, day: dt.date, seller: Party, buyer: Party | None
) -> TaxCase:
    """Return the tax case of a sale on a day between two parties; a sale over the counter has no buyer."""
    facts = LOCALE_FACTS[locale]
    if category is not VatCategory.STANDARD:
        return TaxCase(category, (Decimal(0),), {}, random.choice(phrases(locale, f"exemption.{category}")))
    if facts.regime is TaxRegime.US_SALES_TAX:
        return _american(random, (buyer or seller).address)
    rates = facts.rates_on(day)
    if facts.regime is not TaxRegime.INDIA_GST:
        return TaxCase(category, rates, {})
    states = [party.address.subdivision for party in (seller, buyer or seller) if party.address]
    if states[0] == states[-1]:
        names = ("CGST", "SGST")
        return TaxCase(category, rates, {rate: tuple(TaxShare(name, rate / 2) for name in names) for rate in rates})
    return TaxCase(category, rates, {rate: (TaxShare("IGST", rate),) for rate in rates})


def _american(random: Random, address: object) -> TaxCase:
    state = str(getattr(address, "subdivision", ""))
    if state not in STATE_RATES:  # Alaska, Delaware, Montana, New Hampshire and Oregon have no sales tax
        return TaxCase(VatCategory.OUTSIDE_SCOPE, (Decimal(0),), {})
    shares = [TaxShare("STATE", Decimal(STATE_RATES[state]))]
    if state not in STATES_WITHOUT_COUNTY_TAX:
        shares.append(TaxShare("COUNTY", Decimal(random.choice(COUNTY_RATES))))
    total = sum((share.rate for share in shares), Decimal(0))
    # Food and medicine bear no sales tax in most states.
    return TaxCase(VatCategory.STANDARD, (total, Decimal(0)), {total: tuple(shares)})


@dataclass(frozen=True)
class TaxBase:
    """What one category and rate applies to, allowances and charges counted in."""

    category: VatCategory
    rate: Decimal
    amount: Decimal  # without tax, or with it where prices include it


def bases_of(lines: Sequence[Line], adjustments: Sequence[tuple[Decimal | None, Decimal]]) -> list[TaxBase]:
    """Return the tax bases of lines by rate, ascending; adjustments are signed amounts by rate."""
    found: dict[tuple[Decimal, VatCategory], Decimal] = {}
    for line in lines:
        amount = line.net_amount if line.net_amount is not None else line.gross_amount
        if amount is None or line.vat_rate is None or line.vat_category is None:
            raise UserError(f"line {line.line_id or line.item_name!r} lacks its amount, tax rate or tax category")
        key = (line.vat_rate, line.vat_category)
        found[key] = found.get(key, Decimal(0)) + amount
    for rate, amount in adjustments:
        key = next(key for key in found if key[0] == rate)
        found[key] += amount
    return [TaxBase(category, rate, amount) for (rate, category), amount in sorted(found.items())]


def breakdown(bases: Sequence[TaxBase], case: TaxCase, unit: Decimal, *, inclusive: bool) -> tuple[VatBreakdown, ...]:
    """Return the tax of each base (BR-CO-17); where prices include it, it is taken out of them."""
    shares: list[tuple[str | None, TaxBase, Decimal, Decimal, Decimal, str | None]] = []
    for base in bases:
        reason = case.exemption_reason if base.category not in (VatCategory.STANDARD, VatCategory.ZERO) else None
        if inclusive:
            taxable, taxes = _taken_out(base, unit)
            shares.append((None, base, base.rate, taxable, taxes, reason))
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


def _taken_out(base: TaxBase, unit: Decimal) -> tuple[Decimal, Decimal]:
    taxable = round_to(base.amount * 100 / (100 + base.rate), unit)
    return taxable, base.amount - taxable


def is_consistent(base: TaxBase, unit: Decimal) -> bool:
    """Tell whether the tax taken out of an amount is also the tax on what is left, as BR-CO-17 asks.

    Both are rounded, so of some amounts, such as 0.03 at 20 %, no pair of net amount and tax is right.
    """
    taxable, tax = _taken_out(base, unit)
    return round_to(taxable * base.rate / 100, unit) == tax
