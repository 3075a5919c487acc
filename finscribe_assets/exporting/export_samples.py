"""Turn pairs and pages into samples: a prompt, a response and encoded images, shard by shard, for all formats."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from finscribe_assets.errors import UserError
from finscribe_assets.exporting.file_names import file_name_for
from finscribe_assets.exporting.sample_checks import RecordLocation, SampleInspector, check_texts
from finscribe_assets.files import AnyPath, read_table, write_bytes
from finscribe_assets.instructions.crops import page_cache, pair_images
from finscribe_assets.instructions.pair import Pair, Task, pairs_from_table
from finscribe_assets.rendering.pages import Page, RenderedDocument, pages_from_table
from finscribe_assets.rendering.png_encoding import to_png
from finscribe_assets.splitting.split_assignment import Split

# Tasks with short answers, which make one conversation where they are about the same whole pages.
TURN_TASKS = frozenset(
    {
        Task.SCHEMA_EXTRACTION,
        Task.FIELD_QUESTION,
        Task.ABSENT_FIELD,
        Task.DOCUMENT_TYPE,
        Task.FIELD_TO_BOX,
        Task.BOX_TO_FIELD,
    }
)
MAX_TURNS = 8  # of a conversation
IMAGE_FOLDER = "images"  # folder of the image files in an export


@dataclass(frozen=True)
class ExportImage:
    """An encoded image of a sample."""

    content: bytes  # PNG or JPEG
    page: int | None  # the number of the stored page, from 0; None for a crop or a patched page

    @property
    def suffix(self) -> str:
        """Return ``png`` or ``jpg``."""
        return image_suffix(self.content)


@dataclass(frozen=True)
class ExportSample:
    """A pair with the prompt of its split and its images, and other pairs about the same images."""

    pair: Pair
    prompt: str
    images: tuple[ExportImage, ...]
    further: tuple[tuple[str, str], ...] = ()  # prompts and responses of the other pairs

    @property
    def id(self) -> str:
        """Return the id of the pair, or of the conversation that begins with it."""
        return f"{self.pair.id}+{len(self.further)}" if self.further else self.pair.id

    @property
    def spans(self) -> list[dict[str, Any]]:
        """Return the response's spans as exports write them; ``kind`` is the span's type."""
        return [
            {"start": span.start, "end": span.end, "kind": str(span.type), "path": span.path}
            for span in self.pair.spans
        ]


@dataclass(frozen=True)
class ExportPart:
    """The part of an export that one shard of pairs gives. Parts are written independently, on any process."""

    pairs: AnyPath  # shard of pairs
    images: AnyPath  # shard of page images
    out: Path
    split: Split
    documents: frozenset[str]  # the shard's documents that belong to the split
    number: int  # from 0
    part_count: int
    samples: int
    max_turns: int = MAX_TURNS

    def scratch_file(self, name: str) -> Path:
        """Return the path of a temporary file of this part, to be joined with the other parts' files at the end."""
        return scratch_folder(self.out) / f"{self.number:05d}-{name}"

    def read_documents(self) -> Iterator[RenderedDocument]:
        """Yield the part's documents with their pages."""
        for document in pages_from_table(read_table(self.images)):
            if document.id in self.documents:
                yield document

    def read_samples(self) -> Iterator[ExportSample]:
        """Yield the part's samples, sorted by document.

        Raises:
            ExportError: a prompt or response is such that a loader would drop it.
            UserError: a document of the pairs has no pages.
        """
        pages = {document.id: document.pages for document in self.read_documents()}

        def page_of(document: str, number: int) -> Page:
            return pages[document][number]

        open_page = page_cache(page_of)
        for pair in pairs_from_table(read_table(self.pairs)):
            if pair.document_id not in self.documents:
                continue
            if pair.document_id not in pages:
                raise UserError(
                    f"{self.images}: no pages of {pair.document_id}; export pairs and pages of the same batch"
                )
            prompt = pair.prompt_for(test=self.split is Split.TEST)
            check_texts(RecordLocation(self.pairs.name, f"pair {pair.id}"), prompt, pair.response)
            if pair.box is None and not pair.patches:
                images = [ExportImage(page_of(pair.document_id, number).image, number) for number in pair.pages]
            else:
                images = [ExportImage(to_png(np.asarray(image)), None) for image in pair_images(pair, open_page)]
            yield ExportSample(pair, prompt, tuple(images))

    def read_conversations(self) -> Iterator[ExportSample]:
        """Yield the part's samples; short questions about the same whole pages follow each other as turns of one."""
        for _, of_document in groupby(self.read_samples(), key=lambda sample: sample.pair.document_id):
            by_pages: dict[tuple[int, ...], list[ExportSample]] = {}
            for sample in of_document:
                pair = sample.pair
                if self.max_turns > 1 and pair.task in TURN_TASKS and pair.box is None and not pair.patches:
                    by_pages.setdefault(pair.pages, []).append(sample)
                else:
                    yield sample
            for samples in by_pages.values():
                for start in range(0, len(samples), self.max_turns):
                    first, *others = samples[start : start + self.max_turns]
                    yield replace(first, further=tuple((other.prompt, other.pair.response) for other in others))


