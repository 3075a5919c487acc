"""Build pairs whose response is the printed text, with PaddleOCR-VL's own prompts: lines, regions and tables."""

from __future__ import annotations

from collections.abc import Iterator

from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.instructions.otsl import Grid
from finscribe_assets.instructions.pair import ILLEGIBLE, OCR_PROMPT, TABLE_PROMPT, Pair, Task
from finscribe_assets.instructions.pair_building import build_pair, choose, random_for
from finscribe_assets.instructions.responses import otsl_response, verbatim_response
from finscribe_assets.instructions.visible_values import VisibleDocument
from finscribe_assets.rendering.pages import Fragment, Mark, MarkType

_LIST_PREFIXES = ("lines[", "entries[")
MAX_ILLEGIBLE_LINES = 1  # illegible lines that a document's pairs ask for


def ocr_lines(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for the text of single printed lines; at least a third are lines of the table, if it has so many."""
    random = random_for(document.id, Task.OCR_LINE)
    legible = [mark for mark in document.fields.values() if mark.visible]
    outside_table = [mark for mark in legible if not mark.name.startswith(_LIST_PREFIXES)]
    in_table = [mark for mark in legible if mark.name.startswith(_LIST_PREFIXES)]
    random.shuffle(outside_table)
    random.shuffle(in_table)
    # Most of what a document prints is its table: without this limit a document with many fields would ask for no line
    # of it.
    outside_table = outside_table[: max(count * 2 // 3, count - len(in_table))]
    illegible = choose(
        [mark for mark in document.fields.values() if not mark.visible], min(count, MAX_ILLEGIBLE_LINES), random
    )
    lines: list[tuple[Mark, int]] = [
        (mark, number)
        for mark in (*illegible, *outside_table, *in_table)
        for number in range(len(mark.fragments))
        if mark.visible or not mark.fragments[number].visible
    ]
    for mark, number in lines[:count]:
        line = mark.fragments[number]
        yield build_pair(
            document.id,
            Task.OCR_LINE,
            verbatim_response(line.text if line.visible else ILLEGIBLE, mark.name),
            pages=(line.page,),
            target=mark.name,
            box=line.box,
            prompt=OCR_PROMPT,
            id_parts=[number],
        )


def ocr_rows(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for the text of single rows of tables whose cells have one legible line each."""
    rows: dict[str, list[Fragment]] = {}
    for mark in document.rendered.of_type(MarkType.CELL):
        rows.setdefault(mark.name.partition(":")[0], []).extend(part for part in mark.fragments if part.text)
    candidates = []
    for row in document.rendered.of_type(MarkType.ROW):
        if row.name == "0":  # the head
            continue
        for part in row.fragments:
            cells = [cell for cell in rows.get(row.name, ()) if cell.page == part.page and part.box.holds(cell.box)]
            lines = [
                line
                for mark in document.fields.values()
                for line in mark.fragments
                if line.page == part.page and part.box.holds(line.box)
            ]
            # A row that is one printed line: its values are beside each other. Heads and carried sums have none.
            on_one_line = bool(lines) and min(line.box.y1 for line in lines) > max(line.box.y0 for line in lines)
            of_row = {cell.text for cell in cells}
            is_complete = all(any(line.text in text for text in of_row) for line in lines)
            if len(cells) > 1 and on_one_line and is_complete and all(cell.visible for cell in cells):
                candidates.append((row.name, part, cells))
    right_to_left = LOCALE_FACTS[document.drawn.document.locale].right_to_left
    for name, part, cells in choose(candidates, count, random_for(document.id, Task.OCR_ROW)):
        in_order = sorted(cells, key=lambda cell: cell.box.x0, reverse=right_to_left)
        yield build_pair(
            document.id,
            Task.OCR_ROW,
            verbatim_response(" ".join(cell.text for cell in in_order)),
            pages=(part.page,),
            target=name,
            box=part.box,
            prompt=OCR_PROMPT,
            id_parts=[part.page],
        )


def ocr_regions(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for all lines of a block of a page, labels included, in reading order."""
    marked_lines = document.rendered.of_type(MarkType.LINE)
    regions = []
    for region in document.rendered.of_type(MarkType.REGION):
        # The image of a block in several fragments could show unmarked text between them.
        if len(region.fragments) > 1:
            continue
        page, box = region.fragments[0].page, region.fragments[0].box
        lines = [
            line
            for line in marked_lines
            if line.text and all(part.page == page and box.holds(part.box) for part in line.fragments)
        ]
        if lines and all(line.visible for line in lines):  # the model's own prompt has no answer for illegible print
            regions.append((region.name, page, box, lines))
    for name, page, box, lines in choose(regions, count, random_for(document.id, Task.OCR_REGION)):
        text = "\n".join(line.fragments[0].text for line in lines)
        yield build_pair(
            document.id,
            Task.OCR_REGION,
            verbatim_response(text),
            pages=(page,),
            target=name,
            box=box,
            prompt=OCR_PROMPT,
        )


def otsl_tables(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for the table on one page as OTSL; pages with an illegible cell are left out."""
    cells: dict[int, dict[int, dict[int, str | None]]] = {}  # page → row → column → text
    marks = document.rendered.of_type(MarkType.CELL)
    illegible_pages = {part.page for mark in marks for part in mark.fragments if not part.visible}
    for mark in marks:
        row, column, *spanned = map(int, mark.name.split(":"))
        for part in mark.fragments:
            columns = cells.setdefault(part.page, {}).setdefault(row, {})
            # Several parts of one body cell on a page make one text; of a head cell (row 0) the last part counts.
            text_before = columns.get(column) if row else None
            columns[column] = f"{text_before} {part.text}".strip() if text_before else part.text
            columns |= dict.fromkeys(range(column + 1, column + sum(spanned)))  # the columns that a merged head spans
    tables = [
        (table.name, part)
        for table in document.rendered.of_type(MarkType.TABLE)
        for part in table.fragments
        if part.page not in illegible_pages and cells.get(part.page)
    ]
    for name, part in choose(tables, count, random_for(document.id, Task.TABLE)):
        rows = cells[part.page]
        width = max(column + 1 for row in rows.values() for column in row)
        grid: Grid = [[rows[row].get(column, "") for column in range(width)] for row in sorted(rows)]
        yield build_pair(
            document.id,
            Task.TABLE,
            otsl_response(grid),
            pages=(part.page,),
            target=f"{name}:{part.page}",
            box=part.box,
            prompt=TABLE_PROMPT,
        )
