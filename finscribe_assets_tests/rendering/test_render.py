import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from finscribe_assets.documents.document_batch import synthesize
from finscribe_assets.documents.drawn_document import Colours, Engine
from finscribe_assets.documents.fonts import FONTS, fonts_for
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.layout_families import LAYOUT_FACTS, LAYOUTS_BY_TYPE
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.errors import UserError
from finscribe_assets.instructions.pair import ILLEGIBLE, Task
from finscribe_assets.instructions.task_mix import PairRecipe, make_pairs
from finscribe_assets.instructions.visible_values import VisibleDocument
from finscribe_assets.rendering.font_faces import FALLBACK_FONT, SECOND_SCRIPT_FONT
from finscribe_assets.rendering.mark_boxes import LaidOutDocument, lay_out
from finscribe_assets.rendering.page_batch import destroyed_fields, read_rendered, render_batch
from finscribe_assets.rendering.page_checks import RenderError, layout_problems, page_problems, require_sound
from finscribe_assets.rendering.page_html import to_markup
from finscribe_assets.rendering.pages import (
    Box,
    Fragment,
    Mark,
    MarkType,
    Page,
    RenderedDocument,
    pages_from_table,
    pages_to_table,
)
from finscribe_assets.rendering.png_encoding import to_png
from finscribe_assets.rendering.preview import preview_png
from finscribe_assets.rendering.render import render
from finscribe_assets.rendering.system_packages import FONT_PACKAGES, missing_packages
from finscribe_assets.shards import LocalShardPool, write_shard

DRAWN = draw_document(seed_plan("batch-000", 10, 3), 0)


