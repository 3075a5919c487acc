import json

import pytest

from finscribe_assets.documents.schema import flatten
from finscribe_assets.inference import prediction
from finscribe_assets.inference.prediction import (
    PARTS_FOLDER,
    PREDICTED_BY_FILE,
    PREDICTIONS_FILE,
    TIMING_FILE,
    Mode,
    predict_batch,
    predict_document,
)
from finscribe_assets.inference.reader import Reader
from finscribe_assets.inference.region_layout import RendererBoxes, RendererTables
from finscribe_assets.rendering.pages import MarkType


@pytest.fixture
def asked(batch):
    return {document.id for document in batch.rendered[5:12]}


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(prediction, "DOCUMENTS_PER_PART", 3)


def records(folder):
    return [json.loads(line) for line in (folder / PREDICTIONS_FILE).read_text().splitlines()]


def test_every_asked_document_has_one_record_in_the_images_order(batch, asked, tmp_path):
    told = []
    summary = predict_batch([batch.folder / "images"], asked, tmp_path, on_documents=told.append)
    assert [record["id"] for record in records(tmp_path)] == sorted(asked)
    assert (summary.documents, summary.mode, summary.layout) == (7, Mode.REGIONS, "renderer boxes (oracle)")
    assert sum(told) == 7
    timing = json.loads((tmp_path / TIMING_FILE).read_text())
    assert timing["documents"] == 7
    assert timing["wall_seconds_per_document"] == summary.seconds_per_document > 0


def test_a_response_has_the_documents_fields_and_a_confidence_for_each(batch, reader):
    right = total = 0
    for drawn, rendered in list(zip(batch.documents, batch.rendered, strict=True))[:4]:
        record = predict_document(reader, rendered, Mode.REGIONS, RendererBoxes())
        assert flatten(record["response"]).keys() <= drawn.printed.keys()
        assert record["confidence"].keys() == flatten(record["response"]).keys()
        assert all(0 < chance <= 1 for chance in record["confidence"].values())
        read = flatten(record["response"])
        right += sum(
            read.get(path) == text.replace("\u00a0", " ").replace("\u202f", " ") for path, text in drawn.printed.items()
        )
        total += len(drawn.printed)
    assert right > total / 3  # the base has not learnt every font and language; an empty or shifted reading has none


def test_tables_can_be_read_without_their_cells_boxes(batch, reader):
    layout = RendererTables()
    for document, drawn in zip(batch.rendered[:4], batch.documents[:4], strict=True):
        regions = layout.regions(document)
        assert not any(region.path.startswith("lines[") for region in regions)
        record = predict_document(reader, document, Mode.REGIONS, layout)
        said, printed = flatten(record["response"]), drawn.printed
        of_lines = [path for path in said if path.startswith("lines[")]
        rows = {path.partition(".")[0] for path in printed if path.startswith("lines[")}
        assert bool(of_lines) == bool(rows)
        assert abs(len({path.partition(".")[0] for path in of_lines}) - len(rows)) <= 2
        assert record["confidence"].keys() >= set(of_lines)


def test_regions_hold_places_but_no_text(batch):
    rendered = batch.rendered[0]
    regions = RendererBoxes().regions(rendered)
    fields = rendered.of_type(MarkType.FIELD)
    assert [region.path for region in regions] == [mark.name for mark in fields]
    printed = {part.text for mark in fields for part in mark.fragments if len(part.text) > 6}
    assert not any(text in repr(regions) for text in printed)


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(batch, asked, tmp_path, monkeypatch):
    predict_batch([batch.folder / "images"], asked, tmp_path / "whole")
    reading, done = prediction._read_part, []

    def killed_at_the_third(reader, part, mode, layout):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(part.number)
        return reading(reader, part, mode, layout)

    monkeypatch.setattr(prediction, "_read_part", killed_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        predict_batch([batch.folder / "images"], asked, tmp_path / "killed")
    assert not (tmp_path / "killed" / PREDICTIONS_FILE).exists()
    monkeypatch.setattr(prediction, "_read_part", reading)
    summary = predict_batch([batch.folder / "images"], asked, tmp_path / "killed")
    assert (summary.parts, summary.skipped) == (3, 2)
    for name in (PREDICTIONS_FILE, PREDICTED_BY_FILE):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not (tmp_path / "killed" / PARTS_FOLDER).exists()


def test_what_is_read_already_is_left_unless_something_else_is_asked(batch, asked, tmp_path, monkeypatch):
    images = [batch.folder / "images"]
    predict_batch(images, asked, tmp_path)
    before = (tmp_path / PREDICTIONS_FILE).stat().st_mtime_ns
    with monkeypatch.context() as patched:
        patched.setattr(prediction, "_read_part", pytest.fail)
        assert predict_batch(images, asked, tmp_path).skipped == 3
    assert (tmp_path / PREDICTIONS_FILE).stat().st_mtime_ns == before
    fewer = sorted(asked)[:2]
    assert predict_batch(images, fewer, tmp_path).skipped == 0
    assert [record["id"] for record in records(tmp_path)] == fewer


def test_a_file_that_was_changed_is_read_again(batch, asked, tmp_path):
    images = [batch.folder / "images"]
    predict_batch(images, asked, tmp_path)
    whole = (tmp_path / PREDICTIONS_FILE).read_bytes()
    (tmp_path / PREDICTIONS_FILE).write_bytes(whole[:100])
    predict_batch(images, asked, tmp_path)
    assert (tmp_path / PREDICTIONS_FILE).read_bytes() == whole


def test_a_document_without_pages_is_named(batch, asked, tmp_path):
    with pytest.raises(
        ValueError, match=r"1 of 8 requested documents have no pages .*batch-007-000001; render them first"
    ):
        predict_batch([batch.folder / "images"], asked | {"batch-007-000001"}, tmp_path)


def test_a_line_reader_is_not_asked_for_pages(batch, asked, tmp_path):
    with pytest.raises(ValueError, match="reads single printed lines, not pages"):
        predict_batch([batch.folder / "images"], asked, tmp_path, mode=Mode.PAGE)


def test_a_model_that_reads_pages_gives_its_raw_text(batch, page_base, tmp_path, monkeypatch):
    monkeypatch.setattr("finscribe_assets.inference.reader.MAX_PAGE_TOKENS", 20)
    two = {document.id for document in batch.rendered[:2]}
    summary = predict_batch([batch.folder / "images"], two, tmp_path, base=str(page_base))
    assert (summary.mode, summary.layout) == (Mode.PAGE, "")
    assert all(isinstance(record["response"], str) for record in records(tmp_path))


def test_a_pages_fields_have_the_confidence_of_their_own_tokens(page_base):
    reader = Reader(str(page_base))
    text = '{"totals": {"amount_due": "12.50"}, "lines": [{"quantity": "2"}]}'
    tokens = tuple(reader.tokenizer(text).input_ids)
    ends = reader.token_ends(prediction.DecodedText(text, tokens, (), truncated=True))
    due = text.index('"12.50"')
    starts = [0, *ends[:-1]]
    after = due + len('"12.50"')
    chances = tuple(0.5 if start < after and end > due else 1.0 for start, end in zip(starts, ends, strict=True))
    record = prediction._page_record(reader, "x", prediction.DecodedText(text, tokens, chances, truncated=True))
    assert record["confidence"].keys() == {"totals.amount_due", "lines[0].quantity"}
    assert record["confidence"]["totals.amount_due"] == 0.5
    assert record["confidence"]["lines[0].quantity"] == 1.0
