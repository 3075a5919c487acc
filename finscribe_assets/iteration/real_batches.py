"""Real documents of an inbox batch: import, read, measure what has ground truth, and queue the rest for correction.

Each function does the work of one asset of the group `real`, on a storage; the commands `import`, `predict`,
`evaluate` and `queue` do the same on plain files.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finscribe_assets.device_lock import device_lock
from finscribe_assets.documents.batch_keys import BATCH_KEY_PATTERN, LAST_BATCH_KEY
from finscribe_assets.documents.labelled_fields import LabelledFields
from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.evaluation.missing_predictions import explain_no_predictions
from finscribe_assets.evaluation.prediction_files import (
    Prediction,
    Truth,
    prediction_lines,
    read_predictions,
    read_truths,
)
from finscribe_assets.evaluation.report import EvaluationReport
from finscribe_assets.evaluation.user_keys import map_predictions
from finscribe_assets.files import AnyPath, read_json, remove_folder, replace_folder, write_json, write_json_lines
from finscribe_assets.importing.folder_import import IMPORT_REPORT_FILE, TRUTH_FILE, import_folder
from finscribe_assets.importing.import_report import ImportReport
from finscribe_assets.importing.inbox import InboxBatch, InboxBatches, InboxLook, fetch_batch, look_at_inbox
from finscribe_assets.inference.prediction import (
    PREDICTED_BY_FILE,
    PREDICTIONS_FILE,
    TIMING_FILE,
    PredictionSummary,
    predict_batch,
)
from finscribe_assets.inference.server_reader import ServerReader
from finscribe_assets.inference.server_settings import URL_VARIABLE, ServerSettings
from finscribe_assets.instructions.prompt_wordings import full_extraction_prompt
from finscribe_assets.instructions.response_keys import structure_of
from finscribe_assets.iteration.batch_documents import BASE, SERVER, read_files
from finscribe_assets.iteration.batch_storage import BatchStorage, Stage
from finscribe_assets.iteration.measuring import REPORT_FILE, Pages, measure, write_report
from finscribe_assets.iteration.promoting import adapter_in_use
from finscribe_assets.model.adapters import TRAINING_RECORD
from finscribe_assets.model.torch_runtime import gpu_name
from finscribe_assets.review.correction_queue import QueuedDocument, order_for_review, predicted_leaves
from finscribe_assets.schema_mapping.mapping import SchemaMapping
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import read_splits

QUEUE_FILE, COUNTS_FILE, READERS_FILE = "queue.jsonl", "counts.json", "readers.json"
SECONDS_TO_SECOND_LOOK = 2.0


@dataclass(frozen=True)
class ImportedBatch:
    """What became of the documents of an inbox batch."""

    batch: InboxBatch
    report: ImportReport
    lost: list[str]  # files that are gone from the inbox, or were changed, since the batch was made

    @property
    def usable(self) -> int:
        """Return the number of documents that can be read."""
        return len(self.report.accepted) + len(self.report.unlabelled)


def batch_of_key(inbox: AnyPath, batches: InboxBatches, key: str) -> InboxBatch:
    """Return the batch of a key; the next one is made of what is new in the inbox.

    The sensor makes batches as files come. A run that a person starts looks twice, so that a file that is being
    copied is left for the next batch.

    Raises:
        UserError: The key is not one of an inbox batch, or neither an existing nor the next one.
        MissingInputError: It is the next one, and nothing is new.
    """
    if batches.path(key).exists():
        return batches.read(key)
    if key != batches.next_key():
        raise UserError(f"{key}: there is no such batch yet; the next one is {batches.next_key()}")
    decision = look_at_inbox(inbox, batches, InboxLook(), time.time())
    if decision.look.waiting:
        time.sleep(SECONDS_TO_SECOND_LOOK)
        decision = look_at_inbox(inbox, batches, decision.look, time.time())
    if decision.batch is None:
        raise MissingInputError(f"{key}: {decision.reason}")
    batches.write(decision.batch)
    return decision.batch


def import_batch(
    inbox: AnyPath,
    batches: InboxBatches,
    folder: AnyPath,
    key: str,
    *,
    licence: str,
    locale: str | None = None,
    mapping: SchemaMapping | None = None,
    train: bool = False,
    on_document: Callable[[int, int], None] | None = None,
) -> ImportedBatch:
    """Import the documents of an inbox batch as a workspace; those without ground truth, too.

    Args:
        inbox: The inbox.
        batches: The batches so far.
        folder: The workspace to write.
        key: Of the batch.
        licence: Terms under which the documents may be used; kept in the report.
        locale: Locale of documents whose ground truth does not state one.
        mapping: Of a user's keys, which ground truth in JSON may have.
        train: Mark corrected documents of training vendors for training; they are no longer scored.
        on_document: Called after each document with 1 and the number of documents found.

    Raises:
        UserError: See `batch_of_key`; or files of a batch that was imported before are no longer in the inbox.
    """
    batch = batch_of_key(inbox, batches, key)
    with tempfile.TemporaryDirectory() as temporary:
        files, out = Path(temporary) / "inbox", Path(temporary) / "workspace"
        files.mkdir()
        lost = fetch_batch(inbox, batch, files)
        if lost and (folder / IMPORT_REPORT_FILE).exists():
            raise UserError(
                f"{key}: {len(lost)} of its files are gone from {inbox} or were changed, such as {lost[0]}; the "
                f"earlier import in {folder} is kept. Put the files back, or go on with it"
            )
        report = import_folder(
            files, out, licence, locale=locale, unlabelled=True, mapping=mapping, train=train, on_document=on_document
        )
        replace_folder(out, folder, IMPORT_REPORT_FILE)
    return ImportedBatch(batch, report, lost)


def readers_of(storage: BatchStorage, names: Sequence[str], server: ServerSettings | None = None) -> list[str]:
    """Return the readers of real documents, the most important one first.

    Args:
        storage: Where adapters are.
        names: Batch keys of adapters, ``base`` or ``server``; the adapter in use, the bare base and the server, where
            there is one, if empty.
        server: Has the model that is called ``server``.

    Raises:
        UserError: A name is not one of these, or no server is known.
        MissingInputError: There is no such adapter.
    """
    if not names:
        in_use = adapter_in_use(storage, LAST_BATCH_KEY)
        return [*([in_use.key] if in_use else []), BASE, *([SERVER] if server else [])]
    if SERVER in names and server is None:
        raise UserError(f"adapters: {SERVER!r} needs a server; set {URL_VARIABLE} to its address")
    for name in [name for name in names if name != SERVER]:
        if name != BASE and not BATCH_KEY_PATTERN.fullmatch(name):
            raise UserError(f"adapters: {name!r} is not the key of a batch, such as batch-000, {BASE} or {SERVER}")
        if name != BASE and not (folder := storage.folder(Stage.TRAINED_ADAPTER, name) / TRAINING_RECORD).exists():
            raise MissingInputError(f"adapters: {folder} is not there; {name} has no finished adapter")
    return list(dict.fromkeys(names))


@dataclass(frozen=True)
class RealPredictions:
    """What readers have read of an inbox batch, by reader."""

    documents: int
    summaries: dict[str, PredictionSummary]
    missing: dict[str, list[str]]  # ids of documents without a prediction
    empty: dict[str, int]  # number of predictions without any value


def predict_real(
    storage: BatchStorage,
    key: str,
    readers: Sequence[str],
    base: str,
    progress: Callable[[int, str], Callable[[int], None]],
    server: ServerSettings | None = None,
    mapping: SchemaMapping | None = None,
) -> RealPredictions:
    """Have each reader read all documents of an inbox batch, at detected lines or, as a page model, as whole pages.

    Args:
        storage: Where documents and adapters are, and predictions go.
        key: Of the batch.
        readers: Batch keys of adapters, ``base`` or ``server``.
        base: The base that the bare reader is.
        progress: Called with a number of documents and a text for each reader; returns what is told of progress.
        server: Has the model that is called ``server``.
        mapping: Of the user's keys that a model of whole pages is asked for; None for those of the schema.

    Raises:
        UserError: The server cannot be asked.
    """
    workspace, folder = storage.folder(Stage.REAL_DOCUMENTS, key), storage.folder(Stage.REAL_PREDICTIONS, key)
    ids = _measured_ids(workspace)
    if not ids:
        raise UserError(f"{key}: all its documents are there to train on, so that there is none to read")
    summaries = {}
    for reader in readers:
        adapter = None if reader in (BASE, SERVER) else storage.folder(Stage.TRAINED_ADAPTER, reader)
        config: dict[str, Any] = {"base": base, "threads": 1}
        if adapter is not None:
            config = read_json(adapter / TRAINING_RECORD)["config"]
        served = ServerReader(server) if server and reader == SERVER else None
        with device_lock(None if served else gpu_name(), f"predictions of {key} by {reader}"):
            summaries[reader] = predict_batch(
                [workspace / "images"],
                ids,
                folder / reader,
                reader=served,
                base=config["base"],
                adapter=adapter,
                prompt=full_extraction_prompt(structure_of(mapping)) if mapping else "",
                threads=config["threads"],
                on_documents=progress(len(ids), f"documents read by {reader}"),
            )
    write_json(folder / READERS_FILE, list(readers))
    found = {reader: read_all(folder / reader / PREDICTIONS_FILE, ids) for reader in readers}
    return RealPredictions(
        len(ids),
        summaries,
        {reader: sorted(ids - read.keys()) for reader, read in found.items()},
        {reader: sum(not predicted_leaves(one) for one in read.values()) for reader, read in found.items()},
    )


@dataclass(frozen=True)
class RealReport:
    """The scores of an inbox batch, and how many documents they do not cover."""

    report: EvaluationReport | None  # None if no document has ground truth
    worst_pages: Pages
    counts: dict[str, int]  # documents with and without ground truth, and rejected ones


def measure_real(
    storage: BatchStorage,
    key: str,
    progress: Callable[[int], Callable[[int], None]],
    mapping: SchemaMapping | None = None,
) -> RealReport:
    """Measure the first reader on the documents that have ground truth, beside the other readers.

    Args:
        storage: Where documents and predictions are, and the report goes.
        key: Of the batch.
        progress: Called with the number of documents to measure; returns what is told of progress.
        mapping: Of the user's keys under which values are compared; None for those of the schema.
    """
    workspace, folder = storage.folder(Stage.REAL_DOCUMENTS, key), storage.folder(Stage.REAL_REPORT, key)
    predictions = storage.folder(Stage.REAL_PREDICTIONS, key)
    imported = read_json(workspace / IMPORT_REPORT_FILE)
    counts = {
        "with_truth": sum(record.get("scored", True) for record in imported["accepted"]),
        "without_truth": len(imported["unlabelled"]),
        "rejected": len(imported["rejected"]),
    }
    remove_folder(folder)
    write_json(folder / COUNTS_FILE, counts)
    if not counts["with_truth"]:
        return RealReport(None, {}, counts)
    first, *others = read_json(predictions / READERS_FILE)
    by, timing = (read_json(predictions / first / name) for name in (PREDICTED_BY_FILE, TIMING_FILE))
    documents = read_files(
        predictions / first / PREDICTIONS_FILE,
        workspace / TRUTH_FILE,
        others={reader: predictions / reader / PREDICTIONS_FILE for reader in others},
        workspace=workspace,
        mapping=mapping,
    )
    report = measure(
        documents,
        reader=first,
        layout=by["layout"] or "none: whole pages",
        seconds_per_document=timing["wall_seconds_per_document"],
        on_documents=progress(len(documents.truths) * (1 + len(others))),
    )
    note = f"{counts['without_truth']} further documents have no ground truth; {counts['rejected']} were rejected."
    return RealReport(report, write_report(report, documents, folder / REPORT_FILE, note), counts)


def queue_real(storage: BatchStorage, key: str, mapping: SchemaMapping | None = None) -> list[QueuedDocument]:
    """Order the documents of an inbox batch for correction; values that their ground truth states need none.

    Args:
        storage: Where documents and predictions are, and the queue goes.
        key: Of the batch.
        mapping: Of the user's keys, in which predictions may be; None for those of the schema.
    """
    workspace, predictions = storage.folder(Stage.REAL_DOCUMENTS, key), storage.folder(Stage.REAL_PREDICTIONS, key)
    first, *others = read_json(predictions / READERS_FILE)
    ids = _measured_ids(workspace)
    queue = order_for_review(
        read_all(predictions / first / PREDICTIONS_FILE, ids, mapping),
        {reader: read_all(predictions / reader / PREDICTIONS_FILE, ids, mapping) for reader in others},
        known_fields(workspace / TRUTH_FILE),
    )
    records = (document.model_dump(mode="json") for document in queue)
    write_json_lines(storage.folder(Stage.REVIEW_QUEUE, key) / QUEUE_FILE, records)
    return queue


def _measured_ids(workspace: AnyPath) -> set[str]:
    """Return the ids of the documents that are read and measured, as nothing was trained on them."""
    return {row.document_id for row in read_splits(workspace / "splits") if row.split is Split.REAL}


def real_workspaces(storage: BatchStorage, keys: Sequence[str]) -> tuple[AnyPath, ...]:
    """Return the workspaces of inbox batches that were imported, in the order of their keys."""
    folders = (storage.folder(Stage.REAL_DOCUMENTS, key) for key in keys)
    return tuple(folder for folder in folders if (folder / IMPORT_REPORT_FILE).exists())


def read_all(file: AnyPath, ids: Collection[str], mapping: SchemaMapping | None = None) -> dict[str, Prediction]:
    """Return the predictions of these documents, whether or not they have ground truth; a user's keys as fields."""
    truths = {name: Truth(name, {}) for name in ids}
    predictions = read_predictions(file, truths)[0]
    return predictions if mapping is None else map_predictions(predictions, truths, mapping)[0]


def known_fields(file: AnyPath) -> dict[str, LabelledFields | None]:
    """Return which fields the ground truth of each document states; None for all. A file without documents has none."""
    if not file.exists() or not file.read_bytes().strip():
        return {}
    return {name: truth.labelled for name, truth in read_truths(file).items()}


def queue_files(
    predictions: AnyPath, others: Mapping[str, AnyPath], ground_truth: AnyPath | None = None
) -> list[QueuedDocument]:
    """Order the documents of a predictions file for correction.

    Args:
        predictions: A reader's predictions, as `extract` and `predict` write them.
        others: Predictions files of further readers for the same documents, by reader name.
        ground_truth: Values that it states need no correction.

    Raises:
        UserError: No line of the file is a prediction.
    """
    ids = prediction_lines(predictions)
    if not ids:
        raise UserError(explain_no_predictions(predictions, ["…"]))
    return order_for_review(
        read_all(predictions, ids),
        {reader: read_all(file, ids) for reader, file in others.items()},
        known_fields(ground_truth) if ground_truth else {},
    )
