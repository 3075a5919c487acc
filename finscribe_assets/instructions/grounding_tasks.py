"""Build pairs whose response is JSON of values, each with its boxes: what stands on a page, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from finscribe_assets.documents.schema import flatten
from finscribe_assets.instructions.location_tokens import write_locations
from finscribe_assets.instructions.pair import Pair, Task
from finscribe_assets.instructions.pair_building import build_pair, choose, random_for
from finscribe_assets.instructions.response_keys import structure_of, written_document
from finscribe_assets.instructions.responses import AnnotatedResponse, annotated, json_response, unflatten
from finscribe_assets.instructions.visible_values import VisibleDocument
from finscribe_assets.rendering.located_boxes import field_boxes
from finscribe_assets.rendering.pages import Box
from finscribe_assets.schema_mapping.key_reading import joined_parts
from finscribe_assets.schema_mapping.key_writing import WrittenValue


def grounded_extractions(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Request the values of a page with their boxes.

    A value that other print determines, such as the currency, has no box. Each response is about one page, since
    location tokens do not name pages.
    """
    boxes = field_boxes(document.rendered)
    for page in choose(document.pages, count, random_for(document.id, Task.GROUNDED_EXTRACTION)):
        values = document.values_on(page)
        on_page = {path: [box for number, box in boxes.get(path, ()) if number == page + 1] for path in values}
        if values and (response := _response(document, values, on_page)) is not None:
            yield build_pair(
                document.id,
                Task.GROUNDED_EXTRACTION,
                response,
                pages=(page,),
                structure=structure_of(document.mapping),
                id_parts=[page],
            )


def _response(
    document: VisibleDocument, values: Mapping[str, object], boxes: Mapping[str, Sequence[Box]]
) -> AnnotatedResponse | None:
    """Write values in the keys of the schema or of a user; None if a user's JSON has none of them."""
    if document.mapping is None:
        return grounded_response(values, boxes)
    written = written_document(document, values)
    if written is None:
        return None
    parts = joined_parts(document.mapping, values)
    joined = {path: [box for part in made_of for box in boxes.get(part, ())] for path, made_of in parts.items()}
    return _with_locations(json_response(_as_texts(written)), {**boxes, **joined})


def _as_texts(node: Any) -> Any:
    """Return a user's JSON with all values as texts, to which location tokens can be added."""
    if isinstance(node, WrittenValue):
        return WrittenValue("" if node.value is None else str(node.value), node.path)
    if isinstance(node, dict):
        return {key: _as_texts(member) for key, member in node.items()}
    return [_as_texts(item) for item in node]


def grounded_response(values: Mapping[str, object], boxes: Mapping[str, Sequence[Box]]) -> AnnotatedResponse:
    """Write values as JSON texts that end with their location tokens.

    Args:
        values: canonical values by field path.
        boxes: of the values, in thousandths of the page; a value may have none.
    """
    # List members that are on other pages leave gaps, which `unflatten` closes.
    original = flatten(unflatten({path: path for path in values}))
    response = json_response(unflatten({path: str(value) for path, value in values.items()}))
    return _with_locations(response, {path: boxes.get(field, ()) for path, field in original.items()})


def _with_locations(response: AnnotatedResponse, boxes: Mapping[str, Sequence[Box]]) -> AnnotatedResponse:
    """Add location tokens to the texts of a response, by the paths of its spans."""
    text, spans = response
    pieces: list[tuple[str, str | None]] = []
    for start, end, _, path in spans:
        locations = write_locations(boxes.get(path, ()))
        pieces.append((text[start : end - bool(locations)], path or None))
        if locations:
            pieces.append((locations + text[end - 1 : end], None))  # the closing quote follows the tokens
    return annotated(iter(pieces))
