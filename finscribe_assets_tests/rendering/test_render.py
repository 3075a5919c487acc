import numpy as np
import pytest
from PIL import Image

from finscribe_assets.documents.generator import draw
from finscribe_assets.documents.recipe import seed_plan
from finscribe_assets.rendering import weasy
from finscribe_assets.rendering.batch import read_rendered, render_batch
from finscribe_assets.rendering.checks import problems_of, require_sound
from finscribe_assets.rendering.markup import to_html
from finscribe_assets.rendering.pages import Box, Fragment, Mark, MarkKind, Page, RenderedDocument, from_table, to_table
from finscribe_assets.rendering.preview import preview_png
from finscribe_assets.rendering.render import render
from finscribe_assets.rendering.system import missing_packages
from finscribe_assets.shards import LocalShardPool

DRAWN = draw(seed_plan("batch-000", 10, 3), 0)


def contents(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_this_machine_has_what_rendering_needs():
    assert missing_packages() == []


def test_every_page_of_the_batch_is_sound(batch):
    for drawn, rendered in zip(batch.documents, batch.rendered, strict=True):
        assert problems_of(drawn, rendered) == []
        for region in rendered.of_kind(MarkKind.REGION):
            assert region.name in {"header", "seller", "buyer", "totals", "payment"}


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
