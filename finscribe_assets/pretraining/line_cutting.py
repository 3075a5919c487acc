"""Cut rendered pages into images of printed lines with the text on each: of fields, blocks and tables.

What belongs here: aligning the strips that `model.line_finding` finds in a region's pixels with the renderer's boxes,
which have the texts. Fields are cut at their boxes. A strip whose text cannot be determined is skipped.
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

_CELL_BORDER = 3  # pixels at a cell's sides that may belong to its rules
_CELL_SLACK = 1  # pixels by which a field may stand outside its cell


def with_plain_spaces(text: str) -> str:
    """Replace no-break spaces by plain ones, as the tokenizer does."""
    for space in NO_BREAK_SPACES:
        text = text.replace(space, " ")
    return text


@dataclass(frozen=True)
class BlockLine:
    """A marked line of a block, label and value, and the printed lines that were found on it."""

    text: str
    region: str  # name of its region; empty outside of all regions
    strips: tuple[np.ndarray, ...]  # fitted images of the printed lines, top to bottom
    texts: tuple[str, ...]  # of the strips; empty if they cannot be determined


@dataclass(frozen=True)
class CutTable:
    """A page's part of a table, and the printed lines that were found on it."""

    grid: Grid  # the true cells, as in instruction pairs
    strips: tuple[np.ndarray, ...]  # fitted images of the printed lines, top to bottom
    texts: tuple[str, ...]  # OTSL of each strip; empty if it cannot be determined
    all_lines_found: bool  # whether the strips are the table's printed lines, each once

    def rows(self) -> Iterator[PrintedLine]:
        """Yield the strips whose text is known."""
        for pixels, text in zip(self.strips, self.texts, strict=True):
            if text:
                yield PrintedLine(pixels, text, LineType.ROW)


