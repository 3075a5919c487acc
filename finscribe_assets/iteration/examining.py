"""Examine: a batch's adapter takes the exam, beside the adapter in use before it and the bare base."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from finscribe_assets.device_lock import device_lock
from finscribe_assets.errors import UserError
from finscribe_assets.files import read_json
from finscribe_assets.inference.reader import Reader
from finscribe_assets.iteration.batch_documents import ADAPTER, BASE, batch_mapping
from finscribe_assets.iteration.batch_storage import BatchStorage, PlanFiles, Stage
from finscribe_assets.iteration.history import taught_factors
from finscribe_assets.iteration.promoting import PROMOTED, adapter_folder, adapter_in_use_before
from finscribe_assets.model.adapters import TRAINING_RECORD
from finscribe_assets.model.torch_runtime import gpu_name
from finscribe_assets.probing.rendered_reading import RenderedReader
from finscribe_assets.promotion.exam_documents import ExamPaper, exam_papers, papers_in_keys
from finscribe_assets.promotion.exam_reading import take_exam
from finscribe_assets.promotion.exam_results import ExamDocument, ExamResult, read_result, write_result
from finscribe_assets.shards import ShardPool


@dataclass(frozen=True)
class BatchExam:
    """The exam of a batch: its papers, and the results by reader (ADAPTER, BASE, PROMOTED where there is one)."""

    papers: list[ExamPaper]
    results: dict[str, ExamResult]
    left_out: list[str]  # factors that plans turned up, and of which the recipe draws no documents


def examine_adapter(
    storage: BatchStorage,
    plans: PlanFiles,
    key: str,
    documents: int,
    pool: ShardPool,
    *,
    dpi: int,
    on_documents: Callable[[int], Callable[[int], None]],
) -> BatchExam:
    """Let a batch's adapter, the adapter in use before it and their base take the exam, and store the results.

    What a reader got right in an earlier batch's exam is taken from there. Where the batch's pairs are in a user's
    keys, only fields that have a key are asked, and a model of whole pages writes these keys.

    Args:
        storage: Where the batch is, and the results go.
        plans: Plans of the batches so far.
        key: The batch.
        documents: Number of documents of the exam's base part.
        pool: Where documents are rendered.
        dpi: Resolution of the pages.
        on_documents: Called with the exam's number of documents; returns what is told how many all have read.
    """
    taught = [factor.factor for factor in taught_factors(storage, plans, key)]
    left_out: list[str] = []
    drawn = exam_papers(plans.deployment_recipe(), taught, documents, on_left_out=left_out.append)
    mapping = batch_mapping(storage, key)
    papers = papers_in_keys(drawn, mapping)
    left_out += sorted({paper.part for paper in drawn} - {paper.part for paper in papers})
    if mapping is not None and not papers:
        raise UserError(
            f"{key}: the exam asks for no field that has a key in the mapping {mapping.name}; map a field that pages "
            "print, such as document_number"
        )
    adapter = storage.folder(Stage.TRAINED_ADAPTER, key)
    config = read_json(adapter / TRAINING_RECORD)["config"]
    in_use = adapter_folder(storage, adapter_in_use_before(storage, key))
    adapters = {BASE: None, **({PROMOTED: in_use} if in_use else {}), ADAPTER: adapter}
    with device_lock(gpu_name(), f"the exam of {key}"):
        readers = {
            name: RenderedReader(Reader(config["base"], folder, threads=config["threads"]), pool, dpi, mapping)
            for name, folder in adapters.items()
        }
        known = [_known(storage, key, reader.identity) for reader in readers.values()]
        taken = take_exam(list(readers.values()), papers, known, on_documents(len(papers)))
    results = dict(zip(readers, taken, strict=True))
    if in_use is None:  # one that was in use when this exam was taken before has been withdrawn
        (storage.folder(Stage.EXAM, key) / f"{PROMOTED}.jsonl").unlink(missing_ok=True)
    for name, result in results.items():
        write_result(result, storage.folder(Stage.EXAM, key) / f"{name}.jsonl")
    return BatchExam(papers, results, left_out)


def _known(storage: BatchStorage, key: str, identity: str) -> dict[str, ExamDocument]:
    """Return what a reader got right in the exams of batches up to ``key``, by paper id."""
    known: dict[str, ExamDocument] = {}
    for batch in storage.keys_until(Stage.EXAM, key):
        for file in sorted(storage.folder(Stage.EXAM, batch).glob("*.jsonl")):
            result = read_result(file)
            if result.reader == identity:
                known |= {document.id: document for document in result.documents}
    return known
