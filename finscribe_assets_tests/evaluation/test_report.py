import json
import random

import pytest

from finscribe_assets.documents.document_batch import ground_truth, read_documents, synthesize
from finscribe_assets.documents.knobs import Knobs
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.field_comparison import FieldOutcome, FieldStatus, Note, compare_fields
from finscribe_assets.evaluation.prediction_files import Prediction, Truth, read_predictions, read_truths
from finscribe_assets.evaluation.report import Target, evaluate
from finscribe_assets.evaluation.report_html import report_to_html
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.shards import LocalShardPool

TRUTH = Truth(
    "d",
    {
        "locale": "de_DE",
        "document_number": "A-1",
        "issue_date": "2024-03-01",
        "currency_code": "EUR",
        "lines": [
            {"item_name": "Stift", "quantity": "2", "net_price": "1.50", "net_amount": "3.00"},
            {"item_name": "Papier", "quantity": "1", "net_price": "5.00", "net_amount": "5.00"},
        ],
        "totals": {"total_without_vat": "8.00", "amount_due": "9.52"},
    },
)


def statuses(document: dict) -> dict[str, FieldStatus]:
    return {outcome.path: outcome.status for outcome in compare_fields(TRUTH, document, {}).outcomes}


def test_a_perfect_reading_of_what_is_printed_scores_one(batch):
    truths = {
        drawn.id: Truth(drawn.id, drawn.document.to_json(), frozenset(drawn.printed)) for drawn in batch.documents
    }
    read = {drawn.id: Prediction(drawn.id, unflatten(drawn.printed)) for drawn in batch.documents}
    report = evaluate(truths, read)
    assert {name: figure.value for name, figure in report.headline.items()} == dict.fromkeys(report.headline, 1.0)
    assert {target.verdict for target in report.targets} == {"met", "not measured"}
    assert report.headline["field_accuracy"].n == sum(len(drawn.printed) for drawn in batch.documents)


def test_the_oddest_numbers_are_read_as_they_are_printed(tmp_path):
    odd = {"foreign_separators": 1.0, "sign_styles": 1.0, "negative_amounts": 0.3, "native_digits": 0.5}
    recipe = Recipe(knobs=Knobs(**odd))
    synthesize(seed_plan("batch-000", 60, 11, recipe), tmp_path / "documents", LocalShardPool(1), shard_size=60)
    for drawn in read_documents(tmp_path / "documents"):
        truth = Truth(drawn.id, drawn.document.to_json(), frozenset(drawn.printed))
        for prediction in (unflatten(drawn.printed), truth.document):
            wrong = [
                one for one in compare_fields(truth, prediction, {}).outcomes if one.status is not FieldStatus.CORRECT
            ]
            assert not wrong, (drawn.document.currency_code, drawn.presentation.numbers)


def test_counts_by_hand():
    found = statuses(
        {
            "document_number": "A-1",
            "issue_date": "02.03.2024",
            "due_date": "2024-01-01",
            "lines": [{"item_name": "Papier", "quantity": 1, "net_price": "5,00", "net_amount": "5,00 €"}],
        }
    )
    assert found["document_number"] is FieldStatus.CORRECT
    assert found["issue_date"] is FieldStatus.WRONG
    assert found["due_date"] is FieldStatus.EXTRA
    assert found["totals.amount_due"] is FieldStatus.MISSING
    assert [found[f"lines[1].{name}"] for name in ("item_name", "quantity", "net_price", "net_amount")] == [
        FieldStatus.CORRECT
    ] * 4
    assert found["lines[0].item_name"] is FieldStatus.MISSING
    report = evaluate({"d": TRUTH}, {"d": Prediction("d", {"document_number": "A-1", "due_date": "2024-01-01"})})
    # 1 correct of 13 expected (the currency is, the locale is not), 2 predicted.
    assert report.headline["field_recall"].value == pytest.approx(1 / 13, abs=1e-4)
    assert report.headline["field_precision"].value == 0.5
    assert report.headline["field_f1"].value == pytest.approx(2 / 15, abs=1e-4)


