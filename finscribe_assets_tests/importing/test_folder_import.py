"""A folder of real documents becomes a workspace that evaluation reads and training never does."""

from __future__ import annotations

import hashlib
import json
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.schema import Document
from finscribe_assets.documents.ubl import to_ubl
from finscribe_assets.documents.ubl_validation import find_candidates
from finscribe_assets.evaluation.prediction_files import read_predictions, read_truths
from finscribe_assets.evaluation.report import evaluate
from finscribe_assets.files import read_json, read_table
from finscribe_assets.importing.folder_import import import_folder
from finscribe_assets.instructions.pair import Task
from finscribe_assets.instructions.pair import pairs_from_table as pairs_from
from finscribe_assets.instructions.task_mix import PairRecipe
from finscribe_assets.rendering.pages import PAGE_TABLE_SCHEMA, pages_from_table
from finscribe_assets.splitting.manifest import MANIFEST_FILE, BatchEntry, Manifest
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import read_splits
from finscribe_assets.training.training_samples import SampleSource, TrainingBatchFolders, read_samples
from finscribe_assets_tests.documents.bills import bill
from finscribe_assets_tests.importing.writers import cii, factur_x, pdf, with_embedded

PRINTED = """Müller & Söhne GmbH, Hauptstraße 1, Hinterhaus, 10115 Berlin
Rechnung RE-2024-0815 vom 1. März 2024, zahlbar bis 31.03.2024
Wiener Handels GmbH  IBAN DE36 5001 0517 9999 0878 92
10 Notizblock      10 Stk  à 10,00    96,00
   Kaffee          2,5 kg  à 20,00    50,00
Rabatt 10 %   -5,00
Summe  145,00 EUR   zu zahlen  117,20 EUR"""


def image(size: tuple[int, int] = (120, 80), **options: object) -> bytes:
    picture = Image.new("RGB", size, "white")
    ImageDraw.Draw(picture).rectangle((10, 10, 60, 40), fill="black")
    stream = BytesIO()
    picture.save(stream, **options)
    return stream.getvalue()


def json_of(document: Document) -> bytes:
    return json.dumps(document.to_json(), ensure_ascii=False).encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("real") / "in"
    (root / "2024").mkdir(parents=True)
    (root / "embedded.pdf").write_bytes(factur_x(pdf(PRINTED, "Seite 2"), cii(bill())))
    (root / "own-name.pdf").write_bytes(with_embedded(pdf("x"), rechnung_xml=cii(bill(document_number="R 2"))))
    (root / "2024" / "ubl.PDF").write_bytes(pdf(PRINTED))
    (root / "2024" / "ubl.xml").write_bytes(to_ubl(bill(document_number="RE-3")))
    (root / "scan-1.png").write_bytes(image(format="PNG"))
    (root / "scan-2.png").write_bytes(image((80, 120), format="PNG"))
    (root / "scan.json").write_bytes(json_of(bill(document_number="RE-4")))
    frames = [Image.new("L", (50, 70), level) for level in (255, 200, 100)]
    frames[0].save(root / "fax.tiff", save_all=True, append_images=frames[1:], dpi=(200, 200))
    (root / "fax.json").write_text(
        json.dumps(
            {
                "id": "any",
                "document": bill(document_number="RE-5").to_json(),
                "printed": ["document_number", "totals.amount_due"],
            }
        )
    )
    (root / "Rücksendung [a](b).jpg").write_bytes(image(format="JPEG"))
    (root / "Rücksendung [a](b).json").write_bytes(json_of(bill(document_number="RE-6", locale="zh_CN")))
    (root / "alone.json").write_bytes(json_of(bill()))
    (root / "alone.png").mkdir()
    (root / "wrong.png").write_bytes(image(format="PNG"))
    wrong = json_of(bill()).replace(b'"117.20"', b'"117,20"').replace(b'"country_code": "AT"', b'"city": "Wien"', 1)
    (root / "wrong.json").write_bytes(wrong)
    (root / "unlabelled.png").write_bytes(image(format="PNG"))
    (root / "notes.txt").write_text("not a document")
    return root


@pytest.fixture(scope="module")
def workspace(folder: Path) -> Path:
    out = folder.parent / "out"
    import_folder(folder, out, "CC-BY-4.0")
    return out


def by_name(workspace: Path) -> dict[str, dict]:
    report = read_json(workspace / "import-report.json")
    return {record["name"]: record for record in [*report["accepted"], *report["rejected"]]}


