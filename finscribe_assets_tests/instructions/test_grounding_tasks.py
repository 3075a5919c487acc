import pytest
from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.documents.schema import flatten
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.evaluation.response_parsing import ParseStatus, parse_response
from finscribe_assets.instructions.grounding_tasks import grounded_extractions, grounded_response
from finscribe_assets.instructions.location_tokens import read_locations, write_locations
from finscribe_assets.instructions.pair import SpanType
from finscribe_assets.instructions.visible_values import VisibleDocument
from finscribe_assets.rendering.located_boxes import field_boxes
from finscribe_assets.rendering.pages import Box

CORNERS = "<|LOC_10|><|LOC_20|><|LOC_300|><|LOC_20|><|LOC_300|><|LOC_40|><|LOC_10|><|LOC_40|>"


def test_the_notation_is_that_of_spotting():
    assert write_locations([Box(10.2, 19.6, 300, 40)]) == CORNERS
    assert write_locations([Box(-3, 0, 1004, 7)]).startswith("<|LOC_0|><|LOC_0|><|LOC_1000|>")
    assert read_locations(f"12.30{CORNERS}") == ("12.30", [Box(10, 20, 300, 40)], True)
    assert read_locations(f"12.30 {CORNERS}\n{CORNERS}") == ("12.30", [Box(10, 20, 300, 40)] * 2, True)
    assert read_locations("12.30") == ("12.30", [], True)


@pytest.mark.parametrize(
    "text",
    [
        f"12.30{CORNERS}<|LOC_5|>",
        "12.30<|LOC_5|><|LOC_6|>",
        "12.30" + "<|LOC_5|>" * 8,
        "12.30" + "<|LOC_5|><|LOC_5|><|LOC_1001|><|LOC_5|><|LOC_1001|><|LOC_9|><|LOC_5|><|LOC_9|>",
        f"12{CORNERS}.30",
    ],
)
def test_tokens_that_are_no_boxes_are_dropped_and_said(text):
    body, boxes, complete = read_locations(text)
    assert body == "12.30" and not complete and len(boxes) <= 1
    parsed = parse_response({"document_number": text})
    assert parsed.document == {"document_number": "12.30"} and ParseStatus.BROKEN_BOX in parsed.statuses


@given(st.text("1.<|LOC_>5 ", max_size=60))
def test_any_text_can_be_read(text):
    body, boxes, _ = read_locations(text)
    assert len(body) <= len(text)
    assert all(box.width > 0 and box.height > 0 for box in boxes)


def test_values_keep_their_spans_and_end_with_their_boxes():
    values = {"lines[3].net_amount": "5.00", "currency_code": "EUR", "document_number": 'A"1'}
    text, spans = grounded_response(values, {"lines[3].net_amount": [Box(10, 20, 300, 40)], "document_number": []})
    assert text == '{"lines":[{"net_amount":"5.00' + CORNERS + '"}],"currency_code":"EUR","document_number":"A\\"1"}'
    assert [span.start for span in spans] == [0, *(span.end for span in spans[:-1])] and spans[-1].end == len(text)
    pieces = {span.path: (text[span.start : span.end], span.type) for span in spans if span.path}
    assert pieces["lines[0].net_amount"] == ('"5.00', SpanType.FINANCIAL)
    assert pieces["document_number"] == ('"A\\"1"', SpanType.VALUE)


def test_a_reader_that_answers_as_expected_is_grounded_on_every_page(batch):
    several_pages = 0
    for drawn, rendered in zip(batch.documents, batch.rendered, strict=True):
        document = VisibleDocument(drawn, rendered)
        pairs = list(grounded_extractions(document, 3))
        several_pages += len(pairs) > 1
        assert len({pair.id for pair in pairs}) == len(pairs) == min(3, len(rendered.pages))
        for pair in pairs:
            (page,) = pair.pages
            assert "Spotting" not in pair.prompt and "OCR:" not in pair.prompt
            parsed = parse_response(pair.response)
            assert parsed.statuses == [ParseStatus.CLEAN]
            expected = document.values_on(page)
            assert sorted(map(str, flatten(parsed.document).values())) == sorted(map(str, expected.values()))
            if len(rendered.pages) > 1:
                continue
            true = {path: boxes for path, boxes in field_boxes(rendered).items() if path in expected}
            truth = Truth(drawn.id, drawn.document.to_json(), frozenset(expected), true)
            (scored,) = score({drawn.id: truth}, {drawn.id: Prediction(drawn.id, pair.response)})
            assert scored.has_boxes and scored.grounding.word.f1 == 1, drawn.id
    assert several_pages
