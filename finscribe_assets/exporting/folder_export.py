"""An export from shards of pairs and pages to a folder that is checked, whole, and the same on every run.

``export.json`` in the folder says what it is an export of, and whether it was finished: a folder without it is nobody's
to clear, and one that was left half done is done again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from finscribe_assets.errors import UserError
from finscribe_assets.exporting import coco_format, erniekit_format, hub_format, messages_format, webdataset_format
from finscribe_assets.exporting.export_samples import ExportPart, FormatHandler, scratch_folder
from finscribe_assets.exporting.sample_checks import ExportError, ExportTally, SampleInspector
from finscribe_assets.files import AnyPath, read_json, read_table, remove_temporary_files, write_json
from finscribe_assets.shards import ShardPool, shard_files
from finscribe_assets.splitting.split_assignment import Split

EXPORT_RECORD_FILE = "export.json"
_SINGLE_FILES = (
    EXPORT_RECORD_FILE,
    messages_format.MESSAGES_DATA_FILE,
    messages_format.DATASET_INFO_FILE,
    hub_format.CARD_FILE,
)  # that lie beside folders


class ExportFormat(StrEnum):
    """What trainers load."""

    MESSAGES = "messages"
    ERNIEKIT = "erniekit"
    HF = "hf"
    WEBDATASET = "webdataset"
    COCO = "coco"


FORMAT_HANDLERS: dict[ExportFormat, FormatHandler] = {
    ExportFormat.MESSAGES: messages_format.MESSAGES_FORMAT,
    ExportFormat.ERNIEKIT: erniekit_format.ERNIEKIT_FORMAT,
    ExportFormat.HF: hub_format.HUB_FORMAT,
    ExportFormat.WEBDATASET: webdataset_format.WEBDATASET_FORMAT,
    ExportFormat.COCO: coco_format.COCO_FORMAT,
}


class ExportProgress(Protocol):
    """What is told how far an export is."""

    def __call__(self, done: int, of: int | None = None) -> None:
        """Add ``done`` to what is done; ``of`` says how much there is."""
        ...


@dataclass(frozen=True)
class ExportSummary:
    """What stands in an export's folder, as counted by reading it back."""

    format: ExportFormat
    split: Split
    tally: ExportTally
    load_with: str  # the line that loads it


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
    on_written: ExportProgress | None = None,
    on_checked: ExportProgress | None = None,
) -> ExportSummary:
    """Write some documents' pairs, or for COCO their pages, into a folder, and validate what was written.

    ``pairs`` and ``images`` are a batch's folders of shards; ``split`` says which of a pair's prompts is asked.
    ``on_written`` is told of pairs, shard by shard, ``on_checked`` of samples, or for COCO boxes. The same pairs give
    the same bytes, whatever the pool and whatever a run that was killed left behind.

    Raises:
        ExportError: there is nothing to export, or a sample is such that a loader would drop it.
        UserError: the folder holds something else already.
    """
    parts = list(_parts(pairs, images, out, documents, split))
    if not parts:
        raise ExportError(
            f"{pairs}: no samples of {split}; the split has no documents, or the pairs are of another batch"
        )
    record = {"format": str(format_), "split": str(split)}
    _claim(out, record)
    write_json(out / EXPORT_RECORD_FILE, {**record, "finished": False})
    wanted = sum(part.samples for part in parts)
    report = on_written or _silent
    report(0, wanted)
    for samples in pool.run(_Writing(format_), parts):
        report(samples)
    FORMAT_HANDLERS[format_].finish(out, split, parts)
    shutil.rmtree(scratch_folder(out), ignore_errors=True)
    write_json(out / EXPORT_RECORD_FILE, {**record, "finished": True})
    if on_checked and format_ is not ExportFormat.COCO:
        on_checked(0, wanted)
    summary = validate_export(out, max_characters=max_characters, on_checked=on_checked)
    if format_ is not ExportFormat.COCO and summary.tally.samples != wanted:
        raise ExportError(f"{out}: {summary.tally.samples} samples of {wanted} pairs; export again")
    return summary


def validate_export(
    folder: Path, *, max_characters: int | None = None, on_checked: Callable[[int], None] | None = None
) -> ExportSummary:
    """Read every sample of an export as its loader would, and every picture; count them.

    Raises:
        ExportError: with file, place, field and mend, for anything that a loader would drop silently or fail on.
        UserError: the folder is no export.
    """
    if not (folder / EXPORT_RECORD_FILE).is_file():
        raise UserError(f"{folder}: no {EXPORT_RECORD_FILE}, so this is no export; make one with `finscribe export`")
    record = read_json(folder / EXPORT_RECORD_FILE)
    if not isinstance(record, dict) or not {"format", "split", "finished"} <= record.keys():
        raise ExportError(f"{folder / EXPORT_RECORD_FILE}: names no format and split; export again")
    if record["finished"] is not True:
        raise ExportError(f"{folder / EXPORT_RECORD_FILE}: finished: the export was interrupted; run it again")
    format_, split = ExportFormat(record["format"]), Split(record["split"])
    inspector = SampleInspector(max_characters, on_checked)
    FORMAT_HANDLERS[format_].validate(folder, split, inspector)
    tally = inspector.tally()
    if not tally.samples:
        raise ExportError(f"{folder}: no samples; export again")
    return ExportSummary(format_, split, tally, FORMAT_HANDLERS[format_].load_with(folder, split))


@dataclass(frozen=True)
class _Writing:
    """Writes parts in one format; it travels to worker processes."""

    format: ExportFormat

    def __call__(self, part: ExportPart) -> int:
        """Write a part; return its number of pairs."""
        FORMAT_HANDLERS[self.format].write(part)
        return part.samples


def _parts(
    pairs: AnyPath, images: AnyPath, out: Path, documents: AbstractSet[str], split: Split
) -> Iterator[ExportPart]:
    wanted = [
        (file, ids) for file in shard_files(pairs) if (ids := [id_ for id_ in _document_ids(file) if id_ in documents])
    ]
    for number, (file, ids) in enumerate(wanted):
        yield ExportPart(file, images / file.name, out, split, frozenset(ids), number, len(wanted), len(ids))


def _document_ids(file: AnyPath) -> Iterable[str]:
    ids: list[str] = read_table(file, ["document_id"])["document_id"].to_pylist()
    return ids


def _claim(out: Path, record: dict[str, str]) -> None:
    """Refuse a folder that holds anything but this very export, finished or not."""
    remove_temporary_files(out / EXPORT_RECORD_FILE)
    if not out.exists() or not any(out.iterdir()):
        return
    if not (out / EXPORT_RECORD_FILE).is_file():
        raise UserError(f"{out}: holds files that no export wrote; give --out a folder that is empty or not there")
    there = read_json(out / EXPORT_RECORD_FILE)
    if {key: there.get(key) for key in record} != record:
        raise UserError(
            f"{out}: holds an export of {there.get('split')} as {there.get('format')}; "
            "give --out a folder of its own, or remove this one"
        )
    for name in _SINGLE_FILES:
        remove_temporary_files(out / name)


def _silent(done: int, of: int | None = None) -> None:
    """Tell nobody."""
