"""Questions about one thing: a field, present or absent, the document's type, where a field is, what a box holds."""

from __future__ import annotations

from collections.abc import Iterator

from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.instructions.pair import Pair, Task
from finscribe_assets.instructions.pair_building import build_pair, choose, random_for
from finscribe_assets.instructions.prompt_wordings import describe_field
from finscribe_assets.instructions.responses import compact_json, json_response
from finscribe_assets.instructions.visible_values import VisibleDocument
from finscribe_assets.rendering.pages import Box

BOX_SCALE = 1000  # boxes are told in these of a page's width and height, whatever its resolution


def field_questions(shown: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for single fields that the document prints, destroyed ones too."""
    single = [
        path for path in shown.canonical_values if "[" not in path and path in shown.values.keys() | shown.illegible
    ]
    for path in choose(single, count, random_for(shown.id, Task.FIELD_QUESTION)):
        yield _question(shown, Task.FIELD_QUESTION, path)


def absent_field_questions(shown: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for fields that the document does not have."""
    for path in choose(shown.absent, count, random_for(shown.id, Task.ABSENT_FIELD)):
        yield _question(shown, Task.ABSENT_FIELD, path)


def _question(shown: VisibleDocument, task: Task, path: str) -> Pair:
    answer = json_response({path: shown.expected_value(path)})
    return build_pair(
        shown.id, task, answer, pages=shown.pages, target=path, what=describe_field(path), key=compact_json(path)
    )


def document_type_questions(shown: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask what kind of document the first page is of."""
    if count:
        kinds = ", ".join(DocumentType)
        answer = json_response({"document_type": str(shown.drawn.document.document_type)})
        yield build_pair(
            shown.id, Task.DOCUMENT_TYPE, answer, pages=shown.pages[:1], target="document_type", kinds=kinds
        )


def field_locations(shown: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask where single fields stand."""
    found = {path: part for path, part in shown.single_fragments().items() if "[" not in path}
    for path in choose(list(found), count, random_for(shown.id, Task.FIELD_TO_BOX)):
        page = found[path].page
        answer = json_response({"box": scale_box(found[path].box, shown, page)})
        yield build_pair(shown.id, Task.FIELD_TO_BOX, answer, pages=(page,), target=path, what=describe_field(path))


def box_contents(shown: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask which field stands in a box, and its value."""
    found = shown.single_fragments()
    for path in choose(list(found), count, random_for(shown.id, Task.BOX_TO_FIELD)):
        page = found[path].page
        answer = json_response({"field": path, "value": shown.values[path]})
        place = compact_json(scale_box(found[path].box, shown, page))
        yield build_pair(shown.id, Task.BOX_TO_FIELD, answer, pages=(page,), target=path, place=place)


def scale_box(box: Box, shown: VisibleDocument, page: int) -> list[int]:
    """Return left, top, right and bottom of a box in thousandths of its page's width and height."""
    size = shown.rendered.pages[page]
    across, down = BOX_SCALE / size.width, BOX_SCALE / size.height
    sides = box.x0 * across, box.y0 * down, box.x1 * across, box.y1 * down
    return [min(BOX_SCALE, max(0, round(side))) for side in sides]
