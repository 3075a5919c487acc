"""Build pairs whose response is JSON: whole documents, requested keys, regions, tables and single pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from finscribe_assets.documents.captions import PARTY_ROLES
from finscribe_assets.instructions.pair import Pair, Task
from finscribe_assets.instructions.pair_building import build_pair, choose, random_for
from finscribe_assets.instructions.responses import compact_json, json_response, unflatten
from finscribe_assets.instructions.visible_values import VisibleDocument, bounding_box, list_members
from finscribe_assets.rendering.pages import MarkType

LINE_LISTS = ("lines", "entries")  # the lists that a document prints as a table
_PARTY_PREFIXES = tuple(f"{role}." for role in PARTY_ROLES)
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
        yield build_pair(document.id, Task.FULL_EXTRACTION, json_response(unflatten(values)), pages=document.pages)


def schema_extractions(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Request several fields by key, in random order; some may be illegible, and up to two are absent."""
    random = random_for(document.id, Task.SCHEMA_EXTRACTION)
    shown = (*document.values, *sorted(document.illegible), *sorted(document.undetermined))
    present = [path for path in shown if "[" not in path]
    for number in range(count):
        keys = choose(present, random.randint(MIN_KEYS, MAX_KEYS), random)
        keys += choose(document.absent, random.randint(0, MAX_ABSENT_KEYS), random)
        random.shuffle(keys)
        yield build_pair(
            document.id,
            Task.SCHEMA_EXTRACTION,
            json_response({key: document.expected_value(key) for key in keys}),
            pages=document.pages,
            id_parts=[number],
            keys=compact_json(keys),
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
        if values:
            regions.append((region.name, page, box, values))
    for name, page, box, values in choose(regions, count, random_for(document.id, Task.REGION_EXTRACTION)):
        yield build_pair(
            document.id,
            Task.REGION_EXTRACTION,
            json_response(unflatten(values)),
            pages=(page,),
            target=name,
            box=box,
            parties=_roles(values),
        )


def _roles(values: Iterable[str]) -> list[str]:
    """Return the roles of the parties that the paths of values name."""
    return list(dict.fromkeys(path.partition(".")[0] for path in values if path.startswith(_PARTY_PREFIXES)))


def line_item_extractions(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Request the rows of the table on one page."""
    tables = [(table.name, part) for table in document.rendered.of_type(MarkType.TABLE) for part in table.fragments]
    for name, part in choose(tables, count, random_for(document.id, Task.LINE_ITEMS)):
        values = list_members(document.values_in(part.page, part.box), LINE_LISTS)
        if values:
            yield build_pair(
                document.id,
                Task.LINE_ITEMS,
                json_response(unflatten(values)),
                pages=(part.page,),
                target=name,
                box=part.box,
                id_parts=[part.page],
            )


def page_extractions(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Request the values of one page of a document with several pages."""
    pages = document.pages if len(document.pages) > 1 else ()
    for page in choose(pages, count, random_for(document.id, Task.PAGE_EXTRACTION)):
        values = document.values_on(page)
        if values and document.is_legible_whole(page):
            yield build_pair(
                document.id,
                Task.PAGE_EXTRACTION,
                json_response(unflatten(values)),
                pages=(page,),
                parties=_roles(values) if page else (),  # the first page has the letterhead and the captions
                id_parts=[page],
            )


def multi_page_extractions(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Request the rows of a table across all pages; one pair at most, none for documents of one page."""
    values = list_members(document.values, LINE_LISTS)
    if count and len(document.pages) > 1 and values and document.is_legible_whole():
        yield build_pair(document.id, Task.MULTI_PAGE_LINES, json_response(unflatten(values)), pages=document.pages)
