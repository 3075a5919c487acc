"""Apply all damage to a document's pages, in its natural order: print, paper, shape, light, device."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from finscribe_assets.documents.drawn_document import Presentation
from finscribe_assets.rendering.damage import device, ink, light, paper, writing
from finscribe_assets.rendering.damage.draws import LIGHT_MIX, TONE, Draw, strengths_of
from finscribe_assets.rendering.damage.geometry import shape_of
from finscribe_assets.rendering.damage.legibility import legibility_of
from finscribe_assets.rendering.page_colours import to_grey
from finscribe_assets.rendering.pages import Fragment, Mark, MarkType

Effect = Callable[[np.ndarray, Draw], np.ndarray]

SHEET_EFFECTS: dict[str, Effect] = {  # applied to the flat sheet
    "watermark": writing.watermark,
    "thermal_fade": ink.thermal_fade,
    "dot_matrix": ink.dot_matrix,
    "fax": ink.fax,
    "bleed_through": paper.bleed_through,
    "highlighter": paper.highlighter,
    "stamp": writing.stamp,
    "signature": writing.signature,
    "handwritten_note": writing.handwritten_note,
    "approvals": writing.approval,
    "pen_ring": writing.pen_ring,
    "coffee_stain": paper.coffee_stain,
    "fold": paper.creases,
    "punch_holes": paper.punch_holes,
    "staple": paper.staple,
    "curl": paper.curl_shading,
}
# What is visible outside the bent sheet; of two, only the first is used.
SURROUNDINGS = {"photo": light.on_desk, "perspective": light.on_grey}
PICTURE_EFFECTS: dict[str, Effect] = {  # applied to the picture of the bent sheet
    "shadow": light.shadow,
    "uneven_light": light.uneven_light,
    "photo": lambda page, draw: device.photo_sensor(light.photo_light(page, draw), draw),
    TONE: device.tone,
    "blur": device.blur,
    "low_resolution": device.low_resolution,
    "noise": device.noise,
    LIGHT_MIX: device.light_mix,
    "jpeg": device.jpeg,
}
# These leave every value readable at any strength, which a test verifies, so legibility is not measured for them.
HARMLESS_EFFECTS = {LIGHT_MIX, "skew", "perspective"}
CELL_RULE_INCHES = 1 / 48  # width inside a cell's box that may show the table's rules rather than text
TEXT_MARK_TYPES = (MarkType.FIELD, MarkType.CELL, MarkType.LINE)  # types of marks with a text of their own


def degrade(
    pages: list[np.ndarray], marks: list[Mark], look: Presentation, dpi: int
) -> tuple[list[np.ndarray], list[Mark]]:
    """Damage a document's pages and move its marks along.

    The same arguments give the same pixels, and the random numbers of one effect do not depend on the other effects.

    Args:
        pages: each height × width, or × 3 in colour; uint8; not changed.
        marks: the document's marks, with boxes in pixels of the pages.
        look: strength of each effect, and the seed of their random numbers.
        dpi: resolution of the pages.

    Returns:
        The damaged pages (a photograph is larger than its page), and the marks, whose boxes follow the paper's shape.
        Fragments whose text can no longer be read are not visible. Without damage, the arguments themselves.
    """
    if not strengths_of(look):
        return pages, marks
    parts = [(mark.type, fragment) for mark in marks for fragment in mark.fragments]
    moved: dict[int, Fragment] = {}  # by index in parts
    damaged = []
    for number, page in enumerate(pages):
        on_page = [index for index, (_, fragment) in enumerate(parts) if fragment.page == number]
        picture, fragments = _damaged(page, number, [parts[index] for index in on_page], look, dpi)
        damaged.append(picture)
        moved |= zip(on_page, fragments, strict=True)
    indices = iter(range(len(parts)))
    return damaged, [Mark(mark.type, mark.name, tuple(moved[next(indices)] for _ in mark.fragments)) for mark in marks]


def _damaged(
    page: np.ndarray, number: int, parts: Sequence[tuple[MarkType, Fragment]], look: Presentation, dpi: int
) -> tuple[np.ndarray, list[Fragment]]:
    """Damage one page; return its picture, and its fragments in their order."""
    boxes = [fragment.box for _, fragment in parts]
    names = strengths_of(look).keys()
    values = tuple(fragment.box for mark_type, fragment in parts if mark_type is MarkType.FIELD)

    def draw(name: str) -> Draw:
        # Made anew for each use, so that two uses get the same random numbers: a fold's shading and its shape agree.
        return Draw(name, number, look, dpi, values)

    picture = page
    for name, effect in SHEET_EFFECTS.items():
        if name in names:
            picture = effect(picture, draw(name))
    shape = shape_of([draw(name) for name in names], page.shape[:2], boxes)
    texts = [
        index for index, (mark_type, fragment) in enumerate(parts) if mark_type in TEXT_MARK_TYPES and fragment.text
    ]
    is_measured = bool(texts) and not names <= HARMLESS_EFFECTS
    if is_measured and picture is not page:
        picture, clean = shape.warped_together(picture, to_grey(page))
    else:
        picture = clean = shape.warped(picture)
    for name in [name for name in SURROUNDINGS if name in names][:1]:
        picture = SURROUNDINGS[name](picture, shape.outline(page.shape[:2]), draw(name))
    for name, effect in PICTURE_EFFECTS.items():
        if name in names:
            picture = effect(picture, draw(name))
    readable = dict.fromkeys(range(len(parts)), True)
    if is_measured:
        insides = [
            fragment.box.padded(-CELL_RULE_INCHES * dpi) if mark_type is MarkType.CELL else fragment.box
            for mark_type, fragment in (parts[index] for index in texts)
        ]
        printed = [parts[index][1].text for index in texts]
        legibility = legibility_of(to_grey(clean), to_grey(picture), shape.moved(insides), dpi, printed)
        readable |= zip(texts, legibility.readable.tolist(), strict=True)
    return picture, [
        Fragment(number, box, fragment.text, fragment.visible and readable[index])
        for index, ((_, fragment), box) in enumerate(zip(parts, shape.moved(boxes), strict=True))
    ]
