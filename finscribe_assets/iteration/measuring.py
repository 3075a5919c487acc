"""Measure: predictions of documents → evaluation reports, as JSON for machines and as a page for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from finscribe_assets.documents.batch_keys import FIRST_BATCH_KEY
from finscribe_assets.documents.document_batch import read_documents
from finscribe_assets.evaluation.document_scoring import ScoredDocument, score
from finscribe_assets.evaluation.failure_excerpts import PageIllustration
from finscribe_assets.evaluation.field_comparison import FieldOutcome
from finscribe_assets.evaluation.paired_comparison import PairedComparison, compare_readers
from finscribe_assets.evaluation.prediction_files import read_predictions
from finscribe_assets.evaluation.report import EvaluationReport, evaluate
from finscribe_assets.evaluation.report_html import EMBEDDED_NOTE, report_to_html
from finscribe_assets.evaluation.report_opening import RobustnessSection
from finscribe_assets.evaluation.user_report import report_in_user_keys
from finscribe_assets.evaluation.worst_documents import illustrate_worst
from finscribe_assets.files import AnyPath, read_json, write_json, write_text
from finscribe_assets.inference.prediction import PREDICTED_BY_FILE, PREDICTIONS_FILE, TIMING_FILE
from finscribe_assets.iteration.batch_documents import (
    ADAPTER,
    PredictedDocuments,
    batch_mapping,
    in_fields_of,
    modes_of,
    read_batch,
    truths_of,
)
from finscribe_assets.iteration.batch_storage import BatchStorage, Stage
from finscribe_assets.iteration.report_causes import worst_causes
from finscribe_assets.mining.error_classification import PageContext, classify_errors
from finscribe_assets.mining.error_types import ErrorType
from finscribe_assets.model.base_names import EMBEDDED
from finscribe_assets.model.checkpoint_files import TRAINING_RECORD
from finscribe_assets.rendering.page_batch import destroyed_fields
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import read_splits

REPORT_FILE, TEST_REPORT_FILE = "report.json", "test.json"

Pages = Mapping[str, Sequence[PageIllustration]]


def measure(
    documents: PredictedDocuments,
    *,
    reader: str,
    layout: str = "the reader's own",
    seconds_per_document: float | None = None,
    on_documents: Callable[[int], None] | None = None,
) -> EvaluationReport:
    """Measure the predictions of some documents, beside those of other readers.

    Args:
        documents: What was predicted, and the ground truth.
        reader: Name of the reader, for the report.
        layout: Where the regions that it read came from.
        seconds_per_document: What reading took; None where nobody measured it.
        on_documents: Called with the number of documents measured since its last call.
    """

    def classify(scored: ScoredDocument) -> list[tuple[FieldOutcome, ErrorType]]:
        name = scored.truth.id
        drawn, destroyed = documents.drawn.get(name), documents.destroyed.get(name, frozenset())
        return classify_errors(scored, PageContext.of(drawn, destroyed) if drawn else PageContext(destroyed=destroyed))

    return evaluate(
        documents.truths,
        documents.predictions,
        reader=reader,
        layout=layout,
        problems=documents.problems,
        seconds_per_document=seconds_per_document,
        others=documents.others,
        attributes=documents.attributes,
        classify=classify,
        on_documents=on_documents,
    )


def write_report(
    report: EvaluationReport,
    documents: PredictedDocuments,
    file: AnyPath,
    note: str = "",
    robustness: RobustnessSection | None = None,
) -> Pages:
    """Write a report as JSON, and as an HTML page beside it; return the pictures of the documents read worst.

    Where documents are compared under a user's keys, fields have the names of these.

    The same documents and predictions give the same bytes. What differs from run to run, the time of reading and
    whether it meets its target, has a file of its own beside them: ``report_time.json`` beside ``report.json``.

    Args:
        report: What was measured.
        documents: The documents that it was measured on, whose pages are shown where they are stored.
        file: The JSON file; the page gets the suffix ``.html``.
        note: A sentence above everything else on the page.
        robustness: What a probe found of the reader, for the page; None where it was not probed.
    """
    pages = illustrate_worst(report.worst, documents.image_folders)
    causes = worst_causes(report, documents, robustness)
    timed = next((target for target in report.targets if target.seconds is not None), None)
    time = timed and {"required": timed.required, "verdict": timed.verdict, "seconds_per_document": timed.seconds}
    report = report.model_copy(update={"targets": [target.without_time() for target in report.targets]})
    if documents.mapping is not None:
        report = report_in_user_keys(report, documents.mapping)
    write_text(file, report.to_json())
    write_json(_time_file(file), time or {"seconds_per_document": None})
    write_text(file.with_suffix(".html"), report_to_html(report, note, pages, robustness, causes))
    return pages


@dataclass(frozen=True)
class BatchReports:
    """The reports of a batch's adapter, and the pages of the validation documents that it read worst."""

    validation: EvaluationReport
    test: EvaluationReport
    worst_pages: Pages
    base: str
    note: str


