"""Read one labelled document of a folder: its pages, its ground truth, and which of its values the pages print."""

from __future__ import annotations

import hashlib
from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from finscribe_assets.documents.file_ids import document_id
from finscribe_assets.documents.labelled_fields import LabelledFields, is_labelled
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.importing.embedded_invoices import embedded_invoice
from finscribe_assets.importing.printed_lines import LabelledLine, labelled_lines
from finscribe_assets.importing.rejects import NO_GROUND_TRUTH
from finscribe_assets.importing.source_files import DocumentFiles, printable_name
from finscribe_assets.importing.text_layer import askable_paths, has_text_layer, printed_values, shows_currency
from finscribe_assets.importing.truth_files import LabelledTruth, truth_from_json, truth_from_xml
from finscribe_assets.opening.input_limits import InputLimits, RejectedDocumentError, rejection
from finscribe_assets.opening.page_content import PageContent
from finscribe_assets.opening.page_reader import PageReader
from finscribe_assets.schema_mapping.mapping import SchemaMapping


class PrintedBy(StrEnum):
    """What determines which values of a ground truth the pages print."""

    LABELS = "labels"  # the ground truth states it
    TEXT = "visible text"  # of the PDF
    UNKNOWN = "unknown"  # a scan or photo: all values count as printed


@dataclass(frozen=True)
class RealDocument:
    """A real document with its pages and ground truth."""

    id: str
    files: DocumentFiles
    hashes: dict[str, str]  # file → SHA-256
    content: PageContent
    truth: LabelledTruth
    truth_from: str  # name of the file, or of the embedded file, with the ground truth
    printed: dict[str, Any]  # canonical values that the pages print, by path in the schema's order
    determined: dict[str, Any]  # values that the pages determine without printing them as such, by path
    negated: tuple[str, ...]  # paths of amounts that the pages print with the other sign, and ``printed`` has so
    unprinted: tuple[str, ...]  # paths of values that the text layer does not show
    decided_by: PrintedBy  # what determines which values are printed
    lines: tuple[LabelledLine, ...] = ()  # where values are printed, if a person has located them

    @property
    def checked(self) -> bool:
        """Return whether it is known which values the pages print; if not, all count as printed."""
        return self.decided_by is not PrintedBy.UNKNOWN


@dataclass(frozen=True)
class UnlabelledDocument:
    """A real document without ground truth: it can be read and corrected, and not be scored."""

    id: str
    files: DocumentFiles
    hashes: dict[str, str]  # file → SHA-256
    content: PageContent


def read_unlabelled(
    folder: Path, files: DocumentFiles, reader: PageReader, limits: InputLimits, hashes: dict[str, str]
) -> UnlabelledDocument:
    """Read the pages of a document that has no ground truth.

    Args:
        folder: The folder that ``files`` are relative to.
        files: The document's files.
        reader: Reads the pages, in a process of its own.
        limits: Limits on files and content.
        hashes: Filled with the SHA-256 of each file, also if the document is rejected.

    Raises:
        RejectedDocumentError: The pages cannot be used.
    """
    if others := [problem for problem in files.problems if not problem.reason.startswith(NO_GROUND_TRUTH)]:
        raise RejectedDocumentError(others)
    contents, remaining = list[bytes](), limits.page_file_bytes
    for name in files.pages:
        data, hashes[name] = _read_file(folder, name, remaining)
        if data is None:
            raise rejection(f"larger than is read: {printable_name(name)}")
        contents.append(data)
        remaining -= len(data)
    content = reader.read(contents)
    return UnlabelledDocument(_document_id(files, hashes), files, hashes, content)


def _document_id(files: DocumentFiles, hashes: dict[str, str]) -> str:
    return document_id(Path(files.name).name, [hashes[name] for name in files.pages])


