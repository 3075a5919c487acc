"""Lines cut from rendered pages, with what stands on each: of fields, of blocks with their labels, and across tables.

What belongs here: whatever marries the renderer's marks with strips of pixels. A field is cut at its box. Blocks and
tables are cut by `line_finding.py`, which sees pixels alone; the marks only tell what stands on the strips that it
found. A strip that cannot be told is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import floor

import numpy as np
from PIL import Image

from finscribe_assets.documents.elements import element_of
from finscribe_assets.instructions.crops import CROP_MARGIN, crop
from finscribe_assets.instructions.otsl import Grid, to_otsl
from finscribe_assets.model.line_finding import UprightRegion, find_lines
from finscribe_assets.model.line_images import LineType, PrintedLine, fit_line
from finscribe_assets.model.tokenizer import NO_BREAK_SPACES
from finscribe_assets.rendering.line_breaking import texts_of_lines
from finscribe_assets.rendering.pages import Box, Fragment, MarkType, RenderedDocument

RULES = 3  # pixels at a cell's sides that may be its rules


def plain(text: str) -> str:
    """Return a text with plain spaces for no-break ones, as the tokenizer writes it."""
    for space in NO_BREAK_SPACES:
        text = text.replace(space, " ")
    return text


@dataclass(frozen=True)
class BlockLine:
    """A marked line of a block, label and value, and the printed lines that were found on it."""

    text: str
    region: str  # empty outside of any
    strips: tuple[np.ndarray, ...]  # as found, top to bottom, fitted
    texts: tuple[str, ...]  # of the strips; none where it is unknown what stands on which


@dataclass(frozen=True)
class CutTable:
    """A page's part of a table: its rows, and the printed lines that were found on it."""

    grid: Grid  # the truth, as the pairs have it
    strips: tuple[np.ndarray, ...]  # as found, top to bottom, fitted
    texts: tuple[str, ...]  # OTSL of each strip, empty for one of which it is unknown what it shows
    sound: bool  # whether the strips are the printed lines, each once

    def rows(self) -> Iterator[PrintedLine]:
        """Yield the strips of which it is known what they show."""
        for pixels, text in zip(self.strips, self.texts, strict=True):
            if text:
                yield PrintedLine(pixels, text, LineType.ROW)


