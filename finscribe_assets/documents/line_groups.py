"""Groups of lines: headings above them, subtotals below them, and numbers of two levels, such as 2.1.

The heading is a value of the group's first line. A subtotal is printed in a row of the table, but it is no line and no
field: a reader that takes it for an item predicts a line too many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.identifiers import digits
from finscribe_assets.documents.places import places_of
from finscribe_assets.documents.schema import Line

MIN_GROUPED_LINES = 4
_GROUP_SIZES = (2, 2, 3, 3, 4, 6)
_SUBTOTAL_SHARE = 0.8  # of documents with groups, whose groups have subtotals
_LEVELS_SHARE = 0.6  # of documents with groups and line numbers, whose numbers have two levels
# Ways to head a group, by language: {n} counts groups, {code} is a number, {street} a place.
_HEADINGS = {
    "en": ("Section {n}", "Lot {n}", "Delivery note {code}", "Cost centre {code}", "Site: {street}", "Job {code}"),
    "de": ("Titel {n}", "Los {n}", "Lieferschein {code}", "Kostenstelle {code}", "Objekt: {street}", "Auftrag {code}"),
    "fr": ("Lot {n}", "Bon de livraison {code}", "Chantier : {street}", "Centre de coût {code}", "Poste {n}"),
    "es": ("Capítulo {n}", "Albarán {code}", "Obra: {street}", "Centro de coste {code}", "Partida {n}"),
    "it": ("Capitolo {n}", "DDT n. {code}", "Cantiere: {street}", "Centro di costo {code}", "Lotto {n}"),
    "nl": ("Onderdeel {n}", "Pakbon {code}", "Project: {street}", "Kostenplaats {code}", "Perceel {n}"),
    "pl": ("Etap {n}", "WZ nr {code}", "Obiekt: {street}", "MPK {code}", "Część {n}"),
    "pt": ("Capítulo {n}", "Guia de remessa {code}", "Obra: {street}", "Centro de custo {code}", "Lote {n}"),
    "sv": ("Del {n}", "Följesedel {code}", "Projekt: {street}", "Kostnadsställe {code}", "Etapp {n}"),
    "ja": ("第{n}期", "納品書番号 {code}", "工事番号 {code}", "区分{n}", "現場：{street}"),
    "zh": ("第{n}部分", "送货单号 {code}", "项目编号 {code}", "标段{n}", "工地：{street}"),
    "ar": ("القسم {n}", "إذن التسليم {code}", "المشروع {code}", "مركز التكلفة {code}"),
}
# What the row of a subtotal says; {heading} is the group's.
_SUBTOTALS = {
    "en": ("Subtotal", "Subtotal {heading}", "Total {heading}"),
    "de": ("Zwischensumme", "Summe {heading}", "Zwischensumme {heading}"),
    "fr": ("Sous-total", "Sous-total {heading}", "Total {heading}"),
    "es": ("Subtotal", "Subtotal {heading}", "Total {heading}"),
    "it": ("Subtotale", "Subtotale {heading}", "Totale {heading}"),
    "nl": ("Subtotaal", "Subtotaal {heading}", "Totaal {heading}"),
    "pl": ("Suma częściowa", "Razem {heading}", "Suma {heading}"),
    "pt": ("Subtotal", "Subtotal {heading}", "Total {heading}"),
    "sv": ("Delsumma", "Delsumma {heading}", "Summa {heading}"),
    "ja": ("小計", "{heading} 小計"),
    "zh": ("小计", "{heading} 小计"),
    "ar": ("المجموع الفرعي", "مجموع {heading}"),
}


class GroupSubtotal(BaseModel):
    """The row below a group of lines."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str
    amount: str = Field(description="sum of the group's lines, as printed")


def with_groups(random: Random, lines: Sequence[Line], locale: str) -> tuple[Line, ...]:
    """Return the lines in groups: the first of each has its heading, and numbers of lines may have two levels.

    Args:
        random: the stream to draw from.
        lines: at least two lines.
        locale: the document's locale.
    """
    heading = random.choice(_HEADINGS[locale[:2]])
    has_levels = random.random() < _LEVELS_SHARE and all(line.line_id is not None for line in lines)
    places, grouped, start, number = places_of(locale), list(lines), 0, 0
    while start < len(lines):
        size, number = random.choice(_GROUP_SIZES), number + 1
        if number == 1:
            size = min(size, max(1, len(lines) - 2))  # a single group would not be one
        stop = len(lines) if len(lines) - start - size < 2 and number > 1 else min(start + size, len(lines))
        text = heading.format(n=number, code=digits(random, random.randint(4, 7)), street=places.draw_street(random))
        if has_levels:
            text = f"{number} {text}" if "{n}" not in heading else text
            for index in range(start, stop):
                line_id = f"{number}.{index - start + 1}"
                grouped[index] = grouped[index].model_copy(update={"line_id": line_id})
        grouped[start] = grouped[start].model_copy(update={"heading": text})
        start = stop
    return tuple(grouped)


def group_subtotals(
    random: Random, lines: Sequence[Line], locale: str, write: Callable[[Decimal], str]
) -> dict[int, GroupSubtotal]:
    """Return the subtotals below groups, by the index of the group's last line; some documents have none.

    Args:
        random: the stream to draw from.
        lines: the lines, in groups.
        locale: the document's locale.
        write: formats an amount as the table does.
    """
    label = random.choice(_SUBTOTALS[locale[:2]])
    if random.random() >= _SUBTOTAL_SHARE:
        return {}
    starts = [index for index, line in enumerate(lines) if line.heading is not None]
    subtotals = {}
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        amounts = (line.net_amount if line.net_amount is not None else line.gross_amount for line in lines[start:stop])
        total = sum((amount for amount in amounts if amount is not None), Decimal(0))
        subtotals[stop - 1] = GroupSubtotal(label=label.format(heading=lines[start].heading), amount=write(total))
    return subtotals
