"""Export a batch's pairs or pages to a folder, and validate the folder by reading everything in it.

``export.json`` in the folder records the format, the split and whether the export is finished. A folder without it is
never overwritten; an export that was interrupted is completed by running it again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from finscribe_assets.errors import UserError
from finscribe_assets.exporting import coco_format, erniekit_format, hub_format, messages_format, webdataset_format
from finscribe_assets.exporting.export_samples import MAX_TURNS, ExportPart, FormatHandler, scratch_folder
from finscribe_assets.exporting.sample_checks import ExportError, ExportTally, SampleInspector
from finscribe_assets.files import AnyPath, read_json, read_table, remove_temporary_files, write_json
from finscribe_assets.instructions.token_count import MAX_TOKENS
from finscribe_assets.rendering.model_resize import PADDLEOCR_VL_1_5, PixelBudget
from finscribe_assets.shards import ShardPool, shard_files
from finscribe_assets.splitting.split_assignment import Split

EXPORT_RECORD_FILE = "export.json"
# The files of all formats that are not in a subfolder.
_SINGLE_FILES = (
    EXPORT_RECORD_FILE,
    messages_format.MESSAGES_DATA_FILE,
    messages_format.DATASET_INFO_FILE,
    hub_format.CARD_FILE,
)


class ExportFormat(StrEnum):
    """A file format that trainers load."""

    MESSAGES = "messages"
    ERNIEKIT = "erniekit"
    HF = "hf"  # Parquet with a dataset card, for the Hugging Face hub
    WEBDATASET = "webdataset"
    COCO = "coco"  # pages with boxes instead of pairs


FORMAT_HANDLERS: dict[ExportFormat, FormatHandler] = {
    ExportFormat.MESSAGES: messages_format.MESSAGES_FORMAT,
    ExportFormat.ERNIEKIT: erniekit_format.ERNIEKIT_FORMAT,
    ExportFormat.HF: hub_format.HUB_FORMAT,
    ExportFormat.WEBDATASET: webdataset_format.WEBDATASET_FORMAT,
    ExportFormat.COCO: coco_format.COCO_FORMAT,
}


class ExportProgress(Protocol):
    """A function that reports the progress of an export."""

    def __call__(self, done: int, of: int | None = None) -> None:
        """Add ``done`` finished items; ``of`` sets the total once it is known."""
        ...


@dataclass(frozen=True)
class ExportSummary:
    """The content of an export, as counted by reading it back."""

    format: ExportFormat
    split: Split
    tally: ExportTally
    load_with: str  # the call or command that loads it


def export_pairs(
    pairs: AnyPath,
    images: AnyPath,
    out: Path,
    *,
    documents: AbstractSet[str],
    split: Split,
    format_: ExportFormat,
    pool: ShardPool,
    max_characters: int | None = None,
    max_tokens: int = MAX_TOKENS,
    budget: PixelBudget = PADDLEOCR_VL_1_5,
    max_turns: int = MAX_TURNS,
    on_written: ExportProgress | None = None,
    on_checked: ExportProgress | None = None,
) -> ExportSummary:
    """Write the pairs of some documents, or for COCO their pages, into a folder, and validate the folder.

    The same pairs give the same bytes, whatever the pool and whatever an interrupted run left behind.

    Args:
        pairs: folder of the batch's pair shards.
        images: folder of the batch's page shards.
        out: folder to write: empty, missing, or with the same export.
        documents: ids of the documents to export.
        split: their split; pairs of the test split use held-out prompts.
        format_: the format to write.
        pool: runs the shards.
        max_characters: limit of prompt and response together; None for no limit.
        max_tokens: number of tokens from which on a sample counts as too long; it is reported, and no error.
        budget: to which the model's processor scales images, for the count of their tokens.
        max_turns: number of questions about the same pages in one sample, in formats with several turns; 1 for a sample
            for each pair.
        on_written: called with the number of pairs of each shard that was written.
        on_checked: called for each sample, or box for COCO, that was validated.

    Raises:
        ExportError: there is nothing to export, or a loader would drop one of the samples.
        UserError: the folder holds something else.
    """
    parts = [replace(part, max_turns=max_turns) for part in _parts(pairs, images, out, documents, split)]
    if not parts:
        raise ExportError(
            f"{pairs}: no samples of the {split} split; choose a split that has documents, and pairs of the same batch"
        )
    record = {"format": str(format_), "split": str(split)}
    _claim(out, record)
    write_json(out / EXPORT_RECORD_FILE, {**record, "finished": False})
    expected = sum(part.samples for part in parts)
    report = on_written or _ignore_progress
    report(0, expected)
    for samples in pool.run(_PartWriter(format_), parts):
        report(samples)
    FORMAT_HANDLERS[format_].finish(out, split, parts)
    shutil.rmtree(scratch_folder(out), ignore_errors=True)
    write_json(out / EXPORT_RECORD_FILE, {**record, "finished": True})
    if on_checked and format_ is not ExportFormat.COCO:
        on_checked(0, expected)
    summary = validate_export(
        out, max_characters=max_characters, max_tokens=max_tokens, budget=budget, on_checked=on_checked
    )
    if format_ is not ExportFormat.COCO and summary.tally.pairs != expected:
        raise ExportError(f"{out}: {summary.tally.pairs} pairs for {expected} pairs; export again")
    return summary


def validate_export(
    folder: Path,
    *,
    max_characters: int | None = None,
    max_tokens: int = MAX_TOKENS,
    budget: PixelBudget = PADDLEOCR_VL_1_5,
    on_checked: Callable[[int], None] | None = None,
) -> ExportSummary:
    """Read every sample and every image of an export as its loader would, and count them.

    Args:
        folder: folder of the export.
        max_characters: limit of prompt and response together; None for no limit.
        max_tokens: number of tokens from which on a sample counts as too long; it is reported, and no error.
        budget: to which the model's processor scales images, for the count of their tokens.
        on_checked: called with the number of samples that were validated since the last call.

    Raises:
        ExportError: a loader would drop a sample or fail on it; the message names file, position, field and fix.
        UserError: the folder is not an export.
    """
    if not (folder / EXPORT_RECORD_FILE).is_file():
        raise UserError(f"{folder}: not an export, as it has no {EXPORT_RECORD_FILE}; make one with `finscribe export`")
    record = read_json(folder / EXPORT_RECORD_FILE)
    if not isinstance(record, dict) or not {"format", "split", "finished"} <= record.keys():
        raise ExportError(f"{folder / EXPORT_RECORD_FILE}: does not name format, split and state; export again")
    if record["finished"] is not True:
        raise ExportError(f"{folder / EXPORT_RECORD_FILE}: finished: the export was interrupted; run it again")
    format_, split = ExportFormat(record["format"]), Split(record["split"])
    inspector = SampleInspector(max_characters, max_tokens, budget, on_checked)
    FORMAT_HANDLERS[format_].validate(folder, split, inspector)
    tally = inspector.tally()
    if not tally.samples:
        raise ExportError(f"{folder}: no samples; export again")
    return ExportSummary(format_, split, tally, FORMAT_HANDLERS[format_].load_with(folder, split))


@dataclass(frozen=True)
class _PartWriter:
    """Writes parts in one format; a class, not a closure, because worker processes need to unpickle it."""

    format: ExportFormat

    def __call__(self, part: ExportPart) -> int:
        """Write a part; return the number of its pairs."""
        FORMAT_HANDLERS[self.format].write(part)
        return part.samples


def _parts(
    pairs: AnyPath, images: AnyPath, out: Path, documents: AbstractSet[str], split: Split
) -> Iterator[ExportPart]:
    shards = [
        (file, ids) for file in shard_files(pairs) if (ids := [id_ for id_ in _document_ids(file) if id_ in documents])
    ]
    for number, (file, ids) in enumerate(shards):
        yield ExportPart(
            pairs=file,
            images=images / file.name,
            out=out,
            split=split,
            documents=frozenset(ids),
            number=number,
            part_count=len(shards),
            samples=len(ids),
        )


def _document_ids(file: AnyPath) -> Iterable[str]:
    ids: list[str] = read_table(file, ["document_id"])["document_id"].to_pylist()
    return ids


def _claim(out: Path, record: dict[str, str]) -> None:
    """Raise an error if a folder holds anything but the same export, finished or not."""
    remove_temporary_files(out / EXPORT_RECORD_FILE)
    if not out.exists() or not any(out.iterdir()):
        return
    if not (out / EXPORT_RECORD_FILE).is_file():
        raise UserError(f"{out}: holds files that are not an export's; give --out an empty or a new folder")
    existing = read_json(out / EXPORT_RECORD_FILE)
    if {key: existing.get(key) for key in record} != record:
        raise UserError(
            f"{out}: holds an export of {existing.get('split')} as {existing.get('format')}; "
            "give --out another folder, or delete this one"
        )
    for name in _SINGLE_FILES:
        remove_temporary_files(out / name)


def _ignore_progress(done: int, of: int | None = None) -> None:
    """Report nothing."""
