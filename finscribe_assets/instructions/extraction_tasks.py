"""Pages → JSON: whole documents, chosen keys, blocks, tables, and the pages of longer documents."""

from __future__ import annotations

from collections.abc import Iterator

from finscribe_assets.instructions.pair import Pair, Task
from finscribe_assets.instructions.pair_building import asked, chance_of, some
from finscribe_assets.instructions.responses import in_json, to_json, unflatten
from finscribe_assets.instructions.visible_values import Shown, hull, of_lists
from finscribe_assets.rendering.pages import MarkType

TABLES = ("lines", "entries")
FEWEST_KEYS, MOST_KEYS = 3, 8  # that are asked for at once
ABSENT_KEYS = 2  # of them, at most, that the document does not show


def full(shown: Shown, count: int) -> Iterator[Pair]:
    """Ask for everything."""
    if count:
        yield asked(shown.id, Task.FULL_EXTRACTION, in_json(unflatten(shown.values)), pages=shown.pages)


def by_schema(shown: Shown, count: int) -> Iterator[Pair]:
    """Ask for some keys in an order of their own, a few of them absent, or destroyed."""
    random = chance_of(shown.id, Task.SCHEMA_EXTRACTION)
    present = [path for path in (*shown.values, *sorted(shown.destroyed)) if "[" not in path]
    for number in range(count):
        keys = some(present, random.randint(FEWEST_KEYS, MOST_KEYS), random)
        keys += some(shown.absent, random.randint(0, ABSENT_KEYS), random)
        random.shuffle(keys)
        answer = {key: shown.answer(key) for key in keys}
        yield asked(
            shown.id, Task.SCHEMA_EXTRACTION, in_json(answer), pages=shown.pages, parts=[number], keys=to_json(keys)
        )


def regions(shown: Shown, count: int) -> Iterator[Pair]:
    """Ask for blocks of the page."""
    found = []
    for region in shown.rendered.of_type(MarkType.REGION):
        page = region.fragments[0].page
        if any(part.page != page for part in region.fragments):
            continue  # a block over a page break is no single image
        box = hull(part.box for part in region.fragments)
        values = shown.inside(page, box)
        if values:
            found.append((region.name, page, box, values))
    for name, page, box, values in some(found, count, chance_of(shown.id, Task.REGION_EXTRACTION)):
        yield asked(shown.id, Task.REGION_EXTRACTION, in_json(unflatten(values)), pages=(page,), target=name, box=box)


def line_items(shown: Shown, count: int) -> Iterator[Pair]:
    """Ask for the rows of the table, as one page shows them."""
    found = [(table.name, part) for table in shown.rendered.of_type(MarkType.TABLE) for part in table.fragments]
    for name, part in some(found, count, chance_of(shown.id, Task.LINE_ITEMS)):
        values = of_lists(shown.inside(part.page, part.box), TABLES)
        if values:
            yield asked(
                shown.id,
                Task.LINE_ITEMS,
                in_json(unflatten(values)),
                pages=(part.page,),
                target=name,
                box=part.box,
                parts=[part.page],
            )


def single_pages(shown: Shown, count: int) -> Iterator[Pair]:
    """Ask for one page of several."""
    pages = shown.pages if len(shown.pages) > 1 else ()
    for page in some(pages, count, chance_of(shown.id, Task.PAGE_EXTRACTION)):
        values = shown.on_page(page)
        if values:
            yield asked(shown.id, Task.PAGE_EXTRACTION, in_json(unflatten(values)), pages=(page,), parts=[page])


def merged_lines(shown: Shown, count: int) -> Iterator[Pair]:
    """Ask for the table of several pages as one."""
    values = of_lists(shown.values, TABLES)
    if count and len(shown.pages) > 1 and values:
        yield asked(shown.id, Task.MULTI_PAGE_LINES, in_json(unflatten(values)), pages=shown.pages)
