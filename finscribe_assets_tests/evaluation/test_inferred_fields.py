"""Ground truth in a user's own keys, without a mapping: compared and counted as what its values and names say."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.documents.elements import LIST_FIELDS, Element, ValueType, element_of, value_type_of
from finscribe_assets.documents.knobs import KNOB_FACTS
from finscribe_assets.documents.schema import flatten
from finscribe_assets.errors import UserError
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.field_comparison import FieldStatus, RowStatus
from finscribe_assets.evaluation.inferred_fields import infer_fields
from finscribe_assets.evaluation.prediction_files import Prediction, Truth, with_inferred_fields
from finscribe_assets.evaluation.report import evaluate
from finscribe_assets.evaluation.verbatim import verbatim_share
from finscribe_assets.iteration.batch_documents import read_files
from finscribe_assets.mining.error_classification import ErrorType, classify_errors
from finscribe_assets.mining.suspects import knobs_designed_for
from finscribe_assets.schema_mapping.mapping import is_custom

RECEIPTS = [  # as SROIE labels them
    {"company": "TAN WOON YANN", "date": "25/12/2018", "address": "NO 8, JALAN SAGU 18, JOHOR", "total": "9.00"},
    {"company": "INDAH GIFT SDN BHD", "date": "19/10/2018", "address": "27, JALAN DEDAP 13, JOHOR", "total": "60.30"},
    {"company": "MR. D.I.Y. SDN BHD", "date": "12-01-2019", "address": "LOT 1851-A, JALAN KPB 6", "total": "1,234.50"},
]
MENUS = [  # as CORD labels them: thousands only
    {
        "menu": [{"nm": "BLACK PEPPER RICE", "cnt": "1 x", "price": "23,000"}, {"nm": "ICE TEA", "price": "8,000"}],
        "sub_total": {"subtotal_price": "31,000", "tax_price": "3,100"},
        "total": {"total_price": "34,125", "cashprice": "50,000", "changeprice": "15,900"},
    }
]
INVOICES = [
    {"Invoice No.": "INV/57-05/920", "Due Date": "16-Dec-1999", "Seller Name": "Navarro Ltd", "TOTAL": "790.66 $"},
    {"Invoice No.": "INV/11-02/113", "Due Date": "2-Jan-2001", "Seller Name": "Bryan & Co", "TOTAL": "$ 12.00"},
]


def truths(documents):
    given = {str(n): Truth(str(n), one, written=one) for n, one in enumerate(documents)}
    return with_inferred_fields(given)


def outcomes(documents, answers):
    scored = score(truths(documents), {str(n): Prediction(str(n), answer) for n, answer in enumerate(answers)})
    return [outcome for one in scored for outcome in one.outcomes]


@pytest.mark.parametrize(
    ("documents", "key", "element", "value_type"),
    [
        (RECEIPTS, "company", Element.PARTY, ValueType.TEXT),
        (RECEIPTS, "date", Element.DATE, ValueType.DATE),
        (RECEIPTS, "address", Element.ADDRESS, ValueType.TEXT),
        (RECEIPTS, "total", Element.AMOUNT, ValueType.AMOUNT),
        (MENUS, "menu[0].nm", Element.LINE_ITEM, ValueType.TEXT),
        (MENUS, "menu[1].price", Element.LINE_AMOUNT, ValueType.AMOUNT),
        (MENUS, "menu[0].cnt", Element.LINE_AMOUNT, ValueType.AMOUNT),
        (MENUS, "sub_total.tax_price", Element.TAX, ValueType.AMOUNT),
        (INVOICES, "Invoice No.", Element.IDENTIFIER, ValueType.IDENTIFIER),
        (INVOICES, "Due Date", Element.DATE, ValueType.DATE),
        (INVOICES, "Seller Name", Element.PARTY, ValueType.TEXT),
        (INVOICES, "TOTAL", Element.AMOUNT, ValueType.AMOUNT),
        ([{"电话": "13800138000"}, {"电话": "020-1234"}], "电话", Element.IDENTIFIER, ValueType.IDENTIFIER),
        ([{"Rechnungsdatum": "03.04.2024"}], "Rechnungsdatum", Element.DATE, ValueType.DATE),
        ([{"x": "4006381333931"}, {"x": "4006381333948"}], "x", Element.IDENTIFIER, ValueType.IDENTIFIER),
        ([{"x": "some words"}], "x", Element.TEXT, ValueType.TEXT),
        ([{"x": 12.5}], "x", Element.AMOUNT, ValueType.AMOUNT),
    ],
)
def test_types_follow_from_values_and_names(documents, key, element, value_type):
    path = infer_fields(documents).path(key)
    assert (element_of(path), value_type_of(path)) == (element, value_type)


def test_values_are_compared_by_what_they_mean_and_rows_are_matched():
    answers = [
        RECEIPTS[0] | {"date": "2018-12-25", "total": "RM 9"},
        RECEIPTS[1] | {"date": "19.10.2018"},
        RECEIPTS[2] | {"total": "1234.5"},
    ]
    assert {one.status for one in outcomes(RECEIPTS, answers)} == {FieldStatus.CORRECT}
    menu = MENUS[0] | {"menu": list(reversed(MENUS[0]["menu"])), "total": MENUS[0]["total"] | {"cashprice": "50.000"}}
    scored = score(truths(MENUS), {"0": Prediction("0", menu)})[0]
    # The file's amounts show thousands after commas, so that 50.000 is fifty.
    wrong = {one.path.rpartition(".")[2]: one.predicted for one in scored.outcomes if one.status != FieldStatus.CORRECT}
    assert wrong == {"total_cashprice": "50"}
    assert {row.status for row in scored.comparison.rows} == {RowStatus.MATCHED}
    assert scored.anls == 0.9  # 50 for 50000 is too far off for part of a point


def test_errors_have_types_and_only_keys_that_nobody_labelled_are_unknown():
    answer = {
        "menu": [{"nm": "BLACK PEPPER RICE", "cnt": "1 x", "price": "28,000"}, {"nm": "TAX", "price": "3,100"}],
        "sub_total": {"subtotal_price": "34,125", "tax_price": "3,100"},
        "total": {"total_price": "34,125", "cashprice": "50,000", "tips": "5"},
    }
    scored = score(truths(MENUS), {"0": Prediction("0", answer)})[0]
    causes = {outcome.path.rpartition(".")[2]: cause for outcome, cause in classify_errors(scored)}
    by_path = {outcome.path: cause for outcome, cause in classify_errors(scored)}
    assert by_path["menu[0].custom.line_amount.amount.menu_price"] is ErrorType.DIGIT
    assert causes["sub_total_subtotal_price"] is ErrorType.LABEL_SWAP
    assert causes["total_changeprice"] is ErrorType.MISSING
    assert causes["tips"] is ErrorType.UNKNOWN_FIELD
    assert Counter(causes.values())[ErrorType.UNKNOWN_FIELD] == 1


def test_documents_of_the_schema_are_left_alone_and_extra_keys_are_counted_beside_it():
    document = {"issue_date": "2024-03-01", "lines": [{"item_name": "Tea", "shelf": "A-17"}], "custom_no": "77"}
    found = truths([document])["0"]
    paths = {found.inferred.path(path) for path in flatten(document)}
    assert "issue_date" in paths and "lines[0].item_name" in paths and not found.inferred.lists
    assert sum(map(is_custom, paths)) == 2 and infer_fields([{"issue_date": "2024-03-01"}]) is None
    assert {one.status for one in outcomes([document], [document])} == {FieldStatus.CORRECT}


def test_own_keys_can_be_labelled_and_have_confidences_and_boxes(tmp_path):
    truth, predictions = tmp_path / "t.jsonl", tmp_path / "p.jsonl"
    box = [{"page": 1, "box": [0, 0, 10, 10]}]
    record = {"id": "a", "document": RECEIPTS[0], "labelled": ["total", "date"], "boxes": {"total": box}}
    record |= {"attributes": {"source": "till"}}
    answer = {
        "id": "a",
        "response": RECEIPTS[0] | {"company": "?"},
        "confidence": {"total": 0.7},
        "boxes": {"total": box},
    }
    truth.write_text(json.dumps(record))
    predictions.write_text(json.dumps(answer))
    documents = read_files(predictions, truth)
    report = evaluate(documents.truths, documents.predictions)
    assert report.headline["field_f1"].value == 1.0 and report.headline["field_f1"].n == 2
    assert report.calibration.n == 1 and all(
        estimate.value == 1.0 for estimate in report.grounding.metrics.values() if estimate
    )
    assert report.sliced_by("source")[0].metrics["verbatim"].value == 0.75
    truth.write_text(json.dumps(record | {"attributes": {"source": 5}}))
    with pytest.raises(UserError, match="line 1: write attributes as texts"):
        read_files(predictions, truth)


@pytest.mark.parametrize(
    ("truth", "prediction", "share"),
    [
        ({"a": "1", "b": "2"}, {"a": "1", "b": "3"}, 0.5),
        ({"a": "1"}, {"a": 1, "c": 5}, 1.0),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}, 1.0),
        ({"a": ["1"]}, {"a": [1]}, 0.0),
        ({"a": {"b": "1"}}, {"a": {"b": "1", "c": "2"}}, 1.0),
        ({"a": {"b": "1", "c": "2"}}, {"a": {"b": "1"}}, 0.0),
        ({"a": [{"b": "1"}]}, {"a": [{"b": "1", "c": "2"}]}, 0.0),
        ({"a": {}}, {"a": {}}, 0.0),
        ({"a": ""}, {}, 0.0),
        ({}, {"a": "1"}, None),
    ],
)
def test_verbatim_share(truth, prediction, share):
    assert verbatim_share(truth, prediction) == share


keys = st.text(st.sampled_from("ab.[]0# Datexé项"), max_size=8)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(keys, values, max_size=4), min_size=1, max_size=3), st.dictionaries(keys, values))
@settings(max_examples=300)
def test_any_json_is_a_ground_truth_that_its_own_values_satisfy(documents, answer):
    given_truths = truths(documents)
    itself = score(given_truths, {str(n): Prediction(str(n), one) for n, one in enumerate(documents)})
    assert all(outcome.status is FieldStatus.CORRECT for one in itself for outcome in one.outcomes)
    for one in score(given_truths, {name: Prediction(name, answer) for name in given_truths}):
        classify_errors(one)
    inferred = given_truths["0"].inferred
    if inferred:
        fields = [(key, inferred.fields[key]) for key in inferred.fields]
        assert len({(key.list, custom) for key, custom in fields}) == len(fields)
        assert not set(inferred.lists.values()) & set(LIST_FIELDS)


@pytest.mark.slow
def test_published_scores_of_889_documents():
    """Means per source of a public prediction set, as its authors publish them; kept beside the checkout, if at all."""
    file = Path(__file__).parents[3] / "shared" / "predictions-889.jsonl"
    if not file.exists():
        pytest.skip(f"{file} is absent")
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    random.Random(0).shuffle(records)
    for record in records:
        assert verbatim_share(record["ground_truth"], record["prediction"]) == pytest.approx(record["accuracy"])


def test_a_weak_cell_of_own_keys_has_knobs_to_probe_and_a_reason(tmp_path):
    truth, predictions, out = tmp_path / "t.jsonl", tmp_path / "p.jsonl", tmp_path / "o.json"
    many = [{"id": f"{n}", "document": {"sum": f"{n}1.50", "when": "2024-05-06"}} for n in range(1, 30)]
    truth.write_text("\n".join(map(json.dumps, many)))
    answers = [{"id": one["id"], "response": one["document"] | {"sum": f"-{one['document']['sum']}"}} for one in many]
    predictions.write_text("\n".join(map(json.dumps, answers)))
    files = ["--predictions", str(predictions), "--ground-truth", str(truth), "--output", str(out)]
    result = CliRunner().invoke(app, ["mine", *files], terminal_width=200)
    assert result.exit_code == 0, result.output
    (cell,) = json.loads(out.read_text())["weak"]
    assert (cell["element"], cell["error_type"], cell["documents"]) == ("amount", "sign", 0)
    assert "negative_amounts" in cell["to_probe"] and "no drawn value" in cell["left_out"]
    assert "to probe:" in result.output and "no plan: every weak cell is left out" in result.output


def test_knobs_to_probe_are_designed_for_the_failure():
    for error_type in ErrorType:
        for element in Element:
            for name in knobs_designed_for(element, error_type):
                assert element in KNOB_FACTS[name].elements
    assert knobs_designed_for("line_item", "row_missing")[0] == "many_lines"
    assert knobs_designed_for("unknown", "unknown_field") == ()
