"""The printed lines that a ground truth locates: where a person left a value's box, and the text that stands there.

What belongs here: reading them from JSON, and the crop that decides whether a box holds one line. Their pairs are built
in `real_pairs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from finscribe_assets.documents.labelled_fields import LabelledFields, is_labelled
from finscribe_assets.instructions.crops import crop
from finscribe_assets.model.line_finding import find_lines
from finscribe_assets.opening.input_limits import escape_unprintable, rejection
from finscribe_assets.rendering.located_boxes import LocatedBox, boxes_from_json, to_pixels
from finscribe_assets.rendering.pages import Box, Page


class LabelledLine(NamedTuple):
    """A box of a value, and its text as printed."""

    path: str  # of the field
    place: LocatedBox
    text: str  # empty if it is unknown


class CutLine(NamedTuple):
    """A printed line on the image of its page."""

    path: str
    page: int  # from 0
    box: Box  # in pixels
    text: str
    number: int  # among the boxes of its value, from 0


def lines_from_json(value: Any) -> tuple[LabelledLine, ...]:
    """Read the ``boxes`` of a ground truth: ``{path: [{"page": 1, "box": [x0, y0, x1, y1], "text": "12,50"}]}``.

    Raises:
        RejectedDocumentError: It is not of this form.
    """
    boxes, complete = boxes_from_json(value)
    if not complete:
        raise rejection('`boxes` are not {"field.path": [{"page": 1, "box": [x0, y0, x1, y1], "text": "12,50"}]}')
    lines = []
    for path, located in boxes.items():
        for place, entry in zip(located, value[path], strict=True):
            text = entry.get("text") or ""
            if not isinstance(text, str):
                raise rejection(f"`boxes` of {escape_unprintable(path)[:60]!r}: the text is not a text")
            lines.append(LabelledLine(path, place, " ".join(text.split())))
    return tuple(lines)


def lines_to_json(lines: Iterable[LabelledLine]) -> dict[str, list[dict[str, Any]]]:
    """Return lines as `lines_from_json` reads them."""
    boxes: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        entry = {"page": line.place.page, "box": list(line.place.box)} | ({"text": line.text} if line.text else {})
        boxes.setdefault(line.path, []).append(entry)
    return boxes


def labelled_lines(
    lines: Iterable[LabelledLine], values: Mapping[str, Any], labelled: LabelledFields | None, pages: int
) -> tuple[LabelledLine, ...]:
    """Return the lines of values that the ground truth states, on pages that the document has."""
    return tuple(
        line for line in lines if line.path in values and is_labelled(line.path, labelled) and line.place.page <= pages
    )


def cut_printed_lines(lines: Iterable[LabelledLine], pages: Sequence[Page]) -> list[CutLine]:
    """Return the lines whose text is known and whose box holds one printed line.

    A person may draw one box around two lines of an address. A model that reads single lines cannot learn from it.
    """
    images = {number: pages[number].open() for number in sorted({line.place.page - 1 for line in lines})}
    numbers: dict[str, int] = {}
    found = []
    for line in lines:
        number = numbers[line.path] = numbers.get(line.path, -1) + 1
        page = line.place.page - 1
        box = to_pixels(line.place.box, images[page].size)
        if line.text and len(find_lines(crop(images[page], box)).strips) == 1:
            found.append(CutLine(line.path, page, box, line.text, number))
    return found