def test_an_outcome_holds_both_values_with_confidence_and_note():
    prediction = {"issue_date": "soon", "due_date": "2024-01-01", "document_number": "A-1"}
    confidence = {"issue_date": 0.4, "due_date": 0.5, "totals.amount_due": 0.6}
    found = {outcome.path: outcome for outcome in compare_fields(TRUTH, prediction, confidence).outcomes}
    assert found["issue_date"] == FieldOutcome(
        "issue_date", "date", FieldStatus.WRONG, "2024-03-01", "soon", 0.4, Note.UNREADABLE
    )
    assert found["due_date"] == FieldOutcome("due_date", "date", FieldStatus.EXTRA, None, "2024-01-01", 0.5)
    assert found["document_number"] == FieldOutcome(
        "document_number", "identifier", FieldStatus.CORRECT, "A-1", "A-1", None
    )
    assert found["totals.amount_due"] == FieldOutcome(
        "totals.amount_due", "amount", FieldStatus.MISSING, "9.52", None, None
    )


def test_a_slice_for_each_exposure_measures_its_documents_alone(batch):
    truths = {drawn.id: Truth(drawn.id, drawn.document.to_json()) for drawn in batch.documents[:6]}
    names = list(truths)
    read = {name: Prediction(name, truths[name].document) for name in names[:4]}
    known = {name: {"exposure": "seen" if name in names[:4] else "zero_shot"} for name in names[:5]}
    report = evaluate(truths, read, attributes=known)
    by_exposure = {
        part.attributes["exposure"]: (part.documents, part.metrics["field_accuracy"].value)
        for part in report.sliced_by("exposure")
    }
    assert by_exposure == {"seen": (4, 1.0), "zero_shot": (1, 0.0)}
    crossed = report.sliced_by("document_type", "locale", "exposure")
    assert sum(one.documents for one in crossed) == 5  # the sixth is of no known exposure
    assert sum(one.documents for one in report.sliced_by("locale")) == 6
    assert evaluate(truths, read).sliced_by("exposure") == []
    assert "By exposure" in report_to_html(report)


def test_the_order_of_rows_never_changes_a_score(batch):
    drawn = max(batch.documents, key=lambda document: len(document.document.lines))
    truth = Truth(drawn.id, drawn.document.to_json(), frozenset(drawn.printed))
    read = unflatten(drawn.printed)
    shuffled = read | {"lines": random.Random(1).sample(read["lines"], len(read["lines"]))}
    assert {outcome.status for outcome in compare_fields(truth, shuffled, {}).outcomes} == {FieldStatus.CORRECT}


def test_extra_and_missing_rows_count_with_every_field():
    lines = TRUTH.document["lines"]
    extra = statuses({"lines": [*lines, {"item_name": "Geist", "quantity": "1"}]})
    assert extra["lines[2].item_name"] is extra["lines[2].quantity"] is FieldStatus.EXTRA
    assert (
        sum(
            status is FieldStatus.MISSING
            for path, status in statuses({"lines": lines[:1]}).items()
            if path.startswith("lines")
        )
        == 4
    )


def test_null_means_absent():
    assert statuses({"due_date": None, "issue_date": None}) == statuses({})


def satisfied_rules(document: dict) -> dict[str, bool]:
    return {rule.path: rule.satisfied for rule in score({"d": TRUTH}, {"d": Prediction("d", document)})[0].rules}


def test_only_rules_that_the_truth_satisfies_are_checked():
    # Two line amounts; the truth's totals do not determine one another.
    amounts = [f"lines[{number}].net_amount" for number in range(2)]
    assert satisfied_rules(TRUTH.document) == dict.fromkeys(amounts, True)
    broken = json.loads(json.dumps(TRUTH.document))
    broken["lines"][0]["net_amount"] = "3.01"
    assert satisfied_rules(broken) == {amounts[0]: False, amounts[1]: True}
    assert satisfied_rules({}) == dict.fromkeys(amounts, False)


@pytest.mark.parametrize(("currency", "satisfied"), [("KWD", False), ("USD", True)])
def test_consistency_is_to_the_smallest_amount_of_the_currency(currency, satisfied):
    """A dinar has three decimals: a difference that is too small for a dollar is an error of a dinar."""
    line = {"item_name": "x", "quantity": "1", "net_price": "3", "net_amount": "3"}
    predicted = {"lines": [line | {"net_amount": "3.0030"}]}
    truth = Truth("d", {"currency_code": currency, "lines": [line]})
    assert [rule.satisfied for rule in score({"d": truth}, {"d": Prediction("d", predicted)})[0].rules] == [satisfied]


