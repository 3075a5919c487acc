"""What is provable of every rendered page: each printed value has a box of its own, on its page, with ink in it."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from finscribe_assets.documents.drawn import DrawnDocument
from finscribe_assets.rendering.pages import Box, MarkKind, RenderedDocument

TOLERANCE = 1.5  # pixels that a box may reach over the page's edge, from rounding
MIN_CONTRAST = 40  # grey levels between the darkest and the lightest pixel of a box that shows something
CELL_BORDER = 3  # pixels inside a cell's box that may be its rules rather than its text
MAX_OVERLAP = 0.3  # share of the smaller of two boxes; skewed neighbours touch, but no two values stand in one place


class RenderError(ValueError):
    """A page that does not show what its document says."""


def problems_of(drawn: DrawnDocument, rendered: RenderedDocument) -> list[str]:
    """Return what is wrong with a document's pages, each naming the field; an empty list for sound pages."""
    problems = []
    fields = {mark.name: mark for mark in rendered.of_kind(MarkKind.FIELD)}
    problems += [f"{name}: printed, but without a box" for name in drawn.printed if name not in fields]
    pages = [np.asarray(page.open()) for page in rendered.pages]
    for name, mark in fields.items():
        if name in drawn.printed and _squeezed(mark.text) != _squeezed(drawn.printed[name]):
            problems.append(f"{name}: the page shows {mark.text!r} instead of {drawn.printed[name]!r}")
        for part in mark.fragments:
            page, box = rendered.pages[part.page], part.box
            if min(box.x0, box.y0) < -TOLERANCE or box.x1 > page.width + TOLERANCE or box.y1 > page.height + TOLERANCE:
                problems.append(f"{name}: its box {box} reaches over page {part.page} ({page.width} × {page.height})")
                continue
            if not _has_ink(pages[part.page], box):
                problems.append(f"{name}: no ink in its box {box} on page {part.page}")
    for cell in rendered.of_kind(MarkKind.CELL):
        for part in cell.fragments:
            if part.text and not _has_ink(pages[part.page], part.box.padded(-CELL_BORDER)):
                problems.append(f"cell {cell.name}: {part.text!r} cannot be seen on page {part.page}")
    for number in range(len(pages)):
        here = [(name, part.box) for name, mark in fields.items() for part in mark.fragments if part.page == number]
        problems += [f"{one} and {other}: printed over each other on page {number}"
                     for (one, a), (other, b) in combinations(here, 2) if _overlap(a, b) > MAX_OVERLAP]  # fmt: skip
    return problems


def _has_ink(pixels: np.ndarray, box: Box) -> bool:
    inside = pixels[max(0, int(box.y0)) : int(box.y1) + 1, max(0, int(box.x0)) : int(box.x1) + 1]
    return inside.size > 0 and int(inside.max()) - int(inside.min()) >= MIN_CONTRAST


def _overlap(a: Box, b: Box) -> float:
    width, height = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min(a.width * a.height, b.width * b.height)


def _squeezed(text: str) -> str:
    return "".join(text.split())


def require_sound(drawn: DrawnDocument, rendered: RenderedDocument) -> None:
    """Raise RenderError, naming the document, when its pages have problems."""
    problems = problems_of(drawn, rendered)
    if problems:
        raise RenderError(
            f"{drawn.id} ({drawn.presentation.layout}, {drawn.document.locale}): " + "; ".join(problems[:5])
        )
