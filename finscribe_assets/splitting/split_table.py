"""Define the row of a document in ``splits.parquet``, and write and read that file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from finscribe_assets.errors import MissingInputError
from finscribe_assets.files import AnyPath, read_table, sha256_of, write_table
from finscribe_assets.splitting.exposure import Exposure, ItemNames
from finscribe_assets.splitting.split_assignment import Split

SPLITS_FILE = "splits.parquet"

SPLIT_SCHEMA = pa.schema(
    [
        ("document_id", pa.string()),
        ("batch", pa.string()),
        ("group", pa.string()),
        ("split", pa.string()),
        ("targeted", pa.bool_()),
        ("content", pa.string()),
        ("document_type", pa.string()),
        ("locale", pa.string()),
        ("layout", pa.string()),
        ("font", pa.string()),
        ("held_out_wording", pa.bool_()),
        ("pages", pa.int64()),
        ("degradation", pa.string()),
        ("exposure", pa.string()),
        ("item_names", pa.string()),
        ("held_out_by", pa.list_(pa.string())),
        ("looks_like", pa.string()),
    ]
)


@dataclass(frozen=True)
class SplitRow:
    """A document, its split, and the attributes that documents are counted by."""

    document_id: str
    batch: str
    group: str
    split: Split
    targeted: bool  # of a later batch, whose plan aims at weaknesses of the model
    content: str  # `content_hash` of the document
    document_type: str
    locale: str
    layout: str
    font: str
    held_out_wording: bool  # whether a label on its pages has a held-out wording
    pages: int
    degradation: str  # none, light or strong
    exposure: Exposure = Exposure.SEEN
    item_names: str = str(ItemNames.NONE)  # whether training documents have the names of its items
    held_out_by: tuple[str, ...] = ()  # attributes that keep its group out of training: layout, locale, font
    looks_like: str = ""  # the document of another split that a page looks like, if it is held back for that


def content_hash(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document's canonical JSON: sorted keys, no spaces."""
    return sha256_of(json.dumps(document, sort_keys=True, separators=(",", ":")))


def write_splits(folder: AnyPath, rows: Sequence[SplitRow]) -> None:
    """Write the rows of all documents to `SPLITS_FILE` in a folder."""
    records = [
        {**vars(row), "split": str(row.split), "exposure": str(row.exposure), "held_out_by": list(row.held_out_by)}
        for row in rows
    ]
    write_table(folder / SPLITS_FILE, pa.Table.from_pylist(records, schema=SPLIT_SCHEMA), rows_per_group=10_000)


def read_splits(folder: AnyPath) -> list[SplitRow]:
    """Read the rows of all documents from `SPLITS_FILE` in a folder.

    Raises:
        MissingInputError: The folder does not have the file.
    """
    if not (folder / SPLITS_FILE).exists():
        raise MissingInputError(f"{folder / SPLITS_FILE}: is not there; `finscribe split` writes it")
    return [
        SplitRow(
            **row
            | {
                "split": Split(row["split"]),
                "exposure": Exposure(row["exposure"]),
                "held_out_by": tuple(row["held_out_by"]),
            }
        )
        for row in read_table(folder / SPLITS_FILE).to_pylist()
    ]
