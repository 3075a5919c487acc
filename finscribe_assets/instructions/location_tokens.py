"""Location tokens: where a text is on its image, in the notation of PaddleOCR-VL 1.5's task ``Spotting:``.

A text is followed by the corners of its box, clockwise from the top left, each as x and y in thousandths of the image's
width and height: ``12.30<|LOC_701|><|LOC_812|><|LOC_760|><|LOC_812|><|LOC_760|><|LOC_826|><|LOC_701|><|LOC_826|>``. A
text on several printed lines has a quadrilateral for each. The notation has no page: it is about a single image.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from finscribe_assets.rendering.located_boxes import PAGE_UNITS
from finscribe_assets.rendering.pages import Box

_TOKEN = re.compile(r"<\|LOC_(\d{1,4})\|>")
_TOKENS_AT_END = re.compile(r"(?:\s*<\|LOC_(?:\d{1,4})\|>)+\s*\Z")
_NUMBERS = 8  # of a quadrilateral
LOCATION_START = "<|LOC_"


def write_locations(boxes: Iterable[Box]) -> str:
    """Write boxes, in thousandths of the image, as location tokens."""
    numbers = (
        min(PAGE_UNITS, max(0, round(side))) for x0, y0, x1, y1 in boxes for side in (x0, y0, x1, y0, x1, y1, x0, y1)
    )
    return "".join(f"<|LOC_{number}|>" for number in numbers)


def read_locations(text: str) -> tuple[str, list[Box], bool]:
    """Read the location tokens at the end of a text that a model wrote.

    Returns:
        The text without location tokens; the upright boxes around its quadrilaterals, in thousandths of the image; and
        whether all of the tokens are quadrilaterals with an area on the image.
    """
    if LOCATION_START not in text:
        return text, [], True
    at_end = _TOKENS_AT_END.search(text)
    tail = at_end[0] if at_end else ""
    numbers = [int(number) for number in _TOKEN.findall(tail)]
    boxes = []
    for start in range(0, len(numbers) - _NUMBERS + 1, _NUMBERS):
        across, down = numbers[start : start + _NUMBERS : 2], numbers[start + 1 : start + _NUMBERS : 2]
        box = Box(min(across), min(down), max(across), max(down))
        if box.width > 0 and box.height > 0 and max(box) <= PAGE_UNITS:
            boxes.append(box)
    body = text[: len(text) - len(tail)]
    complete = len(boxes) * _NUMBERS == len(numbers) and LOCATION_START not in body
    return _TOKEN.sub("", body).rstrip() if tail or not complete else body, boxes, complete
