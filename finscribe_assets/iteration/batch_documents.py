"""The documents that a reader is measured on, with their ground truth, its predictions and what is known besides.

They come from a stored batch of the loop (`read_batch`) or from plain files (`read_files`); measuring and mining take
either.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from finscribe_assets.documents.document_batch import read_documents
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import field_of
from finscribe_assets.documents.page_evidence import expected_fields
from finscribe_assets.errors import UserError
from finscribe_assets.evaluation.missing_predictions import explain_no_predictions
from finscribe_assets.evaluation.prediction_files import (
    InputProblems,
    Prediction,
    Truth,
    read_predictions,
    read_truths,
    with_inferred_fields,
)
from finscribe_assets.evaluation.slices import DocumentAttributes, split_attributes
from finscribe_assets.evaluation.user_keys import known_labels, map_predictions, map_truths, truth_in_fields
from finscribe_assets.files import AnyPath, read_json
from finscribe_assets.inference.prediction import NOT_IN_REGIONS, PREDICTED_BY_FILE, PREDICTIONS_FILE, Mode
from finscribe_assets.instructions.pair_batch import PAIR_RECIPE_FILE, read_pair_recipe
from finscribe_assets.iteration.batch_storage import BatchStorage, Stage
from finscribe_assets.rendering.located_boxes import LocatedBoxes
from finscribe_assets.rendering.page_batch import destroyed_fields, printed_boxes
from finscribe_assets.schema_mapping.mapping import SchemaMapping
from finscribe_assets.shards import shard_files
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import SPLITS_FILE, SplitRow, read_splits

ADAPTER, BASE = "adapter", "base"  # the readers of a batch; each has a folder of predictions under its name
SERVER = "server"  # a model on a server, which reads beside them where FINSCRIBE_SERVER_URL names one
MEASURED_SPLITS = (Split.VALIDATION, Split.TEST)  # mining sees validation; test is reported and decides nothing


@dataclass(frozen=True)
class PredictedDocuments:
    """Documents with ground truth and one reader's predictions.

    Attributes:
        truths: Ground truth by document id; only values that the pages show are asked.
        predictions: The reader's predictions by document id; a document may have none.
        problems: What was wrong with the prediction file, counted.
        others: Predictions of other readers of the same documents, by reader name.
        drawn: The documents as they were drawn, by id; empty for documents that were not drawn here.
        destroyed: Fields that damage has left unreadable, by document id.
        attributes: Of the documents, by id and dimension, for slices.
        image_folders: Folders of page shards in which the documents' pages are.
        keys_note: Whose keys the files have, where a schema mapping was given.
        mapping: Of the user's keys under whose fields values are compared, and by which reports name them.
    """

    truths: Mapping[str, Truth]
    predictions: Mapping[str, Prediction]
    problems: InputProblems
    others: Mapping[str, Mapping[str, Prediction]] = field(default_factory=dict)
    drawn: Mapping[str, DrawnDocument] = field(default_factory=dict)
    destroyed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    attributes: DocumentAttributes = field(default_factory=dict)
    image_folders: tuple[AnyPath, ...] = ()
    keys_note: str = ""
    mapping: SchemaMapping | None = None


@dataclass(frozen=True)
class MeasuredBatch:
    """The validation and test documents of a batch's data set: split rows, and the drawn documents by id."""

    rows: list[SplitRow]
    drawn: dict[str, DrawnDocument]
    image_folders: tuple[AnyPath, ...]

    def ids(self, split: Split) -> set[str]:
        """Return the ids of a split's documents."""
        return {row.document_id for row in self.rows if row.split is split}


def measured_batch(storage: BatchStorage, key: str) -> MeasuredBatch:
    """Read which documents the adapter of a batch is measured on; their pages are not read."""
    rows = [row for row in read_splits(storage.folder(Stage.DATASET_SPLITS, key)) if row.split in MEASURED_SPLITS]
    wanted, batches = {row.document_id for row in rows}, sorted({row.batch for row in rows})
    documents = chain.from_iterable(
        read_documents(storage.folder(Stage.SYNTHETIC_DOCUMENTS, batch)) for batch in batches
    )
    return MeasuredBatch(
        rows,
        {document.id: document for document in documents if document.id in wanted},
        tuple(storage.folder(Stage.RENDERED_IMAGES, batch) for batch in batches),
    )


