"""Read the real documents that a recipe is fitted to: an imported workspace, or a folder of PDFs and images.

Pages are measured and forgotten but for a small picture of the first. No value of a document is kept.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from finscribe_assets.documents.recipe import LOCALES
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath
from finscribe_assets.importing.source_files import find_documents, printable_name
from finscribe_assets.measuring.measured_documents import MeasuredDocument, measure_pages
from finscribe_assets.measuring.text_measures import TextMeasures, measure_text
from finscribe_assets.ocr.rapidocr_engine import RapidOcrFinder, RapidOcrReader
from finscribe_assets.opening.input_limits import InputLimits, RejectedDocumentError
from finscribe_assets.opening.page_reader import PageReader
from finscribe_assets.rendering.page_batch import read_rendered
from finscribe_assets.rendering.pages import Page
from finscribe_assets.shards import shard_files
from finscribe_assets.splitting.split_table import SPLITS_FILE, read_splits

PICTURE_HEIGHT = 420  # pixels of the small picture of a page
_TILL_ASPECT = 1.9  # height over width from which a page is a till roll's; legal paper has 1.65
_LEAST_TEXT = 40  # characters of a text layer: less is a stamp or a page number, not the page's text
_READ_LINES = 50  # of a page, at most: enough to know language and document type
_MARGIN = 0.15  # of a line's height, around its box


@dataclass(frozen=True)
class RealSample:
    """A real document as a recipe is fitted to it.

    Attributes:
        id: of the document, or its name.
        measured: its measures.
        document_type: known or measured; None if undetermined.
        locale: known or measured; None if undetermined.
        text: what its words say, if they were read.
        picture: its first page as a small PNG.
    """

    id: str
    measured: MeasuredDocument
    document_type: str | None
    locale: str | None
    text: TextMeasures
    picture: bytes


@dataclass(frozen=True)
class RealSamples:
    """The real documents, and what could not be read.

    Attributes:
        samples: the documents.
        unreadable: reason by document.
        notes: what the user should know of how they were read.
    """

    samples: tuple[RealSample, ...]
    unreadable: dict[str, str]
    notes: tuple[str, ...] = ()


def read_real(path: AnyPath, *, dpi: int = 144, on_document: Callable[[int], None] | None = None) -> RealSamples:
    """Read and measure real documents.

    Args:
        path: a workspace that `finscribe import` wrote, or a folder of PDFs and images; ground truth is not needed.
        dpi: resolution of the pages of PDFs.
        on_document: called with 1 after each document.

    Raises:
        UserError: there is no readable document.
    """
    found = (
        _of_workspace(path, on_document)
        if shard_files(path / "images")
        else _of_folder(Path(str(path)), dpi, on_document)
    )
    if not found.samples:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in list(found.unreadable.items())[:3])
        raise UserError(f"{path}: no document that can be read{': ' + reasons if reasons else ''}")
    return found


def _of_workspace(path: AnyPath, on_document: Callable[[int], None] | None) -> RealSamples:
    if not (path / "splits" / SPLITS_FILE).exists():
        raise UserError(f"{path / 'splits'}: no {SPLITS_FILE}; name a workspace that `finscribe import` wrote")
    rows = {row.document_id: row for row in read_splits(path / "splits")}
    samples, ocr = [], _Ocr()
    for rendered in read_rendered(path / "images"):
        row = rows.get(rendered.id)
        document_type = _known(row.document_type if row else "", tuple(DocumentType))
        locale = _known(row.locale if row else "", LOCALES)
        known = document_type and locale
        words = TextMeasures() if known else measure_text(ocr.text_of(rendered.pages[0]))
        measured = measure_pages(rendered.id, rendered.pages)
        samples.append(
            RealSample(
                rendered.id,
                measured,
                document_type or words.document_type or _type_by_shape(measured),
                locale or words.locale,
                words,
                small_picture(rendered.pages[0]),
            )
        )
        if on_document:
            on_document(1)
    return RealSamples(tuple(samples), {}, ocr.notes)


def _type_by_shape(measured: MeasuredDocument) -> str | None:
    """Return the document type that the shape of the page alone determines: only tills print so narrow pages."""
    return str(DocumentType.RECEIPT) if measured.measures["aspect"] >= _TILL_ASPECT else None


def _known(name: str, names: Sequence[str]) -> str | None:
    return name if name in tuple(map(str, names)) else None


def _of_folder(path: Path, dpi: int, on_document: Callable[[int], None] | None) -> RealSamples:
    samples: list[RealSample] = []
    unreadable: dict[str, str] = {}
    ocr = _Ocr()
    with PageReader(dpi, InputLimits()) as reader:
        for files in find_documents(path).documents:
            if not files.pages:
                continue
            name = printable_name(files.name)
            try:
                contents = [(path / page).read_bytes() for page in files.pages]
                content = reader.read(contents)
            except (RejectedDocumentError, OSError) as error:
                unreadable[name] = str(error)
                continue
            text = "\n".join(content.texts or ())
            if len(text.strip()) < _LEAST_TEXT:
                text = ocr.text_of(content.pages[0])
            words = measure_text(text)
            measured = measure_pages(name, content.pages)
            samples.append(
                RealSample(
                    name,
                    measured,
                    words.document_type or _type_by_shape(measured),
                    words.locale,
                    words,
                    small_picture(content.pages[0]),
                )
            )
            if on_document:
                on_document(1)
    return RealSamples(tuple(samples), unreadable, ocr.notes)


class _Ocr:
    """Reads the words of scans, if the optional OCR engine is installed."""

    def __init__(self) -> None:
        self.missing = ""
        self._engine: tuple[RapidOcrFinder, RapidOcrReader] | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what a user should know if words could not be read."""
        return (f"words of scans were not read: {self.missing}; or give --locale and --type",) if self.missing else ()

    def text_of(self, page: Page) -> str:
        """Return the printed lines of a page; empty if there is no engine, which `missing` then says."""
        if self._engine is None and not self.missing:
            try:
                self._engine = RapidOcrFinder(), RapidOcrReader()
            except UserError as error:
                self.missing = str(error)
        if self._engine is None:
            return ""
        finder, reader = self._engine
        grey = page.grey()
        boxes = sorted(finder.find(grey), key=lambda box: (box.y0, box.x0))[:_READ_LINES]
        crops = []
        for box in boxes:
            around = box.padded(_MARGIN * (box.y1 - box.y0))
            top, left = max(0, round(around.y0)), max(0, round(around.x0))
            crops.append(np.ascontiguousarray(grey[top : round(around.y1), left : round(around.x1)]))
        return "\n".join(reader.read([crop for crop in crops if crop.size]))


def small_picture(page: Page) -> bytes:
    """Return a page as a small PNG."""
    image = page.open().convert("RGB")
    scale = PICTURE_HEIGHT / image.height
    stream = io.BytesIO()
    image.resize((max(1, round(image.width * scale)), PICTURE_HEIGHT)).save(stream, "PNG")
    return stream.getvalue()
