"""What both layout engines return: page images, and the boxes of numbered marks in pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

import numpy as np

from finscribe_assets.rendering.pages import Box

MARGIN_BELOW_MM = 6  # kept below the content of a page that is cut to it
MM_PER_INCH = 25.4


class MarkBox(NamedTuple):
    """One box of a mark; a mark that wraps or crosses pages has several."""

    mark: int  # the mark's number, which is its index in `PageMarkup.elements`
    page: int  # index, from 0
    box: Box
    text: str | None = None  # text in the box; None where the engine does not report it


@dataclass(frozen=True)
class EngineOutput:
    """A document as an engine paints it."""

    pages: list[np.ndarray]  # height × width, or height × width × 3 in colour; uint8
    mark_boxes: list[MarkBox]  # in the order of the HTML, in pixels of the pages


def heights_of_content(mark_boxes: Iterable[MarkBox], content_mark: int | None, dpi: int) -> dict[int, int]:
    """Return the height in pixels, by page index, to which pages are cut: their content and a margin below it.

    Args:
        mark_boxes: the boxes of all marks.
        content_mark: number of the mark around all content; None leaves every page whole.
        dpi: resolution of the pages.
    """
    margin = MARGIN_BELOW_MM / MM_PER_INCH * dpi
    return {mark_box.page: ceil(mark_box.box.y1 + margin) for mark_box in mark_boxes if mark_box.mark == content_mark}
