"""Apply all damage to a document's pages, in its natural order: print, paper, shape, light, device."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from finscribe_assets.documents.drawn_document import Presentation
from finscribe_assets.documents.mail_room_knobs import NEIGHBOUR_KNOB
from finscribe_assets.rendering.damage import device, ink, light, paper, writing
from finscribe_assets.rendering.damage.draws import LIGHT_MIX, TONE, Draw, strengths_of
from finscribe_assets.rendering.damage.geometry import shape_of
from finscribe_assets.rendering.damage.legibility import legibility_of
from finscribe_assets.rendering.damage.neighbours import paired
from finscribe_assets.rendering.page_colours import to_grey
from finscribe_assets.rendering.pages import Box, Fragment, Mark, MarkType

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
# What is visible outside the bent sheets; of several, only the first is used.
SURROUNDINGS = {"photo": light.on_desk, "perspective": light.on_grey, NEIGHBOUR_KNOB: light.on_lid}
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
HARMLESS_EFFECTS = {LIGHT_MIX, "skew", "perspective", NEIGHBOUR_KNOB}
CELL_RULE_INCHES = 1 / 48  # width inside a cell's box that may show the table's rules rather than text
TEXT_MARK_TYPES = (MarkType.FIELD, MarkType.CELL, MarkType.LINE)  # types of marks with a text of their own


def degrade(
    pages: list[np.ndarray], marks: list[Mark], look: Presentation, dpi: int, neighbour: np.ndarray | None = None
) -> tuple[list[np.ndarray], list[Mark]]:
    """Damage a document's pages and move its marks along.

    The same arguments give the same pixels, and the random numbers of one effect do not depend on the other effects.

    Args:
        pages: each height × width, or × 3 in colour; uint8; not changed.
        marks: the document's marks, with boxes in pixels of the pages.
        look: strength of each effect, and the seed of their random numbers.
        dpi: resolution of the pages.
        neighbour: the page of the document beside this one (height × width; uint8), if the look has one.

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
        picture, fragments = _damaged(page, number, [parts[index] for index in on_page], look, dpi, neighbour)
        damaged.append(picture)
        moved |= zip(on_page, fragments, strict=True)
    indices = iter(range(len(parts)))
    return damaged, [Mark(mark.type, mark.name, tuple(moved[next(indices)] for _ in mark.fragments)) for mark in marks]


def _damaged(
    page: np.ndarray,
    number: int,
    parts: Sequence[tuple[MarkType, Fragment]],
    look: Presentation,
    dpi: int,
    neighbour: np.ndarray | None,
) -> tuple[np.ndarray, list[Fragment]]:
    """Damage one page; return its picture, and its fragments in their order."""
    boxes = [fragment.box for _, fragment in parts]
    names = strengths_of(look).keys()
    values = tuple(fragment.box for mark_type, fragment in parts if mark_type is MarkType.FIELD)

    def draw(name: str, on_page: int = number) -> Draw:
        # Made anew for each use, so that two uses get the same random numbers: a fold's shading and its shape agree.
        return Draw(name, on_page, look, dpi, values)

    picture = page
    for name, effect in SHEET_EFFECTS.items():
        if name in names:
            picture = effect(picture, draw(name))
    sheets, size, framing, clean_page = [Box(0, 0, page.shape[1], page.shape[0])], page.shape[:2], None, page
    inner = [_inside(mark_type, fragment.box, dpi) for mark_type, fragment in parts]
    pair = None
    if neighbour is not None:
        pair = paired(picture, page, neighbour, draw(NEIGHBOUR_KNOB), draw)
        boxes, inner, sheets = ([box.moved(*pair.page_at) for box in group] for group in (boxes, inner, sheets))
        picture, clean_page, size, framing = pair.image, pair.clean, pair.frame, pair.framing
    shape = shape_of([draw(name) for name in names], size, boxes, framing)
    texts = [
        index for index, (mark_type, fragment) in enumerate(parts) if mark_type in TEXT_MARK_TYPES and fragment.text
    ]
    is_measured = bool(texts) and not names <= HARMLESS_EFFECTS
    if is_measured and picture is not clean_page:
        picture, clean = shape.warped_together(picture, to_grey(clean_page))
    else:
        picture = clean = shape.warped(picture)
    outlines = [shape.outline(sheet) for sheet in sheets]
    if pair is not None:
        outlines.append(shape.forward(pair.outline))
    for name in [name for name in SURROUNDINGS if name in names][:1]:
        picture = SURROUNDINGS[name](picture, outlines, draw(name))
    for name, effect in PICTURE_EFFECTS.items():
        if name in names:
            picture = effect(picture, draw(name))
    readable = dict.fromkeys(range(len(parts)), True)
    if is_measured:
        insides = [inner[index] for index in texts]
        printed = [parts[index][1].text for index in texts]
        legibility = legibility_of(to_grey(clean), to_grey(picture), shape.moved(insides), dpi, printed)
        readable |= zip(texts, legibility.readable.tolist(), strict=True)
    return picture, [
        Fragment(number, box, fragment.text, fragment.visible and readable[index])
        for index, ((_, fragment), box) in enumerate(zip(parts, shape.moved(boxes), strict=True))
    ]


def _inside(mark_type: MarkType, box: Box, dpi: int) -> Box:
    """Return the part of a mark's box that shows its text: a cell's box may show the table's rules as well."""
    return box.padded(-CELL_RULE_INCHES * dpi) if mark_type is MarkType.CELL else box
