"""Build pairs whose response is JSON of values, each with its boxes: what stands on a page, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from finscribe_assets.documents.schema import flatten
from finscribe_assets.instructions.location_tokens import write_locations
from finscribe_assets.instructions.pair import Pair, Task
from finscribe_assets.instructions.pair_building import build_pair, choose, random_for
from finscribe_assets.instructions.responses import AnnotatedResponse, annotated, json_response, unflatten
from finscribe_assets.instructions.visible_values import VisibleDocument
from finscribe_assets.rendering.located_boxes import field_boxes
from finscribe_assets.rendering.pages import Box


def grounded_extractions(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Request the values of a page with their boxes.

    A value that other print determines, such as the currency, has no box. Each response is about one page, since
    location tokens do not name pages.
    """
    boxes = field_boxes(document.rendered)
    for page in choose(document.pages, count, random_for(document.id, Task.GROUNDED_EXTRACTION)):
        values = document.values_on(page)
        if values:
            on_page = {path: [box for number, box in boxes.get(path, ()) if number == page + 1] for path in values}
            yield build_pair(
                document.id,
                Task.GROUNDED_EXTRACTION,
                grounded_response(values, on_page),
                pages=(page,),
                id_parts=[page],
            )


def grounded_response(values: Mapping[str, object], boxes: Mapping[str, Sequence[Box]]) -> AnnotatedResponse:
    """Write values as JSON texts that end with their location tokens.

    Args:
        values: canonical values by field path.
        boxes: of the values, in thousandths of the page; a value may have none.
    """
    # List members that are on other pages leave gaps, which `unflatten` closes.
    original = flatten(unflatten({path: path for path in values}))
    text, spans = json_response(unflatten({path: str(value) for path, value in values.items()}))
    pieces: list[tuple[str, str | None]] = []
    for start, end, _, path in spans:
        locations = write_locations(boxes.get(original.get(path, ""), ()))
        pieces.append((text[start : end - bool(locations)], path or None))
        if locations:
            pieces.append((locations + text[end - 1 : end], None))  # the closing quote follows the tokens
    return annotated(iter(pieces))
