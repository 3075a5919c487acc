"""Where a payment slip is: at the foot of the first sheet if the document leaves room, else of a sheet of its own.

CSS cannot put a block at the foot of the last page. So a document with a slip is laid out twice: first with the slip
right below its content, which shows how much room is left, then with that room above the slip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from finscribe_assets.rendering.pages import Mark
from finscribe_assets.rendering.sheet_size import Sheet

SLIP_HEIGHT = 105.0  # millimetres: a third of a sheet of A4, as A6 in landscape
SLIP_MARGIN = 5.0  # at its lower edge, where nothing is printed
# Lower margin of documents whose slip is on a sheet of its own: PlutoPrint gives all sheets the same height, and print
# on the others should not reach down to the edge.
OWN_SHEET_MARGIN = 10.0
PLACING_DPI = 36  # of the first layout, whose pixels nobody sees
_STUB_TOP = 5.0  # from the slip's upper edge to its first text
_SLACK = 0.5  # millimetres that rounding may take


@dataclass(frozen=True)
class SlipPlace:
    """The place of a slip."""

    gap: float  # millimetres between what is above it and its upper edge
    on_own_sheet: bool


def place_slip(marks: Sequence[Mark], page_height: int, sheet: Sheet) -> SlipPlace:
    """Return where the slip of a document belongs.

    Args:
        marks: the marks of the document, laid out with its slip right below its content.
        page_height: of its pages, in the pixels of the marks.
        sheet: its paper.

    Raises:
        ValueError: the document has no slip.
    """
    stub = next((mark for mark in marks if mark.name == "slip_stub"), None)
    if stub is None:
        raise ValueError("the document has no payment slip")
    lowest = sheet.height - SLIP_HEIGHT - _SLACK
    first = stub.fragments[0]
    if first.page == 0:
        top = first.box.y0 / page_height * sheet.height - _STUB_TOP
        return SlipPlace(max(0.0, lowest - top), on_own_sheet=False)
    return SlipPlace(lowest - sheet.top - (OWN_SHEET_MARGIN - SLIP_MARGIN), on_own_sheet=True)
