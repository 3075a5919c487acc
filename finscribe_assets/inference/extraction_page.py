"""Show extraction records as one self-contained HTML page: the pages with the boxes of lines and values.

What belongs here: the page that `extract --html` writes. The records come from `extraction`; boxes as picture files are
drawn by `box_overlay`.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from finscribe_assets.documents.schema import flatten
from finscribe_assets.rendering.located_boxes import PAGE_UNITS, LocatedBox, boxes_from_json
from finscribe_assets.rendering.pages import Box, Page

_MAX_WIDTH = 1600  # pixels of an embedded picture; a line of print stays legible
_QUALITY = 70  # of WebP
_PARTS = re.compile(r"(?<=[._])")  # a long path may be broken after these signs
_HASH_LENGTH = 12  # hexadecimal digits that are shown


@dataclass(frozen=True)
class Extraction:
    """A file that was read: its record, and its pages as far as it could be opened.

    Attributes:
        record: the JSON form of a record that `Extractor.read_content` returns, or ``{"file", "error"}``.
        pages: the pages in the state in which they were read, that is upright.
    """

    record: Mapping[str, Any]
    pages: Sequence[Page]


def extractions_to_html(extractions: Sequence[Extraction]) -> str:
    """Return a page that shows what was read where. It loads nothing, and every value is escaped.

    Args:
        extractions: what was read, one section for each file.
    """
    environment = Environment(
        loader=PackageLoader("finscribe_assets.inference"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections = [_section(f"d{number}", extraction) for number, extraction in enumerate(extractions, 1)]
    return environment.get_template("extraction.html").render(sections=sections)


def _section(name: str, extraction: Extraction) -> dict[str, Any]:
    """Return what the template shows of one file; ``name`` makes ids unique on the page."""
    record = extraction.record
    located, _ = boxes_from_json(record.get("boxes"))
    response = record.get("response")
    values = [
        {
            "id": f"{name}-v{number}",
            "path": path,
            "parts": _PARTS.split(path),
            "text": text,
            "confidence": record.get("confidence", {}).get(path),
            "line": (record.get("sources") or {}).get(path),
            "boxes": located.get(path, ()),
        }
        for number, (path, text) in enumerate((flatten(response) if isinstance(response, dict) else {}).items(), 1)
    ]
    lines = [
        {**line, "id": f"{name}-l{line['line']}", "boxes": (_located(line, extraction.pages),)}
        for line in record.get("lines", ())
        if line["page"] <= len(extraction.pages)
    ]
    return {
        "record": record,
        "weights": _weights(record.get("model") or {}),
        "raw": response if isinstance(response, str) else record.get("text"),
        "values": values,
        "lines": lines,
        "pages": [
            {"number": number, "width": page.width, "height": page.height, "image": _data_uri(page)}
            for number, page in enumerate(extraction.pages, 1)
        ],
    }


def _weights(model: Mapping[str, str | None]) -> str:
    """Return what identifies the weights that read; empty if the record does not say it."""
    hashes = {name: model.get(member) for name, member in (("base", "base_content"), ("adapter", "adapter"))}
    known = [f"{name} {value[:_HASH_LENGTH]}" for name, value in hashes.items() if value]
    return f"SHA-256 of {', '.join(known)}" if known else ""


def _located(line: Mapping[str, Any], pages: Sequence[Page]) -> LocatedBox:
    """Return the box of a record's line in thousandths of its page."""
    page = pages[line["page"] - 1]
    x0, y0, x1, y1 = line["box"]
    across, down = PAGE_UNITS / page.width, PAGE_UNITS / page.height
    return LocatedBox(line["page"], Box(x0 * across, y0 * down, x1 * across, y1 * down))


def _data_uri(page: Page) -> str:
    image = page.open().convert("RGB")
    if image.width > _MAX_WIDTH:
        image = image.resize((_MAX_WIDTH, round(image.height * _MAX_WIDTH / image.width)), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=_QUALITY, method=2)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