@dataclass(frozen=True)
class Sheets:
    """A rendered document, to be cut into lines."""

    rendered: RenderedDocument
    font: str  # family that tables are set in

    @cached_property
    def pages(self) -> list[Image.Image]:
        """Return the decoded pages."""
        return [page.open() for page in self.rendered.pages]

    def fields(self) -> Iterator[PrintedLine]:
        """Yield every printed line of every field that can be read, cut at its box."""
        for mark in self.rendered.of_type(MarkType.FIELD):
            for part in mark.fragments:
                if part.text and part.visible:
                    pixels = np.asarray(fit_line(crop(self.pages[part.page], part.box)))
                    yield PrintedLine(pixels, plain(part.text), LineType.FIELD, str(element_of(mark.name)))

    def block_lines(self) -> Iterator[BlockLine]:
        """Yield the marked lines of blocks that can be read, labels included, with the printed lines found on each."""
        regions = [(mark.name, part) for mark in self.rendered.of_type(MarkType.REGION) for part in mark.fragments]
        for mark in self.rendered.of_type(MarkType.LINE):
            part = mark.fragments[0]
            if len(mark.fragments) > 1 or not (part.text and part.visible):
                continue
            name = next(
                (name for name, region in regions if region.page == part.page and region.box.holds(part.box)), ""
            )
            found = find_lines(crop(self.pages[part.page], part.box))
            texts = tuple(plain(text) for text in self._texts_of_block(part, found))
            strips = tuple(np.asarray(fit_line(image)) for image in found.images())
            yield BlockLine(plain(part.text), name, strips, texts)

    def blocks(self) -> Iterator[PrintedLine]:
        """Yield the printed lines of blocks of which it is known what they show."""
        for line in self.block_lines():
            if line.texts:
                for pixels, text in zip(line.strips, line.texts, strict=True):
                    yield PrintedLine(pixels, text, LineType.BLOCK, line.region)

    def _texts_of_block(self, line: Fragment, found: UprightRegion) -> list[str]:
        """Return what stands on each printed line of a marked one; nothing where that cannot be told."""
        if len(found.strips) == 1:
            return [line.text]
        texts = [""] * len(found.strips)
        end, strip = 0, None
        for part in self._fields_in(line.page, line.box):
            start = line.text.find(part.text, end)
            at = _strip_at(found, line.box, part.box)
            if start < 0 or at is None:
                return []
            if strip is not None:
                texts[strip] += line.text[end:start]
            # What stands before a value is its label, beside it.
            texts[at] += line.text[end if strip is None else start : start + len(part.text)]
            end, strip = start + len(part.text), at
        if strip is None:
            return []
        texts[strip] += line.text[end:]
        return [text.strip() for text in texts] if all(texts) else []

    def _fields_in(self, page: int, box: Box) -> list[Fragment]:
        return [
            part
            for mark in self.rendered.of_type(MarkType.FIELD)
            for part in mark.fragments
            if part.page == page and part.text and box.holds(part.box)
        ]

    def tables(self) -> Iterator[CutTable]:
        """Yield what each page shows of the table, where all of it can be read."""
        for table in self.rendered.of_type(MarkType.TABLE):
            for part in table.fragments:
                cells = _cells_of(self.rendered, part.page)
                if cells and all(cell.visible for row in cells for _, _, cell in row.cells):
                    yield self._cut_table(part, cells)

    def _cut_table(self, table: Fragment, rows: list[_Row]) -> CutTable:
        found = find_lines(crop(self.pages[table.page], table.box))
        fields = self._fields_in(table.page, table.box)
        of_rows = _strips_of_rows(found, table.box, rows)
        shown = [""] * len(found.strips)
        sound = sum(map(len, of_rows)) == len(found.strips)
        width = max(row.width for row in rows)
        for row, strips in zip(rows, of_rows, strict=True):
            texts = [self._texts_of_cell(found, table, cell, strips, fields) for _, _, cell in row.cells]
            known = [text for text in texts if text is not None]
            if not strips or len(known) < len(texts):
                sound = False
                continue
            for place, strip in enumerate(strips):
                line = row.line(width, [text[place] for text in known])
                sound = sound and any(line)
                shown[strip] = plain(to_otsl([line]))
        grid = [row.line(width, [plain(cell.text) for _, _, cell in row.cells]) for row in rows]
        return CutTable(grid, tuple(np.asarray(fit_line(image)) for image in found.images()), tuple(shown), sound)

    def _texts_of_cell(
        self, found: UprightRegion, table: Fragment, cell: Fragment, strips: Sequence[int], fields: Sequence[Fragment]
    ) -> list[str] | None:
        """Return what of a cell stands on each strip of its row, or None where that cannot be told."""
        texts = [""] * len(strips)
        inside = [
            part
            for part in fields
            if cell.box.x0 - 1 <= (part.box.x0 + part.box.x1) / 2 <= cell.box.x1 + 1
            and cell.box.y0 - 1 <= (part.box.y0 + part.box.y1) / 2 <= cell.box.y1 + 1
        ]
        written = " ".join(part.text for part in inside)
        if inside and cell.text.startswith(written):
            place = 0
            for part in inside:
                strip = _strip_at(found, table.box, part.box)
                if strip is None or strip not in strips or texts[strips.index(strip)]:
                    return None
                place = strips.index(strip)
                texts[place] = part.text
            texts[place] += cell.text[len(written) :]
            return texts
        return self._texts_by_ink(found, table, cell, strips) if cell.text else texts

    def _texts_by_ink(
        self,
        found: UprightRegion,
        table: Fragment,
        cell: Fragment,
        strips: Sequence[int],
    ) -> list[str] | None:
        """Return the same for a text without boxes of its own, such as a head, from the widths of its ink."""
        left, _ = _upright(found, table.box, Box(cell.box.x0 + RULES, cell.box.y0, cell.box.x0 + RULES, cell.box.y1))
        right = left + cell.box.width - 2 * RULES
        widths = []
        for strip in strips:
            top, bottom = found.strips[strip]
            inked = np.flatnonzero(found.ink[top:bottom, max(0, round(left)) : round(right)].sum(axis=0) > 0)
            widths.append(float(inked[-1] - inked[0] + 1) if len(inked) > 1 else 0.0)
        texts = [""] * len(strips)
        there = [place for place, width in enumerate(widths) if width]
        words = cell.text.split(" ")
        pieces = [(" " if number else "", word) for number, word in enumerate(words)]
        if not 0 < len(there) <= len(pieces):
            return None
        of_lines = texts_of_lines(pieces, [widths[place] for place in there], self.font)
        for place, text in zip(there, of_lines, strict=True):
            texts[place] = text
        return texts


