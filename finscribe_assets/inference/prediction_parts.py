"""Parts of a prediction: some of its documents, which are read together and stored together.

What belongs here: which documents a part has, its fingerprint and its file. How documents are read is `prediction`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath, read_table, sha256_of
from finscribe_assets.rendering.pages import RenderedDocument, pages_from_table
from finscribe_assets.shards import read_fingerprint, shard_files

DOCUMENTS_PER_PART = 20
PARTS_FOLDER = "parts"


@dataclass(frozen=True)
class Part:
    """Some of the requested documents, and the image shards that hold them."""

    number: int
    documents: tuple[tuple[str, AnyPath], ...]  # id and shard
    fingerprint: str  # of the reader, the document ids and the shards

    def file(self, folder: AnyPath) -> AnyPath:
        """Return the file of the part below the folder of a prediction."""
        return folder / PARTS_FOLDER / f"part-{self.number:05d}.jsonl"

    def stored(self, folder: AnyPath) -> list[dict[str, Any]]:
        """Return what was read of the part before, its timing first; an empty list if that is not up to date."""
        path = self.file(folder)
        if not path.exists():
            return []
        # Not `splitlines`: a text may hold other characters that Python counts as line ends.
        content = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
        return content if content and content[0]["fingerprint"] == self.fingerprint else []

    def load(self) -> list[RenderedDocument]:
        """Return the part's documents with their pages."""
        documents: dict[str, RenderedDocument] = {}
        for shard in dict.fromkeys(shard for _, shard in self.documents):
            documents |= {document.id: document for document in pages_from_table(read_table(shard))}
        return [documents[document_id] for document_id, _ in self.documents]


def plan_parts(image_folders: Sequence[AnyPath], document_ids: Collection[str], settings: str) -> list[Part]:
    """Divide the requested documents into parts, in the order of their images.

    ``settings`` identifies the reader, mode and layout; a part that was read with others is read again.
    """
    requested = set(document_ids)
    documents: list[tuple[str, AnyPath]] = []
    fingerprints: dict[AnyPath, str] = {}
    for folder in image_folders:
        for shard in shard_files(folder):
            ids = dict.fromkeys(read_table(shard, ["document_id"])["document_id"].to_pylist())
            documents += [(document_id, shard) for document_id in ids if document_id in requested]
            fingerprints[shard] = read_fingerprint(shard)
    missing = sorted(requested - {document_id for document_id, _ in documents})
    if missing:
        raise UserError(
            f"{len(missing)} of {len(requested)} requested documents have no pages in "
            f"{', '.join(map(str, image_folders))}: {', '.join(missing[:5])}; render them first"
        )
    parts = []
    for number, start in enumerate(range(0, len(documents), DOCUMENTS_PER_PART)):
        chosen = tuple(documents[start : start + DOCUMENTS_PER_PART])
        content = [f"{document_id} {fingerprints[shard]}" for document_id, shard in chosen]
        parts.append(Part(number, chosen, sha256_of("\n".join([settings, *content]))))
    return parts
