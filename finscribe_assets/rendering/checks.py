"""What is provable of every rendered page: each printed value has a box, on its page, with ink in it."""

from __future__ import annotations

import numpy as np

from finscribe_assets.documents.drawn import DrawnDocument
from finscribe_assets.rendering.pages import MarkKind, RenderedDocument

TOLERANCE = 1.5  # pixels that a box may reach over the page's edge, from rounding
MIN_CONTRAST = 40  # grey levels between the darkest and the lightest pixel of a box that shows something


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
            inside = pages[part.page][max(0, int(box.y0)) : int(box.y1) + 1, max(0, int(box.x0)) : int(box.x1) + 1]
            if inside.size == 0 or int(inside.max()) - int(inside.min()) < MIN_CONTRAST:
                problems.append(f"{name}: no ink in its box {box} on page {part.page}")
    return problems


def _squeezed(text: str) -> str:
    return "".join(text.split())


def require_sound(drawn: DrawnDocument, rendered: RenderedDocument) -> None:
    """Raise RenderError, naming the document, when its pages have problems."""
    problems = problems_of(drawn, rendered)
    if problems:
        raise RenderError(
            f"{drawn.id} ({drawn.presentation.layout}, {drawn.document.locale}): " + "; ".join(problems[:5])
        )
