"""Find out from a PDF page's visible text which way up the page is; a scan's pixels are judged elsewhere."""

from __future__ import annotations

from collections import Counter
from math import degrees

import pypdfium2
import pypdfium2.raw as pdfium

_LEAST_CHARACTERS = 20  # of a page whose text says which way up it is
_LARGEST_IMAGE = 0.5  # of the page's area; a larger image is a scan, whose OCR layer may be of another direction
_READ_CHARACTERS = 3000
_SHARE = 0.6  # of the characters that must have the same direction, give or take half a degree


def text_angle(page: pypdfium2.PdfPage) -> float | None:
    """Return the degrees clockwise by which a page must be turned for its text to be upright, from -180 to 180.

    Returns:
        None if the page has little visible text, a large image, or text in several directions.
    """
    width, height = page.get_size()
    for image in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        left, bottom, right, top = image.get_bounds()
        if (right - left) * (top - bottom) > _LARGEST_IMAGE * width * height:
            return None
    text = page.get_textpage()
    directions: Counter[float] = Counter()
    for index in range(min(text.count_chars(), _READ_CHARACTERS)):
        if chr(pdfium.FPDFText_GetUnicode(text, index)).isspace():
            continue
        text_object = pdfium.FPDFText_GetTextObject(text, index)
        if not text_object or pdfium.FPDFTextObj_GetTextRenderMode(text_object) == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE:
            continue
        directions[round(2 * degrees(pdfium.FPDFText_GetCharAngle(text, index))) / 2] += 1
    if sum(directions.values()) < _LEAST_CHARACTERS:
        return None
    direction, count = directions.most_common(1)[0]
    if count < _SHARE * sum(directions.values()):
        return None
    # PDFium's angle is clockwise from the reader's right, before the page's own rotation, which is clockwise too.
    return (-direction - page.get_rotation() + 180) % 360 - 180