def test_every_document_is_accepted_or_rejected(workspace):
    report = read_json(workspace / "import-report.json")
    assert report["counts"] == {
        "found": 9,
        "accepted": 6,
        "scored": 6,
        "unlabelled": 0,
        "copies": 0,
        "rejected": 3,
        "pages": 10,
        "pairs": 24,
        "files_ignored": 1,
        "printed_not_checked": 2,
    }
    assert report["files_ignored"] == ["notes.txt"]
    assert report["licence"] == "CC-BY-4.0"
    assert [record["name"] for record in report["rejected"]] == ["alone", "unlabelled", "wrong"]


def test_rejected_documents_have_fields_and_reasons(workspace):
    problems = {
        name: [(problem["field"], problem["reason"]) for problem in record["problems"]]
        for name, record in by_name(workspace).items()
        if "problems" in record
    }
    assert problems["wrong"] == [
        ("totals.amount_due (BT-115)", "'117,20' is not a plain decimal such as 1234.50"),
        ("buyer.address.country_code (BT-55)", "the schema requires it, and the ground truth lacks it"),
    ]
    assert "ground truth without pages" in problems["alone"][0][1]
    assert "no ground truth: add a JSON or XML file" in problems["unlabelled"][0][1]


def test_accepted_documents_name_their_files_with_hashes(folder, workspace):
    records = by_name(workspace)
    assert {
        name: (record["truth"], record["syntax"], record["pages"]) for name, record in records.items() if "id" in record
    } == {
        "embedded": ("factur-x.xml", "cii", 2),
        "own-name": ("rechnung.xml", "cii", 1),
        "2024/ubl": ("2024/ubl.xml", "ubl", 1),
        "scan": ("scan.json", "json", 2),
        "fax": ("fax.json", "json", 3),
        "Rücksendung [a](b)": ("Rücksendung [a](b).json", "json", 1),
    }
    for record in records.values():
        for name, digest in record["files"].items():
            assert digest == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_pages_have_the_schema_of_rendered_pages(workspace):
    table = read_table(workspace / "images" / "part-00000.parquet")
    assert table.schema.remove_metadata() == PAGE_TABLE_SCHEMA
    assert set(table["group"].to_pylist()) == set(table["layout"].to_pylist()) == {"real"}
    documents = {document.id: document for document in pages_from_table(table)}
    ids = {name: record["id"] for name, record in by_name(workspace).items() if "id" in record}
    assert all(name.isascii() and "/" not in name and "." not in name for name in ids.values())
    assert [(page.width, page.height) for page in documents[ids["scan"]].pages] == [(120, 80), (80, 120)]
    assert documents[ids["scan"]].pages[0].open().getpixel((20, 20)) == 0
    assert (documents[ids["fax"]].dpi, len(documents[ids["fax"]].pages)) == (200, 3)
    assert [np.asarray(page.open())[0, 0] for page in documents[ids["fax"]].pages] == [255, 200, 100]
    assert (documents[ids["embedded"]].pages[0].width, documents[ids["embedded"]].dpi) == (1191, 144)


def test_values_that_the_text_layer_does_not_show_are_not_expected(workspace):
    record = by_name(workspace)["embedded"]
    truth = read_truths(workspace / "documents.jsonl")[record["id"]]
    assert {
        "document_number",
        "issue_date",
        "due_date",
        "payment_account",
        "seller.name",
        "buyer.name",
        "allowances[0].amount",
        "lines[0].item_name",
        "lines[1].quantity",
        "totals.amount_due",
    } <= truth.printed
    assert {
        "totals.total_with_vat",
        "ship_to.name",
        "despatch_reference",
        "charges[0].amount",
    } <= set(record["not_printed"])
    assert not truth.printed & set(record["not_printed"])
    assert not {"currency_code", "lines[0].unit_code"} & truth.printed
    assert record["printed_checked"] is True
    assert by_name(workspace)["scan"]["printed_checked"] is False


def test_ground_truth_that_states_what_is_printed_is_trusted(workspace):
    record = by_name(workspace)["fax"]
    assert read_truths(workspace / "documents.jsonl")[record["id"]].printed == {"document_number", "totals.amount_due"}


def test_pairs_ask_for_printed_values_only(workspace):
    pairs = pairs_from(read_table(workspace / "pairs" / "part-00000.parquet"))
    assert {pair.task for pair in pairs} == {Task.FULL_EXTRACTION, Task.FIELD_QUESTION, Task.DOCUMENT_TYPE}
    fax = by_name(workspace)["fax"]["id"]
    whole = next(pair for pair in pairs if pair.document_id == fax and pair.task is Task.FULL_EXTRACTION)
    assert json.loads(whole.response) == {
        "document_type": "invoice",
        "document_number": "RE-5",
        "totals": {"amount_due": "117.20"},
    }
    assert whole.pages == (0, 1, 2)
    assert all(pair.box is None for pair in pairs)


