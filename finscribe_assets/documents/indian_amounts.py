"""Amounts of rupees in words, as Indian invoices state them below the total."""

from __future__ import annotations

from decimal import Decimal

_ONES = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
]
_TENS = ("", "", "Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety")
_PLACES = ((10_000_000, "Crore"), (100_000, "Lakh"), (1_000, "Thousand"), (100, "Hundred"))


def rupees_in_words(amount: Decimal) -> str:
    """Return an amount in words, such as Rupees One Lakh Two Thousand and Fifty Paise Only.

    Args:
        amount: with at most two decimals; a negative one is marked Minus.
    """
    rupees, paise = divmod(int(abs(amount) * 100), 100)
    fraction = f" and {_words(paise)} Paise" if paise else ""
    return f"{'Minus ' if amount < 0 else ''}Rupees {_words(rupees)}{fraction} Only"


def _words(number: int) -> str:
    for value, name in _PLACES:
        if number >= value:
            many, rest = divmod(number, value)
            return f"{_words(many)} {name}" + (f" {_words(rest)}" if rest else "")
    if number < len(_ONES):
        return _ONES[number]
    tens, ones = divmod(number, 10)
    return _TENS[tens] + (f" {_ONES[ones]}" if ones else "")
