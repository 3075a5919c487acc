"""Write Parquet shards with a dataset card, which the Hugging Face hub displays and `datasets.load_dataset` loads.

A row is a sample: id, document_id, task, target, element, images (a list of Image features), prompt, response, and
spans, a list of start, end, kind and path. No field of a sample is lost. Rows contain their images, so a page that many
samples show is stored many times. Shards are written one row group at a time: memory does not grow with the export.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from finscribe_assets.exporting.export_samples import ExportPart, ExportSample, FormatHandler, keep_only
from finscribe_assets.exporting.sample_checks import RecordLocation, SampleInspector, check_spans
from finscribe_assets.files import atomic_write, write_text
from finscribe_assets.rendering.pages import IMAGE_FEATURE
from finscribe_assets.splitting.split_assignment import Split

HUB_DATA_FOLDER, CARD_FILE = "data", "README.md"
HUB_ROWS_PER_GROUP = 100  # the hub's viewer and trainers load one row group at a time

_TEXTS = ("id", "document_id", "task", "target", "element", "prompt", "response")
_SPAN = {"start": pa.int64(), "end": pa.int64(), "kind": pa.string(), "path": pa.string()}
_KEY = b"huggingface"  # the key of the schema's metadata where `datasets` looks for features


def _value_feature(type_: str) -> dict[str, str]:
    return {"dtype": type_, "_type": "Value"}


# Lists are declared in the two ways that both older and newer versions of `datasets` read.
_FEATURES = {
    **{name: _value_feature("string") for name in _TEXTS[:5]},
    "images": {"feature": {"_type": "Image"}, "_type": "Sequence"},
    **{name: _value_feature("string") for name in _TEXTS[5:]},
    "spans": [{name: _value_feature(str(type_)) for name, type_ in _SPAN.items()}],
}
HUB_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in _TEXTS[:5]),
        ("images", pa.list_(IMAGE_FEATURE)),
        *((name, pa.string()) for name in _TEXTS[5:]),
        ("spans", pa.list_(pa.struct(list(_SPAN.items())))),
    ],
    metadata={_KEY: json.dumps({"info": {"features": _FEATURES}})},
)
_CARD_FEATURES = [
    *({"name": name, "dtype": "string"} for name in _TEXTS[:5]),
    {"name": "images", "sequence": "image"},
    *({"name": name, "dtype": "string"} for name in _TEXTS[5:]),
    {"name": "spans", "list": [{"name": name, "dtype": str(type_)} for name, type_ in _SPAN.items()]},
]
# The hub's size categories: the number of samples below which a category applies.
_SIZE_CATEGORIES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
)


def _row(sample: ExportSample) -> dict[str, Any]:
    pair = sample.pair
    return {
        "id": pair.id,
        "document_id": pair.document_id,
        "task": str(pair.task),
        "target": pair.target,
        "element": pair.element,
        "prompt": sample.prompt,
        "response": pair.response,
        "spans": sample.spans,
        "images": [
            {"bytes": image.content, "path": f"{number}.{image.suffix}"} for number, image in enumerate(sample.images)
        ],
    }


def _shard_name(split: Split, number: int, of: int) -> str:
    return f"{split}-{number:05d}-of-{of:05d}.parquet"


def _write(part: ExportPart) -> None:
    path = part.out / HUB_DATA_FOLDER / _shard_name(part.split, part.number, part.part_count)
    with atomic_write(path) as stream, pq.ParquetWriter(stream, HUB_SCHEMA, compression="zstd") as writer:
        rows = map(_row, part.read_samples())
        while group := list(islice(rows, HUB_ROWS_PER_GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema=HUB_SCHEMA))


def _finish(out: Path, split: Split, parts: Sequence[ExportPart]) -> None:
    keep_only(out / HUB_DATA_FOLDER, {_shard_name(split, part.number, part.part_count) for part in parts})
    documents = sum(len(part.documents) for part in parts)
    write_text(out / CARD_FILE, dataset_card(split, split_info(out, split), documents))


def split_info(out: Path, split: Split) -> dict[str, Any]:
    """Return what a card's ``splits`` says of an export: the number of its rows, and of their bytes uncompressed."""
    shards = [pq.read_metadata(file) for file in sorted((out / HUB_DATA_FOLDER).glob("*.parquet"))]
    groups = [shard.row_group(number) for shard in shards for number in range(shard.num_row_groups)]
    return {
        "name": str(split),
        "num_bytes": sum(group.total_byte_size for group in groups),
        "num_examples": sum(shard.num_rows for shard in shards),
    }


