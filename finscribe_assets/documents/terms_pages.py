"""Terms and conditions: the last sheet of some documents, a page of fine print that has no field.

The texts are in `fine_print/*.yaml`, one file for each language, written for this project. They state no value that a
document has: where payment is due, they refer to the document.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.locales import PRICE_LEVELS
from finscribe_assets.documents.schema import Party
from finscribe_assets.documents.wordings import swiss_spelling

SENTENCE_SHARE = 0.85  # of a clause's sentences that a document has
FEWEST_CLAUSES = 7
SMALLEST_TERMS, LARGEST_TERMS = 6.0, 8.0  # size of the type in points
_DAYS, _SHORT_PERIODS, _PERCENTAGES = (30, 45, 60, 90), (3, 5, 7, 8, 10), (10, 15, 20)
_FEES = (3, 5, 8, 10, 15)  # in units of about one euro
_MAX_ARABIC_DAYS = 10  # above, the noun has another plural
_CHINESE_NUMERALS = "一二三四五六七八九十"


class Clause(BaseModel):
    """A clause of the terms."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    heading: str
    text: str


class TermsPage(BaseModel):
    """A page of terms and conditions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    clauses: tuple[Clause, ...]
    columns: int = Field(ge=1, le=3, description="number of columns of text")
    font_size: float = Field(description="size of the type in points")
    run_in: bool = Field(description="whether headings stand in the line of their text")


@cache
def _fine_print(locale: str) -> dict[str, Any]:
    path = files("finscribe_assets.documents") / "fine_print" / f"{locale[:2]}.yaml"
    text = path.read_text(encoding="utf-8")
    return dict(yaml.load(swiss_spelling(text) if locale == "de_CH" else text, Loader=yaml.CSafeLoader))


def draw_terms_page(
    random: Random, locale: str, issuer: Party, currency: str, write_amount: Callable[[Decimal], str]
) -> TermsPage:
    """Draw the terms of a document's issuer: most clauses of the language, each with most of its sentences.

    Args:
        random: the stream to draw from.
        locale: the document's locale.
        issuer: whose terms they are.
        currency: ISO 4217 code of the document's currency.
        write_amount: formats an amount with its currency as the page does.
    """
    print_ = _fine_print(locale)
    clauses = print_["clauses"]
    kept = sorted(random.sample(range(len(clauses)), random.randint(FEWEST_CLAUSES, len(clauses))))
    is_arabic = locale.startswith("ar")
    level = Decimal(str(PRICE_LEVELS[currency]))
    fee = (random.choice(_FEES) * level).quantize(Decimal(1)) or Decimal(1)
    values = {
        "seller": issuer.name,
        "city": (issuer.address.city if issuer.address else None) or issuer.name,
        "days": random.choice((_MAX_ARABIC_DAYS,) if is_arabic else _DAYS),
        "short": random.choice(_SHORT_PERIODS),
        "percent": random.choice(_PERCENTAGES),
        "fee": write_amount(fee),
    }
    heading = random.choice(print_["headings"])
    separator = "" if locale[:2] in ("ja", "zh") else " "
    drawn = []
    for number, index in enumerate(kept, 1):
        sentences = clauses[index]["sentences"]
        chosen = [text for text in sentences if random.random() < SENTENCE_SHARE] or sentences[:1]
        named = heading.format(n=number, cn=_CHINESE_NUMERALS[number - 1], heading=clauses[index]["heading"])
        drawn.append(Clause(heading=named, text=separator.join(chosen).format(**values)))
    return TermsPage(
        title=random.choice(print_["titles"]),
        clauses=tuple(drawn),
        columns=random.choice((1, 2, 2, 2, 3)),
        font_size=round(random.uniform(SMALLEST_TERMS, LARGEST_TERMS), 1),
        run_in=random.random() < 0.3,
    )
