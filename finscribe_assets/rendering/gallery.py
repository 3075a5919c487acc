"""The gallery: an example of each template family, addition and damage effect, as a page of the documentation.

The same code writes the same bytes: examples are drawn from fixed seeds, and the pictures contain neither dates nor
names of this machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from finscribe_assets.documents.drawn_document import Colours, DrawnDocument
from finscribe_assets.documents.fonts import LATIN_FONTS, fonts_for
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import DAMAGE_KNOBS, KNOB_FACTS, NO_KNOBS, Knobs
from finscribe_assets.documents.layout_families import LAYOUT_FACTS, LAYOUTS_BY_TYPE, LayoutFacts
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.files import write_bytes, write_text
from finscribe_assets.rendering.page_sampling import without_damage
from finscribe_assets.rendering.preview import DRAWN_WIDTH, draw_boxes, small_png
from finscribe_assets.rendering.render import render

MAX_PICTURE_BYTES = 60_000
GALLERY_WIDTH = 640  # pixels
PALETTE_SIZE = 48  # colours of a picture; with fewer, light that falls off shows steps
GALLERY_SEED = 11
EXAMPLE_CANDIDATES = 60  # documents from which an example is chosen
PREFERRED_ROW_COUNTS = range(3, 9)  # of an example's table, which is then neither bare nor long
SHOWN_STRENGTH = 0.7  # of the damage shown
# Effects that show only in single letters, so their pictures are close-ups; the others need the page's width.
CLOSE_UP_EFFECTS = ("blur", "low_resolution", "noise", "jpeg", "thermal_fade", "dot_matrix", "fax")

# The knobs of `mail_room_knobs.py`, with the locales in which they are shown.
_ADDITIONS = (
    ("payment_slips", "de_CH"),
    ("payment_slips", "de_AT"),
    ("payment_slips", "en_US"),
    ("terms_pages", "fr_FR"),
    ("line_groups", "de_DE"),
    ("item_bar_codes", "nl_NL"),
    ("neighbour_receipts", "en_GB"),
    ("tax_invoice_forms", "zh_CN"),
)

_HEAD = """# Gallery

Made by `finscribe gallery`; do not edit. Every document is synthetic.

"""


@dataclass(frozen=True)
class _Entry:
    """One section of the page."""

    title: str
    text: str
    pictures: dict[str, Image.Image]  # by file name


def write_gallery(page: Path, images: Path, on_entry: Callable[[int, int], None] | None = None) -> int:
    """Write the gallery.

    Args:
        page: the Markdown file to write.
        images: folder for its pictures, PNG files of at most MAX_PICTURE_BYTES each.
        on_entry: called after each section with 1 and the total number of sections.

    Returns:
        The number of pictures.
    """
    written, sections = 0, []
    prefix = Path(os.path.relpath(images, page.parent)).as_posix()
    headings = (
        ("Layouts", _layouts()),
        ("Additions", _additions()),
        (f"Damage, at a strength of {SHOWN_STRENGTH}", _damages()),
    )
    for heading, entries in headings:
        sections.append(f"## {heading}\n")
        for entry in entries:
            for name, picture in entry.pictures.items():
                write_bytes(images / name, small_png(picture, MAX_PICTURE_BYTES, GALLERY_WIDTH, PALETTE_SIZE))
            written += len(entry.pictures)
            shown = " ".join(f"![{name.removesuffix('.png')}]({prefix}/{name})" for name in entry.pictures)
            sections.append(f"### {entry.title}\n\n{entry.text}\n\n{shown}\n")
            if on_entry:
                on_entry(1, len(LAYOUT_FACTS) + len(_ADDITIONS) + len(DAMAGE_KNOBS))
    write_text(page, _HEAD + "\n".join(sections))
    return written


def example(layout: str, locale: str) -> DrawnDocument:
    """Return an example of a layout in a locale, with a short table if one is drawn; always the same document."""
    facts = LAYOUT_FACTS[layout]
    fonts = dict.fromkeys(fonts_for(locale), 1.0)
    recipe = Recipe(
        document_types={facts.document_types[0]: 1.0},
        layouts={layout: 1.0},
        locales={locale: 1.0},
        fonts=fonts,
        knobs=NO_KNOBS.model_copy(update={"optional_fields": 0.7}),
    )
    plan = seed_plan("batch-000", EXAMPLE_CANDIDATES, GALLERY_SEED, recipe)
    candidates = [draw_document(plan, index) for index in range(EXAMPLE_CANDIDATES)]
    of_layout = [drawn for drawn in candidates if drawn.presentation.layout == layout]
    preferred = [
        drawn for drawn in of_layout if len(drawn.document.lines) + len(drawn.document.entries) in PREFERRED_ROW_COUNTS
    ]
    return (preferred or of_layout)[0]


def _layouts() -> Iterator[_Entry]:
    for number, (layout, facts) in enumerate(LAYOUT_FACTS.items()):
        # A step that shares no divisor with the number of locales, so that each layout shows another country.
        drawn = example(layout, LOCALES[number * 5 % len(LOCALES)])
        rendered = render(without_damage(_in_colour(drawn)))
        yield _Entry(
            f"`{layout}`",
            f"{facts.structure}\n\n{_document_types(facts)}. "
            f"Shown: {drawn.document.locale}, {drawn.presentation.font}; "
            "the second picture has the boxes of fields (red), table and cells (blue) and regions (green).",
            {
                f"{layout}.png": rendered.pages[0].open().convert("RGB"),
                f"{layout}-boxes.png": draw_boxes(rendered, 0, DRAWN_WIDTH),
            },
        )


def _additions() -> Iterator[_Entry]:
    """Yield what mail rooms find on documents besides their own content, each on an example's last page."""
    for knob, locale in _ADDITIONS:
        document_type = KNOB_FACTS[knob].documents[0]
        recipe = Recipe(
            document_types={document_type: 1.0},
            layouts={LAYOUTS_BY_TYPE[document_type][0]: 1.0},
            locales={locale: 1.0},
            knobs=NO_KNOBS.model_copy(update={"optional_fields": 0.7, knob: 1.0}),
        )
        plan = seed_plan("batch-000", EXAMPLE_CANDIDATES, GALLERY_SEED, recipe)
        candidates = (draw_document(plan, index) for index in range(EXAMPLE_CANDIDATES))
        drawn = next(drawn for drawn in candidates if drawn.knobs[knob])
        page = render(without_damage(_in_colour(drawn))).pages[-1].open().convert("RGB")
        description = Knobs.model_fields[knob].description or knob
        text = f"{description[0].upper()}{description[1:]}. Shown: {locale}."
        yield _Entry(f"`{knob}`", text, {f"{knob}-{locale}.png": page})


