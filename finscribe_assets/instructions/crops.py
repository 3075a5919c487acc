"""The image of a pair: whole pages, or a region cut from one. Crops are made when they are needed, never stored."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

from PIL import Image, ImageStat

from finscribe_assets.errors import UserError
from finscribe_assets.instructions.pair import Pair, Patch
from finscribe_assets.rendering.pages import Box, Page

CROP_MARGIN = 2  # pixels around a box, so that no stroke is cut
CACHED_PAGES = 8  # decoded pages that a cache holds: pairs come document by document

OpenPage = Callable[[str, int], Image.Image]
"""Document id and page number, from 0 → the page's pixels, in mode L."""


def page_cache(page_of: Callable[[str, int], Page], held: int = CACHED_PAGES) -> OpenPage:
    """Return a function that decodes pages and holds the last ones, as most pairs are regions of the page before."""
    return lru_cache(maxsize=held)(lambda document, number: page_of(document, number).open())


def pair_images(pair: Pair, open_page: OpenPage) -> list[Image.Image]:
    """Return a pair's images, in mode L: its pages with their patches, cut to its box where it has one.

    Raises:
        UserError: a box has no area on its page.
    """
    pages = [apply_patches(open_page(pair.document_id, number), pair.patches_on(number)) for number in pair.pages]
    return pages if pair.box is None else [crop(page, pair.box) for page in pages]


def apply_patches(page: Image.Image, patches: Sequence[Patch]) -> Image.Image:
    """Return a page on which each patch's source is printed over its target too, at the target's right edge."""
    changed = page.copy() if patches else page
    for patch in patches:
        print_, place = crop(page, patch.source), crop(page, patch.target)
        # The commonest level of a box of print is its paper.
        paper = max(range(256), key=ImageStat.Stat(place).h.__getitem__)
        ground = Image.new("L", (max(place.width, print_.width), place.height), paper)
        ground.paste(print_, (ground.width - print_.width, (place.height - print_.height) // 2))
        right, top = math.ceil(patch.target.x1) + CROP_MARGIN, math.floor(patch.target.y0) - CROP_MARGIN
        changed.paste(ground, (right - ground.width, top))
    return changed


def crop(page: Image.Image, box: Box, margin: int = CROP_MARGIN) -> Image.Image:
    """Return a box of a page with a margin, clipped to the page.

    Raises:
        UserError: the box lies outside the page, or has no area on it.
    """
    grown = box.padded(margin)
    x0, y0 = max(0, math.floor(grown.x0)), max(0, math.floor(grown.y0))
    x1, y1 = min(page.width, math.ceil(grown.x1)), min(page.height, math.ceil(grown.y1))
    if x1 <= x0 or y1 <= y0:
        raise UserError(f"the box {box} has no area on a page of {page.width} × {page.height} pixels")
    return page.crop((x0, y0, x1, y1))