def measure_batch(
    storage: BatchStorage,
    key: str,
    on_documents: Callable[[int, str], Callable[[int], None]],
    robustness: RobustnessSection | None = None,
) -> BatchReports:
    """Measure the adapter of a batch on validation and test, and write both reports.

    On validation it is compared with its base, and with the adapter before it on the documents that both have read.

    Args:
        storage: Where the predictions are, and the reports go.
        key: The batch.
        on_documents: Called with the number of documents and a text for each split; returns what is told of progress.
        robustness: What a probe found of the adapter in use, for the page.
    """
    folder, predictions = storage.folder(Stage.EVALUATION_REPORT, key), storage.folder(Stage.PREDICTIONS, key)
    base = read_json(storage.folder(Stage.TRAINED_ADAPTER, key) / TRAINING_RECORD)["config"]["base"]
    layout = read_json(predictions / ADAPTER / PREDICTED_BY_FILE)["layout"] or "none: whole pages"
    seconds = read_json(predictions / ADAPTER / TIMING_FILE)["wall_seconds_per_document"]
    read = read_batch(storage, key)
    reports = {
        split: measure(
            documents,
            reader=f"{base} + adapter {key}",
            layout=layout,
            seconds_per_document=seconds,
            on_documents=on_documents(
                (1 + len(documents.others)) * len(documents.truths), f"{split} documents measured, with all readers"
            ),
        )
        for split, documents in read.items()
    }
    validation, test = reports[Split.VALIDATION], reports[Split.TEST]
    if before := previous_key(storage, key):
        versus = {f"adapter {before}, on {FIRST_BATCH_KEY}": compare_with_previous(storage, key, before)}
        validation = validation.model_copy(update={"comparisons": versus | validation.comparisons})
    note = EMBEDDED_NOTE if base == EMBEDDED else ""
    write_report(test, read[Split.TEST], folder / TEST_REPORT_FILE, note)
    pages = write_report(validation, read[Split.VALIDATION], folder / REPORT_FILE, note, robustness)
    return BatchReports(validation, test, pages, base, note)


def previous_key(storage: BatchStorage, key: str) -> str | None:
    """Return the last batch before this one whose adapter has predictions; None for the first."""
    earlier = [batch for batch in storage.keys_until(Stage.PREDICTIONS, key) if batch < key]
    return earlier[-1] if earlier else None


def compare_with_previous(storage: BatchStorage, key: str, before: str) -> PairedComparison:
    """Compare the adapters of two batches on the first batch's validation documents, which every adapter reads."""
    ids = {
        row.document_id
        for row in read_splits(storage.folder(Stage.DATASET_SPLITS, key))
        if row.split is Split.VALIDATION and row.batch == FIRST_BATCH_KEY
    }
    documents = read_documents(storage.folder(Stage.SYNTHETIC_DOCUMENTS, FIRST_BATCH_KEY))
    drawn = {document.id: document for document in documents if document.id in ids}
    files = [storage.folder(Stage.PREDICTIONS, batch) / ADAPTER / PREDICTIONS_FILE for batch in (key, before)]
    destroyed = destroyed_fields(storage.folder(Stage.RENDERED_IMAGES, FIRST_BATCH_KEY))
    truths = truths_of(drawn, destroyed, modes_of(*files))
    read = [PredictedDocuments(truths, *read_predictions(file, truths)) for file in files]
    if (mapping := batch_mapping(storage, key)) is not None:
        read = [in_fields_of(documents, mapping) for documents in read]
    scored = [score(documents.truths, documents.predictions) for documents in read]
    return compare_readers(scored[0], scored[1])


def stored_report(storage: BatchStorage, key: str) -> EvaluationReport:
    """Return the validation report of a batch."""
    file = storage.folder(Stage.EVALUATION_REPORT, key) / REPORT_FILE
    report = EvaluationReport.model_validate_json(file.read_text(encoding="utf-8"))
    times = read_json(_time_file(file))
    targets = [
        target.timed(times["seconds_per_document"], times["verdict"]) if target.verdict == "kept apart" else target
        for target in report.targets
    ]
    return report.model_copy(update={"targets": targets})


def _time_file(report: AnyPath) -> AnyPath:
    return report.with_name(f"{report.stem}_time.json")
