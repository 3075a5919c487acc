"""The queue for correction: evidence against values, and the order that follows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.evaluation.prediction_files import Prediction
from finscribe_assets.files import write_json_lines
from finscribe_assets.review.correction_queue import order_for_review, queue_document, usual_fields

GOOD = {
    "document_number": "R-1",
    "issue_date": "2026-11-05",
    "currency_code": "EUR",
    "seller": {"name": "Muster GmbH"},
    "totals": {"total_without_vat": "100.00", "total_vat": "19.00", "total_with_vat": "119.00", "amount_due": "119.00"},
}
PATHS = (
    *("document_number", "issue_date", "currency_code", "seller.name"),
    *(f"totals.{name}" for name in GOOD["totals"]),
)


def read(name: str = "a", confidence: float = 1.0, **changes: object) -> Prediction:
    return Prediction(name, GOOD | changes, dict.fromkeys(PATHS, confidence))


def reasons(prediction: Prediction, **others: Prediction) -> tuple[str, ...]:
    return queue_document(prediction, others).reasons


def test_a_sure_and_consistent_reading_is_worth_nothing():
    document = queue_document(read(), {"other": read()})
    assert (document.gain, document.reasons, document.values) == (0, (), 8)


def test_each_evidence_is_named_and_raises_the_gain():
    assert reasons(read(confidence=0.7))[0].startswith("low confidence: currency_code 0.70, document_number 0.70")
    broken = read(totals=GOOD["totals"] | {"total_with_vat": "191.00"})
    assert reasons(broken)[0] == "breaks BR-CO-15: totals.total_with_vat"
    assert "other reads another value: document_number" in reasons(read(), other=read(document_number="R-7"))
    assert "not a value of its type: issue_date" in reasons(read(issue_date="gestern"))
    less = {key: value for key, value in GOOD.items() if key != "seller"}
    assert "not found: seller.name" in reasons(Prediction("a", less))
    assert "only other reads it: seller.name" in reasons(Prediction("a", less), other=read())
    assert reasons(Prediction("a", "sorry, I cannot read this")) == ("nothing was read",)


def test_the_written_form_is_no_disagreement():
    german = read(issue_date="05.11.2026", totals={**GOOD["totals"], "amount_due": "119,00 €"})
    assert reasons(read(issue_date="5.11.2026"), other=german) == ()


def test_rows_are_matched_before_they_are_compared():
    lines = [{"item_name": name, "net_amount": f"{amount}.00"} for name, amount in (("Stift", 1), ("Papier", 2))]
    one, other = read(lines=lines), read(lines=lines[::-1])
    assert not any("other" in reason for reason in reasons(one, other=other))


def test_the_most_valuable_document_comes_first_and_corrected_ones_are_left_out():
    predictions = {
        one.id: one for one in (read("sure"), read("doubtful", 0.5), read("corrected", 0.1), Prediction("empty", {}))
    }
    queue = order_for_review(predictions, known={"corrected": None})
    assert [document.id for document in queue] == ["doubtful", "empty", "sure"]
    assert [document.gain for document in queue] == [4.0, 0.5 * len(usual_fields({})), 0]


def test_labelled_fields_are_in_no_doubt():
    doubtful = read(confidence=0.5, document_number="R-7")
    labelled = frozenset({"totals", "document_number", "issue_date", "currency_code"})
    (partial,) = order_for_review({"a": doubtful}, {"other": {"a": read()}}, {"a": labelled})
    assert [value.path for value in partial.doubtful] == ["seller.name"]
    assert order_for_review({"a": doubtful}, known={"a": labelled | {"seller"}}) == []


def test_many_small_doubts_are_a_reason():
    assert reasons(read(confidence=0.9)) == ("no value stands out: 8 values with a mean confidence of 0.90",)


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.text() | st.floats(), st.lists, max_leaves=5)))
def test_any_answer_has_a_place(response):
    document = queue_document(Prediction("a", response), {"b": read()})
    assert document.gain >= 0
    assert all(0 <= value.wrong <= 1 for value in document.doubtful)


def test_the_command_writes_the_queue_of_two_readers(tmp_path):
    for name, number in (("one", "R-1"), ("two", "R-2")):
        records = [{"id": "x", "response": GOOD | {"document_number": number}}, {"id": "y", "response": GOOD}]
        write_json_lines(tmp_path / f"{name}.jsonl", records)
    arguments = [tmp_path / "one.jsonl", "--other", f"two={tmp_path / 'two.jsonl'}", "--output", tmp_path / "q.jsonl"]
    arguments += ["--records", tmp_path / "first.jsonl", "--top", "1"]
    result = CliRunner().invoke(app, ["queue", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    assert [line[:9] for line in (tmp_path / "q.jsonl").read_text().splitlines()] == ['{"id": "x']
    assert (tmp_path / "first.jsonl").read_text() == (tmp_path / "one.jsonl").read_text().splitlines(True)[0]


def test_a_bank_statement_is_not_asked_for_an_amount_due():
    statement = {"document_type": "bank_statement", "issue_date": "2026-11-05", "bank_name": "Bank"}
    queued = queue_document(Prediction("a", statement, confidence=dict.fromkeys(statement, 1.0)), {})
    assert {value.path for value in queued.doubtful} == {"statement.account_number", "statement.closing_balance"}
    assert "statement.closing_balance" in usual_fields({"entries[0].amount": "1.00"})


def test_one_of_two_fields_of_a_total_is_enough():
    receipt = {"document_type": "receipt", "issue_date": "2026-11-05", "totals": {"total_with_vat": "1.00"}}
    assert not any("amount_due" in value.path for value in queue_document(Prediction("a", receipt), {}).doubtful)