@dataclass(frozen=True)
class LineCutter:
    """Cuts the pages of a rendered document into lines."""

    rendered: RenderedDocument
    font: str  # family of the tables' texts

    @cached_property
    def pages(self) -> list[Image.Image]:
        """The decoded pages."""
        return [page.open() for page in self.rendered.pages]

    def field_lines(self) -> Iterator[PrintedLine]:
        """Yield the printed lines of all legible fields, cut at their boxes."""
        for mark in self.rendered.of_type(MarkType.FIELD):
            for part in mark.fragments:
                if part.text and part.visible:
                    pixels = np.asarray(fit_line(crop(self.pages[part.page], part.box)))
                    text = with_plain_spaces(part.text)
                    yield PrintedLine(pixels, text, LineType.FIELD, str(element_of(mark.name)))

    def marked_block_lines(self) -> Iterator[BlockLine]:
        """Yield the legible marked lines of blocks, labels included, with the printed lines that were found on each."""
        regions = [(mark.name, part) for mark in self.rendered.of_type(MarkType.REGION) for part in mark.fragments]
        for mark in self.rendered.of_type(MarkType.LINE):
            part = mark.fragments[0]
            if len(mark.fragments) > 1 or not (part.text and part.visible):
                continue
            name = next(
                (name for name, region in regions if region.page == part.page and region.box.holds(part.box)), ""
            )
            strips = self._find_strips(part)
            texts = tuple(with_plain_spaces(text) for text in self._block_texts(part, strips))
            yield BlockLine(with_plain_spaces(part.text), name, strips.images(), texts)

    def block_lines(self) -> Iterator[PrintedLine]:
        """Yield the printed lines of blocks whose text is known."""
        for line in self.marked_block_lines():
            if line.texts:
                for pixels, text in zip(line.strips, line.texts, strict=True):
                    yield PrintedLine(pixels, text, LineType.BLOCK, line.region)

    def tables(self) -> Iterator[CutTable]:
        """Yield each page's part of the table, unless one of its cells is illegible."""
        for table in self.rendered.of_type(MarkType.TABLE):
            for part in table.fragments:
                rows = _rows_of_page(self.rendered, part.page)
                if rows and all(cell.visible for row in rows for _, _, cell in row.cells):
                    yield self._cut_table(part, rows)

    def _find_strips(self, region: Fragment) -> _RegionStrips:
        return _RegionStrips(region.box, find_lines(crop(self.pages[region.page], region.box)))

    def _fields_in(self, region: Fragment) -> list[Fragment]:
        return [
            part
            for mark in self.rendered.of_type(MarkType.FIELD)
            for part in mark.fragments
            if part.page == region.page and part.text and region.box.holds(part.box)
        ]

    def _block_texts(self, line: Fragment, strips: _RegionStrips) -> list[str]:
        """Return the text on each strip of a marked line; nothing if it cannot be determined."""
        count = len(strips.upright.strips)
        if count == 1:
            return [line.text]
        texts = [""] * count
        end, current = 0, None
        for field in self._fields_in(line):
            start = line.text.find(field.text, end)
            strip = strips.strip_at(field.box)
            if start < 0 or strip is None:
                return []
            if current is not None:
                texts[current] += line.text[end:start]
            # The text before the first value is its label, which stands beside it.
            texts[strip] += line.text[end if current is None else start : start + len(field.text)]
            end, current = start + len(field.text), strip
        if current is None:
            return []
        texts[current] += line.text[end:]
        return [text.strip() for text in texts] if all(texts) else []

    def _cut_table(self, table: Fragment, rows: list[_TableRow]) -> CutTable:
        strips = self._find_strips(table)
        fields = self._fields_in(table)
        strips_of_rows = strips.by_row(rows)
        otsl = [""] * len(strips.upright.strips)
        all_found = sum(map(len, strips_of_rows)) == len(otsl)
        width = max(row.width for row in rows)
        for row, indices in zip(rows, strips_of_rows, strict=True):
            cell_texts = [self._cell_texts(strips, cell, indices, fields) for _, _, cell in row.cells]
            known = [texts for texts in cell_texts if texts is not None]
            if not indices or len(known) < len(cell_texts):
                all_found = False
                continue
            for line, index in enumerate(indices):
                cells = row.grid_row(width, [texts[line] for texts in known])
                all_found = all_found and any(cells)
                otsl[index] = with_plain_spaces(to_otsl([cells]))
        grid = [row.grid_row(width, [with_plain_spaces(cell.text) for _, _, cell in row.cells]) for row in rows]
        return CutTable(grid, strips.images(), tuple(otsl), all_found)

    def _cell_texts(
        self, strips: _RegionStrips, cell: Fragment, indices: Sequence[int], fields: Sequence[Fragment]
    ) -> list[str] | None:
        """Return a cell's text on each strip of its row, or None if it cannot be determined.

        Args:
            strips: of the table.
            cell: of the row.
            indices: of the row's strips.
            fields: of the table, which have the positions of values.
        """
        texts = [""] * len(indices)
        inside = [
            field
            for field in fields
            if cell.box.x0 - _CELL_SLACK <= (field.box.x0 + field.box.x1) / 2 <= cell.box.x1 + _CELL_SLACK
            and cell.box.y0 - _CELL_SLACK <= (field.box.y0 + field.box.y1) / 2 <= cell.box.y1 + _CELL_SLACK
        ]
        values = " ".join(field.text for field in inside)
        if inside and cell.text.startswith(values):
            line = 0
            for field in inside:
                index = strips.strip_at(field.box)
                if index is None or index not in indices or texts[indices.index(index)]:
                    return None
                line = indices.index(index)
                texts[line] = field.text
            texts[line] += cell.text[len(values) :]
            return texts
        return self._cell_texts_by_ink(strips, cell, indices) if cell.text else texts

    def _cell_texts_by_ink(self, strips: _RegionStrips, cell: Fragment, indices: Sequence[int]) -> list[str] | None:
        """Return a cell's text on each strip of its row from the widths of its ink, for texts without fields: heads."""
        inner_edge = cell.box.x0 + _CELL_BORDER
        left, _ = strips.upright_middle(Box(inner_edge, cell.box.y0, inner_edge, cell.box.y1))
        right = left + cell.box.width - 2 * _CELL_BORDER
        widths = []
        for index in indices:
            top, bottom = strips.upright.strips[index]
            ink = strips.upright.ink[top:bottom, max(0, round(left)) : round(right)]
            inked = np.flatnonzero(ink.sum(axis=0) > 0)
            widths.append(float(inked[-1] - inked[0] + 1) if len(inked) > 1 else 0.0)
        texts = [""] * len(indices)
        printed = [line for line, width in enumerate(widths) if width]
        words = cell.text.split(" ")
        pieces = [(" " if number else "", word) for number, word in enumerate(words)]
        if not 0 < len(printed) <= len(pieces):
            return None
        printed_texts = texts_of_lines(pieces, [widths[line] for line in printed], self.font)
        for line, text in zip(printed, printed_texts, strict=True):
            texts[line] = text
        return texts


