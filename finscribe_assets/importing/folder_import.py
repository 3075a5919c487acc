"""A folder of real documents → a workspace of the source `real`, in the files that synthetic documents have.

The workspace has no plan and no documents/, which splitting and training start from, and its documents stand in the
split `real`, which training never reads.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from finscribe_assets.errors import UserError
from finscribe_assets.files import sha256_of, write_json, write_text
from finscribe_assets.importing.import_report import ImportReport
from finscribe_assets.importing.labelled_documents import ReadOutcome, RealDocument, read_document, same_content
from finscribe_assets.importing.page_reader import PageReader
from finscribe_assets.importing.real_pairs import pairs_of
from finscribe_assets.importing.rejects import Limits, Rejected, reject
from finscribe_assets.importing.source_files import find, printable
from finscribe_assets.instructions.pair import Pair
from finscribe_assets.instructions.pair import pairs_to_table as pairs_table
from finscribe_assets.rendering.pages import PAGE_TABLE_SCHEMA
from finscribe_assets.shards import Shard, write_shard
from finscribe_assets.splitting.exposure import Exposure
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import SplitRow, content_hash, write_splits

IMPORTER_VERSION = 1  # raise it with every change to what a folder gives
REAL = "real"  # the source: group, layout, batch and split of every imported document
IMPORT_REPORT_FILE, TRUTH_FILE = "import-report.json", "documents.jsonl"
_WRITTEN = ("images", "pairs", "splits", TRUTH_FILE, IMPORT_REPORT_FILE)
_SYNTHETIC = ("plan.json", "documents", "documents.parquet")
_SHARD_DOCUMENTS, _SHARD_BYTES = 50, 256 << 20  # a shard ends at either


@dataclass
class _ImportWriter:
    """Writes shards of images and pairs as documents come."""

    folder: Path
    rows: list[dict[str, Any]] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    bytes: int = 0
    shards: int = 0

    def add(self, document: RealDocument, pairs: list[Pair]) -> None:
        pages = document.content.pages
        for number, page in enumerate(pages):
            self.rows.append(
                {
                    "document_id": document.id,
                    "page": number,
                    "pages": len(pages),
                    "image": {"bytes": page.image, "path": f"{document.id}-{number}.png"},
                    "width": page.width,
                    "height": page.height,
                    "dpi": document.content.dpi,
                    "group": REAL,
                    "layout": REAL,
                    "locale": document.truth.document.locale,
                    "marks": "[]",
                }
            )
        self.pairs += pairs
        self.ids.append(f"{document.id}:{sha256_of(json.dumps(document.printed))}")
        self.bytes += sum(len(page.image) for page in pages)
        if len(self.ids) >= _SHARD_DOCUMENTS or self.bytes >= _SHARD_BYTES:
            self.flush()

    def flush(self) -> None:
        if not self.ids:
            return
        name = Shard(self.shards, 0, 0).file_name
        mark = sha256_of("\n".join([f"{REAL}:{IMPORTER_VERSION}", *self.ids]))
        images = pa.Table.from_pylist(self.rows, schema=PAGE_TABLE_SCHEMA)
        write_shard(self.folder / "images" / name, images, mark, compress=False)  # PNG is compressed already
        write_shard(self.folder / "pairs" / name, pairs_table(self.pairs), mark)
        self.rows, self.pairs, self.ids, self.bytes = [], [], [], 0
        self.shards += 1


def import_folder(
    folder: Path,
    out: Path,
    licence: str,
    *,
    dpi: int = 144,
    locale: str | None = None,
    limits: Limits | None = None,
    on_document: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Write the real documents of a folder as a workspace; what stood there of an earlier import is replaced.

    ``locale`` is that of documents that tell none. ``on_document`` is told how many documents more were read, and of
    how many. The report is written last: a workspace without one is not whole.

    Raises:
        UserError: ``out`` is a workspace of synthetic documents or lies in ``folder``, or there is no licence.
        NotADirectoryError: there is no such folder.
    """
    if not licence.strip():
        raise UserError("the licence is empty; say under which terms these documents may be used")
    found, bounds = find(folder), limits or Limits()
    _check_place(folder, out)
    report = ImportReport(licence.strip(), dpi, found.ignored)
    root, seen = folder.resolve(), dict[str, str]()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".import-") as temporary, PageReader(dpi, bounds) as reader:
        writer, truths, places = _ImportWriter(Path(temporary)), list[str](), list[SplitRow]()
        for source in found.documents:
            reading = ReadOutcome({})
            try:
                document = read_document(root, source, reader, locale, bounds, reading)
                if (twin := seen.setdefault(same_content(document), source.name)) != source.name:
                    raise reject(f"the same files as {printable(twin)}")
            except Rejected as error:
                report.reject(source, error.problems, reading.hashes)
            else:
                kind, pages = document.truth.document.document_type, len(document.content.pages)
                pairs = pairs_of(document.id, kind, document.printed, pages)
                writer.add(document, pairs)
                truths.append(_record(document))
                places.append(_place(document))
                report.accept(document, len(pairs))
            if on_document:
                on_document(1, len(found.documents))
        writer.flush()
        write_text(writer.folder / TRUTH_FILE, "".join(truths))
        write_splits(writer.folder / "splits", places)
        write_json(writer.folder / IMPORT_REPORT_FILE, report.to_json())
        _publish(writer.folder, out)
    return report


def _check_place(folder: Path, out: Path) -> None:
    if taken := [name for name in _SYNTHETIC if (out / name).exists()]:
        raise UserError(
            f"{out}: holds a synthetic batch ({taken[0]}); real documents need a workspace of their own, "
            "so that they never enter training"
        )
    if out.exists() and not (out / IMPORT_REPORT_FILE).exists() and any((out / name).exists() for name in _WRITTEN):
        raise UserError(f"{out}: holds files that no import wrote whole; name another folder, or remove them")
    inner, outer = out.resolve(), folder.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise UserError(f"{out} and {folder} lie in one another; name a workspace outside of the folder")


def _publish(made: Path, out: Path) -> None:
    """Put what was made in the place of what an earlier import wrote; its report goes first and comes last."""
    for name in reversed(_WRITTEN):
        old = out / name
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink(missing_ok=True)
    for name in _WRITTEN:
        if (made / name).exists():
            (made / name).replace(out / name)


def _record(document: RealDocument) -> str:
    """Return a document's line of the ground-truth format."""
    record = {"id": document.id, "document": document.truth.document.to_json(), "printed": list(document.printed)}
    return json.dumps(record, ensure_ascii=False) + "\n"


def _place(document: RealDocument) -> SplitRow:
    truth = document.truth.document
    # Nobody knows its font or its damage, and no adapter has seen its like.
    return SplitRow(
        document.id,
        REAL,
        REAL,
        Split.REAL,
        targeted=False,
        content=content_hash(truth.to_json()),
        document_type=str(truth.document_type),
        locale=truth.locale,
        layout=REAL,
        font="",
        held_out_wording=False,
        pages=len(document.content.pages),
        degradation="",
        exposure=Exposure.ZERO_SHOT,
    )
