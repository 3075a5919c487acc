"""Compare boxes with pixels: each field or cell gets a background colour of its own, which is located in the raster."""

from collections.abc import Iterator
from functools import cache
from itertools import chain, islice, pairwise
from random import Random

import numpy as np
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from weasyprint import HTML

from finscribe_assets.documents.drawn_document import DrawnDocument, Engine
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.layout_families import LAYOUTS_BY_TYPE
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.rendering import plutoprint_engine
from finscribe_assets.rendering.font_faces import text_width
from finscribe_assets.rendering.line_breaking import pieces_of, texts_of_lines
from finscribe_assets.rendering.mark_boxes import EMPTY_BOX_WIDTH, lay_out, marks_of, name_of_cell
from finscribe_assets.rendering.page_html import PageMarkup, to_markup
from finscribe_assets.rendering.pages import Box, MarkType
from finscribe_assets.rendering.plutoprint_engine import paint
from finscribe_assets.rendering.rasterising import POINTS_PER_INCH, pixel_size
from finscribe_assets_tests.documents.bills import drawn_bills

DPI = 144
DERIVED_MARKS = (MarkType.CELL, MarkType.TABLE)  # computed from the boxes of rows and columns
TOLERANCE = 1.5  # pixels


@cache
def drawn_at(index: int, knobs: tuple[tuple[str, float], ...]) -> DrawnDocument:
    recipe = Recipe(knobs=NO_KNOBS.model_copy(update={"optional_fields": 1.0} | dict(knobs)))
    return draw_document(seed_plan("batch-000", 300, 8, recipe), index)


def drawn_with(**knobs: float) -> Iterator[DrawnDocument]:
    return (drawn_at(index, tuple(knobs.items())) for index in range(300))


def example(layout: str, **knobs: float) -> DrawnDocument:
    return next(drawn for drawn in drawn_with(**knobs) if drawn.presentation.layout == layout)


Colour = tuple[int, int, int]
FIRST_RED, STEP, BLUES = 60, 6, 42  # the colours of marks, a step apart


def coloured(markup: PageMarkup, mark_type: MarkType, height: int) -> tuple[list[np.ndarray], dict[str, Colour]]:
    """Rasterise a document in colour: marks of a type have invisible text on a background colour of their own.

    Returns the pages (height × width × 3, uint8), cut below ``height`` pixels, and the colours by the marks' names.
    """
    selectors = _selectors(markup, mark_type)
    # Without green, so that no grey, and no edge blended with white, resembles one; at least 6 levels apart.
    # Shuffled, so that neighbours differ strongly.
    shades = [(FIRST_RED + red * STEP, 0, blue * STEP) for red in range(32) for blue in range(BLUES)]
    colours = dict(zip(selectors, Random(3).sample(shades, len(selectors)), strict=True))
    pluto_marks = markup.engine is Engine.PLUTOPRINT
    rules = "* { border-color: transparent !important }" + "".join(  # a cell's background ends under its border
        f"body {selector} {{background:rgb{colours[name]}!important;color:transparent!important}}"
        for name, of_mark in selectors.items()
        for selector in of_mark
    )
    html = markup.html.replace("</style>", rules + "</style>")
    enlarged = plutoprint_engine.CANVAS_SCALE if pluto_marks else 1
    pdf = pypdfium2.PdfDocument(plutoprint_engine._pdf_of(html) if pluto_marks else HTML(string=html).write_pdf())
    scale = DPI / POINTS_PER_INCH / enlarged
    below = [max(0, pixel_size(page.get_height(), scale) - height) / scale for page in pdf]
    plain = {"rev_byteorder": True, "may_draw_forms": False, "draw_annots": False}
    bitmaps = [page.render(scale=scale, crop=(0, cut, 0, 0), **plain) for page, cut in zip(pdf, below, strict=True)]
    return [bitmap.to_numpy()[..., :3] for bitmap in bitmaps], colours


def _selectors(markup: PageMarkup, mark_type: MarkType) -> dict[str, list[str]]:
    """Return the CSS selectors of all marks of a type, by name; a cell is a child of its row."""
    selectors: dict[str, list[str]] = {}
    for number, marked in enumerate(markup.elements):
        element = f'[href="http://m/{number}"]' if markup.engine is Engine.PLUTOPRINT else f'[data-mark="{number}"]'
        if marked.type is mark_type:
            selectors.setdefault(marked.name, []).append(element)
        if marked.type is MarkType.ROW and mark_type is MarkType.CELL:
            for position, cell in enumerate(marked.cells, 1):
                selectors.setdefault(name_of_cell(marked, cell), []).append(f"{element} > :nth-child({position})")
    return selectors


