"""The one chain of all damage, in the order in which it comes to a sheet: print, paper, shape, light, device."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from finscribe_assets.documents.drawn_document import Presentation
from finscribe_assets.rendering.damage import device, ink, light, paper, writing
from finscribe_assets.rendering.damage.draws import LIGHT_MIX, Draw, strengths_of
from finscribe_assets.rendering.damage.geometry import shape_of
from finscribe_assets.rendering.damage.legibility import legibility_of
from finscribe_assets.rendering.pages import Fragment, Mark, MarkType

Effect = Callable[[np.ndarray, Draw], np.ndarray]

ON_THE_SHEET: dict[str, Effect] = {
    "thermal_fade": ink.thermal_fade,
    "dot_matrix": ink.dot_matrix,
    "fax": ink.fax,
    "bleed_through": paper.bleed_through,
    "highlighter": paper.highlighter,
    "stamp": writing.stamp,
    "signature": writing.signature,
    "handwritten_note": writing.handwritten_note,
    "coffee_stain": paper.coffee_stain,
    "fold": paper.creases,
    "punch_holes": paper.punch_holes,
    "curl": paper.curl_shading,
}
AROUND_THE_SHEET = {"photo": light.on_desk, "perspective": light.on_grey}  # only the first that is drawn can be seen
IN_THE_PICTURE: dict[str, Effect] = {
    "shadow": light.shadow,
    "uneven_light": light.uneven_light,
    "photo": lambda page, draw: device.photo_sensor(light.photo_light(page, draw), draw),
    "blur": device.blur,
    "low_resolution": device.low_resolution,
    "noise": device.noise,
    LIGHT_MIX: device.light_mix,
    "jpeg": device.jpeg,
}
# These leave every value readable, however strong: tests hold them to it, and no time is spent on measuring.
HARMLESS = {LIGHT_MIX, "skew", "perspective"}
RULE = 1 / 48  # inch inside a cell's box that may be the table's rules and not the cell's print
PRINT = (MarkType.FIELD, MarkType.CELL, MarkType.LINE)  # marks that show a text of their own


def degrade(
    pages: list[np.ndarray], marks: list[Mark], look: Presentation, dpi: int
) -> tuple[list[np.ndarray], list[Mark]]:
    """Damage a document's pages (grey, height × width, uint8) at a resolution as its look says; move its marks along.

    Boxes follow the paper's shape; a photograph is larger than its page. Fields and cells that cannot be read any more
    are marked as not visible. A look without damage returns the very same objects. The same arguments always return
    the same pixels, and one effect's random numbers do not depend on another's.
    """
    if not strengths_of(look):
        return pages, marks
    parts = [(mark.type, part) for mark in marks for part in mark.fragments]
    moved: dict[int, Fragment] = {}  # by place among the parts
    damaged = []
    for number, page in enumerate(pages):
        here = [place for place, (_, part) in enumerate(parts) if part.page == number]
        picture, fragments = _damaged(page, number, [parts[place] for place in here], look, dpi)
        damaged.append(picture)
        moved |= zip(here, fragments, strict=True)
    follow = iter(range(len(parts)))
    return damaged, [Mark(mark.type, mark.name, tuple(moved[next(follow)] for _ in mark.fragments)) for mark in marks]


def _damaged(
    page: np.ndarray, number: int, parts: Sequence[tuple[MarkType, Fragment]], look: Presentation, dpi: int
) -> tuple[np.ndarray, list[Fragment]]:
    boxes = [part.box for _, part in parts]
    names = strengths_of(look).keys()
    values = tuple(part.box for kind, part in parts if kind is MarkType.FIELD)

    def draw(name: str) -> Draw:
        # Made anew for each use, so that all that one cause does is drawn alike: a fold's creases and its bends.
        return Draw(name, number, look, dpi, values)

    picture = page
    for name, effect in ON_THE_SHEET.items():
        if name in names:
            picture = effect(picture, draw(name))
    shape = shape_of([draw(name) for name in names], page.shape, boxes)
    picture = shape.warped(picture)
    for name in [name for name in AROUND_THE_SHEET if name in names][:1]:
        picture = AROUND_THE_SHEET[name](picture, shape.outline(page.shape), draw(name))
    for name, effect in IN_THE_PICTURE.items():
        if name in names:
            picture = effect(picture, draw(name))
    readable = dict.fromkeys(range(len(parts)), True)
    texts = [place for place, (kind, part) in enumerate(parts) if kind in PRINT and part.text]
    if texts and not names <= HARMLESS:
        insides = [
            part.box.padded(-RULE * dpi) if kind is MarkType.CELL else part.box
            for kind, part in (parts[place] for place in texts)
        ]
        found = legibility_of(shape.warped(page), picture, shape.moved(insides), dpi)
        readable |= zip(texts, found.readable.tolist(), strict=True)
    return picture, [
        Fragment(number, box, part.text, part.visible and readable[place])
        for place, ((_, part), box) in enumerate(zip(parts, shape.moved(boxes), strict=True))
    ]
