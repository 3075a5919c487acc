"""Boxes against pixels: each field gets a background colour of its own, and is looked for in the raster."""

import io
from random import Random

import numpy as np
import pypdfium2
import pytest
from PIL import Image
from weasyprint import HTML

from finscribe_assets.documents.drawn import DrawnDocument
from finscribe_assets.documents.generator import draw
from finscribe_assets.documents.recipe import LAYOUTS, Knobs, Recipe, seed_plan
from finscribe_assets.rendering.degradation import degrade
from finscribe_assets.rendering.markup import to_html
from finscribe_assets.rendering.pages import MarkKind
from finscribe_assets.rendering.weasy import lay_out

DPI = 144
QUIET = dict.fromkeys(Knobs.model_fields, 0.0)


def example(layout: str, **knobs: float) -> DrawnDocument:
    plan = seed_plan("batch-000", 500, 8, Recipe(knobs=Knobs(**QUIET | {"optional_fields": 1.0} | knobs)))
    return next(drawn for drawn in (draw(plan, index) for index in range(500)) if drawn.presentation.layout == layout)


def coloured(drawn: DrawnDocument) -> tuple[list[np.ndarray], dict[str, tuple[int, int, int]]]:
    """Rasterise the document in colour, every field's text invisible on a background that is its own."""
    # Without green, so that neither a grey nor an edge blended with white comes near; at least 6 levels apart.
    # In no order, so that neighbours differ by much.
    shades = [(60 + red * 6, 0, blue * 6) for red in range(32) for blue in range(42)]
    colours = dict(zip(drawn.printed, Random(3).sample(shades, len(drawn.printed)), strict=True))
    assert len(set(colours.values())) == len(colours)
    rules = "".join(
        f'[data-mark="field:{name}"]{{background:rgb{colour};color:transparent}}' for name, colour in colours.items()
    )
    html = to_html(drawn, 500).replace("</style>", rules + "</style>")
    pages = pypdfium2.PdfDocument(HTML(string=html).write_pdf())
    return [page.render(scale=DPI / 72, rev_byteorder=True).to_numpy()[..., :3] for page in pages], colours


def edges(page: np.ndarray) -> np.ndarray:
    """Tell which pixels have no neighbour alike in their column, or none in their row: there the colours of two mix."""
    alike = [np.abs(np.diff(page.astype(int), axis=axis)).max(axis=-1) <= 2 for axis in (0, 1)]
    down, right = np.pad(alike[0], ((1, 1), (0, 0))), np.pad(alike[1], ((0, 0), (1, 1)))
    return ~((down[1:] | down[:-1]) & (right[:, 1:] | right[:, :-1]))


CASES = [(layout, {}) for layouts in LAYOUTS.values() for layout in layouts] + [
    ("invoice_classic", {"many_lines": 1.0}), ("order_form", {"wrapped_descriptions": 1.0}),
    ("receipt_slip", {"wrapped_descriptions": 1.0, "several_rates": 1.0}), ("invoice_sidebar", {"reversed_print": 1.0}),
    ("receipt_till", {"wrapped_descriptions": 1.0, "long_amounts": 1.0}),
]  # fmt: skip


@pytest.mark.parametrize(("layout", "knobs"), CASES)
def test_every_box_is_where_its_pixels_are(layout, knobs):
    drawn = example(layout, **knobs)
    pages, colours = coloured(drawn)
    laid_out = lay_out(to_html(drawn, 500), DPI)
    fields = {mark.name: mark for mark in laid_out.marks if mark.kind is MarkKind.FIELD}
    assert fields.keys() == drawn.printed.keys()
    if "many_lines" in knobs:
        assert len(pages) > 1
    # Only a field's ground has red and no green at all.
    places = [np.argwhere((page[..., 0] >= 56) & (page[..., 1] <= 2) & ~edges(page)) for page in pages]
    shades = [page[tuple(place.T)].astype(int) for page, place in zip(pages, places, strict=True)]
    for name, mark in fields.items():
        assert "".join(mark.text.split()) == "".join(drawn.printed[name].split())
        for number in {part.page for part in mark.fragments}:
            found = places[number][(np.abs(shades[number] - colours[name]) <= 2).all(axis=-1)]
            boxes = [part.box for part in mark.fragments if part.page == number]
            hull = (
                min(b.x0 for b in boxes),
                min(b.y0 for b in boxes),
                max(b.x1 for b in boxes),
                max(b.y1 for b in boxes),
            )
            (y0, x0), (y1, x1) = found.min(axis=0), found.max(axis=0) + 1
            assert np.abs(np.array(hull) - (x0, y0, x1, y1)).max() <= 1.5, (name, hull, (x0, y0, x1, y1))


def test_a_wrapped_value_has_a_fragment_a_line_and_neighbours_do_not_touch():
    drawn = example("order_letter", wrapped_descriptions=1.0)
    marks = [mark for mark in lay_out(to_html(drawn), DPI).marks if mark.name.endswith("item_name")]
    wrapped = [mark for mark in marks if len(mark.fragments) > 1]
    assert wrapped
    for mark in wrapped:
        for above, below in zip(mark.fragments, mark.fragments[1:], strict=False):
            assert below.page > above.page or below.box.y0 > above.box.y1


def test_boxes_follow_the_skew():
    page = np.full((900, 700), 255, dtype=np.uint8)
    drawn = example("invoice_classic")
    marks = [mark for mark in lay_out(to_html(drawn), DPI).marks if mark.kind is MarkKind.FIELD][:1]
    box = marks[0].fragments[0].box
    page[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = 0
    (damaged,), moved = degrade([page], marks, 1.0, seed=4)
    ink = np.argwhere(damaged < 128)
    (y0, x0), (y1, x1) = ink.min(axis=0), ink.max(axis=0) + 1
    after = moved[0].fragments[0].box
    assert np.abs(np.array([after.x0, after.y0, after.x1, after.y1]) - (x0, y0, x1, y1)).max() <= 3
    assert not np.array_equal(damaged, page)


def test_without_degradation_pixels_are_untouched():
    drawn = example("order_form")
    pages = lay_out(to_html(drawn), DPI).pages
    same, _ = degrade(pages, [], 0.0, seed=4)
    assert all(np.array_equal(a, b) for a, b in zip(pages, same, strict=True))
    from finscribe_assets.rendering.render import render

    decoded = np.asarray(Image.open(io.BytesIO(render(drawn, DPI).pages[0].image)))
    assert np.array_equal(decoded, pages[0])
