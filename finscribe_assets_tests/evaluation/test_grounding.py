import json

import pytest

from finscribe_assets.errors import UserError
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.field_comparison import compare_fields
from finscribe_assets.evaluation.grounding import ground, iou
from finscribe_assets.evaluation.prediction_files import Prediction, Truth, read_predictions, read_truths
from finscribe_assets.evaluation.report import evaluate
from finscribe_assets.evaluation.report_html import report_to_html
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.rendering.located_boxes import boxes_to_json, field_boxes, to_pixels
from finscribe_assets.rendering.page_batch import printed_boxes
from finscribe_assets.rendering.pages import Box
from finscribe_assets_tests.evaluation.extract_bench import INSTALLED, extract_bench_counts, located, random_case

DOCUMENT = {"document_number": "A-1", "seller": {"name": "Meyer and Sons of the Old Harbour"}}
NUMBER, NAME = "document_number", "seller.name"
LINE = [100, 100, 200, 110]
WRAPPED = [[100, 300, 200, 310], [100, 312, 180, 322]]


def boxes(**by_path):
    return located(
        {
            path.replace("__", "."): [{"page": page, "box": box} for page, box in given]
            for path, given in by_path.items()
        }
    )


def grounded(prediction, claims, true=None, document=DOCUMENT):
    true = true or boxes(document_number=[(1, LINE)], seller__name=[(1, box) for box in WRAPPED])
    return ground(compare_fields(Truth("d", document), prediction, {}), true, claims)


def test_a_box_matches_from_half_an_overlap_on_on_the_same_page_and_only_for_a_correct_value():
    assert iou(Box(*LINE), Box(100, 100, 200, 105)) == 0.5
    for claim, value, word, page in [
        ([(1, [100, 100, 200, 105])], "A-1", 1, 1),
        ([(1, [100, 100, 200, 104])], "A-1", 0, 1),
        ([(2, LINE)], "A-1", 0, 0),
        ([(2, LINE), (1, LINE)], "A-1", 1, 1),  # one of several is enough
        ([(1, LINE)], "A-7", 0, 0),
        ([(1, LINE)], None, 0, 0),
    ]:
        result = grounded({NUMBER: value}, boxes(document_number=claim))
        assert (result.word.correct, result.page.correct) == (word, page), (claim, value)
        assert result.word[1:] == (1, 2) == result.page[1:]


def test_every_line_of_a_wrapped_value_must_be_covered():
    first, second = WRAPPED
    for claim, word in [
        ([first, second], 1),
        ([[100, 300, 200, 322]], 1),
        ([first], 0),
        ([second], 0),
        ([first, [100, 312, 150, 322]], 1),  # more than half of the second line
        ([first, [100, 312, 130, 322]], 0),
        ([first, second, [900, 900, 950, 950]], 1),  # what does not touch the value is ignored
        ([[50, 250, 400, 400]], 0),  # covers both, and too much besides
    ]:
        result = grounded({"seller": DOCUMENT["seller"]}, boxes(seller__name=[(1, box) for box in claim]))
        assert result.word.correct == word, claim


def test_precision_is_over_claims_that_can_be_graded_and_recall_over_values_with_a_box():
    claims = boxes(document_number=[(1, LINE)], seller__name=[(1, LINE)], order_reference=[(1, LINE)])
    result = grounded({**DOCUMENT, "order_reference": "7"}, claims, boxes(document_number=[(1, LINE)]))
    assert result.word == (1, 1, 1)  # neither the name, which has no true box, nor the extra value is a claim
    result = grounded({NUMBER: "A-1"}, boxes(document_number=[(1, LINE)]))
    assert (result.word.precision, result.word.recall) == (1, 0.5)
    assert result.word.f1 == pytest.approx(2 / 3)
    assert grounded({}, {}).word == (0, 0, 2)
    assert grounded(DOCUMENT, claims, boxes(order_reference=[(1, LINE)])) is None


