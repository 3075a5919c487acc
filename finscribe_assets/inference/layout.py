"""Where the regions of a page come from. PaddleOCR-VL has a layout model for this; the embedded base has none.

What belongs here: boxes, and the field that each belongs to; never what is printed in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from finscribe_assets.rendering.pages import Box, MarkKind, RenderedDocument


@dataclass(frozen=True)
class Region:
    """A field's place: a page and a box for each of its printed lines."""

    path: str  # such as totals.amount_due
    lines: tuple[tuple[int, Box], ...]


class Layout(Protocol):
    """Something that finds the regions of a document's pages."""

    @property
    def name(self) -> str:
        """Return what finds them, for reports."""
        ...

    def regions(self, document: RenderedDocument) -> list[Region]:
        """Return the document's regions, in reading order."""
        ...


@dataclass(frozen=True)
class RendererBoxes:
    """The boxes that the renderer knows: an oracle, which makes no layout errors and knows rendered pages alone."""

    name: str = "renderer boxes (oracle)"

    def regions(self, document: RenderedDocument) -> list[Region]:
        """Return each field's boxes; what the renderer wrote in them stays unread."""
        return [Region(mark.name, tuple((part.page, part.box) for part in mark.fragments))
                for mark in document.of_kind(MarkKind.FIELD)]  # fmt: skip
