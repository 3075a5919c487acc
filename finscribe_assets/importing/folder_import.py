"""Import a folder of real documents as a workspace of the source `real`, with the files that synthetic documents have.

The workspace has no plan and no `documents/`, which splitting and training start from. Its documents are in the split
`real`, which training never reads, unless a person corrected them and their vendors are given to training (`train`).
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from finscribe_assets.documents.labelled_fields import LabelledFields, labelled_fields
from finscribe_assets.documents.schema import flatten
from finscribe_assets.errors import UserError
from finscribe_assets.files import sha256_of, write_json, write_text
from finscribe_assets.importing.import_report import ImportReport
from finscribe_assets.importing.labelled_documents import (
    RealDocument,
    UnlabelledDocument,
    content_key,
    read_document,
    read_unlabelled,
)
from finscribe_assets.importing.printed_lines import cut_printed_lines, lines_to_json
from finscribe_assets.importing.real_pairs import UserKeys, build_real_pairs
from finscribe_assets.importing.rejects import NO_GROUND_TRUTH
from finscribe_assets.importing.source_files import DocumentFiles, find_documents
from finscribe_assets.importing.truth_files import LabelledTruth
from finscribe_assets.importing.vendor_splits import documents_to_train_on, vendor_keys
from finscribe_assets.instructions.pair import Pair, pairs_to_table
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.opening.input_limits import InputLimits, RejectedDocumentError
from finscribe_assets.opening.page_reader import PageReader
from finscribe_assets.rendering.pages import NO_MARKS, PAGE_TABLE_SCHEMA
from finscribe_assets.schema_mapping.key_reading import nest
from finscribe_assets.schema_mapping.mapping import SchemaMapping
from finscribe_assets.shards import Shard, write_shard
from finscribe_assets.splitting.exposure import Exposure
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import SplitRow, content_hash, write_splits
from finscribe_assets.stage_versions import IMPORTER_VERSION

REAL_SOURCE = "real"  # source, group, layout and batch of every imported document
IMPORT_REPORT_FILE, TRUTH_FILE = "import-report.json", "documents.jsonl"
TRAINING_TRUTH_FILE = "training-documents.jsonl"  # of documents that are not scored
_WRITTEN = ("images", "pairs", "splits", TRUTH_FILE, TRAINING_TRUTH_FILE, IMPORT_REPORT_FILE)
_SYNTHETIC_ONLY = ("plan.json", "documents", "documents.parquet")
_MAX_SHARD_DOCUMENTS, _MAX_SHARD_BYTES = 50, 256 << 20


@dataclass
class _ShardWriter:
    """Collects pages and pairs, and writes them as shards of images and of pairs."""

    folder: Path
    page_rows: list[dict[str, Any]] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    document_keys: list[str] = field(default_factory=list)  # id and hash of the printed values
    image_bytes: int = 0
    shards: int = 0  # number of shards written

    def add(self, document: RealDocument | UnlabelledDocument, pairs: list[Pair]) -> None:
        """Add a document; a full shard is written."""
        pages = document.content.pages
        printed, locale, lines = None, "", ""
        if isinstance(document, RealDocument):
            printed, locale = document.printed, document.truth.document.locale
            lines = f":{json.dumps(lines_to_json(document.lines))}" if document.lines else ""
        for index, page in enumerate(pages):
            self.page_rows.append(
                {
                    "document_id": document.id,
                    "page": index,
                    "pages": len(pages),
                    "image": {"bytes": page.image, "path": f"{document.id}-{index}.png"},
                    "width": page.width,
                    "height": page.height,
                    "dpi": document.content.dpi,
                    "group": REAL_SOURCE,
                    "layout": REAL_SOURCE,
                    "locale": locale,
                    "marks": NO_MARKS,
                }
            )
        self.pairs += pairs
        self.document_keys.append(f"{document.id}:{sha256_of(json.dumps(printed) + lines)}")
        self.image_bytes += sum(len(page.image) for page in pages)
        if len(self.document_keys) >= _MAX_SHARD_DOCUMENTS or self.image_bytes >= _MAX_SHARD_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what was added since the last shard."""
        if not self.document_keys:
            return
        name = Shard(self.shards, 0, 0).file_name
        fingerprint = sha256_of("\n".join([f"{REAL_SOURCE}:{IMPORTER_VERSION}", *self.document_keys]))
        images = pa.Table.from_pylist(self.page_rows, schema=PAGE_TABLE_SCHEMA)
        write_shard(self.folder / "images" / name, images, fingerprint, compress=False)  # PNG is compressed already
        write_shard(self.folder / "pairs" / name, pairs_to_table(self.pairs), fingerprint)
        self.page_rows, self.pairs, self.document_keys, self.image_bytes = [], [], [], 0
        self.shards += 1


