"""The exam: its documents, and what readers get right on them."""

from dataclasses import dataclass, field

import pytest

from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.vendors import is_examination_vendor
from finscribe_assets.errors import UserError
from finscribe_assets.inference.reader import Reader
from finscribe_assets.probing.battery import Battery
from finscribe_assets.probing.factors import ACTING_FIELDS, FactorSpace, present_factors
from finscribe_assets.probing.rendered_reading import RenderedReader
from finscribe_assets.promotion.exam_documents import FACTOR_DOCUMENTS, exam_papers
from finscribe_assets.promotion.exam_reading import take_exam
from finscribe_assets.promotion.exam_results import BASE_PART, paired_documents
from finscribe_assets.shards import LocalShardPool

RECIPE = Recipe(
    document_types={DocumentType.INVOICE: 0.7, DocumentType.BANK_STATEMENT: 0.3},
    locales={"en_GB": 1.0, "fr_FR": 0.1},
    fonts={"DejaVu Sans": 1.0, "Comic Neue": 0.02},
    knobs=NO_KNOBS.model_copy(update={"reversed_print": 0.02, "confusable_identifiers": 0.02}),
)
FACTORS = ("font:Comic Neue", "reversed_print", "confusable_identifiers")


@pytest.fixture(scope="module")
def papers():
    return exam_papers(RECIPE, FACTORS, 12)


def test_each_factor_has_a_part_whose_documents_show_it(papers):
    for factor in FACTORS:
        part = [paper for paper in papers if paper.part == factor]
        assert len(part) == FACTOR_DOCUMENTS
        assert all(factor in present_factors(paper.drawn) for paper in part)
        if factor in ACTING_FIELDS:
            assert all({path for path in paper.fields if path in ACTING_FIELDS[factor]} for paper in part)


def test_its_documents_are_of_sellers_and_texts_that_neither_batches_nor_the_probe_have(papers):
    assert all(is_examination_vendor(paper.drawn.vendor) for paper in papers)
    space = FactorSpace(RECIPE)
    battery = Battery(space, 7)
    probed = {battery.draw(space.plain(DocumentType.INVOICE), number).vendor for number in range(60)}
    assert probed.isdisjoint(paper.drawn.vendor for paper in papers)


def test_an_exam_that_grows_keeps_its_documents(papers):
    smaller = exam_papers(RECIPE, FACTORS[1:2], 5)
    contents = {paper.id: paper.content for paper in papers}
    assert all(contents[paper.id] == paper.content for paper in smaller)


def test_a_factor_that_the_recipe_cannot_draw_is_an_error_or_left_out():
    statements = RECIPE.model_copy(update={"document_types": {DocumentType.BANK_STATEMENT: 1.0}})
    with pytest.raises(UserError, match="list_prices: the recipe hardly draws documents"):
        exam_papers(statements, ["list_prices"], 2)
    left_out = []
    papers = exam_papers(statements, ["list_prices", "reversed_print"], 2, on_left_out=left_out.append)
    assert left_out == ["list_prices"]
    assert {paper.part for paper in papers} == {BASE_PART, "reversed_print"}


@dataclass
class CountingReader(RenderedReader):
    """The embedded base, which counts the documents that it reads."""

    read_documents: int = field(default=0)

    def __init__(self):
        super().__init__(Reader(), LocalShardPool(1))
        self.read_documents = 0

    def read_rendered(self, tasks, documents):
        self.read_documents += len(documents)
        return super().read_rendered(tasks, documents)


def test_a_reader_is_right_about_what_it_can_read_and_reads_only_parts_that_are_new(papers):
    small = [paper for paper in papers if paper.part in (BASE_PART, "reversed_print")]
    reader = CountingReader()
    (first,) = take_exam([reader], [paper for paper in small if paper.part == BASE_PART])
    parts = first.parts()
    assert sum(document.correct for document in parts[BASE_PART]) > 0.8 * sum(one.fields for one in parts[BASE_PART])
    similarities = [one.stock_similarity for one in parts[BASE_PART] if one.stock_similarity is not None]
    assert similarities
    assert min(similarities) > 0.5
    assert reader.read_documents == 12

    (second,) = take_exam([reader], small, [{document.id: document for document in first.documents}])
    assert reader.read_documents == 12 + FACTOR_DOCUMENTS
    assert second.documents[:12] == first.documents
    assert sum(document.correct for document in second.parts()["reversed_print"]) < 5  # it never saw any
    assert len(paired_documents(second, first)) == 12


def test_results_of_other_documents_are_not_compared(papers):
    reader = CountingReader()
    (result,) = take_exam([reader], papers[:3])
    changed = result.model_copy(
        update={"documents": (result.documents[0].model_copy(update={"content": "other"}), *result.documents[1:])}
    )
    with pytest.raises(UserError, match="base/0: base with 12 fields in one result"):
        paired_documents(result, changed)