def dataset_card(split: Split, info: dict[str, Any], documents: int) -> str:
    """Return the dataset card: the hub's YAML front matter, a description of the columns and how to load them.

    Args:
        split: the split that was exported.
        info: what `split_info` says of it.
        documents: number of its documents.
    """
    samples = info["num_examples"]
    size = next((name for limit, name in _SIZE_CATEGORIES if samples < limit), "100M<n<1B")
    front = yaml.safe_dump(
        {
            "license": "apache-2.0",
            "pretty_name": "FinScribe instruction pairs",
            "task_categories": ["image-text-to-text", "document-question-answering"],
            "size_categories": [size],
            "tags": ["synthetic", "invoices", "receipts", "document-understanding", "ocr"],
            "configs": [
                {
                    "config_name": "default",
                    "data_files": [{"split": str(split), "path": f"{HUB_DATA_FOLDER}/{split}-*.parquet"}],
                }
            ],
            "dataset_info": {
                "config_name": "default",
                "features": _CARD_FEATURES,
                "splits": [info],  # without all three of its fields the hub ignores it
            },
        },
        sort_keys=False,
    )
    return f"""---
{front}---

# FinScribe instruction pairs: {split}

{samples:,} instruction pairs of {documents:,} synthetic business documents. Pages are rendered from known data, so
every response is exact. No page shows a real person or company.

```python
from datasets import load_dataset

pairs = load_dataset("FOLDER", split="{split}")
```

| column | content |
|---|---|
| `id` | the id of the pair |
| `document_id` | the id of its document |
| `task` | the task, such as `full_extraction` |
| `target` | the field, region, table or row that is asked for; empty for the whole document |
| `element` | the group of fields that the target belongs to, or empty |
| `images` | whole pages in order, or one region of a page |
| `prompt`, `response` | the instruction, and the expected response |
| `spans` | parts of the response: `start` and `end` in characters (end exclusive), `kind` and the field's `path` |
"""


def _validate(out: Path, split: Split, inspector: SampleInspector) -> None:
    files = sorted((out / HUB_DATA_FOLDER).glob("*.parquet"))
    for number, file in enumerate(files):
        if file.name != _shard_name(split, number, len(files)):
            raise RecordLocation(out / HUB_DATA_FOLDER, file.name).error(
                "name", f"not shard {number} of {len(files)}", "export again"
            )
        for location, row in _read_rows(file):
            inspector.check_sample(location, row["id"], row["prompt"], row["response"])
            check_spans(location, row["spans"], row["response"])
            if not row["images"]:
                raise location.error("images", "the list is empty", "export again")
            sizes = [
                inspector.check_image(location, f"images[{index}]", image and image["bytes"])
                for index, image in enumerate(row["images"])
            ]
            inspector.count_tokens(row["id"], sizes, (row["prompt"], row["response"]))
    _check_card(out / CARD_FILE, split)  # last, as it compares the shards with the card


def _read_rows(file: Path) -> Iterator[tuple[RecordLocation, dict[str, Any]]]:
    try:
        with pq.ParquetFile(file) as shard:
            schema = shard.schema_arrow
            if not schema.equals(HUB_SCHEMA) or (schema.metadata or {}).get(_KEY) != HUB_SCHEMA.metadata[_KEY]:
                raise RecordLocation(file, "schema").error("columns", "not those of this format", "export again")
            rows = (row for batch in shard.iter_batches(batch_size=HUB_ROWS_PER_GROUP) for row in batch.to_pylist())
            for number, row in enumerate(rows, 1):
                yield RecordLocation(file, f"row {number}"), row
    except UnicodeDecodeError as error:
        raise RecordLocation(file, "column of text").error("value", "not UTF-8", "export again") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise RecordLocation(file, "file").error(
            "content", f"not a complete Parquet file ({error})", "export again"
        ) from error


def _check_card(path: Path, split: Split) -> None:
    location = RecordLocation(path, "front matter")
    try:
        front = yaml.safe_load(path.read_text(encoding="utf-8").split("---\n")[1])
        files = front["configs"][0]["data_files"][0]
        info = front["dataset_info"]
        matches = files["split"] == split and info["features"] == _CARD_FEATURES
        matches = matches and info["splits"] == [split_info(path.parent, split)]
    except (FileNotFoundError, UnicodeDecodeError, yaml.YAMLError, LookupError, TypeError) as error:
        raise location.error("YAML", f"cannot be read ({type(error).__name__}: {error})", "export again") from error
    if not matches:
        raise location.error("configs, features and splits", "not those of the shards", "export again")


def _load_with(out: Path, split: Split) -> str:
    return f'datasets.load_dataset({str(out)!r}, split="{split}")'


HUB_FORMAT = FormatHandler(_write, _finish, _validate, _load_with)
