"""A receipt beside the page: it is cut off, the page is whole, and nothing of it is in the truth or in a box."""

import numpy as np
import pytest

from finscribe_assets.documents.channels import Channel, channels_of_all_types
from finscribe_assets.documents.document_table import documents_from_table, documents_to_table
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.recipe_presets import RECIPE_PRESETS
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.rendering.damage import degrade
from finscribe_assets.rendering.mark_boxes import lay_out
from finscribe_assets.rendering.page_html import to_markup
from finscribe_assets.rendering.render import render

DPI = 60
# Effects that move pixels, and what is around the sheet; those that mix neighbouring pixels would blur a box's edge.
SHAPES = (
    {},
    {"skew": 1.0},
    {"perspective": 1.0},
    {"photo": 0.3},
    {"photo": 1.0, "curl": 1.0},
    {"photo": 1.0, "perspective": 1.0, "fold": 1.0, "skew": 1.0},
)


def receipts(count, **knobs):
    recipe = Recipe(
        document_types={DocumentType.RECEIPT: 1.0},
        channels=channels_of_all_types(Channel.SCANNED),
        locales={"en_GB": 1.0, "de_DE": 1.0, "ar_AE": 1.0},
        knobs=NO_KNOBS.model_copy(update={"optional_fields": 0.8, **knobs}),
    )
    plan = seed_plan("batch-000", count, 3, recipe)
    return [draw_document(plan, index) for index in range(count)]


@pytest.fixture(scope="module")
def drawn() -> list[DrawnDocument]:
    return receipts(6, neighbour_receipts=1.0)


@pytest.fixture(scope="module")
def laid_out(drawn):
    return lay_out(to_markup(drawn[0]), DPI, in_colour=False)


def pictures(drawn, laid_out, neighbour, damage, seed):
    # JPEG and noise are left out: degrade() compresses nothing unless asked.
    changes = {"damage": damage, "noise_seed": seed, "degradation": 0.0}
    look = drawn.presentation.model_copy(update=changes)
    (picture,), marks = degrade(laid_out.pages, laid_out.marks, look, DPI, neighbour)
    return picture.astype(int), marks


def test_a_receipt_says_the_same_with_and_without_its_neighbour(drawn):
    for with_one, without in zip(drawn, receipts(6), strict=True):
        other = with_one.presentation.neighbour
        assert with_one.document == without.document
        assert with_one.printed == without.printed
        assert without.presentation.neighbour is None
        assert with_one.presentation.model_copy(update={"neighbour": None}) == without.presentation
        assert other.document.seller.name == with_one.document.seller.name
        assert other.document.document_number != with_one.document.document_number
        assert other.document.issue_date <= with_one.document.issue_date


def test_a_neighbour_is_kept_in_the_table_of_documents(drawn):
    assert documents_from_table(documents_to_table(drawn)) == drawn


def test_marks_are_those_of_the_receipt_alone_and_lie_in_the_picture(drawn):
    for one in drawn[:3]:
        rendered = render(one, DPI)
        alone = render(one.model_copy(update={"presentation": one.presentation.model_copy(update={"neighbour": None})}))
        page = rendered.pages[0]
        assert [(mark.type, mark.name, mark.text) for mark in rendered.marks] == [
            (mark.type, mark.name, mark.text) for mark in alone.marks
        ]
        for mark in rendered.marks:
            for part in mark.fragments:
                assert part.box.x0 >= 0
                assert part.box.y0 >= 0
                assert part.box.x1 <= page.width
                assert part.box.y1 <= page.height
                assert part.visible


@pytest.mark.parametrize("damage", SHAPES, ids=lambda damage: "+".join(damage) or "flat")
def test_no_pixel_of_the_neighbour_lies_in_a_box_and_its_far_side_is_cut_off(drawn, laid_out, damage):
    height, width = (round(side * factor) for side, factor in zip(laid_out.pages[0].shape, (1.4, 1.0), strict=True))
    light, dark = np.full((height, width), 255, np.uint8), np.zeros((height, width), np.uint8)
    edges = light.copy()
    edges[:, :2] = edges[:, -2:] = 0
    for seed in range(12):
        in_light, marks = pictures(drawn[0], laid_out, light, damage, seed)
        in_dark, _ = pictures(drawn[0], laid_out, dark, damage, seed)
        differs = np.abs(in_light - in_dark).reshape(*in_light.shape[:2], -1).max(axis=2) > 0
        assert differs.mean() > 0.03  # the neighbour is seen
        for mark in marks:
            for part in mark.fragments:
                x0, y0, x1, y1 = part.box
                assert not differs[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))].any()
        # Of the neighbour's two long sides, one is in the picture and the other nowhere.
        edged, _ = pictures(drawn[0], laid_out, edges, damage, seed)
        inked = np.abs(in_light - edged).reshape(*in_light.shape[:2], -1).max(axis=2) > 60
        columns = np.flatnonzero(inked.any(axis=0))
        assert len(columns)
        seen = np.flatnonzero(differs.any(axis=0))
        on_right = seen.mean() > in_light.shape[1] / 2
        reach = in_light.shape[1] - 1 if on_right else 0
        assert reach in seen  # it goes on to the picture's edge
        near = columns.max() - seen.min() if on_right else seen.max() - columns.min()
        assert near < 0.35 * width  # all ink is at its near side


def test_files_have_no_neighbours():
    plan = seed_plan("batch-000", 40, 2, RECIPE_PRESETS["born_digital"])
    assert all(draw_document(plan, index).presentation.neighbour is None for index in range(40))
    both = Recipe(
        document_types={DocumentType.RECEIPT: 1.0}, knobs=NO_KNOBS.model_copy(update={"neighbour_receipts": 0.9})
    )
    documents = [draw_document(seed_plan("batch-000", 60, 2, both), index) for index in range(60)]
    beside = [one for one in documents if one.presentation.neighbour]
    assert len(beside) > 45
    assert all(one.presentation.channel is not Channel.BORN_DIGITAL for one in beside)
