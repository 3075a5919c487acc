"""Pages of terms and conditions: the last sheet, in the document's language, with text alone."""

from functools import cache

import pytest

from finscribe_assets.documents.drawn_document import DrawnDocument, Engine
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.rendering.pages import MarkType
from finscribe_assets.rendering.render import render


@cache
def documents(locale: str, count: int = 4, *more: str) -> list[DrawnDocument]:
    knobs = NO_KNOBS.model_copy(update=dict.fromkeys(("terms_pages", *more), 1.0))
    types = {DocumentType.INVOICE: 1.0, DocumentType.PURCHASE_ORDER: 0.0 if more else 1.0}
    recipe = Recipe(document_types=types, locales={locale: 1.0}, knobs=knobs)
    plan = seed_plan("batch-000", count, 5, recipe)
    return [draw_document(plan, index) for index in range(count)]


@pytest.mark.parametrize("locale", LOCALES)
def test_terms_are_complete_sentences_that_differ_between_documents(locale):
    pages = [drawn.presentation.terms_page for drawn in documents(locale)]
    for page in pages:
        texts = [page.title, *(clause.text for clause in page.clauses), *(clause.heading for clause in page.clauses)]
        assert all(texts) and not any(brace in text for text in texts for brace in "{}")
        assert len(page.clauses) >= 7
        assert locale != "de_CH" or not any("ß" in text for text in texts)
    assert len({page.clauses for page in pages}) == len(pages)


@pytest.mark.parametrize("engine", list(Engine))
@pytest.mark.parametrize(("locale", "more"), [("de_DE", ()), ("ar_AE", ()), ("de_CH", ("payment_slips",))])
def test_terms_are_on_a_last_sheet_without_fields(locale, more, engine):
    drawn = documents(locale, 4, *more)[1]
    look = drawn.presentation.model_copy(update={"engine": engine, "degradation": 0.0})
    rendered = render(drawn.model_copy(update={"presentation": look}), 72)
    last = len(rendered.pages) - 1
    regions = {mark.name: mark.fragments for mark in rendered.of_type(MarkType.REGION)}
    clauses = [regions[f"terms_{number}"] for number in range(1, len(look.terms_page.clauses) + 1)]
    assert all(len(parts) == 1 and parts[0].page == last for parts in clauses)
    assert all(part.page < last for mark in rendered.of_type(MarkType.FIELD) for part in mark.fragments)
    lines = [part.text for mark in rendered.of_type(MarkType.LINE) for part in mark.fragments if part.page == last]
    for clause in look.terms_page.clauses:
        assert any(clause.text in line for line in lines) and any(clause.heading in line for line in lines)
