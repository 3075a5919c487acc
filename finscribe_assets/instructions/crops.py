"""Cut the images of pairs from pages: whole pages, or one region. Crops are made on demand and never stored."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

from PIL import Image

from finscribe_assets.errors import UserError
from finscribe_assets.instructions.pair import Pair, Patch
from finscribe_assets.rendering.pages import Box, Page

CROP_MARGIN = 2  # pixels around a box, so that no stroke is cut off
CACHED_PAGES = 8  # decoded pages in a cache; pairs are sorted by document, so few are needed

OpenPage = Callable[[str, int], Image.Image]
"""A function from a document id and a page number (from 0) to the page's pixels, an image of mode RGB or L."""


def page_cache(page_of: Callable[[str, int], Page], size: int = CACHED_PAGES) -> OpenPage:
    """Return a function that decodes pages and keeps the last ``size`` of them.

    Args:
        page_of: returns the encoded page of a document id and a page number.
        size: number of decoded pages to keep. Most pairs are regions of the page that was decoded last.
    """
    return lru_cache(maxsize=size)(lambda document, number: page_of(document, number).open())


def pair_images(pair: Pair, open_page: OpenPage) -> list[Image.Image]:
    """Return a pair's images: its pages with their patches applied, cropped to its box if it has one.

    Raises:
        UserError: the box has no area on its page.
    """
    pages = [apply_patches(open_page(pair.document_id, number), pair.patches_on(number)) for number in pair.pages]
    return pages if pair.box is None else [crop(page, pair.box) for page in pages]


def apply_patches(page: Image.Image, patches: Sequence[Patch]) -> Image.Image:
    """Return a page on which the print in each patch's source box also covers its target box, flush right."""
    patched = page.copy() if patches else page
    for patch in patches:
        source, target = crop(page, patch.source), crop(page, patch.target)
        # Most pixels of a text box are paper, so the most frequent level of each channel is the paper's.
        levels = [target.getchannel(channel).histogram() for channel in target.getbands()]
        paper = tuple(max(range(256), key=channel.__getitem__) for channel in levels)
        cover = Image.new(page.mode, (max(target.width, source.width), target.height), paper)
        cover.paste(source, (cover.width - source.width, (target.height - source.height) // 2))
        right, top = math.ceil(patch.target.x1) + CROP_MARGIN, math.floor(patch.target.y0) - CROP_MARGIN
        patched.paste(cover, (right - cover.width, top))
    return patched


def crop(page: Image.Image, box: Box, margin: int = CROP_MARGIN) -> Image.Image:
    """Return the part of a page inside a box, with a margin in pixels, clipped to the page.

    Raises:
        UserError: the box lies outside the page or is empty.
    """
    padded = box.padded(margin)
    x0, y0 = max(0, math.floor(padded.x0)), max(0, math.floor(padded.y0))
    x1, y1 = min(page.width, math.ceil(padded.x1)), min(page.height, math.ceil(padded.y1))
    if x1 <= x0 or y1 <= y0:
        raise UserError(
            f"the box {box} has no area on a page of {page.width} × {page.height} pixels; "
            "give left, top, right and bottom in pixels of this page"
        )
    return page.crop((x0, y0, x1, y1))
