"""Pages → JSON: whole documents, chosen keys, blocks, tables, and the pages of longer documents."""

from __future__ import annotations

from collections.abc import Iterator

from finscribe_assets.instructions.pair import Pair, Task
from finscribe_assets.instructions.pair_building import build_pair, choose, random_for
from finscribe_assets.instructions.responses import compact_json, json_response, unflatten
from finscribe_assets.instructions.visible_values import VisibleDocument, bounding_box, list_members
from finscribe_assets.rendering.pages import MarkType

LINE_LISTS = ("lines", "entries")
MIN_KEYS, MAX_KEYS = 3, 8  # that are asked for at once
MAX_ABSENT_KEYS = 2  # of them, at most, that the document does not show


def full_extractions(shown: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for everything."""
    if count:
        yield build_pair(shown.id, Task.FULL_EXTRACTION, json_response(unflatten(shown.values)), pages=shown.pages)


def schema_extractions(shown: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for some keys in an order of their own, a few of them absent, or destroyed."""
    random = random_for(shown.id, Task.SCHEMA_EXTRACTION)
    present = [path for path in (*shown.values, *sorted(shown.illegible)) if "[" not in path]
    for number in range(count):
        keys = choose(present, random.randint(MIN_KEYS, MAX_KEYS), random)
        keys += choose(shown.absent, random.randint(0, MAX_ABSENT_KEYS), random)
        random.shuffle(keys)
        answer = {key: shown.expected_value(key) for key in keys}
        yield build_pair(
            shown.id,
            Task.SCHEMA_EXTRACTION,
            json_response(answer),
            pages=shown.pages,
            parts=[number],
            keys=compact_json(keys),
        )


def region_extractions(shown: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for blocks of the page."""
    found = []
    for region in shown.rendered.of_type(MarkType.REGION):
        page = region.fragments[0].page
        if any(part.page != page for part in region.fragments):
            continue  # a block over a page break is no single image
        box = bounding_box(part.box for part in region.fragments)
        values = shown.values_in(page, box)
        if values:
            found.append((region.name, page, box, values))
    for name, page, box, values in choose(found, count, random_for(shown.id, Task.REGION_EXTRACTION)):
        yield build_pair(
            shown.id, Task.REGION_EXTRACTION, json_response(unflatten(values)), pages=(page,), target=name, box=box
        )


def line_item_extractions(shown: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for the rows of the table, as one page shows them."""
    found = [(table.name, part) for table in shown.rendered.of_type(MarkType.TABLE) for part in table.fragments]
    for name, part in choose(found, count, random_for(shown.id, Task.LINE_ITEMS)):
        values = list_members(shown.values_in(part.page, part.box), LINE_LISTS)
        if values:
            yield build_pair(
                shown.id,
                Task.LINE_ITEMS,
                json_response(unflatten(values)),
                pages=(part.page,),
                target=name,
                box=part.box,
                parts=[part.page],
            )


def page_extractions(shown: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for one page of several."""
    pages = shown.pages if len(shown.pages) > 1 else ()
    for page in choose(pages, count, random_for(shown.id, Task.PAGE_EXTRACTION)):
        values = shown.values_on(page)
        if values:
            yield build_pair(
                shown.id, Task.PAGE_EXTRACTION, json_response(unflatten(values)), pages=(page,), parts=[page]
            )


def multi_page_extractions(shown: VisibleDocument, count: int) -> Iterator[Pair]:
    """Ask for the table of several pages as one."""
    values = list_members(shown.values, LINE_LISTS)
    if count and len(shown.pages) > 1 and values:
        yield build_pair(shown.id, Task.MULTI_PAGE_LINES, json_response(unflatten(values)), pages=shown.pages)
