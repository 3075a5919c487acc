import json
import pickle

import pytest

from finscribe_assets.documents.schema import flatten
from finscribe_assets.inference import prediction, prediction_parts
from finscribe_assets.inference.prediction import (
    PREDICTED_BY_FILE,
    PREDICTIONS_FILE,
    TIMING_FILE,
    Mode,
    predict_batch,
    predict_document,
)
from finscribe_assets.inference.prediction_parts import PARTS_FOLDER
from finscribe_assets.inference.reader import Reader
from finscribe_assets.inference.region_layout import RendererBoxes, RendererTables
from finscribe_assets.instructions.otsl import to_otsl
from finscribe_assets.model.decoded_text import DecodedText
from finscribe_assets.rendering.pages import MarkType


@pytest.fixture
def document_ids(batch):
    return {document.id for document in batch.rendered[5:12]}


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(prediction_parts, "DOCUMENTS_PER_PART", 3)


def records(folder):
    return [json.loads(line) for line in (folder / PREDICTIONS_FILE).read_text().splitlines()]


def test_every_requested_document_has_one_record_in_the_order_of_the_images(batch, document_ids, tmp_path):
    counts = []
    summary = predict_batch([batch.folder / "images"], document_ids, tmp_path, on_documents=counts.append)
    assert [record["id"] for record in records(tmp_path)] == sorted(document_ids)
    assert (summary.documents, summary.mode, summary.layout) == (7, Mode.REGIONS, "renderer boxes (oracle)")
    assert counts == [3, 3, 1]
    timing = json.loads((tmp_path / TIMING_FILE).read_text())
    assert timing["documents"] == 7
    assert timing["wall_seconds_per_document"] == summary.seconds_per_document > 0


def test_a_record_has_the_documents_fields_and_a_confidence_for_each(batch, reader):
    correct = total = 0
    for drawn, rendered in list(zip(batch.documents, batch.rendered, strict=True))[:4]:
        record = predict_document(reader, rendered, Mode.REGIONS, RendererBoxes())
        values = flatten(record["response"])
        assert values.keys() <= drawn.printed.keys() | {"currency_code", "vat_accounting_currency_code"}
        assert record["confidence"].keys() == values.keys()
        assert all(0 < confidence <= 1 for confidence in record["confidence"].values())
        correct += sum(
            values.get(path) == text.replace("\u00a0", " ").replace("\u202f", " ")
            for path, text in drawn.printed.items()
        )
        total += len(drawn.printed)
    assert correct > total / 3  # the base does not know every font and language; empty or shifted readings have none


def test_line_items_are_read_without_the_boxes_of_cells(batch, reader):
    layout = RendererTables()
    expected_rows = 0
    for document, drawn in zip(batch.rendered[:4], batch.documents[:4], strict=True):
        regions = layout.regions(document)
        assert not any(region.path.startswith("lines[") for region in regions)
        record = predict_document(reader, document, Mode.REGIONS, layout)
        line_fields = [path for path in flatten(record["response"]) if path.startswith("lines[")]
        rows = {path.partition(".")[0] for path in drawn.printed if path.startswith("lines[")}
        assert bool(line_fields) == bool(rows)
        assert abs(len({path.partition(".")[0] for path in line_fields}) - len(rows)) <= 2
        assert record["confidence"].keys() >= set(line_fields)
        expected_rows += len(rows)
    assert expected_rows > 10


def test_regions_have_boxes_but_no_text(batch):
    rendered = batch.rendered[0]
    regions = RendererBoxes().regions(rendered)
    fields = rendered.of_type(MarkType.FIELD)
    assert [region.path for region in regions] == [mark.name for mark in fields]
    printed = {part.text for mark in fields for part in mark.fragments if len(part.text) > 6}
    assert len(printed) > 10
    assert not any(text in repr(regions) for text in printed)


def test_a_killed_run_continues_and_ends_with_the_same_bytes(batch, document_ids, tmp_path, monkeypatch):
    predict_batch([batch.folder / "images"], document_ids, tmp_path / "whole")
    read_part, done = prediction._read_part, []

    def kill_at_the_third_part(reader, part, *settings):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(part.number)
        return read_part(reader, part, *settings)

    monkeypatch.setattr(prediction, "_read_part", kill_at_the_third_part)
    with pytest.raises(KeyboardInterrupt):
        predict_batch([batch.folder / "images"], document_ids, tmp_path / "killed")
    assert not (tmp_path / "killed" / PREDICTIONS_FILE).exists()
    monkeypatch.setattr(prediction, "_read_part", read_part)
    summary = predict_batch([batch.folder / "images"], document_ids, tmp_path / "killed")
    assert (summary.parts, summary.skipped) == (3, 2)
    for name in (PREDICTIONS_FILE, PREDICTED_BY_FILE):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not (tmp_path / "killed" / PARTS_FOLDER).exists()


