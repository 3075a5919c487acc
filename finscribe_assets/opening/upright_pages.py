"""Turn the pages of an opened document upright and straighten them, and record by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from finscribe_assets.errors import UserError
from finscribe_assets.opening.page_content import PageContent, PageTurn
from finscribe_assets.opening.page_orientation import LEAST_SIDE, find_rotation
from finscribe_assets.opening.page_skew import LEAST_SKEW, MAX_SKEW, estimate_skew, turned
from finscribe_assets.rendering.page_colours import to_grey
from finscribe_assets.rendering.pages import Page

_UNKNOWN_NOTE = "which way up its pages are was not checked"


@dataclass
class PageTurner:
    """Turns pages upright and straightens them. Without the OCR engine, it straightens them only.

    Attributes:
        threads: number of CPU threads of the OCR engine.
    """

    threads: int = 1

    def upright(self, content: PageContent) -> PageContent:
        """Return a document whose pages are upright and straight.

        The direction of a PDF page with visible text is that of its text; other pages are judged by their pixels.
        Pages that are upright and straight keep their bytes.

        Returns:
            The document with its turned pages, ``turns`` for those that were turned, and a note if the way up could not
            be judged.
        """
        pages: list[Page] = []
        turns: list[PageTurn] = []
        notes: dict[str, None] = dict.fromkeys(content.notes)
        angles = content.text_angles or (None,) * len(content.pages)
        for number, (page, angle) in enumerate(zip(content.pages, angles, strict=True), 1):
            pixels = None
            if angle is not None:
                rotation, skew = _split(angle)
            elif min(page.width, page.height) < LEAST_SIDE or (content.blank and content.blank[number - 1]):
                rotation, skew = 0, 0.0
            else:
                pixels = np.asarray(page.open())
                rotation, skew = self._judge(to_grey(pixels))
                if self._missing_engine:
                    notes[f"{_UNKNOWN_NOTE}: {self._missing_engine}"] = None
            if rotation or skew:
                pixels = np.asarray(page.open()) if pixels is None else pixels
                pages.append(Page.of_pixels(turned(pixels, rotation, skew)))
                turns.append(PageTurn(number, rotation, skew, page.width, page.height))
            else:
                pages.append(page)
        return replace(content, pages=tuple(pages), turns=tuple(turns), notes=tuple(notes))

    def _judge(self, grey: np.ndarray) -> tuple[int, float]:
        return (0, estimate_skew(grey)) if self._missing_engine else find_rotation(grey, self._read_lines)

    @cached_property
    def _missing_engine(self) -> str:
        """Return why there is no OCR engine, or an empty text."""
        try:
            _ = self._engine
        except UserError as error:
            return str(error)
        return ""

    @cached_property
    def _engine(self) -> object:
        from finscribe_assets.ocr.rapidocr_engine import RapidOcrReader

        return RapidOcrReader(self.threads)

    def _read_lines(self, lines: Sequence[np.ndarray]) -> list[tuple[str, float]]:
        return self._engine.read_scored(lines)  # type: ignore[attr-defined]


def _split(angle: float) -> tuple[int, float]:
    """Return an angle in degrees clockwise as quarters and the rest; a rest that is not straightened is 0."""
    quarters = round(angle / 90)
    skew = round(angle - 90 * quarters, 2)
    return quarters * 90 % 360, skew if LEAST_SKEW <= abs(skew) <= MAX_SKEW else 0.0
