"""Find out which characters of a PDF page's text a person can see, by drawing the page with and without its text.

A text layer may hold what nobody sees: the guess of an OCR engine behind a scan (text rendering mode 3), white letters
on white, letters outside the crop box or below a picture. A character is visible if its box looks different when the
text is not drawn.
"""

from __future__ import annotations

from ctypes import byref, c_double, c_int
from dataclasses import dataclass

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from finscribe_assets.rendering.rasterising import rasterise_page

MIN_DIFFERENCE = 24  # of 255 in any channel, between a letter and what is below it; people miss fainter print
MAX_OCR_SHARE = 0.5  # of a page's characters that are drawn invisibly, above which the text is a guess about a scan
_SURROGATES = range(0xD800, 0xE000)  # halves of characters, which are none by themselves
_INVISIBLE = pdfium.FPDF_TEXTRENDERMODE_INVISIBLE  # ISO 32000-1, table 106


@dataclass(frozen=True)
class VisibleText:
    """The text of a page that people can see.

    Attributes:
        text: Visible characters with the spaces and line ends between them; empty if the page's text is that of an
            OCR engine, which says nothing certain about what the page shows.
        hidden: Number of characters that cannot be seen.
        is_ocr: Whether most of the text is drawn invisibly, as OCR engines add it to scans.
    """

    text: str
    hidden: int = 0
    is_ocr: bool = False

    @property
    def notes(self) -> list[str]:
        """Return what a person should know of the text."""
        if self.is_ocr:
            return ["its text is an OCR engine's, drawn invisibly over a scan: what the page shows is unknown"]
        return [f"{self.hidden} characters of its text cannot be seen and do not count"] if self.hidden else []


def read_visible_text(page: pypdfium2.PdfPage, pixels: np.ndarray, scale: float) -> VisibleText:
    """Return the text of a page that people can see.

    The page's text objects are inactive afterwards: it must not be drawn again.

    Args:
        page: The page.
        pixels: Its picture, height × width × 3.
        scale: Pixels per point of the picture.
    """
    textpage = page.get_textpage()
    count = pdfium.FPDFText_CountChars(textpage)
    owners = [pdfium.FPDFText_GetTextObject(textpage, index) for index in range(count)]
    modes = [pdfium.FPDFTextObj_GetTextRenderMode(owner) if owner else None for owner in owners]
    drawn = sum(mode is not None for mode in modes)
    invisible = modes.count(_INVISIBLE)
    if drawn and invisible > MAX_OCR_SHARE * drawn:
        return VisibleText("", invisible, is_ocr=True)
    height, width = pixels.shape[:2]
    boxes = [_pixel_box(page, textpage, index, width, height) for index in range(count)]
    for owner in owners:
        if owner:
            pdfium.FPDFPageObj_SetIsActive(owner, False)
    without = rasterise_page(page, scale, in_colour=True)
    difference = np.abs(pixels.astype(np.int16) - without.astype(np.int16)).max(axis=-1) >= MIN_DIFFERENCE
    characters, hidden = [], 0
    for index, (mode, box) in enumerate(zip(modes, boxes, strict=True)):
        code = pdfium.FPDFText_GetUnicode(textpage, index)
        character = "\ufffd" if code in _SURROGATES else chr(code)
        if mode is None or character.isspace() or difference[box[1] : box[3], box[0] : box[2]].any():
            characters.append(character)
        else:
            hidden += 1
            characters.append(" ")  # so that its neighbours do not become one word
    return VisibleText("".join(characters), hidden)


def _pixel_box(
    page: pypdfium2.PdfPage, textpage: pypdfium2.PdfTextPage, index: int, width: int, height: int
) -> tuple[int, int, int, int]:
    """Return a character's box in the picture (left, top, right, bottom), cut to it; empty outside of the picture."""
    left, right, bottom, top = c_double(), c_double(), c_double(), c_double()
    pdfium.FPDFText_GetCharBox(textpage, index, byref(left), byref(right), byref(bottom), byref(top))
    xs, ys = [], []
    for x, y in ((left, bottom), (right, top)):
        device_x, device_y = c_int(), c_int()
        pdfium.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, byref(device_x), byref(device_y))
        xs.append(device_x.value)
        ys.append(device_y.value)
    return max(0, min(xs)), max(0, min(ys)), max(0, max(xs) + 1), max(0, max(ys) + 1)