def test_a_pool_reads_the_same_bytes_part_by_part(batch, document_ids, tmp_path):
    class Pool:
        def run(self, work, jobs):
            self.jobs = pickle.loads(pickle.dumps(list(jobs)))  # noqa: S301 – as they travel to another process
            yield from map(work, reversed(self.jobs))

    pool = Pool()
    predict_batch([batch.folder / "images"], document_ids, tmp_path / "here")
    summary = predict_batch([batch.folder / "images"], document_ids, tmp_path / "pool", pool=pool)
    assert [job.part.number for job in pool.jobs] == [0, 1, 2]
    assert summary.documents == len(document_ids)
    for name in (PREDICTIONS_FILE, PREDICTED_BY_FILE):
        assert (tmp_path / "pool" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def test_finished_predictions_are_kept_unless_other_documents_are_requested(batch, document_ids, tmp_path, monkeypatch):
    images = [batch.folder / "images"]
    predict_batch(images, document_ids, tmp_path)
    before = (tmp_path / PREDICTIONS_FILE).stat().st_mtime_ns
    with monkeypatch.context() as patched:
        patched.setattr(prediction, "_read_part", pytest.fail)
        assert predict_batch(images, document_ids, tmp_path).skipped == 3
    assert (tmp_path / PREDICTIONS_FILE).stat().st_mtime_ns == before
    fewer = sorted(document_ids)[:2]
    assert predict_batch(images, fewer, tmp_path).skipped == 0
    assert [record["id"] for record in records(tmp_path)] == fewer


def test_a_truncated_or_deleted_predictions_file_is_written_again(batch, document_ids, tmp_path):
    images, fewer = [batch.folder / "images"], sorted(document_ids)[:2]
    predict_batch(images, fewer, tmp_path)
    whole = (tmp_path / PREDICTIONS_FILE).read_bytes()
    (tmp_path / PREDICTIONS_FILE).write_bytes(whole[:100])
    predict_batch(images, fewer, tmp_path)
    assert (tmp_path / PREDICTIONS_FILE).read_bytes() == whole
    (tmp_path / PREDICTIONS_FILE).unlink()
    predict_batch(images, fewer, tmp_path)
    assert (tmp_path / PREDICTIONS_FILE).read_bytes() == whole


def test_a_document_without_pages_is_named(batch, document_ids, tmp_path):
    message = r"1 of 8 requested documents have no pages .*batch-007-000001; render them first"
    with pytest.raises(ValueError, match=message):
        predict_batch([batch.folder / "images"], document_ids | {"batch-007-000001"}, tmp_path)


def test_a_base_that_reads_lines_refuses_page_mode(batch, document_ids, tmp_path):
    with pytest.raises(ValueError, match="reads single printed lines, not pages"):
        predict_batch([batch.folder / "images"], document_ids, tmp_path, mode=Mode.PAGE)


def test_a_base_that_reads_pages_gives_its_raw_response(batch, page_base, tmp_path, monkeypatch):
    monkeypatch.setattr("finscribe_assets.inference.reader.MAX_PAGE_TOKENS", 20)
    two = {document.id for document in batch.rendered[:2]}
    summary = predict_batch([batch.folder / "images"], two, tmp_path, base=str(page_base))
    assert (summary.mode, summary.layout) == (Mode.PAGE, "")
    assert all(isinstance(record["response"], str) for record in records(tmp_path))


def test_the_confidence_of_a_field_is_that_of_the_tokens_that_overlap_its_value(page_base):
    """Tokens need not end where values do: the quotes of a value belong to tokens with other characters."""
    reader = Reader(str(page_base))
    text = '{"a": "12.50", "b": 7}'
    pieces = ['{"', "a", '": "', "1", "2", ".", "5", "0", '", "', "b", '"', ":", " ", "7", "}"]
    probabilities = (0.9, 0.9, 0.5, 1.0, 1.0, 0.2, 1.0, 1.0, 0.4, 0.9, 0.9, 0.9, 0.9, 0.3, 0.9, 0.01)
    tokens = (*reader.tokenizer(text, add_special_tokens=False).input_ids, reader.tokenizer.eos_token_id)
    assert reader.tokenizer.convert_ids_to_tokens(tokens[:-1]) == pieces
    record = prediction.page_record(reader, "x", DecodedText(text, tokens, probabilities, truncated=False))
    assert record.confidence == {
        "a": round((0.5 * 0.2 * 0.4) ** (1 / 7), 4),
        "b": 0.3,
    }


def test_a_record_joins_the_lines_of_a_field_and_counts_all_their_tokens():
    lines = [
        DecodedText("Muster", (1, 2), (0.5, 1.0), truncated=False),
        DecodedText("", (2,), (0.9,), truncated=False),
        DecodedText("GmbH", (3, 2), (0.2, 1.0), truncated=False),
    ]
    empty = DecodedText("", (2,), (0.9,), truncated=False)
    table = DecodedText(to_otsl([["Description", "Amount"], ["Bolt", "2.00"]]), (4, 5), (0.25, 1.0), truncated=False)
    record = prediction._regions_record("x", {"seller.name": lines, "buyer.name": [empty]}, [table])
    assert record.to_json() == {
        "id": "x",
        "response": {
            "seller": {"name": "Muster GmbH"},
            "buyer": {"name": None},
            "lines": [{"item_name": "Bolt", "net_amount": "2.00"}],
        },
        "confidence": {
            "seller.name": round((0.5 * 0.9 * 0.2) ** (1 / 5), 4),
            "lines[0].item_name": 0.5,
            "lines[0].net_amount": 0.5,
        },
    }
