"""One source of a folder → one labelled document: its pages, its truth and what of it they print."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finscribe_assets.documents.schema import flatten
from finscribe_assets.importing.page_content import PageContent
from finscribe_assets.importing.page_reader import PageReader
from finscribe_assets.importing.rejects import Limits, Rejected, reject
from finscribe_assets.importing.shown_values import askable, found_in, has_text_layer
from finscribe_assets.importing.source_files import Source, printable
from finscribe_assets.importing.truth_files import LabelledTruth, from_json, from_xml

_LONGEST_STEM = 40  # characters of a file's name in an id


@dataclass(frozen=True)
class RealDocument:
    """A real document that was taken."""

    id: str
    source: Source
    hashes: dict[str, str]  # file → SHA-256
    content: PageContent
    truth: LabelledTruth
    truth_from: str  # the file, or the name of the one that the PDF embeds
    printed: dict[str, Any]  # canonical values that the pages show, by path in the schema's order
    unprinted: tuple[str, ...]  # paths of those that the text layer does not show
    checked: bool  # whether a text layer said so, rather than nobody


@dataclass
class ReadOutcome:
    """What was read of a source so far: its files' hashes are told also of a document that is not taken."""

    hashes: dict[str, str]


def read_document(
    folder: Path, source: Source, reader: PageReader, locale: str | None, limits: Limits, reading: ReadOutcome
) -> RealDocument:
    """Read one document.

    Raises:
        Rejected: naming every reason that was found.
    """
    contents: dict[str, bytes] = {}
    room = limits.page_file_bytes
    for name in source.files:
        held = _bytes_of(folder, name, limits.truth_bytes if name == source.truth else room, reading)
        if held is not None:
            contents[name] = held
            room -= 0 if name == source.truth else len(held)
    if source.problems:
        raise Rejected(source.problems)
    if too_large := [name for name in source.files if name not in contents]:
        raise reject(f"larger than is read: {', '.join(map(printable, too_large))}")
    pages = [contents[name] for name in source.pages]
    if source.truth is not None:
        # What is cheap to refuse is refused before any page is drawn.
        truth = _truth_of(source.truth, contents[source.truth], locale, limits)
        content, truth_from = reader.read(source.pages, pages, wants_invoice=False), source.truth
    else:
        content = reader.read(source.pages, pages, wants_invoice=True)
        truth_from, invoice = content.embedded[0]
        truth = from_xml(invoice, locale, limits)
    leaves = flatten(truth.document.to_json())
    shown, checked = _printed(leaves, truth, content)
    return RealDocument(
        _id_of(source, reading.hashes),
        source,
        reading.hashes,
        content,
        truth,
        truth_from,
        {path: value for path, value in leaves.items() if path in shown},
        tuple(sorted(askable(leaves) - shown)),
        checked,
    )


def _bytes_of(folder: Path, name: str, bound: int, reading: ReadOutcome) -> bytes | None:
    """Return a file's bytes, None where there are more than ``bound``; note the hash of all of it in either case.

    Raises:
        Rejected: it cannot be opened.
    """
    digest, parts, size = hashlib.sha256(), [], 0
    try:
        with (folder / name).open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
                size += len(chunk)
                if size <= bound:
                    parts.append(chunk)
                else:
                    parts.clear()
    except OSError as error:
        raise reject(f"{printable(name)} cannot be read: {error.strerror}") from error
    reading.hashes[name] = digest.hexdigest()
    return b"".join(parts) if size <= bound else None


def _truth_of(name: str, content: bytes, locale: str | None, limits: Limits) -> LabelledTruth:
    read = from_xml if Path(name).suffix.lower() == ".xml" else from_json
    return read(content, locale, limits)


def _printed(leaves: dict[str, Any], truth: LabelledTruth, content: PageContent) -> tuple[set[str], bool]:
    """Return the paths of what the pages show, and whether a text layer or the labels say so."""
    if truth.printed is not None:
        return askable(leaves) & truth.printed, True
    if content.texts is not None and has_text_layer(content.texts, content.blank):
        return found_in(leaves, content.texts, truth.document.locale), True
    return askable(leaves), False


def _id_of(source: Source, hashes: dict[str, str]) -> str:
    """Return an id that is fit for a file's name anywhere, and differs wherever name or content does."""
    stem = unicodedata.normalize("NFKD", Path(source.name).name).encode("ascii", "ignore").decode()
    words = re.sub(r"[^A-Za-z0-9]+", "-", stem).strip("-")[:_LONGEST_STEM].strip("-") or "document"
    told = "\n".join(f"{hashes[name]} {Path(name).suffix}" for name in source.files)
    digest = hashlib.sha256(source.name.encode("utf-8", "surrogateescape") + b"\n" + told.encode())
    return f"real-{words}-{digest.hexdigest()[:12]}"


def same_content(document: RealDocument) -> str:
    """Return what two copies of a document share, whatever they are called."""
    return hashlib.sha256("\n".join(sorted(document.hashes.values())).encode()).hexdigest()
