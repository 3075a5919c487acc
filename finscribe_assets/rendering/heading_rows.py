"""The head of one document: what its vendor's habit leaves of it where a logo is missing or parties stand in a row."""

from __future__ import annotations

from dataclasses import dataclass, replace

from finscribe_assets.documents.drawn_document import DrawnDocument, Presentation
from finscribe_assets.documents.headings import WIDE_FACTS, Align, Block, Frame, Heading
from finscribe_assets.documents.layout_families import LAYOUT_FACTS
from finscribe_assets.documents.schema import DocumentType

MAX_LANDSCAPE_CELLS = 4  # in a row of a head in landscape


@dataclass(frozen=True)
class PrintedCell:
    """A cell with the blocks that the document prints in it."""

    blocks: tuple[Block, ...]
    share: float
    align: Align

    @property
    def holds_recipient(self) -> bool:
        """Return whether the recipient is one of the blocks."""
        return "recipient" in self.blocks


@dataclass(frozen=True)
class PrintedRow:
    """A row with at least one cell."""

    cells: tuple[PrintedCell, ...]
    frame: Frame
    gap: float


def printed_heading(drawn: DrawnDocument) -> tuple[Heading, tuple[PrintedRow, ...]]:
    """Return a document's head, and its rows without the blocks that the document does not print there."""
    look = drawn.presentation
    heading = look.style.heading
    if drawn.document.document_type is DocumentType.BANK_STATEMENT:
        heading = heading.model_copy(update={"issuer_caption": False})  # a bank sells nothing
    rows = _printed_rows(heading, look)
    return heading, tuple(_in_few_rows(heading, rows) if LAYOUT_FACTS[look.layout].landscape else rows)


def _in_few_rows(heading: Heading, rows: list[PrintedRow]) -> list[PrintedRow]:
    """Return the same cells in as few rows as a sheet in landscape has width for, so that its table has height."""
    wide: list[list[PrintedCell]] = [[]]
    for cell in (cell for row in rows for cell in row.cells):
        is_alone = "header" in cell.blocks and heading.facts in WIDE_FACTS
        if is_alone or len(wide[-1]) == MAX_LANDSCAPE_CELLS:
            wide.append([])
        wide[-1].append(cell)
        if is_alone:
            wide.append([])
    return [
        PrintedRow(tuple(replace(cell, share=1 / len(cells)) for cell in cells), rows[0].frame, rows[0].gap)
        for cells in wide
        if cells
    ]


def _printed_rows(heading: Heading, look: Presentation) -> list[PrintedRow]:
    omitted: set[Block] = {"issuer", "recipient"} if look.parties_side_by_side else set()
    if look.style.logo == "none":
        omitted.add("logo")
    rows = []
    for row in heading.rows:
        blocks = [(cell, tuple(block for block in cell.blocks if block not in omitted)) for cell in row.cells]
        kept = [(cell, printed) for cell, printed in blocks if printed]
        total = sum(cell.share for cell, _ in kept)
        cells = tuple(PrintedCell(printed, cell.share / total, cell.align) for cell, printed in kept)
        if cells:
            rows.append(PrintedRow(cells, row.frame, row.gap))
    return rows
