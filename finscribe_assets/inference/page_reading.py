"""Read the pages of a document region by region, at the boxes that a layout finds, and identify its fields."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from finscribe_assets.inference.field_identification import IdentifiedFields, identify_fields
from finscribe_assets.inference.image_reader import ImageReader, ReadRequest
from finscribe_assets.inference.json_grammar import JsonGrammar
from finscribe_assets.inference.line_ink import find_ink
from finscribe_assets.inference.region_layout import Layout, RegionType
from finscribe_assets.inference.text_spans import TextLine, spaces_between_words
from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT
from finscribe_assets.model.decoded_text import rounded_confidence
from finscribe_assets.rendering.pages import Page, RenderedDocument

_OTSL_TOKEN = re.compile("<(?:[felux]cel|nl)>")


@dataclass(frozen=True)
class PageText:
    """What was read on the pages of a document.

    Attributes:
        texts: of each box, in the layout's order; a table's is OTSL.
        is_table: whether the layout took each box for a table.
        sizes: width and height of each page in pixels.
        boxes_are_lines: whether each box that is not a table holds a single line.
        reader: identity of the reader, which decides what its confidence is worth; empty if it is unknown.
    """

    texts: Sequence[TextLine]
    is_table: Sequence[bool]
    sizes: Sequence[tuple[int, int]]
    boxes_are_lines: bool
    reader: str = ""

    def fields(self, locale: str | None = None) -> IdentifiedFields:
        """Identify the fields; ``locale`` is that of their labels, detected unless given."""
        return identify_fields(
            self.texts, self.is_table, self.sizes, locale, boxes_are_lines=self.boxes_are_lines, reader=self.reader
        )


def read_regions(
    reader: ImageReader,
    name: str,
    pages: Sequence[Page],
    layout: Layout,
    prompt: str | None = None,
    max_new_tokens: int | None = None,
    grammar: JsonGrammar | None = None,
) -> PageText:
    """Read the boxes of a layout's regions, each with the prompt of its type.

    Args:
        reader: The loaded model.
        name: Of the document, for errors.
        pages: The document's pages, in order.
        layout: Finds the regions.
        prompt: Replaces the prompts of the regions' types.
        max_new_tokens: See `ImageReader.read`.
        grammar: See `ImageReader.read`.
    """
    regions = layout.regions(RenderedDocument(name, 0, tuple(pages), ()))
    boxes = [(region.type is RegionType.TABLE, page, box) for region in regions for page, box in region.lines]
    images = [page.open() for page in pages]
    requests = [
        ReadRequest(
            (crop(images[page], box, layout.margin),),
            prompt or (TABLE_PROMPT if is_table else OCR_PROMPT),
            is_block=not layout.boxes_are_lines,
        )
        for is_table, page, box in boxes
    ]
    decoded = reader.read(requests, max_new_tokens=max_new_tokens, grammar=grammar)
    texts = [
        TextLine(page, box, text.text, rounded_confidence(text.probabilities), text.truncated)
        for (_, page, box), text in zip(boxes, decoded, strict=True)
    ]
    if layout.boxes_are_lines:
        grey = [np.asarray(image.convert("L")) for image in images]
        texts = [
            text if is_table else _with_ink(text, grey[text.page])
            for (is_table, _, _), text in zip(boxes, texts, strict=True)
        ]
    sizes = [(page.width, page.height) for page in pages]
    return PageText(texts, [is_table for is_table, _, _ in boxes], sizes, layout.boxes_are_lines, reader.identity)


def _with_ink(line: TextLine, page: np.ndarray) -> TextLine:
    """Return a line with the edges of its words.

    A base that was taught tables, too, may put their separators into a line of several cells; they are left out.
    """
    text = " ".join(_OTSL_TOKEN.split(line.text))
    x0, y0 = max(0, int(line.box.x0)), max(0, int(line.box.y0))
    pixels = page[y0 : math.ceil(line.box.y1), x0 : math.ceil(line.box.x1)]
    ink = find_ink(pixels, text, spaces_between_words(text), x0, y0) if text.strip() and pixels.size else None
    return replace(line, text=text, ink=ink)