def test_evaluation_reads_the_ground_truth_and_scores_it_as_perfect(workspace, tmp_path):
    truths = read_truths(workspace / "documents.jsonl")
    lines = [json.dumps({"id": truth.id, "response": truth.document}) for truth in truths.values()]
    (tmp_path / "predictions.jsonl").write_text("\n".join(lines))
    predictions, problems = read_predictions(tmp_path / "predictions.jsonl", truths)
    report = evaluate(truths, predictions, reader="the truth itself", problems=problems)
    assert len(truths) == report.documents == 6
    assert not problems.counts
    assert report.headline["field_accuracy"].value == report.headline["field_precision"].value == 1.0


def test_validation_reads_the_ground_truth(workspace):
    assert len(find_candidates([workspace]).candidates) == 6


def test_arithmetic_rules_that_the_ground_truth_breaks_are_reported(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(image(format="PNG"))
    wrong = bill().to_json()
    wrong["totals"]["amount_due"] = "100.00"
    (tmp_path / "in" / "a.json").write_text(json.dumps(wrong))
    report = import_folder(tmp_path / "in", tmp_path / "out", "own")
    assert report.accepted[0]["rules_broken"] == [
        {"rule": "BR-CO-16", "field": "totals.amount_due", "expected": "117.20", "actual": "100.00"},
        {"rule": "CASH-DISCOUNT", "field": "cash_discount.amount", "expected": "2.00", "actual": "2.34"},
    ]


def test_a_second_import_gives_the_same_bytes(folder, workspace, tmp_path):
    import_folder(folder, tmp_path / "again", "CC-BY-4.0")
    import_folder(folder, tmp_path / "again", "CC-BY-4.0")
    first, second = (
        {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}
        for root in (workspace, tmp_path / "again")
    )
    assert first == second
    assert set(first) == {
        "documents.jsonl",
        "import-report.json",
        "images/part-00000.parquet",
        "pairs/part-00000.parquet",
        "splits/splits.parquet",
    }


def test_training_never_reads_real_documents(workspace, tmp_path):
    assert {row.split for row in read_splits(workspace / "splits")} == {Split.REAL}
    batch = (TrainingBatchFolders("real", workspace / "pairs", workspace / "images"),)
    tasks = [Task.FULL_EXTRACTION, Task.FIELD_QUESTION]
    with pytest.raises(FileNotFoundError):
        read_samples(
            SampleSource(workspace / "splits", batch), Split.TRAIN, tasks, single_lines=False, page_folder=tmp_path
        )
    assert CliRunner().invoke(app, ["split", str(workspace)]).exit_code == 1
    # Not even with a forged manifest, which an import does not write.
    forged = shutil.copytree(workspace / "splits", tmp_path / "splits")
    entry = BatchEntry(
        key="real",
        plan=seed_plan("batch-000", 6, 1),
        shard_size=6,
        dpi=72,
        pair_recipe=PairRecipe(),
        documents=6,
        pairs=24,
        splits={},
        files={},
    )
    manifest = Manifest(
        key="real", hold_out=False, tools={}, batches=(entry,), splits_file="", strata=(), near_duplicates=()
    )
    (forged / MANIFEST_FILE).write_text(manifest.model_dump_json())
    for split in (Split.TRAIN, Split.VALIDATION):
        assert (
            read_samples(SampleSource(forged, batch), split, tasks, single_lines=False, page_folder=tmp_path)[0] == []
        )


def test_an_unsuitable_workspace_is_refused(folder, tmp_path):
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(ValueError, match="holds a synthetic batch"):
        import_folder(folder, tmp_path, "own")
    with pytest.raises(ValueError, match="contains the other"):
        import_folder(folder, folder / "out", "own")
    with pytest.raises(ValueError, match="licence is empty"):
        import_folder(folder, tmp_path / "new", " ")


def test_the_command_prints_a_summary(folder, tmp_path):
    arguments = ["import", str(folder), "--out", str(tmp_path / "out"), "--licence", "CC-BY-4.0", "--dpi", "72"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1, result.output  # as documents are rejected
    assert "9 documents found: 6 accepted with 10 pages, 3 rejected; 1 other files ignored" in result.output
    assert "2 of them have no text layer to rely on" in result.output