@dataclass(frozen=True)
class _Row:
    """A row as it stands on one page."""

    box: Box
    cells: list[tuple[int, int, Fragment]]  # first column, columns, the cell on this page

    @property
    def width(self) -> int:
        """Return how many columns the row has."""
        return max(first + columns for first, columns, _ in self.cells)

    def line(self, width: int, texts: Sequence[str]) -> list[str | None]:
        """Return a row of a grid of some width, with a text in each of the cells."""
        line: list[str | None] = [""] * width
        for (first, columns, _), text in zip(self.cells, texts, strict=True):
            line[first : first + columns] = [text, *[None] * (columns - 1)]
        return line


def _cells_of(rendered: RenderedDocument, page: int) -> list[_Row]:
    """Return the rows that stand on a page, top to bottom."""
    rows: dict[int, _Row] = {}
    for mark in rendered.of_type(MarkType.ROW):
        for part in mark.fragments:
            if part.page == page:
                rows[int(mark.name)] = _Row(part.box, [])
    for mark in rendered.of_type(MarkType.CELL):
        row, first, *columns = map(int, mark.name.split(":"))
        for part in mark.fragments:
            if part.page == page:
                rows[row].cells.append((first, sum(columns) or 1, part))
    return [rows[number] for number in sorted(rows)]


def _strips_of_rows(found: UprightRegion, region: Box, rows: Sequence[_Row]) -> list[list[int]]:
    """Return the numbers of the strips whose middle lies in each row."""
    slope = abs(np.tan(np.radians(found.angle))) * region.width  # by which boxes of a skew page are too tall
    of_rows: list[list[int]] = [[] for _ in rows]
    for strip, (top, bottom) in enumerate(found.strips):
        for row, inside in zip(rows, of_rows, strict=True):
            _, middle = _upright(found, region, row.box)
            if abs((top + bottom) / 2 - middle) <= max(1.0, (row.box.height - slope) / 2):
                inside.append(strip)
                break
    return of_rows


def _upright(found: UprightRegion, region: Box, box: Box) -> tuple[float, float]:
    """Return where the middle of a box of the page lies in a region that was cut and turned upright."""
    left, top = max(0, floor(region.x0 - CROP_MARGIN)), max(0, floor(region.y0 - CROP_MARGIN))
    return found.to_upright((box.x0 + box.x1) / 2 - left, (box.y0 + box.y1) / 2 - top)


def _strip_at(found: UprightRegion, region: Box, box: Box) -> int | None:
    """Return which strip the middle of a box of the page lies in."""
    _, y = _upright(found, region, box)
    return next((number for number, (top, bottom) in enumerate(found.strips) if top <= y < bottom), None)
