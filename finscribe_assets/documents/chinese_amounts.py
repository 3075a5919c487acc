"""Amounts of money in the capital numerals that Chinese invoices state beside the digits against forgery."""

from __future__ import annotations

from decimal import Decimal

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")


def amount_in_capitals(amount: Decimal) -> str:
    """Return an amount in yuan in capital numerals, such as 壹仟零伍圆贰角整.

    Source: the rules of the People's Bank of China on filling in bills (正确填写票据和结算凭证的基本规定).

    Args:
        amount: with at most two decimals, below 10^16; a negative one is marked 负.
    """
    yuan, fen = divmod(int(abs(amount) * 100), 100)
    text = (_whole(yuan) + "圆") if yuan or not fen else ""
    tens, ones = divmod(fen, 10)
    if not fen:
        text += "整"
    else:
        text += f"{_DIGITS[tens]}角" if tens else "零" if yuan else ""
        text += f"{_DIGITS[ones]}分" if ones else "整"
    return ("负" if amount < 0 else "") + text


def _whole(number: int) -> str:
    if not number:
        return _DIGITS[0]
    groups: list[str] = []
    index, needs_zero = 0, False
    while number:
        number, group = divmod(number, 10_000)
        if group:
            text = _group(group) + _GROUPS[index]
            groups.append(text + (_DIGITS[0] if needs_zero else ""))
        # A zero is written where digits are missing between this group and the one below it.
        needs_zero = bool(groups) and (not group or group < 1000)
        if not group and groups and groups[-1].startswith(_DIGITS[0]):
            needs_zero = False
        index += 1
    return _tidied("".join(reversed(groups)))


def _group(group: int) -> str:
    """Return a number below 10,000; zeros between its digits are written once."""
    text, zero = "", False
    for place in range(3, -1, -1):
        digit = group // 10**place % 10
        if digit:
            text += (_DIGITS[0] if zero and text else "") + _DIGITS[digit] + _PLACES[place]
            zero = False
        else:
            zero = True
    return text


def _tidied(text: str) -> str:
    while "零零" in text:
        text = text.replace("零零", "零")
    return text.strip("零") if len(text) > 1 else text
