"""Groups of lines: subtotals add up, are rows of the table but no lines, and headings are values with a box."""

import re
from decimal import Decimal
from functools import cache

import pytest

from finscribe_assets.documents.calculation_rules import amounts_of, check_calculations
from finscribe_assets.documents.drawn_document import DrawnDocument, Engine
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.evaluation.row_matching import RowStatus, match_rows
from finscribe_assets.rendering.pages import MarkType
from finscribe_assets.rendering.render import render

TYPES = (DocumentType.INVOICE, DocumentType.CREDIT_NOTE, DocumentType.PURCHASE_ORDER)


@cache
def documents(locale: str, count: int = 8) -> list[DrawnDocument]:
    knobs = NO_KNOBS.model_copy(update={"line_groups": 1.0})
    recipe = Recipe(document_types=dict.fromkeys(TYPES, 1.0), locales={locale: 1.0}, knobs=knobs)
    plan = seed_plan("batch-000", count, 7, recipe)
    return [draw_document(plan, index) for index in range(count)]


def groups_of(drawn: DrawnDocument) -> list[range]:
    starts = [index for index, line in enumerate(drawn.document.lines) if line.heading is not None]
    assert starts[0] == 0 and len(starts) > 1
    return [range(start, stop) for start, stop in zip(starts, [*starts[1:], len(drawn.document.lines)], strict=True)]


@pytest.mark.parametrize("locale", ["de_DE", "en_US", "ja_JP", "zh_CN", "fr_FR"])
def test_subtotals_are_the_sums_of_their_groups_and_the_document_obeys_its_rules(locale):
    with_subtotals = 0
    for drawn in documents(locale):
        outcomes = check_calculations(amounts_of(drawn.document.to_json()), drawn.document.currency_code)
        assert outcomes and all(outcome.holds for outcome in outcomes)
        look, lines = drawn.presentation, drawn.document.lines
        if look.group_subtotals:
            with_subtotals += 1
            assert list(look.group_subtotals) == [group[-1] for group in groups_of(drawn)]
        for group in groups_of(drawn):
            if group[-1] in look.group_subtotals:
                total = sum((lines[index].net_amount for index in group), Decimal(0))
                printed = re.sub(r"\D", "", look.group_subtotals[group[-1]].amount)
                assert printed == re.sub(r"\D", "", str(total))
    assert with_subtotals > 2


def test_line_numbers_of_two_levels_count_groups_and_lines():
    numbered = [
        drawn for drawn in documents("de_DE", 30) if any("." in (line.line_id or "") for line in drawn.document.lines)
    ]
    assert len(numbered) > 3
    for drawn in numbered:
        for number, group in enumerate(groups_of(drawn), 1):
            lines = drawn.document.lines
            assert [lines[index].line_id for index in group] == [f"{number}.{n}" for n in range(1, len(group) + 1)]


@pytest.mark.parametrize("engine", list(Engine))
def test_subtotals_are_rows_of_the_table_without_a_field_and_headings_are_fields(engine):
    drawn = next(drawn for drawn in documents("de_DE") if drawn.presentation.group_subtotals)
    look = drawn.presentation.model_copy(update={"engine": engine, "degradation": 0.0})
    rendered = render(drawn.model_copy(update={"presentation": look}), 100)
    fields = {mark.name: mark for mark in rendered.of_type(MarkType.FIELD)}
    cells = {mark.text: mark.fragments for mark in rendered.of_type(MarkType.CELL)}
    for subtotal in look.group_subtotals.values():
        assert cells[subtotal.label] and cells[subtotal.amount]
    for group in groups_of(drawn):
        assert fields[f"lines[{group[0]}].heading"].text == drawn.document.lines[group[0]].heading
    amounts = [mark for mark in fields if mark.startswith("lines[") and mark.endswith(".net_amount")]
    assert len(amounts) == len(drawn.document.lines)


def test_a_reader_that_takes_a_subtotal_for_an_item_has_an_extra_row():
    drawn = next(drawn for drawn in documents("de_DE") if drawn.presentation.group_subtotals)
    true = {
        index: {"item_name": line.item_name, "net_amount": str(line.net_amount)}
        for index, line in enumerate(drawn.document.lines)
    }
    rows = list(true.values())
    after, subtotal = next(iter(drawn.presentation.group_subtotals.items()))
    amount = sum(Decimal(row["net_amount"]) for row in rows[: after + 1])
    rows.insert(after + 1, {"item_name": subtotal.label, "net_amount": str(amount)})
    _, outcomes = match_rows("lines", true, dict(enumerate(rows)))
    assert [outcome.predicted for outcome in outcomes if outcome.status is RowStatus.EXTRA] == [(after + 1,)]
    assert all(outcome.status is RowStatus.MATCHED for outcome in outcomes if outcome.true)