def test_rows_are_matched_before_their_boxes():
    rows = [{"item_name": name, "net_amount": amount} for name, amount in [("pen", "1.00"), ("ink", "2.00")]]
    true = located({f"lines[{at}].item_name": [{"page": 1, "box": [0, at * 20, 50, at * 20 + 10]}] for at in (0, 1)})
    claims = located(
        {f"lines[{at}].item_name": [{"page": 1, "box": [0, y, 50, y + 10]}] for at, y in [(0, 20), (1, 0)]}
    )
    assert grounded({"lines": rows[::-1]}, claims, true, {"lines": rows}).word == (2, 2, 2)
    # A row that agrees in nothing, while a true row is missing: its claims are wrong.
    other = [rows[1], {"item_name": "xyzzy", "net_amount": "99"}]
    assert grounded({"lines": other}, claims, true, {"lines": rows}).word == (1, 2, 2)
    # With all true rows matched, an extra row cannot be graded.
    claims = {**claims, **located({"lines[2].item_name": [{"page": 1, "box": [0, 90, 50, 99]}]})}
    extra = [*rows[::-1], {"item_name": "xyzzy", "net_amount": "99"}]
    assert grounded({"lines": extra}, claims, true, {"lines": rows}).word == (2, 2, 2)


EXTRACT_BENCH = {  # word and page (correct, claimed, expected), and both F1, of ExtractBench 1.0.0
    0: ((5, 7, 10), (7, 7, 10), 0.588235, 0.823529),
    1: ((4, 7, 10), (5, 7, 10), 0.470588, 0.588235),
    2: ((5, 9, 14), (8, 9, 14), 0.434783, 0.695652),
    3: ((6, 10, 12), (9, 10, 12), 0.545455, 0.818182),
    4: ((3, 3, 6), (3, 3, 6), 0.666667, 0.666667),
    5: ((1, 4, 4), (1, 4, 4), 0.25, 0.25),
    6: ((0, 4, 4), (1, 4, 4), 0.0, 0.25),
    7: ((8, 8, 13), (8, 8, 13), 0.761905, 0.761905),
    8: ((0, 2, 4), (2, 2, 4), 0.0, 0.666667),
    9: ((7, 12, 16), (12, 12, 16), 0.5, 0.857143),
    10: ((0, 5, 6), (2, 5, 6), 0.0, 0.363636),
    11: ((1, 4, 7), (3, 4, 7), 0.181818, 0.545455),
}


@pytest.mark.parametrize("seed", EXTRACT_BENCH)
def test_counts_and_f1_are_extract_benchs(seed):
    document, true, predicted, claims = random_case(seed)
    result = grounded(predicted, located(claims), located(true), document)
    assert (result.word, result.page, round(result.word.f1, 6), round(result.page.f1, 6)) == EXTRACT_BENCH[seed]


@pytest.mark.slow
@pytest.mark.skipif(not INSTALLED, reason="pip install llama-extract-bench, which needs Python 3.12")
def test_thousands_of_random_cases_have_extract_benchs_counts():
    for seed in range(5000):
        document, true, predicted, claims = case = random_case(seed)
        result = grounded(predicted, located(claims), located(true), document)
        assert result is not None
        assert (result.word, result.page, (result.word.f1, result.page.f1)) == pytest.approx(
            extract_bench_counts(*case)
        ), seed


def test_documents_weigh_the_same_and_those_without_boxes_or_prediction_are_treated_as_defined():
    true = boxes(document_number=[(1, LINE)], seller__name=[(1, box) for box in WRAPPED])
    truths = {name: Truth(name, DOCUMENT, boxes=true) for name in ("right", "half", "failed")}
    truths["unboxed"] = Truth("unboxed", DOCUMENT)
    predictions = {
        "right": Prediction("right", DOCUMENT, boxes=true),
        "half": Prediction("half", DOCUMENT, boxes={NUMBER: true[NUMBER]}),
    }
    report = evaluate(truths, predictions)
    scores = {name: estimate.value for name, estimate in report.grounding.metrics.items()}
    assert report.grounding.documents == 3
    assert scores["word_grounding_f1"] == pytest.approx((1 + 2 / 3 + 0) / 3, abs=1e-4)
    assert scores["word_grounding_precision"] == pytest.approx(2 / 3, abs=1e-4)
    assert scores["word_grounding_recall"] == pytest.approx((1 + 0.5) / 3, abs=1e-4)
    assert scores["page_grounding_f1"] == scores["word_grounding_f1"]
    assert scores["value_f1"] == pytest.approx(2 / 3, abs=1e-4)
    assert report.grounding.metrics["word_grounding_f1"].n == 3
    assert {tally.name: (tally.grounded, tally.claimed, tally.expected) for tally in report.grounding.by_element} == {
        "identifier": (2, 2, 3),
        "party": (1, 1, 3),
    }
    page = report_to_html(report)
    assert "Grounding by element" in page and "was not measured" not in page