def read_document(
    folder: Path,
    files: DocumentFiles,
    reader: PageReader,
    locale: str | None,
    limits: InputLimits,
    hashes: dict[str, str],
    mapping: SchemaMapping | None = None,
    labelled: LabelledFields | None = None,
) -> RealDocument:
    """Read one document.

    Args:
        folder: The folder that ``files`` are relative to.
        files: The document's files.
        reader: Reads the pages, in a process of its own.
        locale: Locale of documents whose ground truth does not state one.
        limits: Limits on files and content.
        hashes: Filled with the SHA-256 of each file, also if the document is rejected.
        mapping: Of a user's keys, which ground truth in JSON may have.
        labelled: Labelled fields of documents in JSON that do not list theirs; None if all are labelled.

    Raises:
        RejectedDocumentError: The document cannot be used; all reasons found are named.
    """
    contents: dict[str, bytes] = {}
    remaining = limits.page_file_bytes
    for name in files.files:
        is_truth = name == files.truth
        data, hashes[name] = _read_file(folder, name, limits.truth_bytes if is_truth else remaining)
        if data is not None:
            contents[name] = data
            remaining -= 0 if is_truth else len(data)
    if files.problems:
        raise RejectedDocumentError(files.problems)
    if too_large := [name for name in files.files if name not in contents]:
        raise rejection(f"larger than is read: {', '.join(map(printable_name, too_large))}")
    page_files = [contents[name] for name in files.pages]
    if files.truth is not None:
        # The ground truth comes first: rejecting it is cheap, rendering pages is not.
        truth = _read_truth(files.truth, contents[files.truth], locale, limits, mapping, labelled)
        content, truth_from = reader.read(page_files), files.truth
    else:
        content = reader.read(page_files, wants_xml=True)
        truth_from, invoice = embedded_invoice(content.embedded)
        truth = truth_from_xml(invoice, locale, limits)
    values = {path: value for path, value in truth.values().items() if is_labelled(path, truth.labelled)}
    printed, decided_by = _printed_values(values, truth, content)
    return RealDocument(
        _document_id(files, hashes),
        files,
        hashes,
        content,
        truth,
        truth_from,
        {path: printed[path] for path in values if path in printed},
        _determined(values, printed.keys(), truth, content),
        tuple(path for path in values if path in printed and printed[path] != values[path]),
        tuple(sorted(askable_paths(values) - printed.keys())),
        decided_by,
        labelled_lines(truth.lines, printed, truth.labelled, len(content.pages)),
    )


def _read_file(folder: Path, name: str, max_bytes: int) -> tuple[bytes | None, str]:
    """Return a file's content, or None if it is larger than ``max_bytes``, and the SHA-256 of the whole file.

    Raises:
        RejectedDocumentError: The file cannot be opened.
    """
    digest, chunks, size = hashlib.sha256(), [], 0
    try:
        with (folder / name).open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
                size += len(chunk)
                if size <= max_bytes:
                    chunks.append(chunk)
                else:
                    chunks.clear()
    except OSError as error:
        raise rejection(f"{printable_name(name)} cannot be read: {error.strerror}") from error
    return b"".join(chunks) if size <= max_bytes else None, digest.hexdigest()


def _read_truth(
    name: str,
    content: bytes,
    locale: str | None,
    limits: InputLimits,
    mapping: SchemaMapping | None,
    labelled: LabelledFields | None,
) -> LabelledTruth:
    if Path(name).suffix.lower() == ".xml":
        return truth_from_xml(content, locale, limits)
    return truth_from_json(content, locale, limits, mapping, labelled)


def _printed_values(
    values: dict[str, Any], truth: LabelledTruth, content: PageContent
) -> tuple[dict[str, Any], PrintedBy]:
    """Return the values that the pages print by path, and what determines them."""
    if truth.printed is not None:
        return {path: value for path, value in values.items() if path in truth.printed}, PrintedBy.LABELS
    if content.texts is not None and has_text_layer(content.texts, content.blank):
        is_credit = truth.document.document_type is DocumentType.CREDIT_NOTE
        found = printed_values(values, content.texts, truth.document.locale, may_be_negated=is_credit)
        return found, PrintedBy.TEXT
    return {path: values[path] for path in askable_paths(values)}, PrintedBy.UNKNOWN


def _determined(
    values: dict[str, Any], printed: Set[str], truth: LabelledTruth, content: PageContent
) -> dict[str, Any]:
    """Return the type of a document with a title, and the currency where the text layer shows it.

    A document without labels of what is printed and without a text layer may show none: its currency is undetermined.
    """
    has_text = content.texts is not None and has_text_layer(content.texts, content.blank)
    currency = values.get("currency_code")
    shown = currency and has_text and shows_currency(currency, content.texts or (), truth.document.locale)
    paths = {"document_type", *(("currency_code",) if shown else ())} - printed
    return {path: value for path, value in values.items() if path in paths}


def content_key(document: RealDocument | UnlabelledDocument) -> tuple[str, ...]:
    """Return a key that two copies of a document share, whatever their names and their ground truth are."""
    return tuple(document.hashes[name] for name in document.files.pages)