def contents(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_no_system_package_is_missing():
    assert missing_packages() == []


def test_a_missing_font_is_an_error_that_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(FONT_PACKAGES, "No Such Family", "fonts-no-such")
    with pytest.raises(UserError, match=r"apt-get install .* fonts-no-such"):
        render_batch(tmp_path, tmp_path / "images", LocalShardPool(1))
    assert not (tmp_path / "images").exists()


def test_every_font_of_a_recipe_has_a_package():
    assert set(FONT_PACKAGES) == {*FONTS, FALLBACK_FONT, SECOND_SCRIPT_FONT}


EVERY_LAYOUT = list(LAYOUT_FACTS)


def drawn_as(layout, font=None, **knobs):
    """Return documents of a layout, one for each locale that is drawn."""
    fonts = [font] if font else FONTS
    locales = {locale: 1.0 for locale in LOCALES if set(fonts) & set(fonts_for(locale))}
    document_types = [name for name, layouts in LAYOUTS_BY_TYPE.items() if layout in layouts]
    recipe = Recipe(
        knobs=NO_KNOBS.model_copy(update=knobs),
        fonts=dict.fromkeys(fonts, 1.0),
        locales=locales,
        layouts={layout: 1.0},
        document_types={document_types[0]: 1.0},
    )
    plan = seed_plan("batch-000", 20, 12, recipe)
    documents = [unstacked(draw_document(plan, index)) for index in range(20)]
    return list({drawn.document.locale: drawn for drawn in documents}.values())


def unstacked(drawn):
    """Return the document with one printed row for each line."""
    style = drawn.presentation.style.model_copy(update={"stacked": False, "roll": 80})
    return drawn.model_copy(update={"presentation": drawn.presentation.model_copy(update={"style": style})})


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
def test_the_head_of_a_table_in_reversed_print_can_be_read(layout):
    drawn = drawn_as(layout, reversed_print=1.0)[0]
    assert drawn.presentation.layout == layout
    rendered = render(drawn)
    page = np.asarray(rendered.pages[0].open())
    heads = [mark.fragments[0] for mark in rendered.of_type(MarkType.CELL) if mark.name.startswith("0:")]
    assert len(heads) == len(drawn.presentation.columns)
    for head in heads:
        inside = head.box.padded(-4)
        pixels = page[int(inside.y0) : int(inside.y1), int(inside.x0) : int(inside.x1)]
        assert np.median(pixels) < 130
        assert pixels.max() > 200, head.text


# The widest and the narrowest roll, with the widest fonts.
@pytest.mark.parametrize(
    ("layout", "font"),
    [
        ("receipt_till", "DejaVu Sans Mono"),
        ("receipt_till", "DejaVu Sans"),
        ("receipt_slip", "Courier Prime"),
        ("invoice_sidebar", "Liberation Mono"),
        ("invoice_sidebar", "B612"),
        ("order_form", "DejaVu Serif"),
        ("invoice_sidebar", "EB Garamond"),
        ("invoice_ledger", "EB Garamond"),
    ],
)
def test_no_word_or_number_of_the_table_breaks_inside(layout, font):
    for drawn in drawn_as(layout, font, long_amounts=1.0, wrapped_descriptions=1.0, label_synonyms=1.0):
        wanted = {
            f"0:{position}": drawn.presentation.labels[f"lines.{column}"]
            for position, column in enumerate(drawn.presentation.columns)
        }
        wanted |= {
            f"{row + 1}:{position}": drawn.printed.get(f"lines[{row}].{column}", "")
            for row in range(len(drawn.document.lines))
            for position, column in enumerate(drawn.presentation.columns)
        }
        laid_out = lay_out(to_markup(drawn), 72)
        assert layout_problems(drawn, laid_out) == []
        shown = {
            mark.name: mark.text for mark in laid_out.marks if mark.type is MarkType.CELL and len(mark.fragments) == 1
        }
        assert shown == {name: wanted[name] for name in shown}


def test_the_head_is_repeated_on_each_page_and_its_fields_are_not():
    drawn = drawn_as("invoice_classic", many_lines=1.0, wrapped_descriptions=1.0, repeated_headers=1.0)[0]
    rendered = render(drawn)
    assert len(rendered.pages) > 1
    head = next(mark for mark in rendered.of_type(MarkType.ROW) if mark.name == "0")
    assert [part.page for part in head.fragments] == list(range(len(head.fragments)))
    assert len(head.fragments) > 1
    for mark in rendered.of_type(MarkType.FIELD):
        assert "".join(mark.text.split()) == "".join(drawn.printed[mark.name].split())


@pytest.mark.parametrize("locale", LOCALES)
def test_pages_of_every_locale_are_sound(locale):
    """With every knob of the default recipe; failures name the document and the field."""
    plan = seed_plan("batch-000", 5, 21, Recipe(locales={locale: 1.0}))
    for index in range(5):
        drawn = draw_document(plan, index)
        assert page_problems(drawn, render(drawn)) == [], drawn.presentation.layout


def test_a_subtotal_carried_forward_ends_its_page():
    drawn = next(
        d for d in drawn_as("invoice_classic", many_lines=1.0, carried_forward=1.0) if d.document.page_subtotals
    )
    rendered = render(drawn)
    fields = {mark.name: mark for mark in rendered.of_type(MarkType.FIELD)}
    for number, subtotal in enumerate(drawn.document.page_subtotals):
        carried = fields[f"page_subtotals[{number}].amount"].fragments[0].page
        assert fields[f"lines[{int(subtotal.after) - 1}].item_name"].fragments[-1].page == carried
        assert fields[f"lines[{int(subtotal.after)}].item_name"].fragments[0].page == carried + 1


def test_every_page_of_the_batch_is_sound(batch):
    for drawn, rendered in zip(batch.documents, batch.rendered, strict=True):
        assert page_problems(drawn, rendered) == []
        for region in rendered.of_type(MarkType.REGION):
            assert region.name in {"header", "seller", "buyer", "ship_to", "payee", "totals", "payment"}


def test_receipts_are_one_page_as_tall_as_what_they_print(batch):
    receipts = [
        (d, r) for d, r in zip(batch.documents, batch.rendered, strict=True) if d.document.document_type == "receipt"
    ]
    assert receipts
    for _, rendered in receipts:
        assert len(rendered.pages) == 1
        ink = np.argwhere(np.asarray(rendered.pages[0].open()) < 128)
        assert rendered.pages[0].height - ink[:, 0].max() < 90


def changed(laid_out, name, box=None, text=None):
    """Return the layout with another box or another text for one field."""
    marks = [
        Mark(mark.type, mark.name, (Fragment(0, box or mark.fragments[0].box, text or mark.text),))
        if mark.name == name and mark.type is MarkType.FIELD
        else mark
        for mark in laid_out.marks
    ]
    return LaidOutDocument(laid_out.pages, marks)


def test_problems_of_a_layout_are_reported_with_the_field():
    drawn = drawn_as("order_form")[0]
    laid_out = lay_out(to_markup(drawn), 72)
    assert layout_problems(drawn, laid_out) == []
    width = laid_out.pages[0].shape[1]
    fields = {mark.name: mark.fragments[0].box for mark in laid_out.marks if mark.type is MarkType.FIELD}
    outside = Box(width - 10, 10, width + 40, 20)
    amount = next(name for name in fields if name.endswith("net_amount"))
    wide = Box(fields[amount].x0 - 9, fields[amount].y0, fields[amount].x1 + 9, fields[amount].y1)
    missing = LaidOutDocument(laid_out.pages, [mark for mark in laid_out.marks if mark.name != "document_number"])
    for broken, message in (
        (missing, "document_number: printed, but it has no box"),
        (changed(laid_out, "totals.amount_due", text="wrong"), "totals.amount_due: the page shows 'wrong' instead of"),
        (changed(laid_out, "totals.amount_due", outside), "totals.amount_due: its box"),
        (changed(laid_out, "document_number", fields["seller.name"]), "overlap on page 0"),
        (changed(laid_out, amount, wide), f"{amount}: extends beyond cell"),
    ):
        assert any(message in problem for problem in layout_problems(drawn, broken)), message
    with pytest.raises(RenderError, match=rf"{drawn.id} .*document_number"):
        require_sound(drawn, layout_problems(drawn, missing))


def test_a_character_that_no_font_of_the_page_has_is_reported():
    drawn = drawn_as("order_form")[0]
    printed = drawn.printed | {"seller.name": "Ω ☃ GmbH"}
    poor = drawn.model_copy(update={"printed": printed})
    (problem,) = [text for text in layout_problems(poor, lay_out(to_markup(poor), 72)) if "no glyphs" in text]
    assert "☃" in problem
    assert "G" not in problem.split("for ")[1]
    with pytest.raises(RenderError, match="no glyphs"):
        render(poor)


def test_a_stored_page_without_a_box_or_ink_is_reported():
    rendered = render(DRAWN)
    assert page_problems(DRAWN, rendered) == []
    white = tuple(
        Page(_png(np.full((page.height, page.width), 255, np.uint8)), page.width, page.height)
        for page in rendered.pages
    )
    problems = page_problems(DRAWN, RenderedDocument(rendered.id, 144, white, rendered.marks))
    assert {problem.split(":")[0] for problem in problems} >= set(DRAWN.printed)
    # Fragments marked as unreadable need no ink.
    hidden = tuple(
        Mark(mark.type, mark.name, tuple(replace(part, visible=False) for part in mark.fragments))
        for mark in rendered.marks
    )
    assert page_problems(DRAWN, RenderedDocument(rendered.id, 144, white, hidden)) == []
    without = tuple(mark for mark in rendered.marks if mark.name != "document_number")
    problems = page_problems(DRAWN, RenderedDocument(rendered.id, 144, rendered.pages, without))
    assert problems == ["document_number: printed, but it has no box"]


def _png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_bytes_depend_on_neither_workers_nor_interruptions(batch, tmp_path):
    documents = batch.folder / "documents"
    render_batch(documents, tmp_path / "two", LocalShardPool(2))
    assert contents(tmp_path / "two") == contents(batch.folder / "images")
    (tmp_path / "two" / "part-00001.parquet").unlink()
    second = render_batch(documents, tmp_path / "two", LocalShardPool(1))
    assert (second.skipped, second.shards) == (2, 3)
    assert contents(tmp_path / "two") == contents(batch.folder / "images")


def test_another_resolution_is_rendered_anew(tmp_path):
    synthesize(seed_plan("batch-000", 2, 5), tmp_path / "documents", LocalShardPool(1), shard_size=2)
    widths = []
    for dpi in (72, 144, 144):
        render_batch(tmp_path / "documents", tmp_path / "images", LocalShardPool(1), dpi=dpi)
        widths.append(next(read_rendered(tmp_path / "images")).pages[0].width)
    assert widths[1] == widths[2] > widths[0] * 1.9


def test_pages_survive_the_table(batch):
    pairs = list(zip(batch.documents, batch.rendered, strict=True))[:4]
    assert pages_from_table(pages_to_table(pairs)) == [rendered for _, rendered in pairs]


def test_a_preview_is_small_enough_for_the_event_log(batch):
    assert all(len(preview_png(rendered)) <= 100_000 for rendered in batch.rendered[:3])


def test_a_cell_without_visible_ink_is_reported():
    drawn = drawn_as("order_form")[0]
    rendered = render(drawn)
    head = next(mark for mark in rendered.marks if mark.type is MarkType.CELL and mark.name == "0:0").fragments[0].box
    pixels = np.asarray(rendered.pages[0].open()).copy()
    pixels[int(head.y0) + 1 : int(head.y1) - 1, int(head.x0) + 1 : int(head.x1) - 1] = 230
    faded = (Page(_png(pixels), rendered.pages[0].width, rendered.pages[0].height), *rendered.pages[1:])
    problems = page_problems(drawn, RenderedDocument(rendered.id, rendered.dpi, faded, rendered.marks))
    assert [problem.split(":")[0] for problem in problems] == ["cell 0"]


def test_destroyed_fields_are_read_from_the_marks_alone(batch, tmp_path):
    drawn, rendered = batch.documents[0], batch.rendered[0]
    hidden = replace(
        rendered,
        marks=tuple(
            Mark(mark.type, mark.name, tuple(replace(part, visible=False) for part in mark.fragments))
            if mark.name == "issue_date"
            else mark
            for mark in rendered.marks
        ),
    )
    assert pages_from_table(pages_to_table([(drawn, hidden)])) == [hidden]
    table = pages_to_table([(drawn, hidden), (batch.documents[1], batch.rendered[1])])
    write_shard(tmp_path / "part-00000.parquet", table, "x")
    assert destroyed_fields(tmp_path) == {drawn.id: frozenset({"issue_date"})}
    assert "issue_date" not in VisibleDocument(drawn, hidden).values
    recipe = PairRecipe().with_counts(ocr_line=99, field_question=99, box_to_field=99, absent_field=0)
    asked = [pair for pair in make_pairs(drawn, hidden, recipe) if pair.target == "issue_date"]
    assert {pair.task for pair in asked} == {Task.FIELD_QUESTION, Task.OCR_LINE}
    assert {pair.response for pair in asked} == {ILLEGIBLE, f'{{"issue_date":"{ILLEGIBLE}"}}'}


SIDE = st.integers(1, 40)


@given(hnp.arrays(np.uint8, st.one_of(st.tuples(SIDE, SIDE), st.tuples(SIDE, SIDE, st.just(3)))))
def test_a_png_decodes_to_the_same_pixels_in_pillow_and_opencv(pixels):
    file = to_png(pixels)
    flags = cv2.IMREAD_GRAYSCALE if pixels.ndim == 2 else cv2.IMREAD_COLOR_RGB
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(file))), pixels)
    assert np.array_equal(cv2.imdecode(np.frombuffer(file, np.uint8), flags), pixels)


@pytest.mark.parametrize("engine", Engine)
def test_a_page_has_the_colours_of_its_style_unless_it_is_printed_in_black(engine):
    drawn = draw_document(seed_plan("batch-000", 1, 3, Recipe(knobs=NO_KNOBS, locales={"en_GB": 1.0})), 0)
    changes = {"engine": engine, "accent": "#c01020", "reversed_print": True, "damage": {}, "degradation": 0.0}
    images = {}
    for colours in Colours:
        look = drawn.presentation.model_copy(update=changes | {"colours": colours})
        images[colours] = render(drawn.model_copy(update={"presentation": look}), 72).pages[0].open()
    assert {colours: image.mode for colours, image in images.items()} == {
        Colours.COLOUR: "RGB",
        Colours.GREY_PRINT: "L",
        Colours.GREY: "L",
    }
    assert (np.asarray(images[Colours.COLOUR]) == (0xC0, 0x10, 0x20)).all(axis=-1).any()
