"""Build pairs that ask about one thing: a field, the document's type, where a field is, what a box contains."""

from __future__ import annotations

from collections.abc import Iterator

from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.instructions.field_names import FieldQuestion
from finscribe_assets.instructions.pair import Pair, Task
from finscribe_assets.instructions.pair_building import build_pair, choose, random_for
from finscribe_assets.instructions.response_keys import expected_member, has_key, key_of
from finscribe_assets.instructions.responses import compact_json, json_response
from finscribe_assets.instructions.visible_values import VisibleDocument
from finscribe_assets.rendering.pages import Box

BOX_SCALE = 1000  # boxes are written in thousandths of the page's width and height, whatever its resolution


def field_questions(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for the value of single fields that the document shows, legible or not, or of an undetermined currency."""
    printed = document.values.keys() | document.illegible | document.undetermined
    own_task = {"document_type"}
    single = [
        path
        for path in document.canonical_values
        if "[" not in path and path in printed and path not in own_task and has_key(document, path)
    ]
    for path in choose(single, count, random_for(document.id, Task.FIELD_QUESTION)):
        yield _question(document, Task.FIELD_QUESTION, path)


def absent_field_questions(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for the value of fields that the document does not have; the expected value is null."""
    absent = [path for path in document.absent if has_key(document, path)]
    for path in choose(absent, count, random_for(document.id, Task.ABSENT_FIELD)):
        yield _question(document, Task.ABSENT_FIELD, path)


def _question(document: VisibleDocument, task: Task, path: str) -> Pair:
    response = json_response({key_of(document, path): expected_member(document, path)})
    return build_pair(
        document.id,
        task,
        response,
        pages=document.pages,
        target=path,
        question=_about(document, path),
        key=compact_json(key_of(document, path)),
    )


def _about(document: VisibleDocument, path: str) -> FieldQuestion:
    return FieldQuestion(path, document.drawn.document.document_type, document.drawn.document.locale)


def document_type_questions(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for the document's type, by its first page; one pair at most."""
    if count:
        yield build_pair(
            document.id,
            Task.DOCUMENT_TYPE,
            json_response({"document_type": str(document.drawn.document.document_type)}),
            pages=document.pages[:1],
            target="document_type",
            kinds=", ".join(DocumentType),
        )


def field_locations(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for the box of single fields."""
    fragments = {
        path: fragment
        for path, fragment in document.single_fragments().items()
        if "[" not in path and has_key(document, path)
    }
    for path in choose(list(fragments), count, random_for(document.id, Task.FIELD_TO_BOX)):
        page = fragments[path].page
        response = json_response({"box": scale_box(fragments[path].box, document, page)})
        question = _about(document, path)
        yield build_pair(document.id, Task.FIELD_TO_BOX, response, pages=(page,), target=path, question=question)


def box_contents(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask which field a box contains, and for its value."""
    fragments = {path: part for path, part in document.single_fragments().items() if has_key(document, path)}
    for path in choose(list(fragments), count, random_for(document.id, Task.BOX_TO_FIELD)):
        page = fragments[path].page
        response = json_response({"field": key_of(document, path), "value": expected_member(document, path)})
        box = compact_json(scale_box(fragments[path].box, document, page))
        yield build_pair(document.id, Task.BOX_TO_FIELD, response, pages=(page,), target=path, place=box)


def scale_box(box: Box, document: VisibleDocument, page: int) -> list[int]:
    """Return left, top, right and bottom of a box in thousandths of its page's width and height."""
    size = document.rendered.pages[page]
    x_scale, y_scale = BOX_SCALE / size.width, BOX_SCALE / size.height
    sides = box.x0 * x_scale, box.y0 * y_scale, box.x1 * x_scale, box.y1 * y_scale
    return [min(BOX_SCALE, max(0, round(side))) for side in sides]