def _in_colour(drawn: DrawnDocument) -> DrawnDocument:
    """Return a copy of the document whose pages are in colour; receipts are printed in black."""
    is_receipt = drawn.document.document_type is DocumentType.RECEIPT
    colours = Colours.GREY_PRINT if is_receipt else Colours.COLOUR
    look = drawn.presentation.model_copy(update={"colours": colours})
    return drawn.model_copy(update={"presentation": look})


def _document_types(facts: LayoutFacts) -> str:
    names = ", ".join(str(document_type).replace("_", " ") for document_type in facts.document_types).capitalize()
    return f"{names}; held out from training" if facts.held_out else names


def _damages() -> Iterator[_Entry]:
    written = dict.fromkeys(("stamp", "handwritten_note", "approvals"), 1.0)
    knobs = NO_KNOBS.model_copy(update={"optional_fields": 0.7, **written})
    recipe = Recipe(
        document_types={DocumentType.INVOICE: 1.0},
        layouts={"invoice_classic": 1.0},
        knobs=knobs,
        locales={"en_GB": 1.0},
        fonts=dict.fromkeys(LATIN_FONTS, 1.0),
    )
    drawn = _in_colour(draw_document(seed_plan("batch-000", 1, GALLERY_SEED, recipe), 0))
    clean = render(without_damage(drawn)).pages[0].open()
    for effect in DAMAGE_KNOBS:
        look = drawn.presentation.model_copy(update={"degradation": 0.0, "damage": {effect: SHOWN_STRENGTH}})
        damaged = render(drawn.model_copy(update={"presentation": look})).pages[0].open()
        description = Knobs.model_fields[effect].description or effect
        width = GALLERY_WIDTH if effect in CLOSE_UP_EFFECTS else damaged.width
        window = _window(clean, damaged, width, width * 5 // 8)
        text = description[0].upper() + description[1:] + "."
        yield _Entry(f"`{effect}`", text, {f"damage-{effect}.png": window})


def _window(clean: Image.Image, damaged: Image.Image, width: int, height: int) -> Image.Image:
    """Return the window of a damaged page, of a size in pixels, that differs most from the clean page."""
    left = top = 0
    if clean.size == damaged.size:  # a photograph is larger: it shows the desk around the page
        change = np.abs(np.asarray(clean.convert("L"), dtype=np.int32) - np.asarray(damaged.convert("L")))
        left, top = _densest(change.sum(axis=0), width), _densest(change.sum(axis=1), height)
    return damaged.crop((left, top, left + width, top + height)).convert("RGB")


def _densest(values: np.ndarray, length: int) -> int:
    """Return the index at which the stretch of ``length`` values with the largest sum begins."""
    sums = np.concatenate(([0], np.cumsum(values)))
    return int(np.argmax(sums[length:] - sums[:-length]))