@dataclass(frozen=True)
class FormatHandler:
    """The functions that write, check and describe an export in one format."""

    write: Callable[[ExportPart], None]  # writes one part, on a worker process
    finish: Callable[[Path, Split, Sequence[ExportPart]], None]  # writes what the parts share, once all are written
    validate: Callable[[Path, Split, SampleInspector], None]  # raises ExportError for what the loader would drop
    load_with: Callable[[Path, Split], str]  # returns the call or command that loads the folder


class ImageFiles:
    """Writes the image files of a part into one folder per document; a stored page is written once, unchanged."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._written: dict[str, set[str]] = {}

    def write_page(self, document: str, number: int, content: bytes) -> str:
        """Write a stored page unless it is written already; return its path relative to the export."""
        return self._write(document, f"page-{number}.{image_suffix(content)}", content)

    def write_images(self, sample: ExportSample) -> list[str]:
        """Write a sample's images; return their paths relative to the export."""
        pair = sample.pair
        return [
            self.write_page(pair.document_id, image.page, image.content)
            if image.page is not None
            else self._write(pair.document_id, f"pair-{file_name_for(pair.id)}-{number}.{image.suffix}", image.content)
            for number, image in enumerate(sample.images)
        ]

    def _write(self, document: str, name: str, content: bytes) -> str:
        folder = file_name_for(document)
        written = self._written.setdefault(folder, set())
        if name not in written:
            write_bytes(self._out / IMAGE_FOLDER / folder / name, content)
            written.add(name)
        return f"{IMAGE_FOLDER}/{folder}/{name}"

    def remove_strays(self) -> None:
        """Delete files of an earlier or interrupted export from the folders of these documents."""
        for folder, names in self._written.items():
            keep_only(self._out / IMAGE_FOLDER / folder, names)


def keep_documents(out: Path, parts: Sequence[ExportPart]) -> None:
    """Delete the image folders of documents that are not part of the export."""
    keep_only(out / IMAGE_FOLDER, {file_name_for(document) for part in parts for document in part.documents})


def keep_only(folder: Path, names: set[str]) -> None:
    """Delete everything in one of the export's folders but the files and folders with these names."""
    for stray in folder.iterdir():
        if stray.name not in names:
            shutil.rmtree(stray) if stray.is_dir() else stray.unlink()


def scratch_folder(out: Path) -> Path:
    """Return the folder of the temporary files of parts."""
    return out / ".parts"


def image_suffix(content: bytes) -> str:
    """Return ``png`` or ``jpg`` for an encoded page or crop."""
    return "png" if content.startswith(b"\x89PNG") else "jpg"
