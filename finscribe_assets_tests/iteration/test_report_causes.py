import base64
import io
import json
import os
import subprocess
import sys
from collections import Counter

import pytest
from lxml import html as lxml_html
from PIL import Image

from finscribe_assets.documents.elements import element_of
from finscribe_assets.evaluation.field_comparison import FieldStatus
from finscribe_assets.evaluation.report_opening import HarmfulEffect, RobustnessSection
from finscribe_assets.evaluation.worst_documents import MAX_WORST_DOCUMENTS
from finscribe_assets.iteration.batch_documents import PredictedDocuments, read_files
from finscribe_assets.iteration.measuring import measure, write_report
from finscribe_assets.iteration.report_causes import worst_causes
from finscribe_assets.mining.error_meanings import ERROR_MEANINGS
from finscribe_assets.mining.error_types import ErrorType
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE
from finscribe_assets.probing.factors import present_factors

MEASURE = """
import sys
from pathlib import Path
from finscribe_assets.iteration.batch_documents import read_files
from finscribe_assets.iteration.measuring import measure, write_report
folder, workspace = Path(sys.argv[1]), Path(sys.argv[2])
read = read_files(folder / "predictions.jsonl", folder / "few.jsonl", workspace=workspace)
write_report(measure(read, reader="r", seconds_per_document=2.7), read, folder / "again" / "report.json")
"""


@pytest.fixture(scope="module")
def files(batch, tmp_path_factory):
    """A folder with the truth of 20 documents and predictions with errors of two sorts."""
    folder = tmp_path_factory.mktemp("predicted")
    documents = batch.documents[:20]
    truth = [{"id": one.id, "document": one.document.to_json(), "printed": sorted(one.printed)} for one in documents]
    read = []
    for one in documents:
        predicted = one.document.to_json()
        predicted["document_number"] = "X" + predicted["document_number"]
        if predicted.get("issue_date"):
            predicted["issue_date"] = "1999-12-31"
        read.append({"id": one.id, "response": predicted})
    for name, lines in (("truth.jsonl", truth), ("few.jsonl", truth[:5]), ("predictions.jsonl", read)):
        (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def read(files, batch) -> PredictedDocuments:
    return read_files(files / "predictions.jsonl", files / "truth.jsonl", workspace=batch.folder)


@pytest.fixture(scope="module")
def report(read):
    return measure(read, reader="r", seconds_per_document=0.5)


def test_every_error_type_has_a_meaning():
    assert set(ERROR_MEANINGS) == set(ErrorType)


def test_failures_are_counted_by_error_type_the_most_frequent_first(report):
    failed = sum(tally.wrong + tally.missing + tally.extra for tally in report.by_field)
    assert sum(failure.failures for failure in report.failures) == failed
    assert sum(failure.share for failure in report.failures) == pytest.approx(1, abs=0.01)
    counts = [failure.failures for failure in report.failures]
    assert counts == sorted(counts, reverse=True)
    for failure in report.failures:
        assert sum(failure.elements.values()) == failure.failures
        assert {example.element for example in failure.examples} == {next(iter(failure.elements))}
        assert len({example.document for example in failure.examples}) == len(failure.examples)
    elements = Counter(str(element_of(example.path)) for one in report.failures for example in one.examples)
    assert set(elements) <= {"identifier", "date"}


def test_a_cause_by_experiment_comes_before_error_types_each_with_a_picture(report, read):
    shown = present_factors(next(iter(read.drawn.values())))
    font = next(name for name in sorted(shown) if name.startswith("font:"))
    harmful = (
        HarmfulEffect(font, "identifier", 0.4, 0.2, 0.5, 12),
        HarmfulEffect(font, "date", 0.3, 0.2, 0.5, 12),
        HarmfulEffect("reversed_print", "amount", 0.2, 0.1, 0.3, 12),
    )
    probed = RobustnessSection(b"", (), harmful, recipe=EMBEDDED_RECIPE)
    first, second, third = worst_causes(report, read, probed)
    assert first.title == f"Font {font.removeprefix('font:')} harms identifier"
    assert "+40 points of failures [20, 50]" in first.evidence
    assert first.example.startswith("document_number: read “X")
    assert second.title == "Reversed print harms amount"
    assert second.example.startswith("A page of the kind that the probe reads: totals.amount_due")
    assert third.title == ERROR_MEANINGS[ErrorType(report.failures[0].error_type)]
    for cause in (first, second, third):
        image = Image.open(io.BytesIO(base64.b64decode(cause.picture.source.partition(",")[2]))).convert("RGB")
        pixels = [image.getpixel((x, y)) for x in range(image.width) for y in range(image.height)]
        assert sum(red > green + 80 and red > blue + 80 for red, green, blue in pixels) > 50  # the frame
        assert len(set(pixels)) > 20


def test_the_same_files_give_the_same_bytes_in_another_process(files, batch):
    few = read_files(files / "predictions.jsonl", files / "few.jsonl", workspace=batch.folder)
    write_report(measure(few, reader="r", seconds_per_document=0.5), few, files / "once" / "report.json")
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    command = [sys.executable, "-c", MEASURE, str(files), str(batch.folder)]
    subprocess.run(command, check=True, env=environment, timeout=120)
    once, again = ({file.name: file.read_bytes() for file in (files / name).iterdir()} for name in ("once", "again"))
    assert once.keys() == again.keys() == {"report.json", "report.html", "report_time.json"}
    assert [name for name in once if once[name] != again[name]] == ["report_time.json"]
    timed = {"required": "< 2", "verdict": "not met", "seconds_per_document": 2.7}
    assert json.loads(again["report_time.json"]) == timed


def test_the_page_with_twenty_illustrated_documents_is_below_a_megabyte(read, report, tmp_path):
    pages = write_report(report, read, tmp_path / "report.json")
    assert len(report.worst) == MAX_WORST_DOCUMENTS
    page = (tmp_path / "report.html").read_bytes()
    assert len(page) < 1_000_000
    parsed = lxml_html.fromstring(page)
    articles = parsed.findall(".//article")
    assert len(articles) == MAX_WORST_DOCUMENTS
    assert len([one for one in articles if one.find(".//img") is not None]) == len(pages) > 3
    assert all(field.status is not FieldStatus.CORRECT for field in report.worst[0].failed)
    targets = {link.get("href") for link in parsed.findall(".//nav/a")}
    assert targets == {f"#{heading.get('id')}" for heading in parsed.iter("h2") if heading.get("id")}


def test_readers_without_pages_have_causes_without_pictures(report, read):
    bare = PredictedDocuments(read.truths, read.predictions, read.problems)
    causes = worst_causes(report, bare, None)
    assert len(causes) == min(3, len(report.failures))
    assert {cause.picture for cause in causes} == {None}