def edges(page: np.ndarray) -> np.ndarray:
    """Return where two colours mix: pixels with no similar neighbour in their column or none in their row."""
    alike = [np.abs(np.diff(page.astype(np.int16), axis=axis)).max(axis=-1) <= 2 for axis in (0, 1)]
    down, right = np.pad(alike[0], ((1, 1), (0, 0))), np.pad(alike[1], ((0, 0), (1, 1)))
    return ~((down[1:] | down[:-1]) & (right[:, 1:] | right[:, :-1]))


CASES = [(layout, {}) for layout in dict.fromkeys(chain.from_iterable(LAYOUTS_BY_TYPE.values()))] + [
    ("invoice_classic", {"many_lines": 1.0}),
    ("order_form", {"wrapped_descriptions": 1.0}),
    ("receipt_slip", {"wrapped_descriptions": 1.0, "several_rates": 1.0}),
    ("invoice_sidebar", {"reversed_print": 1.0}),
    ("receipt_till", {"wrapped_descriptions": 1.0, "long_amounts": 1.0}),
    ("invoice_classic", {"merged_headers": 1.0}),
]


# The engines take turns; what the other one makes of a case takes minutes and is tested with -m slow.
CASES_BY_ENGINE = [
    pytest.param(layout, knobs, engine, marks=() if (number + turn) % 2 else pytest.mark.slow)
    for number, (layout, knobs) in enumerate(CASES)
    for turn, engine in enumerate(Engine)
]


@pytest.mark.parametrize("mark_type", [MarkType.FIELD, MarkType.CELL])
@pytest.mark.parametrize(("layout", "knobs", "engine"), CASES_BY_ENGINE)
def test_every_box_is_where_its_pixels_are(layout, knobs, engine, mark_type):
    drawn = example(layout, **knobs)
    markup = to_markup(drawn, engine)
    laid_out = lay_out(markup, DPI)
    pages, colours = coloured(markup, mark_type, laid_out.pages[0].shape[0])
    marks = {mark.name: mark for mark in laid_out.marks if mark.type is mark_type}
    if mark_type is MarkType.FIELD:
        assert marks.keys() == drawn.printed.keys()
    if "many_lines" in knobs:
        assert len(pages) > 1
    # Only the background of a mark has red and no green at all.
    points = [np.argwhere((page[..., 0] >= 56) & (page[..., 1] <= 2) & ~edges(page)) for page in pages]
    hulls = [_hulls(page[tuple(on_page.T)], on_page) for page, on_page in zip(pages, points, strict=True)]
    for name, mark in marks.items():
        if mark_type is MarkType.FIELD:
            assert "".join(mark.text.split()) == "".join(drawn.printed[name].split())
        for number in {part.page for part in mark.fragments}:
            hull = np.array(_hull([part.box for part in mark.fragments if part.page == number]))
            of_mark = hulls[number][colours[name]]
            assert np.abs(hull - of_mark).max() <= TOLERANCE, (name, hull, of_mark)


def _hulls(shades: np.ndarray, points: np.ndarray) -> dict[Colour, np.ndarray]:
    """Return the hull (x0, y0, x1, y1) of the points of each colour; shades (points × 3) may be 2 levels off it."""
    levels = np.rint((shades.astype(int) - (FIRST_RED, 0, 0)) / STEP).astype(int)
    exact = levels * STEP + (FIRST_RED, 0, 0)
    near = (np.abs(shades - exact) <= 2).all(axis=-1)
    order = np.lexsort(exact[near].T)
    exact, points = exact[near][order], points[near][order]
    starts = np.flatnonzero(np.r_[len(points) > 0, (np.diff(exact, axis=0) != 0).any(axis=-1)])
    low, high = np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts) + 1
    hulls = np.stack([low[:, 1], low[:, 0], high[:, 1], high[:, 0]], axis=-1)
    return {tuple(exact[start].tolist()): hull for start, hull in zip(starts, hulls, strict=True)}


def _hull(boxes: list[Box]) -> tuple[float, float, float, float]:
    return (min(b.x0 for b in boxes), min(b.y0 for b in boxes), max(b.x1 for b in boxes), max(b.y1 for b in boxes))


@pytest.mark.parametrize("engine", list(Engine))
def test_a_wrapped_value_has_a_fragment_a_line_and_neighbours_do_not_touch(engine):
    all_drawn = drawn_with(wrapped_descriptions=1.0)
    candidates = (drawn for drawn in all_drawn if drawn.presentation.layout == "invoice_sidebar")
    drawn = next(drawn for drawn in candidates if len(drawn.document.lines[0].item_name) > 45)
    marks = [mark for mark in lay_out(to_markup(drawn, engine), DPI).marks if mark.name.endswith("item_name")]
    wrapped = [mark for mark in marks if len(mark.fragments) > 1]
    assert wrapped
    for mark in wrapped:
        assert all(part.text for part in mark.fragments)
        for above, below in pairwise(mark.fragments):
            assert below.page > above.page or below.box.y0 > above.box.y1 - TOLERANCE


