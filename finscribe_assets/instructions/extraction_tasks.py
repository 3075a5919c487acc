"""Build pairs whose response is JSON: whole documents, requested keys, regions, tables and single pages."""

from __future__ import annotations

from collections.abc import Iterator

from finscribe_assets.instructions.pair import Pair, Task
from finscribe_assets.instructions.pair_building import build_pair, choose, random_for
from finscribe_assets.instructions.response_keys import (
    expected_member,
    extraction_response,
    has_key,
    key_of,
    party_keys,
    structure_of,
)
from finscribe_assets.instructions.responses import compact_json, json_response
from finscribe_assets.instructions.visible_values import VisibleDocument, bounding_box, list_members
from finscribe_assets.rendering.pages import MarkType

LINE_LISTS = ("lines", "entries")  # the lists that a document prints as a table
MIN_KEYS, MAX_KEYS = 3, 8  # keys that one prompt requests, besides absent ones
MAX_ABSENT_KEYS = 2  # requested keys of fields that the document does not have


def full_extractions(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Request every value of the document; one pair at most. A currency that nothing determines is null.

    Documents whose pages a model could not read whole have none.
    """
    if count and document.is_legible_whole():
        values = {
            path: document.values.get(path)
            for path in document.canonical_values
            if path in document.values or path in document.undetermined
        }
        if (response := extraction_response(document, values, complete=True)) is not None:
            yield build_pair(
                document.id,
                Task.FULL_EXTRACTION,
                response,
                pages=document.pages,
                structure=structure_of(document.mapping),
            )


def schema_extractions(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Request several fields by key, in random order; some may be illegible, and up to two are absent."""
    random = random_for(document.id, Task.SCHEMA_EXTRACTION)
    shown = (*document.values, *sorted(document.illegible), *sorted(document.undetermined))
    present = [path for path in shown if "[" not in path and has_key(document, path)]
    absent = [path for path in document.absent if has_key(document, path)]
    for number in range(count if present or absent else 0):
        keys = choose(present, random.randint(MIN_KEYS, MAX_KEYS), random)
        keys += choose(absent, random.randint(0, MAX_ABSENT_KEYS), random)
        random.shuffle(keys)
        if not keys:
            continue
        yield build_pair(
            document.id,
            Task.SCHEMA_EXTRACTION,
            json_response({key_of(document, key): expected_member(document, key) for key in keys}),
            pages=document.pages,
            id_parts=[number],
            keys=compact_json([key_of(document, key) for key in keys]),
        )


def region_extractions(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Request the values of one block of a page, such as the header or the totals."""
    regions = []
    for region in document.rendered.of_type(MarkType.REGION):
        page = region.fragments[0].page
        if any(fragment.page != page for fragment in region.fragments):
            continue  # a block across a page break cannot be shown as one image
        box = bounding_box(fragment.box for fragment in region.fragments)
        values = document.values_in(page, box)
        if values and (response := extraction_response(document, values)) is not None:
            regions.append((region.name, page, box, values, response))
    for name, page, box, values, response in choose(regions, count, random_for(document.id, Task.REGION_EXTRACTION)):
        yield build_pair(
            document.id,
            Task.REGION_EXTRACTION,
            response,
            pages=(page,),
            target=name,
            box=box,
            parties=party_keys(document, values),
            structure=structure_of(document.mapping),
        )


def line_item_extractions(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Request the rows of the table on one page."""
    tables = [(table.name, part) for table in document.rendered.of_type(MarkType.TABLE) for part in table.fragments]
    for name, part in choose(tables, count, random_for(document.id, Task.LINE_ITEMS)):
        values = list_members(document.values_in(part.page, part.box), LINE_LISTS)
        if values and (response := extraction_response(document, values)) is not None:
            yield build_pair(
                document.id,
                Task.LINE_ITEMS,
                response,
                pages=(part.page,),
                target=name,
                box=part.box,
                structure=structure_of(document.mapping),
                id_parts=[part.page],
            )


def page_extractions(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Request the values of one page of a document with several pages."""
    pages = document.pages if len(document.pages) > 1 else ()
    for page in choose(pages, count, random_for(document.id, Task.PAGE_EXTRACTION)):
        values = document.values_on(page)
        if not values or not document.is_legible_whole(page):
            continue
        if (response := extraction_response(document, values)) is not None:
            yield build_pair(
                document.id,
                Task.PAGE_EXTRACTION,
                response,
                pages=(page,),
                # The first page has the letterhead and the captions.
                parties=party_keys(document, values) if page else (),
                structure=structure_of(document.mapping),
                id_parts=[page],
            )


def multi_page_extractions(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Request the rows of a table across all pages; one pair at most, none for documents of one page."""
    values = list_members(document.values, LINE_LISTS)
    if not count or len(document.pages) < 2 or not values or not document.is_legible_whole():
        return
    if (response := extraction_response(document, values)) is not None:
        structure = structure_of(document.mapping)
        yield build_pair(document.id, Task.MULTI_PAGE_LINES, response, pages=document.pages, structure=structure)
