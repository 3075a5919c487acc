"""Bank statements at random: the entries of an account in order of booking, with the balance after each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from itertools import accumulate
from math import log10
from random import Random
from typing import Literal

from finscribe_assets.documents.calculation_rules import round_to
from finscribe_assets.documents.line_drawing import MAX_LINES
from finscribe_assets.documents.locales import LOCALE_FACTS, PRICE_LEVELS, minor_unit
from finscribe_assets.documents.numbering import draw_code
from finscribe_assets.documents.schema import Entry, Statement
from finscribe_assets.documents.vendors import vendor
from finscribe_assets.documents.wordings import phrases

PAID_OUT_SHARE = 0.65  # of all entries
OVERDRAWN_SHARE = 0.12  # of accounts that may be below zero
REGULAR_SHARE = 0.2  # of the entries that are paid out: rent, wages, taxes and the like
FEE_SHARE, CASH_SHARE = 0.08, 0.06  # of the entries that are paid out


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
    """Draw the entries of an account over a period, and its balances.

    Args:
        random: the stream to draw from.
        locale: the locale of the bank.
        account: the account number.
        vendors: numbers of the locale's sellers that entries may name (see `vendors.vendor_numbers`).
        start: first day of the period.
        period: length of the period in days.
        columns: columns of the table, as fields of `Entry`.
        knobs: the knob values that were drawn for the document.
    """
    currency = LOCALE_FACTS[locale].currency_code
    unit, level = minor_unit(currency), PRICE_LEVELS[currency]
    scale = int(level * random.choice((1, 3, 10)) / float(unit)) * (
        random.randint(500, 2500) if knobs["long_amounts"] else 1
    )
    working_days = [day for day in range(period) if is_working_day(start + dt.timedelta(days=day))] or [period - 1]
    days = sorted(random.choice(working_days) for _ in range(_draw_count(random, knobs)))
    repeated = _draw_description(random, locale, "debit", vendors, knobs) if knobs["repeated_descriptions"] else None
    opening = unit * random.randint(-200, 3000) * max(1, scale // 3)
    movements = []
    for _ in days:
        entry_type = _draw_type(random)
        sign = 1 if entry_type == "credit" else -1
        movements.append((entry_type, sign * _draw_amount(random, entry_type, currency, scale)))
    if random.random() >= OVERDRAWN_SHARE:
        lowest = min(accumulate(amount for _, amount in movements))
        opening = max(opening, -lowest + unit * random.randint(0, 900) * max(1, scale // 3))
    balance = opening
    entries = []
    for day, (entry_type, amount) in zip(days, movements, strict=True):
        is_paid_out = amount < 0
        balance += amount
        drawn = _draw_description(random, locale, entry_type, vendors, knobs)
        description = repeated if repeated and entry_type == "debit" else drawn
        booked = start + dt.timedelta(days=day)
        entries.append(
            Entry(
                entry_date=booked,
                value_date=next_working_day(booked + dt.timedelta(days=random.choice((0, 0, 0, 1, 2))))
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
    has_totals = random.random() < 0.5
    return Statement(
        account_number=account,
        opening_balance=opening,
        closing_balance=balance,
        total_debits=debits if has_totals else None,
        total_credits=credits if has_totals else None,
    ), tuple(entries)


def is_working_day(day: dt.date) -> bool:
    """Tell whether banks book on a day: from Monday to Friday. Public holidays are not considered."""
    return day.weekday() < 5


def next_working_day(day: dt.date) -> dt.date:
    """Return a day, or the first working day after it."""
    while not is_working_day(day):
        day += dt.timedelta(days=1)
    return day


def _draw_count(random: Random, knobs: Mapping[str, float]) -> int:
    if knobs["very_long_tables"]:
        return random.randint(60, MAX_LINES)
    if knobs["many_lines"] or knobs["several_pages"]:
        return random.randint(20, 60)
    return min(MAX_LINES, max(3, round(random.lognormvariate(2.0, 0.5))))


def _is_filled(random: Random, knobs: Mapping[str, float]) -> bool:
    return not knobs["blank_cells"] or random.random() < 0.6


EntryType = Literal["debit", "credit", "fee", "cash", "regular"]


def _draw_type(random: Random) -> EntryType:
    if random.random() >= PAID_OUT_SHARE:
        return "credit"
    draw = random.random()
    shares: tuple[tuple[EntryType, float], ...] = (("fee", FEE_SHARE), ("cash", CASH_SHARE), ("regular", REGULAR_SHARE))
    for entry_type, share in shares:
        if draw < share:
            return entry_type
        draw -= share
    return "debit"


def _draw_amount(random: Random, entry_type: EntryType, currency: str, scale: int) -> Decimal:
    """Draw the amount of an entry: fees are small, and cash machines pay in notes."""
    unit, level = minor_unit(currency), PRICE_LEVELS[currency]
    if entry_type == "fee":
        return round_to(Decimal(str(level)) * random.randint(50, 2000) / 100, unit)
    if entry_type == "cash":
        note = Decimal(10) ** round(log10(10 * level))
        return round_to(note * random.randint(2, 40), unit)
    return unit * random.randint(2 * scale, 400 * scale)


def _draw_description(
    random: Random, locale: str, entry_type: EntryType, vendors: range, knobs: Mapping[str, float]
) -> str:
    template = random.choice(phrases(locale, f"entries.{entry_type}"))
    if entry_type in ("fee", "cash", "regular"):
        return template
    other = vendor(locale, random.choice(vendors)).party.name
    text = template.format(company=other, number=draw_code(random, random.randint(4, 8), knobs))
    if knobs["wrapped_descriptions"] and random.random() < 0.6:
        note = random.choice(phrases(locale, "entries.note"))
        text = f"{text} {note.format(number=draw_code(random, 8, knobs))}"
    return text
