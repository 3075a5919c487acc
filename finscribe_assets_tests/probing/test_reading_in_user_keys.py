import json
from types import SimpleNamespace

import pytest

from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.probing import rendered_reading
from finscribe_assets.probing.readings import ReadingTask, count_failures
from finscribe_assets.probing.rendered_reading import RenderedReader
from finscribe_assets.promotion.exam_documents import ExamPaper, papers_in_keys
from finscribe_assets.schema_mapping.mapping_files import load_mapping

MAPPING = """
keys:
  Nummer: document_number
  Datum: issue_date
  Firma: [seller.name, seller.address]
  Buchungskreis: {type: identifier}
"""
FIELDS = ("document_number", "issue_date", "seller.name")


@pytest.fixture
def mapping(tmp_path):
    (tmp_path / "ours.yaml").write_text(MAPPING)
    return load_mapping(str(tmp_path / "ours.yaml"))


@pytest.fixture
def task():
    drawn = draw_document(seed_plan("batch-000", 5, 3), 0)
    return ReadingTask(drawn, FIELDS)


def failures(task, mapping, monkeypatch, response):
    """Return what a model of whole pages fails at that gives this response, and what it was asked."""
    asked = []

    def predict(reader, documents, mode, layout, prompt=""):
        asked.append(prompt)
        return [{"id": document.id, "response": response, "confidence": {}} for document in documents]

    monkeypatch.setattr(rendered_reading, "predict_documents", predict)
    reader = RenderedReader(SimpleNamespace(reads_lines=False, identity="model"), None, mapping=mapping)
    [predicted] = reader.read_rendered([task], [task.document])
    return count_failures(task, predicted), asked[0]


def test_a_model_of_whole_pages_is_asked_and_judged_in_the_users_keys(task, mapping, monkeypatch):
    printed = task.document.printed
    right = {"Nummer": printed["document_number"], "Datum": printed["issue_date"], "Buchungskreis": "17"}
    counts, prompt = failures(task, mapping, monkeypatch, json.dumps(right))
    assert (counts["identifier"], counts["date"]) == ((0, 1), (0, 1))
    assert "Nummer" in prompt
    assert "document_number" not in prompt
    assert "party" not in counts  # the name alone has no key
    counts, _ = failures(task, mapping, monkeypatch, json.dumps(right | {"Nummer": "another"}))
    assert counts["identifier"] == (1, 1)


def test_a_model_that_answers_in_the_schema_is_judged_as_well(task, mapping, monkeypatch):
    printed = {path: task.document.printed[path] for path in FIELDS}
    counts, _ = failures(task, mapping, monkeypatch, json.dumps(unflatten(printed)))
    assert (counts["identifier"], counts["date"]) == ((0, 1), (0, 1))


def test_without_a_mapping_the_schema_is_asked(task, monkeypatch):
    printed = {path: task.document.printed[path] for path in FIELDS}
    counts, prompt = failures(task, None, monkeypatch, json.dumps(unflatten(printed)))
    assert counts["party"] == (0, 1)
    assert prompt == ""


def test_readings_in_other_keys_are_other_readings(mapping):
    def identity(keys, reads_lines=False):
        model = SimpleNamespace(reads_lines=reads_lines, identity="model")
        return RenderedReader(model, None, mapping=keys).identity

    assert identity(mapping) != identity(None)
    assert identity(mapping, reads_lines=True) == identity(None, reads_lines=True)


def test_an_exam_asks_for_the_fields_that_have_a_key(task, mapping):
    papers = [ExamPaper("base", 0, task.document, FIELDS), ExamPaper("logo", 1, task.document, ("seller.name",))]
    assert papers_in_keys(papers, None) == papers
    [kept] = papers_in_keys(papers, mapping)
    assert (kept.id, kept.fields) == ("base/0", ("document_number", "issue_date"))