def truths_of(
    drawn: Mapping[str, DrawnDocument], destroyed: Mapping[str, frozenset[str]], modes: Collection[Mode] = ()
) -> dict[str, Truth]:
    """Return drawn documents as ground truth, which asks for what can be read on their pages.

    Args:
        drawn: Documents by id.
        destroyed: Fields that damage has left unreadable, by document id.
        modes: How the readers that are measured read; fields that one of these modes cannot give are not asked.
    """
    return {
        name: for_modes(
            Truth(name, document.document.to_json(), expected_fields(document, destroyed.get(name, ()))), modes
        )
        for name, document in drawn.items()
    }


def for_modes(truth: Truth, modes: Collection[Mode]) -> Truth:
    """Return a ground truth without the fields that a reader of regions is never shown, if one of the modes is that."""
    if Mode.REGIONS not in modes or truth.printed is None:
        return truth
    return replace(truth, printed=frozenset(path for path in truth.printed if field_of(path) not in NOT_IN_REGIONS))


def modes_of(*predictions: AnyPath) -> set[Mode]:
    """Return how the readers of prediction files read, as far as `finscribe predict` wrote the files."""
    records = [file.parent / PREDICTED_BY_FILE for file in predictions if file.name == PREDICTIONS_FILE]
    return {Mode(read_json(record)["mode"]) for record in records if record.exists()}


def batch_mapping(storage: BatchStorage, key: str) -> SchemaMapping | None:
    """Return the mapping of the keys in which a batch's pairs are: what its adapter learnt to write; None without."""
    pairs = storage.folder(Stage.INSTRUCTION_PAIRS, key)
    return read_pair_recipe(pairs).mapping if (pairs / PAIR_RECIPE_FILE).exists() else None


def read_batch(storage: BatchStorage, key: str) -> dict[Split, PredictedDocuments]:
    """Read the validation and test documents of a batch with its adapter's predictions, and those of other readers.

    Where the batch's pairs are in a user's keys, documents and predictions are compared under these.
    """
    mapping = batch_mapping(storage, key)
    batch = measured_batch(storage, key)
    folder = storage.folder(Stage.PREDICTIONS, key)
    everything = truths_of(batch.drawn, {})  # ids are matched over both splits, so that none counts as unknown
    predictions, problems = read_predictions(folder / ADAPTER / PREDICTIONS_FILE, everything)
    beside = [BASE, *([SERVER] if (folder / SERVER / PREDICTIONS_FILE).exists() else [])]
    others = {reader: read_predictions(folder / reader / PREDICTIONS_FILE, everything)[0] for reader in beside}
    modes = modes_of(*(folder / reader / PREDICTIONS_FILE for reader in (ADAPTER, *beside)))
    destroyed = {name: fields for images in batch.image_folders for name, fields in destroyed_fields(images).items()}
    attributes = split_attributes(batch.rows)

    def documents_of(split: Split) -> PredictedDocuments:
        drawn = {name: batch.drawn[name] for name in sorted(batch.ids(split)) if name in batch.drawn}
        documents = _with_boxes(
            PredictedDocuments(
                truths=truths_of(drawn, destroyed, modes),
                predictions={name: predictions[name] for name in drawn if name in predictions},
                problems=problems,
                others=others,
                drawn=drawn,
                destroyed=destroyed,
                attributes=attributes,
                image_folders=batch.image_folders,
            )
        )
        return documents if mapping is None else in_fields_of(documents, mapping)

    return {split: documents_of(split) for split in MEASURED_SPLITS}


def read_files(
    predictions: AnyPath,
    ground_truth: AnyPath,
    *,
    others: Mapping[str, AnyPath] | None = None,
    workspace: AnyPath | None = None,
    splits: Collection[str] = (),
    labelled: Collection[str] = (),
    mapping: SchemaMapping | None = None,
) -> PredictedDocuments:
    """Read a prediction file and a ground-truth file.

    Args:
        predictions: JSON lines of one reader's predictions.
        ground_truth: JSON lines of the documents' ground truth.
        others: Prediction files of other readers, by reader name.
        workspace: The workspace that the documents were drawn in, where they were. What it lacks (documents, pages,
            splits) is left out of the result.
        splits: Splits of the workspace that the documents are restricted to; all of them if empty.
        labelled: Fields and groups that are labelled in documents that do not list theirs; all if empty.
        mapping: Of a user's keys, which the files may have; what it does not cover is not judged.

    Raises:
        UserError: the ground truth cannot be read (the message names file and line), a file holds no prediction at all,
            splits are given without a workspace that has some, or no document is in them.
    """
    modes = modes_of(predictions, *(others or {}).values())
    known = known_labels(mapping) if mapping else ()
    truths = {name: for_modes(truth, modes) for name, truth in read_truths(ground_truth, labelled, known).items()}
    without_truth = _ids_of_splits(workspace, list(Split)) - truths.keys() if _has_splits(workspace) else set()
    if splits:
        ids = _ids_of_splits(workspace, splits)
        truths = {name: truth for name, truth in truths.items() if name in ids}
        if not truths:
            raise UserError(f"{ground_truth}: none of its documents is in {' or '.join(splits)} of {workspace}")
    if mapping is None:
        truths = with_inferred_fields(truths)
    found, problems = _read_some(predictions, truths, without_truth)
    documents = PredictedDocuments(
        truths=truths,
        predictions=found,
        problems=problems,
        others={name: _read_some(file, truths)[0] for name, file in (others or {}).items()},
    )
    if workspace:
        documents = _with_workspace(documents, workspace)
    return documents if mapping is None else in_fields_of(documents, mapping, ground_truth)


