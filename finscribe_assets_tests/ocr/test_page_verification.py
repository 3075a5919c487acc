"""Page verification: what counts as read, on pages whose shades encode their texts; and the real engine, once."""

from __future__ import annotations

import io
import socket

import numpy as np
import pytest
from PIL import Image

from finscribe_assets.documents.fonts import fonts_for
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.ocr import rapidocr_engine
from finscribe_assets.ocr.failure_pictures import failure_picture, failures_html, picture_file_name
from finscribe_assets.ocr.page_verification import VerificationTally, read_fields, script_of, similarity
from finscribe_assets.rendering.page_sampling import clean_pages, sample_documents, stored_pages
from finscribe_assets.rendering.pages import Box, Fragment, Mark, MarkType, Page, RenderedDocument
from finscribe_assets.rendering.preview import png_of
from finscribe_assets.rendering.render import render

DRAWN = draw_document(seed_plan("batch-000", 10, 3), 0)
ROW_HEIGHT = 20  # pixels from one field to the next


class ShadeReader:
    """A reader for test pages: a crop that is filled with shade n reads as text n, any other crop as nothing."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        self.crops_read = 0

    def read(self, crops):
        self.crops_read += len(crops)
        return [self.texts[int(crop.max())] if crop.max() == crop.min() < len(self.texts) else "" for crop in crops]


def boxed(*texts, invisible=(), boxes=None):
    """Return a document that prints texts (a list for one that wraps), its pages, and a reader that reads them."""
    pixels = np.full((400, 300), 255, np.uint8)
    marks, printed, all_lines = [], {}, []
    for text in texts:
        lines = [text] if isinstance(text, str) else text
        path = f"lines[{len(marks)}].note"
        printed[path] = " ".join(lines)
        fragments = []
        for line in lines:
            shade = len(all_lines)
            box = Box(10, shade * ROW_HEIGHT + 4, 100, shade * ROW_HEIGHT + 18)
            pixels[int(box.y0) : int(box.y1), 10:100] = shade
            fragments.append(Fragment(0, box, line, shade not in invisible))
            all_lines.append(line)
        marks.append(Mark(MarkType.FIELD, path, tuple(fragments)))
    for number, box in (boxes or {}).items():
        fragments = (Fragment(0, box, texts[number]),) if box else ()
        marks[number] = Mark(MarkType.FIELD, marks[number].name, fragments)
    page = Page(png_of(Image.fromarray(pixels)), 300, 400)
    drawn = DRAWN.model_copy(update={"printed": printed})
    return drawn, RenderedDocument(drawn.id, 144, (page,), tuple(marks)), ShadeReader(*all_lines)


def report_of(drawn, rendered, reader):
    tally = VerificationTally()
    tally.add(read_fields(drawn, rendered, reader))
    return tally.report("clean")


def test_what_is_read_as_printed_is_found():
    report = report_of(*boxed("Rechnung", "1.234,56 €", ["12 Mill", "Lane"]))
    assert (report.judged.fields, report.judged.found, report.judged.similarity) == (3, 3, 1.0)
    assert report.passed
    assert report.failures == ()
    look = DRAWN.presentation
    assert [*report.by_layout, *report.by_font, *report.by_locale] == [look.layout, look.font, DRAWN.document.locale]


def test_a_wrong_character_fails_a_short_value_and_is_listed():
    drawn, rendered, _ = boxed("12.50", "Filter coffee, whole beans", "INV-7")
    report = report_of(drawn, rendered, ShadeReader("12.60", "Filter coffee, whole beens", "INV-7"))
    assert (report.judged.found, report.judged.share, report.passed) == (2, 0.6667, False)
    (failure,) = report.failures
    assert (failure.document, failure.field, failure.printed, failure.read, failure.similarity) == (
        drawn.id,
        "lines[0].note",
        "12.50",
        "12.60",
        0.8,
    )
    assert [(location.page, location.box) for location in failure.places] == [(0, (10, 4, 100, 18))]


@pytest.mark.parametrize(
    "box",
    [
        Box(10, 300, 100, 314),  # blank paper
        Box(10, 12, 100, 26),  # half of it, and half of the next
        Box(6, 4, 100, 18),  # more than it
        Box(900, 4, 990, 18),  # beside the page
        Box(-90, -18, -10, -4),
        None,
    ],
)
def test_a_wrong_box_is_counted_and_listed(box):
    report = report_of(*boxed("first", "second", boxes={0: box}))
    assert (report.judged.fields, report.judged.found) == (2, 1)
    assert [(failure.field, failure.read, len(failure.places)) for failure in report.failures] == [
        ("lines[0].note", "", 1 if box else 0)
    ]


def test_the_box_of_another_value_is_a_failure():
    report = report_of(*boxed("first", "second", boxes={0: Box(10, 24, 100, 38)}))
    assert [(failure.printed, failure.read) for failure in report.failures] == [("first", "second")]


def test_other_scripts_are_not_judged():
    drawn, rendered, reader = boxed("Total", "株式会社 ABC", "令和6年", "شركة النور", "١٢٣٫٤٥", "Καφές")
    report = report_of(drawn, rendered, reader)
    assert (report.judged.fields, report.apart["cjk"].fields, report.unread) == (1, 2, {"arabic": 2, "other": 1})
    assert reader.crops_read == 3
    wrong = report_of(drawn, rendered, ShadeReader("Total", "wrong", "wrong"))
    assert (wrong.passed, wrong.failures, wrong.apart["cjk"].found) == (True, (), 0)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Łódź, 12½ × 3 °C", "latin"),
        ("€ £ ¥ ₹ $ zł", "latin"),
        ("−12’345.60", "latin"),
        ("１２３", "latin"),
        ("12円", "cjk"),
        ("〒100-0001", "cjk"),
        ("コーヒー", "cjk"),
        ("د.إ 5", "arabic"),
        ("٪5", "arabic"),
        ("Кофе", "other"),
        ("円 د", "other"),
    ],
)
def test_the_script_of_a_text(text, script):
    assert script_of(text) == script


@pytest.mark.parametrize(
    ("printed", "read", "expected"),
    [
        ("1 234,50", "1234,50", 1.0),  # a narrow space
        ("１２３", "123", 1.0),
        ("1’234", "1'234", 1.0),
        ("₹1,250.00", "1,250.00", 1.0),
        ("IBAN", "iban", 0.0),  # case is kept
        ("O0", "00", 0.5),  # look-alikes are not folded
        ("", "x", 0.0),
        ("XXXX XXXX XXXX 1287", "xxxx xxxxx 1287", 1.0),
        ("**** **** **** 1287", "********1288", 0.8),  # the digits of a masked number count
        ("XXX", "xxx", 0.0),  # too short for a mask
    ],
)
def test_similarity(printed, read, expected):
    assert similarity(printed, read) == expected


def test_on_a_page_from_right_to_left_a_sign_stands_on_the_other_side_but_no_number_is_turned_round():
    drawn, rendered, _ = boxed("5 %", "19.50 ¥", "06 555 8547")
    turned = ShadeReader("% 5", "¥ 19.50", "8547 555 06")
    assert report_of(drawn, rendered, turned).judged.found == 0
    arabic = drawn.model_copy(update={"document": drawn.document.model_copy(update={"locale": "ar_AE"})})
    assert [failure.printed for failure in report_of(arabic, rendered, turned).failures] == ["06 555 8547"]


def test_unreadable_fields_are_left_out():
    drawn, rendered, _ = boxed("first", ["12 Mill", "Lane"], invisible={0, 2})
    reader = ShadeReader("not read", "12 Mill", "not read")
    report = report_of(drawn, rendered, reader)
    assert (report.judged.fields, report.judged.found, report.invisible, reader.crops_read) == (1, 1, 1, 1)


@pytest.mark.parametrize(("wrong", "passed"), [(2, True), (3, False)])
def test_two_fields_in_a_hundred_may_be_missed(wrong, passed):
    drawn, rendered, right = boxed(*map(str, range(10)))
    poor = ShadeReader(*("x" if number < wrong else str(number) for number in range(10)))
    tally = VerificationTally()
    for reader in (*[right] * 9, poor):
        tally.add(read_fields(drawn, rendered, reader))
    report = tally.report("clean")
    assert (report.judged.fields, report.judged.found, report.passed) == (100, 100 - wrong, passed)


def test_a_verification_without_judged_fields_is_an_error():
    with pytest.raises(ValueError, match="so nothing was verified"):
        report_of(*boxed("شركة"))


def test_a_sample_is_a_function_of_its_seed_in_the_batchs_order(batch):
    documents = batch.folder / "documents"
    names = [[drawn.id for drawn in sample_documents(documents, 9, seed)] for seed in (1, 1, 2)]
    assert names[0] == names[1] != names[2]
    assert all(len(set(sample)) == 9 and sample == sorted(sample) for sample in names)
    assert [drawn.id for drawn in sample_documents(documents, 999, 5)] == [drawn.id for drawn in batch.documents]


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        sample_documents(tmp_path, 3, 0)


def test_clean_pages_have_no_damage():
    look = DRAWN.presentation.model_copy(update={"degradation": 1.0, "damage": {"blur": 1.0, "skew": 1.0}})
    damaged = DRAWN.model_copy(update={"presentation": look})
    ((drawn, rendered),) = clean_pages([damaged])
    untouched = DRAWN.presentation.model_copy(update={"degradation": 0.0, "damage": {}})
    assert drawn == damaged  # the report has the document as it was drawn
    assert rendered == render(DRAWN.model_copy(update={"presentation": untouched}))
    assert rendered.pages != render(damaged).pages


def test_stored_pages_of_given_documents(batch):
    wanted = batch.documents[5:30:8]
    documents = list(stored_pages(reversed(wanted), batch.folder / "images"))
    assert [drawn for drawn, _ in documents] == wanted
    assert [rendered for _, rendered in documents] == batch.rendered[5:30:8]
    stranger = DRAWN.model_copy(update={"id": "batch-009-000001"})
    with pytest.raises(ValueError, match="no pages of batch-009-000001"):
        list(stored_pages([stranger], batch.folder / "images"))


HOSTILE = ["../../etc/passwd", "/etc/passwd", "a\x00b\nc", "..", "x" * 5000, "<script>alert(1)</script>", 'a"b', ""]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_become_neither_paths_nor_markup(text, tmp_path):
    drawn, rendered, reader = boxed("first", boxes={0: Box(10, 300, 100, 314)})
    (failure,) = report_of(drawn.model_copy(update={"id": text}), rendered, reader).failures
    failure = failure.model_copy(update={"printed": text, "read": text, "field": text})
    name = picture_file_name(7, failure)
    assert name.startswith("0007--") and name.endswith(".png") and len(name) < 250
    (tmp_path / name).write_bytes(failure_picture(rendered, failure.places))
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert picture_file_name(8, failure) != name
    page = failures_html([(name, failure), ("", failure)])
    assert "<script>" not in page
    assert page.count("<img ") == 1 and "no box" in page


def test_the_picture_shows_each_line_and_what_is_around_it():
    drawn, rendered, _ = boxed(["12 Mill", "Lane"])
    (failure,) = report_of(drawn, rendered, ShadeReader("x", "y")).failures
    pixels = np.asarray(Image.open(io.BytesIO(failure_picture(rendered, failure.places))).convert("RGB"))
    assert pixels.shape[1] == 90 + 20
    assert all((pixels == colour).all(axis=-1).any() for colour in ((0, 0, 0), (1, 1, 1), (214, 39, 40), (255,) * 3))


def test_a_wheel_without_the_model_is_an_error_that_says_what_to_do(monkeypatch):
    monkeypatch.setattr(rapidocr_engine, "RECOGNITION_MODEL", "none.onnx")
    with pytest.raises(ValueError, match=r"none\.onnx: .* pip install 'rapidocr>=3\.10"):
        rapidocr_engine.RapidOcrReader()


def test_without_the_extra_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(rapidocr_engine, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"needs rapidocr and onnxruntime, not installed; run pip install"):
        rapidocr_engine.RapidOcrReader()


def test_an_independent_engine_reads_clean_pages(monkeypatch):
    """Without network access: the model is in the wheel."""

    def refuse(*args, **options):
        raise AssertionError("reading pages uses the network")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    locales = {locale: 1.0 for locale in LOCALES if "Lato" in fonts_for(locale)}
    plan = seed_plan("batch-000", 60, 5, Recipe(locales=locales))
    short = [drawn for drawn in (draw_document(plan, index) for index in range(60)) if len(drawn.printed) < 50][:12]
    tally = VerificationTally()
    reader = rapidocr_engine.RapidOcrReader()
    for drawn, rendered in clean_pages(short):
        tally.add(read_fields(drawn, rendered, reader))
    report = tally.report("clean")
    assert report.documents == 12
    assert report.judged.fields > 300
    assert report.judged.share >= 0.98, "\n".join(map(str, report.failures))
