"""What callers may rely on of an OCR engine: find the printed lines of a page, and read one line.

Engines implement these protocols in modules of their own; `rapidocr_engine` does so with RapidOCR.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from finscribe_assets.rendering.pages import Box


class LineReader(Protocol):
    """Text recognition: reads images of single printed lines."""

    def read(self, crops: Sequence[np.ndarray]) -> list[str]:
        """Read images of single lines.

        Args:
            crops: grey images of one printed line each, height × width, uint8, of any size.

        Returns:
            The text of each crop, in their order; empty where nothing is recognised.
        """
        ...


class LineFinder(Protocol):
    """Text detection: finds the printed lines of a page."""

    def find(self, page: np.ndarray) -> list[Box]:
        """Find the printed lines of a page.

        Args:
            page: the page's grey pixels, height × width, uint8.

        Returns:
            Upright boxes in pixels of the page, in no particular order. A label and a value that stand close together
            may share a box.
        """
        ...