def in_fields_of(
    documents: PredictedDocuments, mapping: SchemaMapping, ground_truth: AnyPath | None = None
) -> PredictedDocuments:
    """Return documents and predictions under the fields at which a user's JSON is compared.

    Args:
        documents: As read; the ground truth and each reader's predictions are in the user's keys or in the schema.
        mapping: The user's keys.
        ground_truth: The file that the ground truth was read from; None if it was drawn here.
    """
    if ground_truth is None:
        truths = {name: truth_in_fields(truth, mapping) for name, truth in documents.truths.items()}
        truth_keys = False
    else:
        mapped = map_truths(documents.truths, mapping, ground_truth, documents.problems)
        truths, truth_keys = mapped.truths, mapped.in_user_keys
    predictions, prediction_keys = map_predictions(documents.predictions, truths, mapping)
    whose = {True: f"keys of {mapping.name}", False: "keys of the schema"}
    return replace(
        documents,
        truths=truths,
        predictions=predictions,
        others={
            # Another reader may have read documents of another split as well.
            name: map_predictions({one: read for one, read in other.items() if one in truths}, truths, mapping)[0]
            for name, other in documents.others.items()
        },
        mapping=mapping,
        keys_note=f"ground truth: {whose[truth_keys]}; predictions: {whose[prediction_keys]}",
    )


def _has_splits(workspace: AnyPath | None) -> bool:
    return workspace is not None and (workspace / "splits" / SPLITS_FILE).exists()


def _read_some(
    file: AnyPath, truths: dict[str, Truth], without_truth: Collection[str] = ()
) -> tuple[dict[str, Prediction], InputProblems]:
    """Read a prediction file that a person names; one without any prediction has another format, or other documents."""
    predictions, problems = read_predictions(file, truths, without_truth)
    if not predictions:
        raise UserError(explain_no_predictions(file, truths))
    return predictions, problems


def _ids_of_splits(workspace: AnyPath | None, splits: Collection[str]) -> set[str]:
    if workspace is None or not _has_splits(workspace):
        raise UserError("--split: name a --workspace that has splits; `finscribe split` writes them")
    if unknown := set(splits) - set(Split):
        raise UserError(f"--split: {', '.join(sorted(unknown))} is unknown; splits are {', '.join(Split)}")
    return {row.document_id for row in read_splits(workspace / "splits") if row.split in splits}


def _with_workspace(known: PredictedDocuments, workspace: AnyPath) -> PredictedDocuments:
    documents, images, splits = (workspace / name for name in ("documents", "images", "splits"))
    parts: dict[str, Any] = {}
    if shard_files(documents):
        parts["drawn"] = {drawn.id: drawn for drawn in read_documents(documents) if drawn.id in known.truths}
    if shard_files(images):
        parts |= {"destroyed": destroyed_fields(images), "image_folders": (images,)}
    if (splits / SPLITS_FILE).exists():
        parts["attributes"] = split_attributes(read_splits(splits))
    return _with_boxes(replace(known, **parts))


def _with_boxes(documents: PredictedDocuments) -> PredictedDocuments:
    """Add the boxes of values to the ground truth if a prediction has boxes to compare with them."""
    if not any(prediction.may_have_boxes for prediction in documents.predictions.values()):
        return documents
    boxes: dict[str, LocatedBoxes] = {}
    for folder in documents.image_folders:
        boxes |= printed_boxes(folder, documents.truths.keys())
    truths = {name: replace(truth, boxes=boxes.get(name, truth.boxes)) for name, truth in documents.truths.items()}
    return replace(documents, truths=truths)
