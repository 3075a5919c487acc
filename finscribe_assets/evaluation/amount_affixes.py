"""What may stand before and after the digits of an amount: signs, currencies, marks against forgery, tax codes, units.

Only what is known is accepted: anything else beside the digits, such as *million*, could change the value.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import cache, lru_cache

from finscribe_assets.documents.currency_marks import currency_pattern
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.wordings import unit_words
from finscribe_assets.evaluation.plain_text import plain_form


class Affix(Enum):
    """What a part of the text beside an amount's digits is."""

    MINUS = auto()
    PLUS = auto()
    OPEN = auto()
    CLOSE = auto()
    CREDIT = auto()
    DEBIT = auto()
    OTHER = auto()  # has no effect on the value


# Spelled-out units, besides those that the locales print.
_UNITS = """pc pcs piece pieces unit units ea each item items hour hours hrs day days month months year years
night nights person persons pax litre litres liter liters gram grams meter meters metre metres minute minutes
min kWh MWh Wh GB MB cm mm ml cl dl hl mg g oz lbs sqm sqft Stück Stueck Stk Stunde Stunden Tage Monate Jahre
Liter Meter Minuten Paar Karton Nächte pièce pièces heure heures jours nuit nuits litre unité unités unidad
unidades hora horas días meses noche noches ora ore giorno giorni mesi pezzo pezzi notte notti stuks stuk uren
dagen maanden sztuk sztuka sztuki godzin godzina godziny dni unidade unidades dias noites stycken timmar dagar
nätter 枚 台 个 個 本 冊 人 泊 回 点 小时 時間 月 日 天 قطعة قطع ساعة ساعات x × @ pers pkt pck pkg bx ctn doz dozen"""
_WORDS = ("only", "even", "nett", "也", "整", "正", "金", "税込", "※", "fixe")
_TAX_CODE = re.compile(r"\s+[A-JLNOQ-Z]\s?\*?")  # K, M and P could be thousands, millions and pence
_TOKENS: tuple[tuple[Affix, re.Pattern[str]], ...] = (
    (Affix.OTHER, re.compile(r"\s+")),
    (Affix.OTHER, re.compile(r"(?:[.,:/]\s?(?:--?|=)|/-)(?=\D*$)")),  # no cents: 12.-, 12,--, 250:-, 5,000/-, 5000/=
    (Affix.OTHER, re.compile(r"[*=#]+")),  # so that nobody adds digits
    (Affix.MINUS, re.compile(r"-")),
    (Affix.PLUS, re.compile(r"\+")),
    (Affix.OPEN, re.compile(r"[(<]")),
    (Affix.CLOSE, re.compile(r"[)>]")),
    (Affix.CREDIT, re.compile(r"CR(?![^\W\d_])\.?", re.IGNORECASE)),
    (Affix.DEBIT, re.compile(r"DR(?![^\W\d_])\.?", re.IGNORECASE)),
    (Affix.OTHER, re.compile(r"%")),
)
_RAND = re.compile(r"R(?=\s?\Z)")  # a letter alone is a currency before digits only
_END = re.compile(r"[.,](?!\s?[-=])")
_ACCOUNT_TOKENS = ((Affix.CREDIT, re.compile(r"H(?!\w)")), (Affix.DEBIT, re.compile(r"S(?!\w)")))  # Haben, Soll


def is_tax_code(suffix: str) -> bool:
    """Tell whether the text after an amount is the letter of a tax rate, as tills print it: ``1,29 A``."""
    return _TAX_CODE.fullmatch(suffix) is not None


@lru_cache(maxsize=4096)
def read_affix(text: str, *, after: bool, is_account: bool, units: bool) -> tuple[Affix, ...] | None:
    """Split the text before or after an amount's digits into its parts.

    Args:
        text: in plain form, with ASCII signs.
        after: whether it follows the digits.
        is_account: whether H and S stand for credit and debit, as on German bank statements.
        units: whether units of measure are accepted, as of quantities and prices.

    Returns:
        The parts, spaces included; None if a part is unknown.
    """
    tokens = (*_TOKENS, *(_ACCOUNT_TOKENS if is_account else ()), (Affix.OTHER, _words()), (Affix.OTHER, _currencies()))
    tokens += ((Affix.OTHER, _units()),) if units else ()
    tokens += () if after else ((Affix.OTHER, _RAND),)
    parts: list[Affix] = []
    # A mark that ends the digits ends a sentence, unless it stands for missing cents.
    position = 1 if after and _END.match(text) else 0
    while position < len(text):
        found = ((kind, pattern.match(text, position)) for kind, pattern in tokens)
        kind, match = next(((kind, match) for kind, match in found if match), (Affix.OTHER, None))
        if match is None or match.end() == position:
            return None
        parts.append(kind)
        position = match.end()
    return tuple(parts)


@cache
def _words() -> re.Pattern[str]:
    return re.compile("|".join(rf"{re.escape(word)}(?![^\W\d_])" if word.isascii() else word for word in _WORDS), re.I)


@cache
def _currencies() -> re.Pattern[str]:
    return re.compile(rf"(?:{currency_pattern().pattern})\.?", re.IGNORECASE)


@cache
def _units() -> re.Pattern[str]:
    words = {*_UNITS.split(), *(word for locale in LOCALE_FACTS for word in unit_words(locale).values())}
    longest_first = sorted({plain_form(word).strip(".") for word in words}, key=lambda word: (-len(word), word))
    # The case of units matters: g is gram, M would be million.
    return re.compile(rf"(?:/\s?|per\s|pro\s|à\s)?(?:{'|'.join(map(re.escape, longest_first))})(?!\w)\.?")
