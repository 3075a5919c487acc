"""What is read as it is printed, in PaddleOCR-VL's own prompts: lines, blocks and tables."""

from __future__ import annotations

from collections.abc import Iterator

from finscribe_assets.instructions.otsl import Grid
from finscribe_assets.instructions.pair import ILLEGIBLE, OCR_PROMPT, TABLE_PROMPT, Pair, Task
from finscribe_assets.instructions.pair_building import build_pair, choose, random_for
from finscribe_assets.instructions.responses import otsl_response, verbatim_response
from finscribe_assets.instructions.visible_values import VisibleDocument
from finscribe_assets.rendering.pages import Mark, MarkType

_LIST_PREFIXES = ("lines[", "entries[")
MAX_ILLEGIBLE_LINES = 1  # lines of a document that are asked for though damage has destroyed them


def ocr_lines(shown: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for single printed lines: the document's own fields first, then the table's while there is room."""
    random = random_for(shown.id, Task.OCR_LINE)
    marks = [mark for mark in shown.fields.values() if mark.visible]
    own = [mark for mark in marks if not mark.name.startswith(_LIST_PREFIXES)]
    table = [mark for mark in marks if mark.name.startswith(_LIST_PREFIXES)]
    random.shuffle(own)
    random.shuffle(table)
    # At least a third is left to the table, which is most of what a document prints.
    keep = own[: max(count * 2 // 3, count - len(table))]
    lost = choose([mark for mark in shown.fields.values() if not mark.visible], min(count, MAX_ILLEGIBLE_LINES), random)
    chosen: list[tuple[Mark, int]] = [
        (mark, number)
        for mark in (*lost, *keep, *table)
        for number in range(len(mark.fragments))
        if mark.visible or not mark.fragments[number].visible
    ]
    for mark, number in chosen[:count]:
        part = mark.fragments[number]
        answer = verbatim_response(part.text if part.visible else ILLEGIBLE, mark.name)
        yield build_pair(
            shown.id,
            Task.OCR_LINE,
            answer,
            pages=(part.page,),
            target=mark.name,
            box=part.box,
            prompt=OCR_PROMPT,
            parts=[number],
        )


def ocr_regions(shown: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for all lines of blocks of the page, labels included, in reading order."""
    printed = shown.rendered.of_type(MarkType.LINE)
    found = []
    for region in shown.rendered.of_type(MarkType.REGION):
        # What stands between a block's parts, or goes on elsewhere, is not known to be all marked.
        if len(region.fragments) > 1:
            continue
        page, box = region.fragments[0].page, region.fragments[0].box
        inside = [
            line
            for line in printed
            if line.text and all(part.page == page and box.holds(part.box) for part in line.fragments)
        ]
        if inside:
            found.append((region.name, page, box, inside))
    for name, page, box, inside in choose(found, count, random_for(shown.id, Task.OCR_REGION)):
        text = "\n".join(line.fragments[0].text if line.visible else ILLEGIBLE for line in inside)
        yield build_pair(
            shown.id, Task.OCR_REGION, verbatim_response(text), pages=(page,), target=name, box=box, prompt=OCR_PROMPT
        )


def otsl_tables(shown: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for the table as one page shows it, where all of it can be read, as OTSL."""
    cells: dict[int, dict[int, dict[int, str | None]]] = {}
    marks = shown.rendered.of_type(MarkType.CELL)
    destroyed = {part.page for mark in marks for part in mark.fragments if not part.visible}
    for mark in marks:
        row, column, *spanned = map(int, mark.name.split(":"))
        for part in mark.fragments:
            there = cells.setdefault(part.page, {}).setdefault(row, {})
            before = there.get(column) if row else None
            there[column] = f"{before} {part.text}".strip() if before else part.text
            there |= dict.fromkeys(range(column + 1, column + sum(spanned)))  # what a merged head spans
    found = [
        (table.name, part)
        for table in shown.rendered.of_type(MarkType.TABLE)
        for part in table.fragments
        if part.page not in destroyed and cells.get(part.page)
    ]
    for name, part in choose(found, count, random_for(shown.id, Task.TABLE)):
        rows = cells[part.page]
        width = max(column + 1 for row in rows.values() for column in row)
        grid: Grid = [[rows[row].get(column, "") for column in range(width)] for row in sorted(rows)]
        yield build_pair(
            shown.id,
            Task.TABLE,
            otsl_response(grid),
            pages=(part.page,),
            target=f"{name}:{part.page}",
            box=part.box,
            prompt=TABLE_PROMPT,
        )
