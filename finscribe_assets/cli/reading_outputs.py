"""What `extract` writes beside its records: pictures with boxes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from finscribe_assets.rendering.pages import Page


def distinct_stems(files: list[Path]) -> dict[Path, str]:
    """Return the stem of each file's name, with the file's number where an earlier file has the same stem."""
    stems: dict[Path, str] = {}
    for number, path in enumerate(files, 1):
        stems.setdefault(path, f"{path.stem}-file{number}" if path.stem in stems.values() else path.stem)
    return stems


def draw_record_boxes(pages: tuple[Page, ...], record: dict[str, Any], folder: Path, stem: str) -> None:
    """Write each page with its numbered lines and named values, STEM-PAGE.png."""
    from finscribe_assets.files import write_bytes
    from finscribe_assets.inference.box_overlay import draw_boxes
    from finscribe_assets.rendering.located_boxes import boxes_from_json, to_pixels
    from finscribe_assets.rendering.pages import Box
    from finscribe_assets.rendering.preview import png_of

    values, _ = boxes_from_json(record["boxes"])
    for number, page in enumerate(pages, 1):
        numbered = [(line["line"], Box(*line["box"])) for line in record["lines"] if line["page"] == number]
        size = page.width, page.height
        named = [
            (name, to_pixels(box, size)) for name, located in values.items() for on, box in located if on == number
        ]
        picture = png_of(draw_boxes(page.open(), numbered, named), smallest=False)
        write_bytes(folder / f"{stem}-{number}.png", picture)