def test_texts_derived_from_line_widths_are_those_that_weasyprint_reports():
    """WeasyPrint reports the text of each line; for PlutoPrint it is derived from the lines' widths alone."""
    compared = 0
    for drawn in islice(drawn_with(wrapped_descriptions=1.0), 24):
        markup = to_markup(drawn, Engine.WEASYPRINT)
        for mark in lay_out(markup, DPI).marks:
            if mark.type is MarkType.FIELD and len(mark.fragments) > 1 and mark.text[0] < "\u0600":  # Latin
                pieces = pieces_of(drawn.printed[mark.name], markup.language, mark.name)
                widths = [part.box.width for part in mark.fragments]
                assert texts_of_lines(pieces, widths, markup.font) == [part.text for part in mark.fragments]
                compared += 1
    assert compared > 20


@given(st.lists(st.text("abcilmMW.", min_size=1, max_size=12), min_size=1, max_size=12), st.data())
def test_lines_of_any_text_are_derived_from_their_widths(words, data):
    pieces = [(" " if index else "", word) for index, word in enumerate(words)]
    cuts = data.draw(st.sets(st.integers(1, len(words) - 1)) if len(words) > 1 else st.just(set()))
    lines = [" ".join(words[start:end]) for start, end in pairwise([0, *sorted(cuts), len(words)])]
    widths = [3.7 * text_width(line, "Noto Sans", bold=True) for line in lines]
    derived = texts_of_lines(pieces, widths, "Noto Sans")
    assert " ".join(derived) == " ".join(lines)
    if len(lines) <= 2 and len(set(words)) == len(words):
        assert derived == lines


def test_more_lines_than_words_are_refused():
    with pytest.raises(ValueError, match="3 lines for a text of 2 pieces: 'one two'"):
        texts_of_lines([("", "one"), (" ", "two")], [1.0, 1.0, 1.0], "Noto Sans")


def test_no_mark_stays_where_plutoprint_paints_nothing():
    """PlutoPrint also reports some rows and blocks in the margin of the page before or after the one they are on."""
    found = 0
    for drawn in drawn_bills(300, 11, many_lines=0.7):
        markup = to_markup(drawn, Engine.PLUTOPRINT)
        marked = {number for number, element in enumerate(markup.elements) if element.type is not None}
        reported = list(paint(markup.html, DPI // 4, markup.content_mark, in_colour=False).mark_boxes)
        count = sum(mark_box.mark in marked and mark_box.box.width > EMPTY_BOX_WIDTH for mark_box in reported)
        kept = [mark for mark in marks_of(markup, reported) if mark.type not in DERIVED_MARKS]
        if count == sum(len(mark.fragments) for mark in kept):
            continue
        found += 1
        laid_out = lay_out(markup, DPI)
        for mark in laid_out.marks:
            for part in mark.fragments if mark.type in (MarkType.FIELD, MarkType.ROW, MarkType.REGION) else ():
                box = part.box
                area = laid_out.pages[part.page][int(box.y0) : int(box.y1) + 1, int(box.x0) : int(box.x1) + 1]
                assert area.size and int(area.max()) - int(area.min()) > 60, (drawn.id, mark.name)
        if found == 1:
            return
    pytest.fail("no document had a row or block that PlutoPrint reports twice")


@pytest.mark.parametrize("engine", list(Engine))
def test_rows_hold_their_cells_and_the_table_its_rows(engine):
    drawn = example("invoice_classic", many_lines=1.0, wrapped_descriptions=1.0)
    marks = lay_out(to_markup(drawn, engine), DPI).marks
    rows = {mark.name: mark for mark in marks if mark.type is MarkType.ROW}
    (table,) = [mark for mark in marks if mark.type is MarkType.TABLE]
    assert len(rows) == len(drawn.document.lines) + 1
    for row in rows.values():
        for part in row.fragments:
            (around,) = [whole.box for whole in table.fragments if whole.page == part.page]
            assert around.around(part.box) == around
    for cell in (mark for mark in marks if mark.type is MarkType.CELL):
        for part in cell.fragments:
            (around,) = [row.box for row in rows[cell.name.split(":")[0]].fragments if row.page == part.page]
            assert around.padded(0.01).around(part.box) == around.padded(0.01)
            assert (around.y0, around.y1) == (part.box.y0, part.box.y1)
    # Rows follow each other without a gap and without an overlap.
    for number in range(max(part.page for part in table.fragments) + 1):
        on_page = [part.box for row in rows.values() for part in row.fragments if part.page == number]
        on_page.sort(key=lambda box: box.y0)
        for above, below in pairwise(on_page):
            assert abs(below.y0 - above.y1) <= 2.5
