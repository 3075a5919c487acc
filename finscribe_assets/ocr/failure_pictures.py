"""Show people the fields that were not read: a picture of each with its boxes, and an HTML page of all of them.

Texts and ids come from files. They are therefore escaped in the page, and only their plain letters enter file names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from jinja2 import Environment
from PIL import Image, ImageDraw

from finscribe_assets.ocr.page_verification import Failure, FieldLocation
from finscribe_assets.rendering.pages import RenderedDocument
from finscribe_assets.rendering.preview import png_of

CONTEXT_MARGIN = 10  # pixels shown around a box, which reveal what a wrong box misses
LINE_GAP = 4  # pixels between the lines of a value

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Fields that were not read</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #1b1f24; }
table { border-collapse: collapse; } caption { text-align: left; padding: 0.4rem 0; }
th, td { text-align: left; padding: 0.3rem 0.9rem 0.3rem 0; border-bottom: 1px solid #d8dee4; vertical-align: top; }
img { max-width: 40rem; display: block; } .note { color: #57606a; }
</style></head><body>
<h1>Fields that were not read</h1>
<table><caption>{{ failures | length }} fields, each in its red box, as printed and as read.</caption>
<thead><tr><th scope="col">Picture</th><th scope="col">Printed</th><th scope="col">Read</th>
<th scope="col">Similarity</th><th scope="col">Field</th></tr></thead>
<tbody>{% for file, failure in failures %}<tr>
<td>{% if file %}<img src="{{ file }}" alt="{{ failure.field }} of {{ failure.document }}">{% else %}no box
{%- endif %}</td>
<td>{{ failure.printed }}</td><td>{{ failure.read }}</td><td>{{ "%.2f" | format(failure.similarity) }}</td>
<td>{{ failure.field }}{% if failure.places %} on page {{ failure.places[0].page }}{% endif %}<br>
<span class="note">{{ failure.document }}, {{ failure.layout }}, {{ failure.locale }}, {{ failure.font }},
{{ failure.engine }}</span></td>
</tr>{% endfor %}</tbody></table>
</body></html>
"""


def picture_file_name(number: int, failure: Failure) -> str:
    """Return a file name that describes a failure; its number makes it unique, and no part of it can form a path.

    Args:
        number: number of the failure, below 10,000 for names that sort by it.
        failure: a failure with at least one box.
    """
    location = failure.places[0]
    parts = (
        failure.document,
        failure.field,
        f"p{location.page}",
        "_".join(str(round(side)) for side in location.box),
        failure.printed,
        failure.read,
        f"{failure.similarity:.2f}",
    )
    return "--".join((f"{number:04d}", *(re.sub(r"[^A-Za-z0-9.,-]+", "_", part)[:32] for part in parts))) + ".png"


def failure_picture(rendered: RenderedDocument, locations: Sequence[FieldLocation]) -> bytes:
    """Return a PNG of a field's lines below each other, each with its box and some context around it."""
    lines = [_line(rendered.pages[location.page].open(), location) for location in locations]
    size = max(line.width for line in lines), sum(line.height + LINE_GAP for line in lines) - LINE_GAP
    sheet = Image.new("RGB", size, "#808080")
    top = 0
    for line in lines:
        sheet.paste(line, (0, top))
        top += line.height + LINE_GAP
    return png_of(sheet)


def _line(page: Image.Image, location: FieldLocation) -> Image.Image:
    x0, y0, x1, y1 = (round(side) for side in location.box)
    margin = CONTEXT_MARGIN
    line = page.crop((x0 - margin, y0 - margin, x1 + margin, y1 + margin)).convert("RGB")  # black beyond the page
    # Drawn outside the box, so that the ink that was read stays as it is.
    frame = (margin - 2, margin - 2, line.width - margin + 1, line.height - margin + 1)
    ImageDraw.Draw(line).rectangle(frame, outline="#d62728")
    return line


def failures_html(failures: Sequence[tuple[str, Failure]]) -> str:
    """Return an HTML page of all failures.

    Args:
        failures: each failure with the file name of its picture, or an empty name if it has none.
    """
    return Environment(autoescape=True).from_string(_PAGE).render(failures=failures)
