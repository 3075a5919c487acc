"""Extract text and fields from images, pages and shards of rendered pages.

What belongs here: choosing regions, prompts and the form of the output for what a user hands in. Opening files belongs
to `opening`; running the model to `reader`; records for evaluation to `prediction`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from PIL import Image

from finscribe_assets.documents.file_ids import file_document_id
from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath, read_table
from finscribe_assets.inference.image_reader import ImageReader, ReadRequest
from finscribe_assets.inference.json_grammar import JsonGrammar
from finscribe_assets.inference.page_reading import read_regions
from finscribe_assets.inference.prediction import Mode, page_record, predict_documents
from finscribe_assets.inference.prediction_record import PredictionRecord
from finscribe_assets.inference.region_layout import DetectedLines, Layout, RendererBoxes
from finscribe_assets.inference.text_spans import TextLine
from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.pair import OCR_PROMPT
from finscribe_assets.instructions.prompt_wordings import full_extraction_prompt
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.model.decoded_text import DecodedText, rounded_confidence
from finscribe_assets.ocr.rapidocr_engine import RapidOcrFinder
from finscribe_assets.opening.input_limits import DEFAULT_DPI, InputLimits
from finscribe_assets.opening.page_content import PageContent
from finscribe_assets.opening.page_reader import read_file, read_pages
from finscribe_assets.rendering.pages import Box, Page, pages_from_table

MAX_LINE_HEIGHT = 160  # pixels; a taller image cannot be a single printed line


class NoLayoutError(UserError):
    """A base that reads single lines was given a page, and no layout says where the lines are."""


@dataclass(frozen=True)
class ExtractedText:
    """The text that a model read in an image."""

    text: str  # of a line or block, a table as OTSL, or the raw response about whole pages
    confidence: float | None  # geometric mean of the token probabilities, in [0, 1]; None if they are unknown
    truncated: bool  # generation stopped at the token limit


@dataclass(frozen=True)
class Extractor:
    """Reads lines, boxes of images, pages, and documents of several pages.

    Example:
        >>> extractor = Extractor(Reader(adapter=Path("work/adapter")), DetectedLines())
        >>> extractor.read_file(Path("scan.png"))["response"]  # of a `PredictionRecord`
        {"document_number": "RE-2024/17", "totals": {"amount_due": "1.234,50 €"}}
    """

    reader: ImageReader
    layout: Layout | None = None  # finds the regions of a page; without one, the model is given whole pages
    prompt: str | None = None  # replaces the stock one: `OCR:` for lines and boxes, full extraction for whole pages
    grammar: JsonGrammar | None = None  # constrains responses to JSON; needs a base that reads pages
    max_new_tokens: int | None = None  # of a response; the reader's limit unless given
    locale: str | None = None  # of the labels that identify fields, such as de_DE; detected unless given

    def __post_init__(self) -> None:
        """Check that the settings fit together.

        Raises:
            UserError: A grammar is given for a base that reads single lines.
        """
        if self.reader.reads_lines and self.grammar:
            raise UserError(
                f"json: {self.reader.name} reads single printed lines and writes no JSON; "
                "use a base that reads pages, such as PaddlePaddle/PaddleOCR-VL"
            )

    def read_image(self, image: Image.Image, box: Box | None = None) -> ExtractedText:
        """Read a line, a box of an image or, with a base that reads pages, a whole page.

        A base that reads lines treats an image taller than ``MAX_LINE_HEIGHT`` as a block of several lines, and every
        image as a table when the prompt is ``TABLE_PROMPT``.

        Args:
            image: The image, in mode L.
            box: The box to read, in pixels; the whole image unless given.

        Raises:
            UserError: The box lies outside the image.
        """
        return self._read_images((image if box is None else crop(image, box),), whole_pages=box is None)

    def read_file(self, path: AnyPath, box: Box | None = None) -> dict[str, Any]:
        """Open a file in this process and read it; see `read_content`. `PageReader` opens files that you do not trust.

        Args:
            path: A PDF or an image.
            box: The box to read, in pixels of an image; the whole file unless given.

        Returns:
            See `read_content`.

        Raises:
            RejectedDocumentError: The file cannot be opened.
            NoLayoutError: The base reads lines, the image is as tall as a page, and there is no layout.
            UserError: The box lies outside the image, or the file has several pages or none in pixels.
        """
        limits = InputLimits()
        content = read_pages([read_file(path, limits)], DEFAULT_DPI, limits)
        return self.read_content(str(path), content, box, file_document_id(path))

    def read_content(
        self, name: str, content: PageContent, box: Box | None = None, id_: str | None = None
    ) -> dict[str, Any]:
        """Read an opened file: a box of it, a single printed line, or its pages.

        Args:
            name: Stands in the record as ``file``.
            content: The pages of the file.
            box: The box to read, in pixels of an image; the whole file unless given.
            id_: The document's id; ``name`` unless given.

        Returns:
            ``{"id", "file", "reader", "text", "confidence", "truncated"}`` for a box or a line, whose confidence is a
            number; for pages, see `read_pages`. ``model`` says whose weights read (`ImageReader.record`),
            ``turned`` lists the pages that were turned upright, and ``notes`` what was left out.

        Raises:
            NoLayoutError: The base reads lines, the image is as tall as a page, and there is no layout.
            UserError: The box lies outside the image, or the file has several pages or none in pixels.
        """
        if box is not None and (content.is_pdf or len(content.pages) > 1):
            found = "is a PDF, which has no pixels" if content.is_pdf else f"has {len(content.pages)} pages"
            raise UserError(f"box: {name} {found}; boxes work on images of one page")
        page = content.pages[0]
        is_line = self.reader.reads_lines and len(content.pages) == 1 and page.height <= MAX_LINE_HEIGHT
        if box is not None or (is_line and not content.is_pdf):
            text = asdict(self.read_image(page.open(), box))
            record = {"id": id_ or name, "file": name, "reader": self.reader.name, **text}
        else:
            record = self.read_pages(name, content.pages, id_)
        turned = [turn.to_json() for turn in content.turns]
        record["model"] = dict(self.reader.record)
        return record | ({"turned": turned} if turned else {}) | ({"notes": [*content.notes]} if content.notes else {})

    def read_pages(self, name: str, pages: Sequence[Page], id_: str | None = None) -> dict[str, Any]:
        """Read the pages of one document.

        Args:
            name: Stands in the record as ``file``.
            pages: The document's pages, in order.
            id_: The document's id; ``name`` unless given.

        Returns:
            The JSON form of a `PredictionRecord`. Without a layout its ``response`` is the model's raw text about all
            pages, with the confidence of each value in it. With a layout it is the fields that labels and table headers
            identify, with boxes, sources, the lines themselves, and the fields that remain.

        Raises:
            NoLayoutError: The base reads lines, and there is no layout.
        """
        if self.layout is None:
            if self.reader.reads_lines:
                raise NoLayoutError(
                    f"{name}: {pages[0].width} × {pages[0].height} pixels look like a page, and this model reads "
                    "single printed lines. Give a layout that finds the lines, a box x0,y0,x1,y1 in pixels, an image "
                    "of one line, or use a base that reads pages (PaddlePaddle/PaddleOCR-VL)"
                )
            decoded = self._decode(tuple(page.open() for page in pages), whole_pages=True)
            whole = page_record(self.reader, id_ or name, decoded)
            return replace(whole, file=name, pages=len(pages), reader=self.reader.name).to_json()
        read = read_regions(self.reader, name, pages, self.layout, self.prompt, self.max_new_tokens, self.grammar)
        identified = read.fields(self.locale)
        fields = identified.fields
        return PredictionRecord(
            id_ or name,
            unflatten({path: field.text for path, field in fields.items()}),
            {path: field.confidence for path, field in fields.items()},
            {path: field.boxes for path, field in fields.items() if field.boxes},
            file=name,
            pages=len(pages),
            layout=self.layout.name,
            reader=self.reader.name,
            labels=identified.locale,
            sources={path: field.source + 1 for path, field in fields.items()},
            lines=[_line_record(number, text) for number, text in enumerate(read.texts, 1)],
            reading_confidence={path: field.reading_confidence for path, field in fields.items()},
            not_assigned=[{"reason": reason, "fields": paths} for reason, paths in identified.not_assigned.items()],
        ).to_json()

    def _read_images(self, images: tuple[Image.Image, ...], *, whole_pages: bool) -> ExtractedText:
        decoded = self._decode(images, whole_pages=whole_pages)
        return ExtractedText(decoded.text, rounded_confidence(decoded.probabilities), decoded.truncated)

    def _decode(self, images: tuple[Image.Image, ...], *, whole_pages: bool) -> DecodedText:
        """Give all images to the model in one request."""
        asks_for_json = whole_pages and not self.reader.reads_lines
        prompt = self.prompt or (full_extraction_prompt() if asks_for_json else OCR_PROMPT)
        request = ReadRequest(images, prompt, is_block=images[0].height > MAX_LINE_HEIGHT)
        return self.reader.read([request], max_new_tokens=self.max_new_tokens, grammar=self.grammar)[0]


def _line_record(number: int, line: TextLine) -> dict[str, Any]:
    return {
        "line": number,
        "page": line.page + 1,
        "box": [round(side, 1) for side in line.box],
        "text": line.text,
        "confidence": line.confidence,
        "truncated": line.truncated,
    }


def extract_rendered(
    reader: ImageReader, shard: AnyPath, document_id: str | None = None, layout: Layout | None = None, prompt: str = ""
) -> list[dict[str, Any]]:
    """Read documents of a shard that `finscribe render` wrote.

    Args:
        reader: The loaded model.
        shard: A Parquet file such as ``images/part-00000.parquet``.
        document_id: The document to read; all of the shard unless given.
        layout: Finds the regions for a base that reads lines. Unless given, the renderer's boxes, or the lines that a
            text detector finds on imported pages, which have none.
        prompt: What a base that reads pages is asked; the stock prompt of full extraction unless given.

    Returns:
        Prediction records, as `prediction.predict_documents` gives them.

    Raises:
        UserError: The file is not a shard of rendered pages, or does not hold the document.
    """
    try:
        documents = pages_from_table(read_table(shard))
    except (KeyError, OSError, ValueError) as error:  # as pyarrow raises on other files and other columns
        raise UserError(f"{shard}: not a shard of rendered pages ({error}); `finscribe render` writes them") from error
    if not documents:
        raise UserError(f"{shard}: the shard is empty; `finscribe render` writes shards with documents")
    selected = [document for document in documents if document_id in (None, document.id)]
    if not selected:
        raise UserError(f"{shard}: holds no document {document_id!r}, but {documents[0].id} to {documents[-1].id}")
    mode = Mode.REGIONS if reader.reads_lines else Mode.PAGE
    if layout is None:
        has_boxes = mode is Mode.PAGE or any(document.marks for document in selected)
        layout = RendererBoxes() if has_boxes else DetectedLines(RapidOcrFinder(reader.threads))
    return predict_documents(reader, selected, mode, layout, prompt)
