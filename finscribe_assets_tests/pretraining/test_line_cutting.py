"""Lines cut from rendered pages: the text of each strip is what the document prints there, and nothing else."""

import pytest

from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.instructions.otsl import from_otsl
from finscribe_assets.instructions.verbatim_tasks import otsl_tables
from finscribe_assets.instructions.visible_values import VisibleDocument
from finscribe_assets.model.line_images import LINE_HEIGHT, LineType
from finscribe_assets.model.table_assembly import assemble_table
from finscribe_assets.pretraining.base_recipe import BASE_RECIPE
from finscribe_assets.pretraining.line_corpus import line_cutter
from finscribe_assets.pretraining.line_cutting import with_plain_spaces
from finscribe_assets.rendering.pages import MarkType

PLAN = seed_plan("batch-000", 300, 11, BASE_RECIPE)
INDICES = range(12)


@pytest.fixture(scope="module")
def cutters():
    return [line_cutter(PLAN, index) for index in INDICES]


@pytest.fixture(scope="module")
def cut_tables(cutters):
    return [(index, table) for index, cutter in zip(INDICES, cutters, strict=True) for table in cutter.tables()]


def test_a_tables_truth_is_that_of_its_pair(cutters, cut_tables):
    for index, cutter in zip(INDICES, cutters, strict=True):
        pairs = {
            pair.response for pair in otsl_tables(VisibleDocument(draw_document(PLAN, index), cutter.rendered), 99)
        }
        grids = [table.grid for place, table in cut_tables if place == index]
        wanted = [[[text and with_plain_spaces(text) for text in row] for row in from_otsl(pair)] for pair in pairs]
        assert sorted(map(str, grids)) == sorted(map(str, wanted))


def test_nearly_all_tables_are_cut_into_their_printed_lines(cut_tables):
    assert len(cut_tables) > 10
    assert sum(table.all_lines_found for _, table in cut_tables) >= 0.9 * len(cut_tables)


def test_strips_that_are_read_right_make_the_table(cut_tables):
    wrapped = 0
    for _, table in cut_tables:
        if table.all_lines_found:
            assert from_otsl(assemble_table(table.texts)) == table.grid
            wrapped += len(table.strips) > len(table.grid)
    assert wrapped > 3, "rows of several printed lines are among them"


def test_lines_of_blocks_are_those_that_are_marked(cutters):
    found = [list(cutter.marked_block_lines()) for cutter in cutters]
    for cutter, lines in zip(cutters, found, strict=True):
        marked = [
            with_plain_spaces(mark.text)
            for mark in cutter.rendered.of_type(MarkType.LINE)
            if mark.text and len(mark.fragments) == 1
        ]
        assert [line.text for line in lines] == marked
        assert {"totals", "seller"} <= {line.region for line in lines}
    lines_of_all = [line for lines in found for line in lines]
    known = [line for line in lines_of_all if line.texts]
    assert len(known) >= 0.95 * len(lines_of_all)
    # In another order where a label goes on below its value, and a mail address breaks where it has no space.
    assert all(sorted("".join(line.texts).replace(" ", "")) == sorted(line.text.replace(" ", "")) for line in known)


def test_lines_have_their_type_and_are_fitted(cutters):
    for line_type, lines in ((LineType.FIELD, cutters[0].field_lines()), (LineType.BLOCK, cutters[0].block_lines())):
        for line in lines:
            assert line.line_type is line_type
            assert line.pixels.shape[0] == LINE_HEIGHT
            assert line.element or line_type is LineType.BLOCK


def test_few_lines_stand_outside_of_all_blocks(cutters):
    """Of a letter, the sender's address in the window is one, above the recipient's block."""
    regions = [line.element for cutter in cutters for line in cutter.block_lines()]
    assert 0 < regions.count("") < 0.05 * len(regions)