def test_a_report_says_why_grounding_was_not_measured():
    truths = {"d": Truth("d", DOCUMENT, boxes=boxes(document_number=[(1, LINE)]))}
    for prediction, layout, reason in [
        (Prediction("d", DOCUMENT), "renderer boxes (oracle)", "its regions were given, by renderer boxes (oracle)"),
        (Prediction("d", DOCUMENT), "text lines", "the reader gives no boxes of its own"),
    ]:
        report = evaluate(truths, {"d": prediction}, layout=layout)
        assert report.grounding is None and report.grounding_note.endswith(reason)
        assert f"Grounding was not measured: {report.grounding_note}" in report_to_html(report)
    claimed = Prediction("d", DOCUMENT, boxes=truths["d"].boxes)
    report = evaluate({"d": Truth("d", DOCUMENT)}, {"d": claimed})
    assert report.grounding_note == "the ground truth has no boxes"


def test_the_renderers_own_boxes_are_all_matched(batch):
    read = printed_boxes(batch.folder / "images", {drawn.id for drawn in batch.documents})
    truths = {
        drawn.id: Truth(drawn.id, drawn.document.to_json(), frozenset(drawn.printed), read[drawn.id])
        for drawn in batch.documents
    }
    predictions = {
        drawn.id: Prediction(drawn.id, unflatten(drawn.printed), boxes=read[drawn.id]) for drawn in batch.documents
    }
    for document in score(truths, predictions):
        assert document.grounding.word.f1 == 1 == document.grounding.page.f1, document.truth.id


def test_boxes_are_the_same_from_shards_and_from_pages_and_go_back_to_pixels(batch):
    read = printed_boxes(batch.folder / "images", {drawn.id for drawn in batch.documents})
    for rendered in batch.rendered[:6]:
        assert field_boxes(rendered) == read[rendered.id]
        for mark in rendered.marks:
            for part, (page, box) in zip(mark.fragments, read[rendered.id].get(mark.name, ()), strict=False):
                image = rendered.pages[part.page]
                half_step = max(image.width, image.height) / 10_000
                assert page == part.page + 1
                assert to_pixels(box, (image.width, image.height)) == pytest.approx(part.box, abs=half_step)


def test_files_with_boxes(tmp_path):
    true = boxes(document_number=[(1, LINE)])
    file = tmp_path / "truth.jsonl"
    file.write_text(json.dumps({"id": "d", "document": DOCUMENT, "boxes": boxes_to_json(true)}))
    truths = read_truths(file)
    assert truths["d"].boxes == true
    given = {
        NUMBER: [{"page": 1, "box": LINE}, {"page": 0, "box": LINE}, {"page": 1, "box": [1, 2, float("nan"), 4]}],
        NAME: [{"page": 1, "box": [5, 5, 5, 9]}, 7, {"page": True, "box": LINE}, {"box": LINE}, {"page": 1, "box": []}],
        "seller": "here",
    }
    answers = tmp_path / "predictions.jsonl"
    answers.write_text(json.dumps({"id": "d", "response": DOCUMENT, "boxes": given}))
    predictions, problems = read_predictions(answers, truths)
    assert predictions["d"].boxes == true and problems.counts == {"bad_boxes": 1}
    file.write_text(json.dumps({"id": "d", "document": DOCUMENT, "boxes": given}))
    with pytest.raises(UserError, match=r"line 1: write boxes as"):
        read_truths(file)
