import numpy as np
import pytest
from PIL import Image

from finscribe_assets.documents.generator import draw
from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.recipe import FONTS, LAYOUTS, LOCALES, Recipe, fonts_for, seed_plan
from finscribe_assets.rendering import weasy
from finscribe_assets.rendering.batch import read_rendered, render_batch
from finscribe_assets.rendering.checks import problems_of, require_sound
from finscribe_assets.rendering.markup import to_html
from finscribe_assets.rendering.pages import Box, Fragment, Mark, MarkKind, Page, RenderedDocument, from_table, to_table
from finscribe_assets.rendering.preview import preview_png
from finscribe_assets.rendering.render import render
from finscribe_assets.rendering.system import FONT_PACKAGES, missing_packages
from finscribe_assets.shards import LocalShardPool

DRAWN = draw(seed_plan("batch-000", 10, 3), 0)


def contents(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_this_machine_has_what_rendering_needs():
    assert missing_packages() == []


def test_without_a_font_nothing_is_rendered_and_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(FONT_PACKAGES, "No Such Family", "fonts-no-such")
    with pytest.raises(RuntimeError, match=r"apt-get install .* fonts-no-such"):
        render_batch(tmp_path, tmp_path / "images", LocalShardPool(1))
    assert not (tmp_path / "images").exists()


def test_every_font_of_a_recipe_has_a_package():
    assert set(FONT_PACKAGES) == set(FONTS)


EVERY_LAYOUT = [layout for layouts in LAYOUTS.values() for layout in layouts]


def drawn_as(layout, font=None, **knobs):
    """The first documents of a layout, one for each locale that comes up."""
    fonts = [font] if font else FONTS
    locales = {locale: 1.0 for locale in LOCALES if set(fonts) & set(fonts_for(locale))}
    recipe = Recipe(knobs=NO_KNOBS.model_copy(update=knobs), fonts=dict.fromkeys(fonts, 1.0), locales=locales)
    plan = seed_plan("batch-000", 60, 12, recipe)
    found = [drawn for drawn in (draw(plan, index) for index in range(60)) if drawn.presentation.layout == layout]
    return list({drawn.document.locale: drawn for drawn in found}.values())


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
def test_the_head_of_a_table_in_reversed_print_can_be_read(layout):
    drawn = drawn_as(layout, reversed_print=1.0)[0]
    rendered = render(drawn)
    page = np.asarray(rendered.pages[0].open())
    heads = [mark.fragments[0] for mark in rendered.of_kind(MarkKind.CELL) if mark.name.startswith("0:")]
    assert len(heads) == len(drawn.presentation.columns)
    for head in heads:
        inside = head.box.padded(-4)
        pixels = page[int(inside.y0) : int(inside.y1), int(inside.x0) : int(inside.x1)]
        assert np.median(pixels) < 130
        assert pixels.max() > 200, head.text


# The widest and the narrowest roll, with the widest fonts.
@pytest.mark.parametrize(("layout", "font"), [
    ("receipt_till", "DejaVu Sans Mono"), ("receipt_till", "DejaVu Sans"), ("receipt_slip", "Courier Prime"),
    ("invoice_sidebar", "Liberation Mono"), ("invoice_sidebar", "B612"), ("order_form", "DejaVu Serif"),
])  # fmt: skip
def test_no_word_or_number_of_the_table_breaks_inside(layout, font):
    for drawn in drawn_as(layout, font, long_amounts=1.0, wrapped_descriptions=1.0, label_synonyms=1.0):
        wanted = {f"0:{place}": drawn.presentation.labels[f"lines.{column}"]
                  for place, column in enumerate(drawn.presentation.columns)}
        wanted |= {f"{row + 1}:{place}": drawn.printed.get(f"lines[{row}].{column}", "")
                   for row in range(len(drawn.document.lines))
                   for place, column in enumerate(drawn.presentation.columns)}
        shown = {mark.name: mark.text for mark in weasy.lay_out(to_html(drawn), 72).marks
                 if mark.kind is MarkKind.CELL and len(mark.fragments) == 1}
        assert shown
        assert shown == {name: " ".join(wanted[name].split(" ")) for name in shown}


def test_the_head_is_repeated_on_each_page_and_its_fields_are_not():
    drawn = drawn_as("invoice_classic", many_lines=1.0, wrapped_descriptions=1.0, repeated_headers=1.0)[0]
    rendered = render(drawn)
    assert len(rendered.pages) > 1
    head = next(mark for mark in rendered.of_kind(MarkKind.ROW) if mark.name == "0")
    assert [part.page for part in head.fragments] == list(range(len(head.fragments)))
    assert len(head.fragments) > 1
    for mark in rendered.of_kind(MarkKind.FIELD):
        assert "".join(mark.text.split()) == "".join(drawn.printed[mark.name].split())


@pytest.mark.parametrize("locale", LOCALES)
def test_pages_of_every_locale_are_sound(locale):
    """With every knob of the default recipe; what fails names the document and the field."""
    plan = seed_plan("batch-000", 8, 21, Recipe(locales={locale: 1.0}))
    for index in range(8):
        drawn = draw(plan, index)
        assert problems_of(drawn, render(drawn)) == [], drawn.presentation.layout


def test_a_subtotal_carried_forward_ends_its_page():
    drawn = next(d for d in drawn_as("invoice_classic", many_lines=1.0, carried_forward=1.0)
                 if d.document.page_subtotals)  # fmt: skip
    rendered = render(drawn)
    fields = {mark.name: mark for mark in rendered.of_kind(MarkKind.FIELD)}
    for number, subtotal in enumerate(drawn.document.page_subtotals):
        carried = fields[f"page_subtotals[{number}].amount"].fragments[0].page
        assert fields[f"lines[{int(subtotal.after) - 1}].item_name"].fragments[-1].page == carried
        assert fields[f"lines[{int(subtotal.after)}].item_name"].fragments[0].page == carried + 1


def test_every_page_of_the_batch_is_sound(batch):
    for drawn, rendered in zip(batch.documents, batch.rendered, strict=True):
        assert problems_of(drawn, rendered) == []
        for region in rendered.of_kind(MarkKind.REGION):
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


@pytest.mark.parametrize("attack", [
    '<img src="file:///etc/passwd">', "<script>alert(1)</script>", '<style>@import url("http://127.0.0.1/x.css")</style>',
    '</span><div style="background:url(file:///etc/passwd)">', '<link rel=stylesheet href="http://127.0.0.1/">',
])  # fmt: skip
def test_markup_in_a_value_is_printed_as_text(attack, monkeypatch):
    asked = []
    monkeypatch.setattr(weasy, "_refuse", lambda url, *args, **options: asked.append(url))
    poisoned = DRAWN.model_copy(update={"printed": DRAWN.printed | {"seller.name": attack}})
    marks = weasy.lay_out(to_html(poisoned), 100).marks
    shown = next(mark for mark in marks if mark.name == "seller.name")
    assert "".join(shown.text.split()) == "".join(attack.split())
    assert asked == []


def test_the_engine_refuses_files_and_network():
    with pytest.raises(PermissionError):
        weasy._refuse("file:///etc/passwd")


def test_problems_are_found_and_name_the_document_and_field():
    rendered = render(DRAWN)
    blank = Page(_png(np.full((300, 300), 255, np.uint8)), 300, 300)
    marks = tuple(mark for mark in rendered.marks if mark.name != "document_number")
    outside = Mark(MarkKind.FIELD, "totals.amount_due", (Fragment(0, Box(290, 10, 340, 20), "wrong"),))
    broken = RenderedDocument(
        rendered.id, 144, (blank,), (*[m for m in marks if m.name != "totals.amount_due"][:0], outside)
    )
    said = "\n".join(problems_of(DRAWN, broken))
    assert "document_number: printed, but without a box" in said
    assert "totals.amount_due: its box" in said
    assert "instead of" in said
    with pytest.raises(ValueError, match=rendered.id):
        require_sound(DRAWN, broken)


def test_a_box_without_ink_is_found():
    rendered = render(DRAWN)
    white = tuple(
        Page(_png(np.full((page.height, page.width), 255, np.uint8)), page.width, page.height)
        for page in rendered.pages
    )
    assert len(problems_of(DRAWN, RenderedDocument(rendered.id, 144, white, rendered.marks))) >= len(DRAWN.printed)


def _png(pixels):
    import io

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_bytes_depend_on_neither_workers_nor_interruptions(batch, tmp_path):
    documents = batch.folder / "documents"
    render_batch(documents, tmp_path / "two", LocalShardPool(2))
    assert contents(tmp_path / "two") == contents(batch.folder / "images")
    (tmp_path / "two" / "part-00001.parquet").unlink()
    again = render_batch(documents, tmp_path / "two", LocalShardPool(1))
    assert (again.skipped, again.shards) == (2, 3)
    assert contents(tmp_path / "two") == contents(batch.folder / "images")


def test_another_resolution_is_rendered_anew(batch, tmp_path):
    render_batch(batch.folder / "documents", tmp_path, LocalShardPool(2), dpi=72)
    assert next(read_rendered(tmp_path)).pages[0].width < batch.rendered[0].pages[0].width


def test_pages_survive_the_table(batch):
    pairs = list(zip(batch.documents, batch.rendered, strict=True))[:4]
    assert from_table(to_table(pairs)) == [rendered for _, rendered in pairs]


def test_a_preview_is_small_enough_for_the_event_log(batch):
    assert all(len(preview_png(rendered)) <= 100_000 for rendered in batch.rendered[:3])


def test_values_over_each_other_and_cells_that_cannot_be_seen_are_found():
    drawn = drawn_as("order_form")[0]
    rendered = render(drawn)
    place = next(mark for mark in rendered.marks if mark.name == "seller.name").fragments[0].box
    over = tuple(
        Mark(mark.kind, mark.name, (Fragment(0, place, mark.text),)) if mark.name == "document_number" else mark
        for mark in rendered.marks
    )
    said = "\n".join(problems_of(drawn, RenderedDocument(rendered.id, rendered.dpi, rendered.pages, over)))
    assert "document_number and seller.name: printed over each other" in said
    head = next(mark for mark in rendered.marks if mark.kind is MarkKind.CELL and mark.name == "0:0").fragments[0].box
    pixels = np.asarray(rendered.pages[0].open()).copy()
    pixels[int(head.y0) + 1 : int(head.y1) - 1, int(head.x0) + 1 : int(head.x1) - 1] = 230
    faded = (Page(_png(pixels), rendered.pages[0].width, rendered.pages[0].height), *rendered.pages[1:])
    said = problems_of(drawn, RenderedDocument(rendered.id, rendered.dpi, faded, rendered.marks))
    assert [problem.split(":")[0] for problem in said] == ["cell 0"]
