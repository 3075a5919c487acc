"""What both layout engines return: grey page images and the boxes of marks, in pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

import numpy as np

from finscribe_assets.rendering.pages import Box

MARGIN_BELOW_MM = 6  # what a page that is cut to its content keeps below it
MM_PER_INCH = 25.4


class MarkBox(NamedTuple):
    """One box of a mark: a mark that wraps, or crosses pages, has several."""

    mark: int  # its number
    page: int  # from 0
    box: Box
    text: str | None = None  # what stands in it, where the engine tells


@dataclass(frozen=True)
class EngineOutput:
    """What an engine makes of a document: grey pages (height × width, uint8) and its marks' boxes in pixels."""

    pages: list[np.ndarray]
    placed: list[MarkBox]


def cut_below(placed: Iterable[MarkBox], content: int | None, dpi: int) -> dict[int, int]:
    """Return the heights in pixels, by page, that pages are cut to: the content's and a margin."""
    margin = MARGIN_BELOW_MM / MM_PER_INCH * dpi
    return {one.page: ceil(one.box.y1 + margin) for one in placed if one.mark == content}
