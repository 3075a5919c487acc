"""Files in a user's keys are scored and mined as if they were in the schema's, but for what the mapping leaves out."""

import json

import pytest

from finscribe_assets.documents.document_batch import read_documents, synthesize, write_ground_truth
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.schema import flatten
from finscribe_assets.errors import UserError
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.response_parsing import ParseStatus
from finscribe_assets.evaluation.user_records import record_in_user_keys
from finscribe_assets.inference.json_grammar import user_schema
from finscribe_assets.iteration.batch_documents import read_files
from finscribe_assets.iteration.next_batch import mine_documents
from finscribe_assets.schema_mapping.key_writing import DocumentValues, plain_json, write_document
from finscribe_assets.schema_mapping.mapping_files import load_mapping, parse_mapping
from finscribe_assets.shards import LocalShardPool

TRUTH = {"company": "ACME SDN BHD", "date": "25/12/2018", "address": "NO 3, JALAN X, 81100 JOHOR", "total": "1,234.50"}


def write_lines(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def read_one(tmp_path, truth, response, mapping, **prediction):
    truths = write_lines(tmp_path / "t.jsonl", [{"id": "1", **truth}])
    file = write_lines(tmp_path / "p.jsonl", [{"id": "1", "response": response, **prediction}])
    return read_files(file, truths, mapping=mapping)


@pytest.mark.parametrize(
    ("response", "right"),
    [
        (TRUTH, 4),
        ("```json\n" + json.dumps(TRUTH) + "\n```", 4),
        ({"company": "acme", "date": "2018-12-25", "address": TRUTH["address"], "total": 1234.5}, 3),
        ({"company": TRUTH["company"], "date": "24.12.2018"}, 1),
        ({"company": TRUTH["company"], "total": "1.234,50"}, 2),
    ],
)
def test_a_users_json_is_scored(tmp_path, response, right):
    documents = read_one(tmp_path, {"document": TRUTH}, response, load_mapping("sroie"))
    [scored] = score(documents.truths, documents.predictions)
    assert (scored.correct, scored.expected) == (right, 4)
    assert {outcome.element for outcome in scored.outcomes} == {"party", "date", "address", "amount"}
    assert documents.keys_note == "ground truth: keys of sroie; predictions: keys of sroie"


def test_what_the_mapping_lacks_is_not_judged_but_counted(tmp_path):
    documents = read_one(tmp_path, {"document": TRUTH}, TRUTH | {"cashier": "bob"}, load_mapping("sroie"))
    [scored] = score(documents.truths, documents.predictions)
    assert scored.f1 == 1
    assert ParseStatus.UNMAPPED_KEYS in scored.parse_statuses


def test_records_may_label_less_than_the_mapping(tmp_path):
    documents = read_one(
        tmp_path, {"document": TRUTH, "labelled": ["date", "total"]}, TRUTH | {"company": "x"}, load_mapping("sroie")
    )
    [scored] = score(documents.truths, documents.predictions)
    assert (scored.correct, scored.expected, scored.predicted) == (2, 2, 2)


def test_confidence_and_boxes_follow_their_keys(tmp_path):
    box = [{"page": 1, "box": [0, 0, 10, 10]}]
    documents = read_one(
        tmp_path, {"document": TRUTH}, TRUTH, load_mapping("sroie"), confidence={"date": 0.4}, boxes={"total": box}
    )
    assert documents.predictions["1"].confidence == {"issue_date": 0.4}
    assert list(documents.predictions["1"].boxes) == ["totals.total_with_vat"]


def test_values_of_keys_without_a_field_are_compared_by_their_type(tmp_path):
    mapping = parse_mapping(
        "locale: de_DE\nkeys:\n  a: {type: amount}\n  d: {type: date}\n  i: {type: identifier}\n  t: {type: text}\n",
        "own",
        "own.yaml",
    )
    truth = {"a": "1.234,50", "d": "1.2.2024", "i": "AB 12", "t": "Haus am See"}
    documents = read_one(
        tmp_path, {"document": truth}, {"a": "1234.5", "d": "2024-02-01", "i": "ab12", "t": "Haus  am See"}, mapping
    )
    [scored] = score(documents.truths, documents.predictions)
    assert scored.correct == scored.expected == 4
    assert {outcome.element for outcome in scored.outcomes} == {"amount", "date", "identifier", "text"}


def test_ambiguous_ground_truth_is_reported_with_its_place(tmp_path):
    mapping = parse_mapping("keys: {when: issue_date}", "own", "own.yaml")
    documents = read_one(tmp_path, {"document": {"when": "03/04/2018"}}, {"when": "03/04/2018"}, mapping)
    assert documents.problems.counts["ambiguous_truth"] == 1
    [place] = documents.problems.locations["ambiguous_truth"]
    assert "line 1" in place
    assert "'when'" in place
    decided = parse_mapping("keys: {when: {path: issue_date, format: dd/MM/yyyy}}", "own", "own.yaml")
    documents = read_one(tmp_path, {"document": {"when": "03/04/2018"}}, {"when": "2018-04-03"}, decided)
    [scored] = score(documents.truths, documents.predictions)
    assert scored.correct == 1
    assert not documents.problems.counts


def test_a_file_without_any_key_of_the_mapping_is_an_error(tmp_path):
    with pytest.raises(UserError, match=r"line 1.*'Company'.*did you mean company"):
        read_one(tmp_path, {"document": {"Company": "A"}}, {"Company": "A"}, load_mapping("sroie"))


OWN = parse_mapping(
    """
dates: iso
amounts: number
keys:
  nr: document_number
  datum: issue_date
  von: [seller.name, seller.address]
  zeilen[*].text: lines.item_name
  zeilen[*].menge: lines.quantity
  summe: totals.total_with_vat
""",
    "own",
    "own.yaml",
)


@pytest.mark.parametrize("mapping", [load_mapping("sroie"), OWN], ids=["sroie", "own"])
def test_synthetic_documents_are_scored_and_mined_in_a_users_keys(tmp_path, mapping):
    """From drawn documents to a plan: the true JSON in the user's keys is right, wrong totals are found and planned."""
    plan = seed_plan("batch-000", 40, 3)
    synthesize(plan, tmp_path / "documents", LocalShardPool(1))
    write_ground_truth(tmp_path / "documents", tmp_path / "documents.jsonl")
    (tmp_path / "plan.json").write_text(plan.model_dump_json(), encoding="utf-8")
    records, totals = [], 0
    [key] = [key for key in mapping.keys if key.path == "totals.total_with_vat"]
    for drawn in read_documents(tmp_path / "documents"):
        canonical = flatten(drawn.document.to_json())
        values = {path: canonical[path] for path in drawn.printed}
        document = plain_json(write_document(mapping, DocumentValues(values, drawn.printed, canonical), complete=True))
        records.append({"id": drawn.id, "response": json.dumps(document, ensure_ascii=False)})
        totals += document.get(key.key) is not None
    right = read_files(
        write_lines(tmp_path / "right.jsonl", records),
        tmp_path / "documents.jsonl",
        workspace=tmp_path,
        mapping=mapping,
    )
    assert right.keys_note == f"ground truth: keys of the schema; predictions: keys of {mapping.name}"
    scored = score(right.truths, right.predictions)
    wrong = [outcome for one in scored for outcome in one.outcomes if outcome.truth != outcome.predicted]
    expected = sum(one.expected for one in scored)
    assert expected > 3 * len(scored)
    assert len(wrong) <= 0.01 * expected, wrong[:5]

    for record in records:
        document = json.loads(record["response"])
        if document.get(key.key) is not None:
            document[key.key] = 17
            record["response"] = json.dumps(document)
    failing = read_files(
        write_lines(tmp_path / "wrong.jsonl", records),
        tmp_path / "documents.jsonl",
        workspace=tmp_path,
        mapping=mapping,
    )
    mined = mine_documents(failing, plan, 50)
    amounts = [cell for cell in mined.cells if cell.element == "amount"]
    assert sum(cell.failures for cell in amounts) >= 0.9 * totals
    assert any(cell.weak for cell in amounts)
    assert not any(cell.element == "unknown" for cell in mined.cells)
    assert all(cell.left_out or cell.documents for cell in mined.weak)


def test_records_of_extract_are_written_in_the_users_keys():
    mapping = parse_mapping(
        "locale: de_DE\ncurrency: EUR\ndates: iso\namounts: decimal\nkeys:\n  firma: seller.name\n"
        "  anschrift: seller.address\n  datum: issue_date\n  faellig: due_date\n  summe: totals.total_with_vat\n"
        "  pos[*].text: lines.item_name\n",
        "own",
        "own.yaml",
    )
    record = {
        "id": "a",
        "labels": "de_DE",
        "response": {
            "seller": {"name": "A", "address": {"street": "X 1", "post_code": "1", "city": "Y"}},
            "issue_date": "01.02.2024",
            "due_date": "bald",
            "totals": {"total_with_vat": "1.234,50 €"},
            "document_number": "5",
            "lines": [{"item_name": "a"}, {"item_name": "b"}],
        },
        "confidence": {"seller.address.street": 0.8, "seller.address.city": 0.6, "lines[1].item_name": 0.5},
        "not_assigned": [{"reason": "no label", "fields": ["due_date", "payment_terms"]}],
    }
    written = record_in_user_keys(record, mapping)
    assert written["response"] == {
        "firma": "A",
        "anschrift": "X 1, 1 Y",
        "datum": "2024-02-01",
        "faellig": "bald",
        "summe": "1234.50",
        "pos": [{"text": "a"}, {"text": "b"}],
    }
    assert written["confidence"] == {"anschrift": 0.6, "pos[1].text": 0.5}
    assert written["not_assigned"] == [{"reason": "no label", "fields": ["faellig"]}]
    assert written["as_printed"] == ["faellig"]
    assert record_in_user_keys({"id": "b", "response": "{}"}, mapping) == {"id": "b", "response": "{}"}


def test_the_grammar_has_the_users_keys():
    schema = user_schema(OWN)
    assert list(schema["properties"]) == ["nr", "datum", "von", "zeilen", "summe"]
    assert list(schema["properties"]["zeilen"]["items"]["properties"]) == ["text", "menge"]
