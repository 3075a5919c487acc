"""The gallery: a small example of every template family, and of every kind of damage, as a page of the documentation.

The same code gives the same bytes: examples are drawn from fixed seeds, and pictures hold neither dates nor names of
this machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.fonts import LATIN_FONTS, fonts_for
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import DAMAGE_KNOBS, NO_KNOBS, Knobs
from finscribe_assets.documents.layout_families import LAYOUT_FACTS, LayoutFacts
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.files import write_bytes, write_text
from finscribe_assets.rendering.page_sampling import without_damage
from finscribe_assets.rendering.preview import draw_boxes, small_png
from finscribe_assets.rendering.render import render

MAX_BYTES = 60_000  # of one picture
WIDTH = 640  # of a page in pixels
SEED = 11
TRIES = 60  # documents that an example is chosen from
SHOWN_LINES = range(3, 9)  # of a table that is neither bare nor long
COLOURS = 48  # of one picture; light that falls off shows steps with fewer
STRENGTH = 0.7  # of the damage shown
# Effects that show in single letters only; the others need the page's width.
FINE = ("blur", "low_resolution", "noise", "jpeg", "thermal_fade", "dot_matrix", "fax")

_HEAD = """# Gallery

Made by `finscribe gallery`; do not edit. Every document is synthetic.

"""


@dataclass(frozen=True)
class _Entry:
    """One section of the page: its heading, its text, and its pictures by file name."""

    title: str
    text: str
    pictures: dict[str, Image.Image]


def write_gallery(page: Path, images: Path, on_entry: Callable[[int, int], None] | None = None) -> int:
    """Write the page (Markdown) and its pictures (PNG, at most MAX_BYTES each); return how many pictures.

    ``on_entry`` is told how many sections more are done, and of how many.
    """
    written, sections = 0, []
    prefix = Path(os.path.relpath(images, page.parent)).as_posix()
    for heading, entries in (("Layouts", _layouts()), (f"Damage, at a strength of {STRENGTH}", _damages())):
        sections.append(f"## {heading}\n")
        for entry in entries:
            for name, picture in entry.pictures.items():
                write_bytes(images / name, small_png(picture, MAX_BYTES, WIDTH, COLOURS))
            written += len(entry.pictures)
            shown = " ".join(f"![{name.removesuffix('.png')}]({prefix}/{name})" for name in entry.pictures)
            sections.append(f"### {entry.title}\n\n{entry.text}\n\n{shown}\n")
            if on_entry:
                on_entry(1, len(LAYOUT_FACTS) + len(DAMAGE_KNOBS))
    write_text(page, _HEAD + "\n".join(sections))
    return written


def example(layout: str, locale: str) -> DrawnDocument:
    """Return a document of a layout, undamaged and small where there is a small one; a function of its arguments."""
    facts = LAYOUT_FACTS[layout]
    fonts = dict.fromkeys(fonts_for(locale), 1.0)
    recipe = Recipe(
        document_types={facts.document_types[0]: 1.0},
        layouts={layout: 1.0},
        locales={locale: 1.0},
        fonts=fonts,
        knobs=NO_KNOBS.model_copy(update={"optional_fields": 0.7}),
    )
    plan = seed_plan("batch-000", TRIES, SEED, recipe)
    drawn = [one for one in (draw_document(plan, index) for index in range(TRIES)) if one.presentation.layout == layout]
    small = [one for one in drawn if len(one.document.lines) + len(one.document.entries) in SHOWN_LINES]
    return (small or drawn)[0]


def _layouts() -> Iterator[_Entry]:
    for number, (layout, facts) in enumerate(LAYOUT_FACTS.items()):
        # Steps that share no divisor with the number of locales: each layout shows another country.
        drawn = example(layout, LOCALES[number * 5 % len(LOCALES)])
        rendered = render(without_damage(drawn))
        yield _Entry(
            f"`{layout}`",
            f"{facts.structure}\n\n{_kinds(facts)}. Shown: {drawn.document.locale}, {drawn.presentation.font}; "
            "the second picture has the boxes of fields (red), table and cells (blue) and regions (green).",
            {
                f"{layout}.png": rendered.pages[0].open().convert("RGB"),
                f"{layout}-boxes.png": draw_boxes(rendered, 0, 2000),
            },
        )


def _kinds(facts: LayoutFacts) -> str:
    kinds = ", ".join(str(kind).replace("_", " ") for kind in facts.document_types).capitalize()
    return f"{kinds}; held out from training" if facts.held_out else kinds


def _damages() -> Iterator[_Entry]:
    knobs = NO_KNOBS.model_copy(update={"optional_fields": 0.7, "stamp": 1.0, "handwritten_note": 1.0})
    recipe = Recipe(
        document_types={DocumentType.INVOICE: 1.0},
        layouts={"invoice_classic": 1.0},
        knobs=knobs,
        locales={"en_GB": 1.0},
        fonts=dict.fromkeys(LATIN_FONTS, 1.0),
    )
    drawn = draw_document(seed_plan("batch-000", 1, SEED, recipe), 0)
    clean = render(without_damage(drawn)).pages[0].open()
    for effect in DAMAGE_KNOBS:
        look = drawn.presentation.model_copy(update={"degradation": 0.0, "damage": {effect: STRENGTH}})
        damaged = render(drawn.model_copy(update={"presentation": look})).pages[0].open()
        said = Knobs.model_fields[effect].description or effect
        width = WIDTH if effect in FINE else damaged.width
        window = _window(clean, damaged, width, width * 5 // 8)
        yield _Entry(f"`{effect}`", said[0].upper() + said[1:] + ".", {f"damage-{effect}.png": window})


def _window(clean: Image.Image, damaged: Image.Image, width: int, height: int) -> Image.Image:
    """Return the part of a damaged page that differs most from the clean one."""
    left = top = 0
    if clean.size == damaged.size:  # a photograph has a desk around the page
        change = np.abs(np.asarray(clean, dtype=np.int32) - np.asarray(damaged))
        left, top = _densest(change.sum(axis=0), width), _densest(change.sum(axis=1), height)
    return damaged.crop((left, top, left + width, top + height)).convert("RGB")


def _densest(values: np.ndarray, length: int) -> int:
    """Return where a stretch of values with the largest sum begins."""
    sums = np.concatenate(([0], np.cumsum(values)))
    return int(np.argmax(sums[length:] - sums[:-length]))
