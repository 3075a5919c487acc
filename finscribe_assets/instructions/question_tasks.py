"""Questions about one thing: a field, present or absent, the document's type, where a field is, what a box holds."""

from __future__ import annotations

from collections.abc import Iterator

from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.instructions.pair import Pair, Task
from finscribe_assets.instructions.pair_building import asked, chance_of, some
from finscribe_assets.instructions.prompt_wordings import describe
from finscribe_assets.instructions.responses import in_json, to_json
from finscribe_assets.instructions.visible_values import Shown
from finscribe_assets.rendering.pages import Box

THOUSANDTHS = 1000  # boxes are told in these of a page's width and height, whatever its resolution


def fields(shown: Shown, count: int) -> Iterator[Pair]:
    """Ask for single fields that the document prints, destroyed ones too."""
    single = [path for path in shown.truth if "[" not in path and path in shown.values.keys() | shown.destroyed]
    for path in some(single, count, chance_of(shown.id, Task.FIELD_QUESTION)):
        yield _question(shown, Task.FIELD_QUESTION, path)


def absent(shown: Shown, count: int) -> Iterator[Pair]:
    """Ask for fields that the document does not have."""
    for path in some(shown.absent, count, chance_of(shown.id, Task.ABSENT_FIELD)):
        yield _question(shown, Task.ABSENT_FIELD, path)


def _question(shown: Shown, task: Task, path: str) -> Pair:
    answer = in_json({path: shown.answer(path)})
    return asked(shown.id, task, answer, pages=shown.pages, target=path, what=describe(path), key=to_json(path))


def document_type(shown: Shown, count: int) -> Iterator[Pair]:
    """Ask what kind of document the first page is of."""
    if count:
        kinds = ", ".join(DocumentType)
        answer = in_json({"document_type": str(shown.drawn.document.document_type)})
        yield asked(shown.id, Task.DOCUMENT_TYPE, answer, pages=shown.pages[:1], target="document_type", kinds=kinds)


def where(shown: Shown, count: int) -> Iterator[Pair]:
    """Ask where single fields stand."""
    found = {path: part for path, part in shown.single().items() if "[" not in path}
    for path in some(list(found), count, chance_of(shown.id, Task.FIELD_TO_BOX)):
        page = found[path].page
        answer = in_json({"box": in_thousandths(found[path].box, shown, page)})
        yield asked(shown.id, Task.FIELD_TO_BOX, answer, pages=(page,), target=path, what=describe(path))


def what(shown: Shown, count: int) -> Iterator[Pair]:
    """Ask which field stands in a box, and its value."""
    found = shown.single()
    for path in some(list(found), count, chance_of(shown.id, Task.BOX_TO_FIELD)):
        page = found[path].page
        answer = in_json({"field": path, "value": shown.values[path]})
        place = to_json(in_thousandths(found[path].box, shown, page))
        yield asked(shown.id, Task.BOX_TO_FIELD, answer, pages=(page,), target=path, place=place)


def in_thousandths(box: Box, shown: Shown, page: int) -> list[int]:
    """Return left, top, right and bottom of a box in thousandths of its page's width and height."""
    size = shown.rendered.pages[page]
    across, down = THOUSANDTHS / size.width, THOUSANDTHS / size.height
    sides = box.x0 * across, box.y0 * down, box.x1 * across, box.y1 * down
    return [min(THOUSANDTHS, max(0, round(side))) for side in sides]
