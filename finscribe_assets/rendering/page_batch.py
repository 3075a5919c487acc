"""Render a batch of documents to image shards, one for each document shard, and read them again.

A document whose pages fail their checks is rejected: it has no pages, and its shard says why. Later stages leave it
out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import pyarrow.parquet as pq

from finscribe_assets.documents.document_table import documents_from_table
from finscribe_assets.files import AnyPath, read_table, sha256_of
from finscribe_assets.rendering.located_boxes import LocatedBox, locate
from finscribe_assets.rendering.page_checks import RenderError, page_problems, require_sound
from finscribe_assets.rendering.pages import (
    RenderedDocument,
    destroyed_in,
    field_boxes_in,
    pages_from_table,
    pages_to_table,
)
from finscribe_assets.rendering.render import render
from finscribe_assets.rendering.system_packages import require_system
from finscribe_assets.shards import (
    ShardPool,
    look_at_each,
    read_fingerprint,
    read_shards,
    row_count,
    shard_files,
    write_missing_shards,
    write_shard,
)
from finscribe_assets.stage_versions import RENDERER_VERSION

# The share of a batch's documents that may be rejected. One may always be: it is more than 1 % of a small batch.
MAX_REJECT_SHARE = 0.01
REJECTS_KEY = b"finscribe.rejects"  # of a shard's metadata: JSON, the reason by document id


@dataclass(frozen=True)
class RenderSummary:
    """What rendering a batch produced."""

    documents: int  # of the whole batch, with those rejected
    pages: int  # of the whole batch
    shards: int  # of the whole batch
    skipped: int  # shards that existed already, made from the same documents
    rejects: dict[str, str]  # the reason by document id, of the whole batch

    @property
    def too_many_rejects(self) -> bool:
        """Return whether more documents were rejected than `MAX_REJECT_SHARE` allows."""
        return len(self.rejects) > max(1, MAX_REJECT_SHARE * self.documents)


@dataclass(frozen=True)
class _RenderJob:
    documents: AnyPath
    path: AnyPath
    dpi: int

    @property
    def rows(self) -> int:
        return row_count(self.documents)

    @property
    def fingerprint(self) -> str:
        return sha256_of(f"{RENDERER_VERSION}:{self.dpi}:{read_fingerprint(self.documents)}")


def _write(job: _RenderJob) -> int:
    """Render one shard and return its number of documents."""
    documents = documents_from_table(read_table(job.documents))
    rendered, rejects = [], {}
    for drawn in documents:
        try:
            pages = render(drawn, job.dpi)
            require_sound(drawn, page_problems(drawn, pages))
        except RenderError as error:
            rejects[drawn.id] = str(error)
        else:
            rendered.append((drawn, pages))
    table = pages_to_table(rendered)
    if rejects:
        table = table.replace_schema_metadata({REJECTS_KEY: json.dumps(rejects, ensure_ascii=False).encode()})
    # Not compressed: image bytes are compressed already.
    write_shard(job.path, table, job.fingerprint, compress=False)
    return len(documents)


def render_batch(
    documents: AnyPath,
    folder: AnyPath,
    pool: ShardPool,
    *,
    dpi: int = 144,
    on_shard: Callable[[int], None] | None = None,
) -> RenderSummary:
    """Render a folder of document shards; complete shards made from the same documents are kept.

    Args:
        documents: folder of document shards.
        folder: folder for the image shards, which get the same file names.
        pool: where shards are rendered.
        dpi: resolution of the pages.
        on_shard: called after each shard with its number of documents.

    A document whose pages do not show what it contains is rejected (see `RenderSummary.rejects`).

    Raises:
        UserError: a font or system library is not installed; the message has the command that installs it.
    """
    require_system()
    jobs = [_RenderJob(file, folder / file.name, dpi) for file in shard_files(documents)]
    skipped = write_missing_shards(jobs, _write, pool, folder, on_shard)
    return RenderSummary(
        documents=sum(job.rows for job in jobs),
        pages=sum(look_at_each(row_count, [job.path for job in jobs])),
        shards=len(jobs),
        skipped=skipped,
        rejects=rejected_documents(folder),
    )


def rejected_documents(folder: AnyPath) -> dict[str, str]:
    """Return why documents of a batch were rejected, by document id, without reading any page."""

    def look(file: AnyPath) -> dict[str, str]:
        with file.open("rb") as stream:
            metadata = pq.read_schema(stream).metadata or {}
        return dict(json.loads(metadata.get(REJECTS_KEY, b"{}")))

    return {name: why for found in look_at_each(look, shard_files(folder)) for name, why in found.items()}


def destroyed_fields(folder: AnyPath) -> dict[str, frozenset[str]]:
    """Return the paths of fields that damage has made unreadable, by document id, without reading any image.

    Documents of which every field can be read are left out.
    """
    destroyed: dict[str, set[str]] = {}
    for table in read_shards(folder, ["document_id", "marks"]):
        for row in table.to_pylist():
            if paths := destroyed_in(row["marks"]):
                destroyed.setdefault(row["document_id"], set()).update(paths)
    return {document_id: frozenset(paths) for document_id, paths in destroyed.items()}


def printed_boxes(folder: AnyPath, document_ids: Collection[str]) -> dict[str, dict[str, tuple[LocatedBox, ...]]]:
    """Return where the fields of some documents are printed, by document id, without reading any image."""
    boxes: dict[str, dict[str, tuple[LocatedBox, ...]]] = {}
    for table in read_shards(folder, ["document_id", "page", "width", "height", "marks"]):
        for row in table.to_pylist():
            if row["document_id"] in document_ids:
                fields = boxes.setdefault(row["document_id"], {})
                size = row["width"], row["height"]
                for path, parts in field_boxes_in(row["marks"]).items():
                    located = tuple(locate(row["page"], box, size) for box in parts)
                    fields[path] = (*fields.get(path, ()), *located)
    return boxes


def read_rendered(folder: AnyPath) -> Iterator[RenderedDocument]:
    """Yield the rendered documents of a batch in order, with one shard in memory at a time."""
    for table in read_shards(folder):
        yield from pages_from_table(table)


def pages_by_id(folder: AnyPath, document_ids: Collection[str]) -> Iterator[RenderedDocument]:
    """Yield the rendered documents with the given ids, in the batch's order; unknown ids are ignored.

    Images are read only from shards that contain one of the documents.

    Raises:
        FileNotFoundError: the folder has no image shards.
    """
    wanted = set(document_ids)
    for shard, ids in zip(shard_files(folder), read_shards(folder, ["document_id"]), strict=True):
        if wanted.intersection(ids["document_id"].to_pylist()):
            yield from (rendered for rendered in pages_from_table(read_table(shard)) if rendered.id in wanted)