@dataclass(frozen=True)
class _TableRow:
    """A table's row as it stands on one page."""

    box: Box
    cells: list[tuple[int, int, Fragment]]  # first column, number of columns, the cell

    @property
    def width(self) -> int:
        """The number of columns."""
        return max(first + columns for first, columns, _ in self.cells)

    def grid_row(self, width: int, texts: Sequence[str]) -> list[str | None]:
        """Return the row in a grid of this many columns, with a text in each of its cells."""
        row: list[str | None] = [""] * width
        for (first, columns, _), text in zip(self.cells, texts, strict=True):
            row[first : first + columns] = [text, *[None] * (columns - 1)]
        return row


def _rows_of_page(rendered: RenderedDocument, page: int) -> list[_TableRow]:
    """Return the rows of the table that stand on a page, top to bottom."""
    rows: dict[int, _TableRow] = {}
    for mark in rendered.of_type(MarkType.ROW):
        for part in mark.fragments:
            if part.page == page:
                rows[int(mark.name)] = _TableRow(part.box, [])
    for mark in rendered.of_type(MarkType.CELL):
        row, first, *columns = map(int, mark.name.split(":"))
        for part in mark.fragments:
            if part.page == page:
                rows[row].cells.append((first, sum(columns) or 1, part))
    return [rows[number] for number in sorted(rows)]


@dataclass(frozen=True)
class _RegionStrips:
    """The printed lines that were found on a region, looked up by boxes of the page."""

    box: Box  # of the region
    upright: UprightRegion

    def images(self) -> tuple[np.ndarray, ...]:
        """Return the fitted images of the strips, top to bottom."""
        return tuple(np.asarray(fit_line(image)) for image in self.upright.images())

    def upright_middle(self, box: Box) -> tuple[float, float]:
        """Convert the middle of a box of the page to a point of the upright region."""
        left, top = max(0, floor(self.box.x0 - CROP_MARGIN)), max(0, floor(self.box.y0 - CROP_MARGIN))
        return self.upright.to_upright((box.x0 + box.x1) / 2 - left, (box.y0 + box.y1) / 2 - top)

    def strip_at(self, box: Box) -> int | None:
        """Return the index of the strip that the middle of a box of the page lies in."""
        _, y = self.upright_middle(box)
        strips = self.upright.strips
        return next((index for index, (top, bottom) in enumerate(strips) if top <= y < bottom), None)

    def by_row(self, rows: Sequence[_TableRow]) -> list[list[int]]:
        """Return the indices of the strips whose middle lies in each row."""
        excess = abs(np.tan(np.radians(self.upright.angle))) * self.box.width  # height of boxes on a skewed page
        indices: list[list[int]] = [[] for _ in rows]
        for index, (top, bottom) in enumerate(self.upright.strips):
            for row, inside in zip(rows, indices, strict=True):
                _, middle = self.upright_middle(row.box)
                if abs((top + bottom) / 2 - middle) <= max(1.0, (row.box.height - excess) / 2):
                    inside.append(index)
                    break
        return indices
