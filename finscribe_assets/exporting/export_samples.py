"""From pairs and pages to what every form writes: a prompt, a response and encoded pictures, shard by shard."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from finscribe_assets.errors import UserError
from finscribe_assets.exporting.file_names import file_name_for
from finscribe_assets.exporting.sample_checks import RecordLocation, SampleInspector, check_texts
from finscribe_assets.files import AnyPath, read_table, write_bytes
from finscribe_assets.instructions.crops import page_cache, pair_images
from finscribe_assets.instructions.pair import Pair, pairs_from_table
from finscribe_assets.rendering.pages import Page, RenderedDocument, pages_from_table
from finscribe_assets.rendering.png_encoding import to_png
from finscribe_assets.splitting.split_assignment import Split

IMAGE_FOLDER = "images"  # the folder of picture files below an export


@dataclass(frozen=True)
class ExportImage:
    """An encoded picture of a sample."""

    content: bytes  # PNG or JPEG
    page: int | None  # from 0, where it is a stored page as it is; None where it was cut or changed for this sample

    @property
    def suffix(self) -> str:
        """Return png or jpg."""
        return image_suffix(self.content)


@dataclass(frozen=True)
class ExportSample:
    """A pair as its split asks it, with its pictures."""

    pair: Pair
    prompt: str
    pictures: tuple[ExportImage, ...]

    @property
    def spans(self) -> list[dict[str, Any]]:
        """Return the response's spans as start, end (characters, end exclusive), kind and path."""
        return [
            {"start": span.start, "end": span.end, "kind": str(span.type), "path": span.path}
            for span in self.pair.spans
        ]


@dataclass(frozen=True)
class ExportPart:
    """One shard's share of an export. What is written for it follows from it alone, whichever process writes it."""

    pairs: AnyPath  # the shard's files
    images: AnyPath
    out: Path
    split: Split
    documents: frozenset[str]  # of this shard, those of the split
    number: int  # among the export's parts, from 0
    part_count: int
    samples: int

    def scratch_file(self, name: str) -> Path:
        """Return the place of lines that are joined to one file once all parts are there."""
        return scratch_folder(self.out) / f"{self.number:05d}-{name}"

    def read_documents(self) -> Iterator[RenderedDocument]:
        """Yield the part's documents with their pages."""
        for document in pages_from_table(read_table(self.images)):
            if document.id in self.documents:
                yield document

    def read_samples(self) -> Iterator[ExportSample]:
        """Yield the part's samples in their order, one document's after the other.

        Raises:
            ExportError: a pair's text is such that a loader would drop it.
            UserError: pairs and pages are not of the same batch.
        """
        pages = {document.id: document.pages for document in self.read_documents()}

        def page_of(document: str, number: int) -> Page:
            return pages[document][number]

        open_page = page_cache(page_of)
        for pair in pairs_from_table(read_table(self.pairs)):
            if pair.document_id not in self.documents:
                continue
            if pair.document_id not in pages:
                raise UserError(f"{self.images}: no pages of {pair.document_id}; render and pair the same batch")
            prompt = pair.prompt_for(test=self.split is Split.TEST)
            check_texts(RecordLocation(self.pairs.name, f"pair {pair.id}"), prompt, pair.response)
            if pair.box is None and not pair.patches:
                pictures = [ExportImage(page_of(pair.document_id, number).image, number) for number in pair.pages]
            else:
                pictures = [ExportImage(to_png(np.asarray(image)), None) for image in pair_images(pair, open_page)]
            yield ExportSample(pair, prompt, tuple(pictures))


@dataclass(frozen=True)
class FormatHandler:
    """How one form of export is written and checked. ``validate`` raises ExportError for what its loader would drop."""

    write: Callable[[ExportPart], None]  # a part, on a worker process
    finish: Callable[[Path, Split, Sequence[ExportPart]], None]  # what is there once for all parts
    validate: Callable[[Path, Split, SampleInspector], None]
    load_with: Callable[[Path, Split], str]  # the one line that loads the folder


class ImageFiles:
    """The picture files of a part, a folder for each document; stored pages are written once, as they are."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._written: dict[str, set[str]] = {}

    def page(self, document: str, number: int, content: bytes) -> str:
        """Write a stored page, if it is not there yet; return its path below the export."""
        return self._write(document, f"page-{number}.{image_suffix(content)}", content)

    def put(self, sample: ExportSample) -> list[str]:
        """Write a sample's pictures; return their paths below the export."""
        pair = sample.pair
        return [
            self.page(pair.document_id, picture.page, picture.content)
            if picture.page is not None
            else self._write(
                pair.document_id, f"pair-{file_name_for(pair.id)}-{place}.{picture.suffix}", picture.content
            )
            for place, picture in enumerate(sample.pictures)
        ]

    def _write(self, document: str, name: str, content: bytes) -> str:
        folder = file_name_for(document)
        written = self._written.setdefault(folder, set())
        if name not in written:
            write_bytes(self._out / IMAGE_FOLDER / folder / name, content)
            written.add(name)
        return f"{IMAGE_FOLDER}/{folder}/{name}"

    def remove_strays(self) -> None:
        """Remove what an earlier or a killed export left in the folders of these documents."""
        for folder, names in self._written.items():
            keep_only(self._out / IMAGE_FOLDER / folder, names)


def keep_documents(out: Path, parts: Sequence[ExportPart]) -> None:
    """Remove the picture folders of documents that are not of an export."""
    keep_only(out / IMAGE_FOLDER, {file_name_for(document) for part in parts for document in part.documents})


def keep_only(folder: Path, names: set[str]) -> None:
    """Remove everything of a folder of the export's own but these names."""
    for stray in folder.iterdir():
        if stray.name not in names:
            shutil.rmtree(stray) if stray.is_dir() else stray.unlink()


def scratch_folder(out: Path) -> Path:
    """Return where parts lie until they are joined."""
    return out / ".parts"


def image_suffix(content: bytes) -> str:
    """Return png or jpg for an encoded page or crop."""
    return "png" if content.startswith(b"\x89PNG") else "jpg"