def import_folder(
    folder: Path,
    out: Path,
    licence: str,
    *,
    dpi: int = 144,
    locale: str | None = None,
    limits: InputLimits | None = None,
    unlabelled: bool = False,
    mapping: SchemaMapping | None = None,
    labelled: Collection[str] = (),
    upright: bool = True,
    train: bool = False,
    on_document: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Import the real documents of a folder as a workspace; an earlier import in the same place is replaced.

    Args:
        folder: Folder of documents; see `source_files` for the names that belong together.
        out: The workspace to write. Its report is written last: a workspace without one is incomplete.
        licence: Terms under which the documents may be used; recorded in the report.
        dpi: Resolution of the page images of PDFs, in pixels per inch.
        locale: Locale of documents whose ground truth does not state one.
        limits: Limits on each document.
        unlabelled: Also take documents without ground truth, which can be read and corrected, and not be scored.
        mapping: Of a user's keys, which ground truth in JSON may have; pairs are written in them.
        labelled: Fields and groups that are labelled in documents in JSON that do not list theirs; all if empty.
        upright: Turn pages upright and straighten them. If not, boxes of corrected documents are left out, since they
            are those of upright pages.
        train: Mark corrected documents of training vendors for training. They are no longer scored.
        on_document: Called after each document with 1 and the number of documents found.

    Raises:
        MissingInputError: ``folder`` does not exist.
        UserError: ``licence`` is empty, a labelled field is unknown, ``out`` holds other files, or one of ``out`` and
            ``folder`` contains the other.
    """
    if not licence.strip():
        raise UserError("the licence is empty; state the terms under which these documents may be used")
    contents, limits = find_documents(folder), limits or InputLimits()
    _check_workspace(folder, out)
    report = ImportReport(licence.strip(), dpi, contents.ignored)
    default_labelled = labelled_fields(labelled) if labelled else None
    root, first_copies = folder.resolve(), dict[tuple[str, ...], str]()
    out.mkdir(parents=True, exist_ok=True)
    reading = PageReader(dpi, limits, upright=upright)
    with tempfile.TemporaryDirectory(dir=out, prefix=".import-") as temporary, reading as reader:
        writer, split_rows = _ShardWriter(Path(temporary)), list[SplitRow]()
        truths: dict[str, LabelledTruth] = {}
        truth_lines: dict[str, str] = {}
        for files in contents.documents:
            hashes: dict[str, str] = {}
            document: RealDocument | UnlabelledDocument | None = None
            try:
                document = _read(
                    root, files, reader, locale, limits, hashes, mapping, default_labelled, unlabelled=unlabelled
                )
            except RejectedDocumentError as error:
                report.reject(files, error.problems, hashes)
            if document is None:
                pass  # rejected
            elif (first := first_copies.setdefault(content_key(document), files.name)) != files.name:
                report.leave_out_copy(files, first, hashes)
            else:
                split_rows.append(_split_row(document))
                if isinstance(document, UnlabelledDocument):
                    writer.add(document, [])
                    report.accept_unlabelled(document)
                else:
                    document = document if upright else replace(document, lines=())
                    pairs = build_real_pairs(
                        document.id,
                        document.truth.document,
                        document.printed,
                        document.determined,
                        len(document.content.pages),
                        UserKeys(mapping, document.truth.written) if mapping else None,
                        cut_printed_lines(document.lines, document.content.pages),
                    )
                    writer.add(document, pairs)
                    truths[document.id], truth_lines[document.id] = document.truth, _truth_line(document)
                    report.accept(document, len(pairs))
            if on_document:
                on_document(1, len(contents.documents))
        writer.flush()
        split_rows = _with_training(split_rows, truths) if train else split_rows
        report.state_training({row.document_id for row in split_rows if row.split is not Split.REAL})
        scored = {row.document_id for row in split_rows if row.split is Split.REAL}
        _write_truths(writer.folder, truth_lines, scored)
        write_splits(writer.folder / "splits", split_rows)
        write_json(writer.folder / IMPORT_REPORT_FILE, report.to_json())
        _publish(writer.folder, out)
    return report


def _read(
    root: Path,
    files: DocumentFiles,
    reader: PageReader,
    locale: str | None,
    limits: InputLimits,
    hashes: dict[str, str],
    mapping: SchemaMapping | None,
    labelled: LabelledFields | None,
    *,
    unlabelled: bool,
) -> RealDocument | UnlabelledDocument:
    """Read a document; one without ground truth is read as such if that is wanted."""
    try:
        return read_document(root, files, reader, locale, limits, hashes, mapping, labelled)
    except RejectedDocumentError as error:
        if not unlabelled or not all(problem.reason.startswith(NO_GROUND_TRUTH) for problem in error.problems):
            raise
        return read_unlabelled(root, files, reader, limits, hashes)


def _check_workspace(folder: Path, out: Path) -> None:
    """Refuse a workspace that holds anything but an earlier import, or that overlaps with the folder."""
    if synthetic := [name for name in _SYNTHETIC_ONLY if (out / name).exists()]:
        raise UserError(
            f"{out}: holds a synthetic batch ({synthetic[0]}); name a new workspace for real documents, "
            "which must never enter training"
        )
    if out.exists() and not (out / IMPORT_REPORT_FILE).exists() and any((out / name).exists() for name in _WRITTEN):
        raise UserError(f"{out}: holds files that no complete import wrote; name another folder, or remove them")
    inner, outer = out.resolve(), folder.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise UserError(f"one of {out} and {folder} contains the other; name a workspace outside the folder")


def _publish(temporary: Path, out: Path) -> None:
    """Replace an earlier import; the report is removed first and comes last, as it marks a complete workspace."""
    for name in reversed(_WRITTEN):
        old = out / name
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink(missing_ok=True)
    for name in _WRITTEN:
        if (temporary / name).exists():
            (temporary / name).replace(out / name)


def _with_training(rows: list[SplitRow], truths: dict[str, LabelledTruth]) -> list[SplitRow]:
    """Return the rows with the splits of vendors; the group of a document is its vendor."""
    keys = {name: vendor_keys(truth.values()) for name, truth in truths.items()}
    stated = {name: truth.split for name, truth in truths.items() if truth.split is not None}
    vendors, splits = documents_to_train_on(keys, stated)
    return [
        replace(row, split=splits[row.document_id], group=vendors[row.document_id] or REAL_SOURCE)
        if row.document_id in splits
        else row
        for row in rows
    ]


def _write_truths(folder: Path, truth_lines: dict[str, str], scored: Collection[str]) -> None:
    """Write the ground truth of scored documents, and beside it that of the others, if there are any."""
    write_text(folder / TRUTH_FILE, "".join(line for name, line in truth_lines.items() if name in scored))
    if others := [line for name, line in truth_lines.items() if name not in scored]:
        write_text(folder / TRAINING_TRUTH_FILE, "".join(others))


def _truth_line(document: RealDocument) -> str:
    """Return a document's line of the ground-truth file."""
    truth = document.truth
    stated = nest(truth.values()) if truth.custom else truth.document.to_json()
    if document.negated:  # a reader is expected to read what is printed
        stated = unflatten(flatten(stated) | {path: document.printed[path] for path in document.negated})
    record = {"id": document.id, "document": stated, "printed": list(document.printed)}
    if truth.labelled is not None:
        record["labelled"] = sorted(truth.labelled)
    if document.lines:
        record["boxes"] = lines_to_json(document.lines)
    return json.dumps(record, ensure_ascii=False) + "\n"


def _split_row(document: RealDocument | UnlabelledDocument) -> SplitRow:
    if isinstance(document, UnlabelledDocument):
        content, document_type, locale = sha256_of("\n".join(content_key(document))), "", ""
    else:
        truth = document.truth.document
        content, document_type, locale = content_hash(truth.to_json()), str(truth.document_type or ""), truth.locale
    # Font and damage of a real document are unknown, and no adapter was trained on documents like it.
    return SplitRow(
        document.id,
        REAL_SOURCE,
        REAL_SOURCE,
        Split.REAL,
        targeted=False,
        content=content,
        document_type=document_type,
        locale=locale,
        layout=REAL_SOURCE,
        font="",
        held_out_wording=False,
        pages=len(document.content.pages),
        degradation="",
        exposure=Exposure.ZERO_SHOT,
    )
