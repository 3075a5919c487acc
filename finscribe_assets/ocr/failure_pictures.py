"""Fields that could not be read, for people: a picture of each with its box, and a page that shows them all.

Texts and ids come from files: they are escaped in the page, and only plain letters of them get into file names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from jinja2 import Environment
from PIL import Image, ImageDraw

from finscribe_assets.ocr.page_verification import Failure, FieldLocation
from finscribe_assets.rendering.pages import RenderedDocument
from finscribe_assets.rendering.preview import png_of

CONTEXT = 10  # pixels around a box: a wrong one is seen by what it misses
GAP = 4  # between the lines of a value

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Fields that were not read</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #1b1f24; }
table { border-collapse: collapse; } caption { text-align: left; padding: 0.4rem 0; }
th, td { text-align: left; padding: 0.3rem 0.9rem 0.3rem 0; border-bottom: 1px solid #d8dee4; vertical-align: top; }
img { max-width: 40rem; display: block; } .note { color: #57606a; }
</style></head><body>
<h1>Fields that were not read</h1>
<table><caption>{{ shown | length }} fields, each in its red box, as printed and as read.</caption>
<thead><tr><th scope="col">Picture</th><th scope="col">Printed</th><th scope="col">Read</th>
<th scope="col">Similarity</th><th scope="col">Where</th></tr></thead>
<tbody>{% for file, one in shown %}<tr>
<td>{% if file %}<img src="{{ file }}" alt="{{ one.field }} of {{ one.document }}">{% else %}no box{% endif %}</td>
<td>{{ one.printed }}</td><td>{{ one.read }}</td><td>{{ "%.2f" | format(one.similarity) }}</td>
<td>{{ one.field }}{% if one.places %} on page {{ one.places[0].page }}{% endif %}<br>
<span class="note">{{ one.document }}, {{ one.layout }}, {{ one.locale }}, {{ one.font }}, {{ one.engine }}</span></td>
</tr>{% endfor %}</tbody></table>
</body></html>
"""


def file_name(number: int, failure: Failure) -> str:
    """Return a file name that says what failed; unique by the number, without anything that a path could be made of."""
    place = failure.places[0]
    parts = (
        failure.document,
        failure.field,
        f"p{place.page}",
        "_".join(str(round(side)) for side in place.box),
        failure.printed,
        failure.read,
        f"{failure.similarity:.2f}",
    )
    return "--".join((f"{number:04d}", *(re.sub(r"[^A-Za-z0-9.,-]+", "_", part)[:32] for part in parts))) + ".png"


def picture(rendered: RenderedDocument, places: Sequence[FieldLocation]) -> bytes:
    """Return a PNG of a field's lines one below the other, each with its box and a little of what is around it."""
    lines = [_line(rendered.pages[place.page].open(), place) for place in places]
    size = max(line.width for line in lines), sum(line.height + GAP for line in lines) - GAP
    sheet = Image.new("RGB", size, "#808080")
    top = 0
    for line in lines:
        sheet.paste(line, (0, top))
        top += line.height + GAP
    return png_of(sheet)


def _line(page: Image.Image, place: FieldLocation) -> Image.Image:
    x0, y0, x1, y1 = place.box
    frame = (round(x0) - CONTEXT, round(y0) - CONTEXT, round(x1) + CONTEXT, round(y1) + CONTEXT)
    line = page.crop(frame).convert("RGB")  # beyond the page it is black
    # Outside the box, so that the ink that was read stays as it is.
    ImageDraw.Draw(line).rectangle(
        (CONTEXT - 2, CONTEXT - 2, line.width - CONTEXT + 1, line.height - CONTEXT + 1), outline="#d62728"
    )
    return line


def index(shown: Sequence[tuple[str, Failure]]) -> str:
    """Return the page of failures, each with its picture's file name; an empty name for one that has no picture."""
    return Environment(autoescape=True).from_string(_PAGE).render(shown=shown)