HOSTILE = [
    "{",
    '{"lines": [',
    "null",
    '{"lines": {"a": 1}, "totals": [1, 2], "seller": "x"}',
    "```",
    '"text"',
    "x" * 100_000,
    {"lines": [None, 5, {"item_name": {"deep": [1]}}, []]},
    {"totals": {"amount_due": 10**5000}},
    [1],
    5,
    None,
    True,
    {},
    {"lines": [{"item_name": "again", "quantity": "1"}] * 3000},
    {"\0": "\ud800", "totals": {"amount_due": "1e999999999"}},
    {"issue_date": "99999999999/99/99", "totals": {"amount_due": {"value": 1}}},
    '{"a": ' * 90,
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_responses_are_measured(number):
    report = evaluate({"d": TRUTH}, {"d": Prediction("d", HOSTILE[number])})
    assert report.headline["field_recall"].value < 0.1
    assert report_to_html(report)
    report.model_dump_json()


def test_hostile_files_are_counted_and_reported(tmp_path, batch):
    truth, predictions = tmp_path / "truth.jsonl", tmp_path / "predictions.jsonl"
    truth.write_text("".join(json.dumps(ground_truth(drawn)) + "\n" for drawn in batch.documents[:5]), encoding="utf-8")
    truths = read_truths(truth)
    first, second = list(truths)[:2]
    predictions.write_bytes(
        b"\n".join(
            [
                b"{broken",
                b"[1]",
                b'{"id": 5}',
                json.dumps({"id": "nobody", "response": {}}).encode(),
                json.dumps(
                    {"id": first, "response": truths[first].document, "confidence": {"issue_date": 7, "x": 0.5}}
                ).encode(),
                json.dumps({"id": first, "response": {}}).encode(),
                json.dumps({"id": second, "response": "caf\xe9"}).encode("latin-1"),
                b"\xff\xfe\x00",
                b"[" * 100_000,
                b"",
            ]
        )
    )
    found, problems = read_predictions(predictions, truths)
    assert found.keys() == {first, second}
    assert problems.counts == {
        "not_json": 3,
        "not_a_prediction": 2,
        "unknown_id": 1,
        "bad_confidence": 1,
        "duplicate_id": 1,
        "missing_prediction": 3,
    }
    report = evaluate(truths, found, problems=problems)
    assert report.problems["unknown_id"] == 1
    assert report.problem_locations["not_json"][0] == "line 1"


def test_an_empty_predictions_file_is_all_missing(tmp_path, batch):
    (tmp_path / "p.jsonl").write_text("")
    truths = {drawn.id: Truth(drawn.id, drawn.document.to_json()) for drawn in batch.documents[:3]}
    found, problems = read_predictions(tmp_path / "p.jsonl", truths)
    assert (found, problems.counts["missing_prediction"]) == ({}, 3)
    assert evaluate(truths, found).headline["field_f1"].value == 0.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no ground truth"),
        ('{"id": "a"}', "line 1"),
        ("{", "line 1: not JSON"),
        ('{"id":"a","document":{"locale":"xx_YY"}}\n', "line 1: document.locale 'xx_YY' is unknown"),
        ('{"id":"a","document":{}}\n{"id":"a","document":{}}', "line 2: the id 'a' is used by an earlier line"),
    ],
)
def test_a_bad_ground_truth_is_an_error_with_its_line(tmp_path, text, message):
    path = tmp_path / "truth.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"truth\.jsonl") as error:
        read_truths(path)
    assert message in str(error.value)


def test_a_partial_truth_expects_only_its_own_fields():
    truth = Truth("d", {"totals": {"amount_due": "5.00"}})
    report = evaluate({"d": truth}, {"d": Prediction("d", '{"totals": {"amount_due": 5.0}}')})
    assert report.headline["field_f1"].value == 1.0
    assert report.headline["teds"] is None
    assert {target.name: target.verdict for target in report.targets}["teds"] == "not measured"


@pytest.mark.parametrize(("seconds", "verdict"), [(0.5, "met"), (2.5, "not met")])
def test_a_time_and_its_verdict_are_kept_apart_and_can_be_put_back(seconds, verdict):
    timed = Target(name="seconds", required="< 2", verdict=verdict, certain=True, seconds=seconds)
    kept = timed.without_time()
    assert (kept.verdict, kept.proof, kept.seconds) == ("kept apart", "kept apart", None)
    assert Target.model_validate_json(kept.model_dump_json()).timed(seconds, verdict) == timed
