"""Bank statements: an account's rows in order of booking, each with the balance that it leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from math import log10
from random import Random
from typing import Literal

from finscribe_assets.documents.calculation_rules import round_to
from finscribe_assets.documents.line_drawing import MAX_LINES, draw_code
from finscribe_assets.documents.locales import LOCALE_FACTS, PRICE_LEVELS, minor_unit
from finscribe_assets.documents.schema import Entry, Statement
from finscribe_assets.documents.vendors import vendor
from finscribe_assets.documents.wordings import phrases

FEE_SHARE, CASH_SHARE = 0.08, 0.06


def draw_statement(
    random: Random,
    locale: str,
    account: str,
    vendors: range,
    start: dt.date,
    period: int,
    columns: tuple[str, ...],
    knobs: Mapping[str, float],
) -> tuple[Statement, tuple[Entry, ...]]:
    """Return the account and its rows over a period of so many days; balances chain from the first to the last.

    Rows name sellers of the locale with the numbers ``vendors``.
    """
    currency = LOCALE_FACTS[locale].currency_code
    unit, level = minor_unit(currency), PRICE_LEVELS[currency]
    scale = int(level * random.choice((1, 3, 10)) / float(unit)) * (
        random.randint(500, 2500) if knobs["long_amounts"] else 1
    )
    days = sorted(random.randrange(period) for _ in range(_draw_count(random, knobs)))
    repeated = _describe(random, locale, "debit", vendors, knobs) if knobs["repeated_descriptions"] else None
    opening = balance = unit * random.randint(-200, 3000) * max(1, scale // 3)
    entries = []
    for day in days:
        kind = _draw_kind(random)
        is_paid_out = kind != "credit"
        amount = _draw_amount(random, kind, currency, scale) * (-1 if is_paid_out else 1)
        balance += amount
        drawn = _describe(random, locale, kind, vendors, knobs)
        description = repeated if repeated and kind == "debit" else drawn
        booked = start + dt.timedelta(days=day)
        entries.append(
            Entry(
                entry_date=booked,
                value_date=booked + dt.timedelta(days=random.choice((0, 0, 0, 1, 2)))
                if "value_date" in columns
                else None,
                description=description,
                reference=draw_code(random, 10, knobs)
                if "reference" in columns and _is_filled(random, knobs)
                else None,
                amount=amount,
                debit=-amount if "debit" in columns and is_paid_out else None,
                credit=amount if "credit" in columns and not is_paid_out else None,
                balance=balance if "balance" in columns else None,
            )
        )
    debits = -sum((entry.amount for entry in entries if entry.amount < 0), Decimal(0))
    credits = sum((entry.amount for entry in entries if entry.amount > 0), Decimal(0))
    summed = random.random() < 0.5
    return Statement(
        account_number=account,
        opening_balance=opening,
        closing_balance=balance,
        total_debits=debits if summed else None,
        total_credits=credits if summed else None,
    ), tuple(entries)


def _draw_count(random: Random, knobs: Mapping[str, float]) -> int:
    if knobs["very_long_tables"]:
        return random.randint(60, MAX_LINES)
    if knobs["many_lines"] or knobs["several_pages"]:
        return random.randint(20, 60)
    return min(MAX_LINES, max(3, round(random.lognormvariate(2.0, 0.5))))


def _is_filled(random: Random, knobs: Mapping[str, float]) -> bool:
    return not knobs["blank_cells"] or random.random() < 0.6


EntryType = Literal["debit", "credit", "fee", "cash"]


def _draw_kind(random: Random) -> EntryType:
    if random.random() >= 0.65:
        return "credit"
    draw = random.random()
    return "fee" if draw < FEE_SHARE else "cash" if draw < FEE_SHARE + CASH_SHARE else "debit"


def _draw_amount(random: Random, kind: EntryType, currency: str, scale: int) -> Decimal:
    """Return what is moved: a fee is small, and machines pay in notes."""
    unit, level = minor_unit(currency), PRICE_LEVELS[currency]
    if kind == "fee":
        return round_to(Decimal(str(level)) * random.randint(50, 2000) / 100, unit)
    if kind == "cash":
        note = Decimal(10) ** round(log10(10 * level))
        return round_to(note * random.randint(2, 40), unit)
    return unit * random.randint(2 * scale, 400 * scale)


def _describe(random: Random, locale: str, kind: EntryType, vendors: range, knobs: Mapping[str, float]) -> str:
    template = random.choice(phrases(locale, f"entries.{kind}"))
    if kind in ("fee", "cash"):
        return template
    other = vendor(locale, random.choice(vendors)).party.name
    text = template.format(company=other, number=draw_code(random, random.randint(4, 8), knobs))
    if knobs["wrapped_descriptions"] and random.random() < 0.6:
        notes = [note for note in phrases(locale, "line_notes") if "{number}" in note and "{date}" not in note]
        text = f"{text} {random.choice(notes).format(number=draw_code(random, 8, knobs))}"
    return text
