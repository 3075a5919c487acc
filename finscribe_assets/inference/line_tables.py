"""Find tables among the printed lines of a page: header labels determine the columns, and positions the cells.

What belongs here: from lines that a detector found anywhere on a page to fields by path, such as
``lines[0].item_name``. `line_items` does the same with tables that a layout model found and a reader read as a whole.

The method:

1. A header is up to three rows of lines in which at least two cells are labels of the same list's columns.
2. Below it, each line belongs to the column whose header it overlaps. A line that overlaps several, as neighbouring
   cells that stand close together do, is divided between words.
3. A row with a number in a column of numbers is an item. A row with text in one column alone continues the item above,
   or is the name of the item below if that has none. Till receipts have no column for names, but print each name in a
   row of its own, above the numbers.
4. The table ends at the label of a total, or where rows stop. On the next page it goes on, below a header of its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

from rapidfuzz import fuzz, process

from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.wordings import readable_labels
from finscribe_assets.inference.line_items import TABLE_COLUMNS, carried_sum_labels, label_key, match_header
from finscribe_assets.inference.line_neighbours import repeated_lines
from finscribe_assets.inference.table_columns import (
    Cells,
    LineRow,
    TableColumn,
    divide_rows,
    narrower_width,
    page_rows,
    shared_width,
)
from finscribe_assets.inference.tax_rows import read_tax_row
from finscribe_assets.inference.text_spans import LineSpan, TextLine, joined_text, words_of
from finscribe_assets.rendering.pages import Box

_MAX_HEADER_ROWS = 3
_ROW_PENALTY = 0.05  # of a further row of a header, in similarity of a cell to its label
_HEADER_GAP = 1.0  # line heights between the rows of a header, at most
_WRAP_GAP = 0.9  # line heights between the lines of a wrapped text, at most
_MAX_GAP = 4.5  # line heights between two rows of a table, at most
_INSIDE = 0.3  # share of a line's width that lies between the outer edges of a header, at least
_MIN_LABEL_SIMILARITY = 80  # per cent, of a part of a line to a column's label
_MIN_LABEL_SHARE = 0.5  # of the characters of a line that is divided into labels: sentences have fewer
_MAX_LABEL_WORDS = 4
_WORD_LENGTH = 4  # letters of a text that is more than a unit or a code
_SHORT_LABEL = 3  # letters; a shorter label counts less, since single letters may be anything
_NUMBER = re.compile(r"\W*\d[\d\s.,'’]*\W*(?:[A-Z]{3})?")
_BEGINS_WITH_NUMBER = re.compile(r"\W*(?:[^\W\d]{1,3}\.?\s?)?\W*\d")
_WORDS = re.compile(r"[^\W\d_]{3,}")
_MIN_NAMES = 0.6  # share of the texts of a column of item numbers with several words, for them to be names
_CODE = re.compile(r"[\s:=]*(?:[A-Z]{3}|\W)?[\s:=]*")  # what may follow the label of a total: a currency
_TAX_COLUMNS = ("vat_rate", "net_amount", "gross_amount")  # whose labels a tax breakdown has as well
_NAMES = {"lines": "item_name", "entries": "description"}  # the field of a list that names its items


@dataclass
class LineTables:
    """The cells of a document's tables.

    Attributes:
        cells: spans by field path.
        lines: indices of all lines that belong to a table, headers included.
        similarities: by field path, of the cell's header to the label that it was taken for.
    """

    cells: dict[str, list[LineSpan]] = field(default_factory=dict)
    lines: set[int] = field(default_factory=set)
    similarities: dict[str, float] = field(default_factory=dict)


def find_tables(lines: Sequence[TextLine], locale: str) -> LineTables:
    """Find the tables of lines and of entries among a document's printed lines.

    Args:
        lines: the lines of one document, in any order.
        locale: of the labels of totals, with one of which the row after a table begins; headers may have any.

    Returns:
        The cells of the columns whose labels are known.
    """
    found = LineTables()
    counts = dict.fromkeys(TABLE_COLUMNS, 0)
    ends, repeated = _total_labels(locale), repeated_lines(lines)
    for page in sorted({line.page for line in lines}):
        rows = page_rows(lines, page)
        header = _find_header(lines, rows)
        if header is None:
            continue
        list_name, columns, first, after = header
        for row in rows[first:after]:
            found.lines.update(span.line for span in row.spans)
        # A header without a column of names, known or not: each name is in a row of its own.
        own_rows = {column.field for column in columns}.isdisjoint((_NAMES[list_name], ""))
        heading = _heading_of_names(lines, rows[first - 1], list_name, columns) if own_rows and first else None
        if heading:
            found.lines.update(span.line for span in rows[first - 1].spans)
        body = _body(lines, page, [*columns, *([heading] if heading else [])], ends, repeated)
        for row in body:
            found.lines.update(span.line for span in row.spans)
        similarities = {column.field: column.similarity for column in columns if column.field}
        for cells in _named(lines, _items(lines, body, columns, _NAMES[list_name] if own_rows else "")):
            for name, spans in cells.items():
                path = f"{list_name}[{counts[list_name]}].{name}"
                found.cells[path] = spans
                found.similarities[path] = similarities.get(name, 1.0)
            counts[list_name] += 1
    return found


def _heading_of_names(
    lines: Sequence[TextLine], above: LineRow, list_name: str, columns: Sequence[TableColumn]
) -> TableColumn | None:
    """Return the label of the items' names if it is alone in the row above a header."""
    gap = min(column.box.y0 for column in columns) - above.bottom
    if len(above.spans) != 1 or gap > _HEADER_GAP * above.height:
        return None
    _, known = match_header([above.spans[0].text(lines)], None)
    name = _NAMES[list_name]
    return TableColumn(above.boxes[0], name) if known and known[0].field == name else None


def _find_header(lines: Sequence[TextLine], rows: Sequence[LineRow]) -> tuple[str, list[TableColumn], int, int] | None:
    """Return the list of the best header, its columns, its first row and the row after it; None without a header."""
    best: tuple[float, str, list[TableColumn], int, int] | None = None
    for first, row in enumerate(rows):
        if (
            sum(bool(_label_similarity(part.text(lines))) for span in row.spans for part in _label_spans(lines, span))
            < 2
        ):
            continue
        for after in range(first + 1, min(first + _MAX_HEADER_ROWS, len(rows)) + 1):
            block = rows[first:after]
            if any(_NUMBER.fullmatch(span.text(lines)) for span in block[-1].spans):
                break  # a label with its value, such as "Total HT" and "46,68 €"
            gaps = (below.top - above.bottom for above, below in pairwise(block))
            if any(gap > _HEADER_GAP * row.height for gap in gaps):
                break
            cells = _header_cells(lines, block)
            list_name, columns = match_header([text for text, _ in cells], None)
            has_items = any(column.field not in _TAX_COLUMNS for column in columns.values())
            if not has_items and after < len(rows) and read_tax_row(lines, rows[after]):
                break  # the head of a tax breakdown
            score = math.fsum(
                column.similarity * min(1.0, len(label_key(cells[at][0])) / _SHORT_LABEL)
                for at, column in columns.items()
            )
            score -= _ROW_PENALTY * (after - first - 1)
            if len(columns) >= 2 and (best is None or score > best[0]):
                named = [
                    TableColumn(cells[index][1], *columns.get(index, ("", 0.0)))
                    for index in range(min(columns), max(columns) + 1)
                ]
                best = score, list_name, named, first, after
    return best[1:] if best else None


def _header_cells(lines: Sequence[TextLine], rows: Sequence[LineRow]) -> list[tuple[str, Box]]:
    """Return the cells of a header, from left to right: lines below each other are one cell."""
    cells: list[tuple[list[str], Box]] = []
    for row in rows:
        for span in row.spans:
            for part in _label_spans(lines, span):
                box, text = part.box(lines), part.text(lines)
                above = [
                    at
                    for at, (_, other) in enumerate(cells)
                    if shared_width(other, box) > 0.3 * narrower_width(other, box)
                ]
                if len(above) == 1 and row is not rows[0]:
                    texts, other = cells[above[0]]
                    cells[above[0]] = ([*texts, text], other.around(box))
                else:
                    cells.append(([text], box))
    ordered = sorted(cells, key=lambda cell: cell[1].x0)
    return [(" ".join(texts), box) for texts, box in ordered]


def _label_spans(lines: Sequence[TextLine], span: LineSpan) -> list[LineSpan]:
    """Divide a span of several column labels, which the finder took for one line, so that most of it are labels."""
    words = words_of(lines, span)
    best: list[tuple[float, list[LineSpan]]] = [(0.0, [])]  # for each number of words, characters that are labels
    for end in range(1, len(words) + 1):
        candidates = []
        for start in range(max(0, end - _MAX_LABEL_WORDS), end):
            part = LineSpan(span.line, words[start].start, words[end - 1].end)
            similarity = _label_similarity(part.text(lines))
            if similarity or start == end - 1:
                score, before = best[start]
                candidates.append((score + similarity * (part.end - part.start), [*before, part]))
        best.append(max(candidates, key=lambda candidate: candidate[0]))
    score, parts = best[-1]
    return parts if score > 100 * _MIN_LABEL_SHARE * (span.end - span.start) else [span]


@cache
def _label_similarity(text: str) -> float:
    """Return the similarity of a text to the nearest label of a column in any locale; 0 if there is none."""
    keys = [key for part in text.split("/") if (key := label_key(part))]
    labels, least = _column_labels(), _MIN_LABEL_SIMILARITY
    found = [process.extractOne(key, labels, scorer=fuzz.ratio, score_cutoff=least) for key in keys]
    return max((match[1] for match in found if match), default=0.0)


@cache
def _column_labels() -> tuple[str, ...]:
    names = {name for fields in TABLE_COLUMNS.values() for name in fields}
    return tuple(
        {
            label_key(label)
            for locale in LOCALE_FACTS
            for name in names
            for label in readable_labels(locale).get(f"columns.{name}", ())
        }
    )


@cache
def _total_labels(locale: str) -> frozenset[str]:
    words = readable_labels(locale)
    prefixes = ("totals.", "statement.", "vat_breakdown", "vat_included")
    return frozenset(label_key(label) for key, labels in words.items() if key.startswith(prefixes) for label in labels)


def _body(
    lines: Sequence[TextLine],
    page: int,
    columns: Sequence[TableColumn],
    ends: frozenset[str],
    repeated: Collection[int],
) -> list[LineRow]:
    """Return the rows of a table below its header, without what is printed beside the table.

    A row that other pages have at the same height, with a word and all its texts, ends the table: below rows that they
    do not have, it is a footer.
    """
    left, right = min(column.box.x0 for column in columns), max(column.box.x1 for column in columns)
    bottom = max(column.box.y1 for column in columns)
    body: list[LineRow] = []
    has_own_rows = False

    def is_below(box: Box) -> bool:
        inside = min(box.x1, right) - max(box.x0, left) > _INSIDE * box.width
        return inside and (box.y0 + box.y1) / 2 > bottom

    for row in page_rows(lines, page, is_below):
        if row.top - bottom > _MAX_GAP * row.height or _ends_table(lines, row, ends):
            break
        is_repeated = all(span.line in repeated for span in row.spans)
        has_word = any(sum(map(str.isalpha, span.text(lines))) >= _WORD_LENGTH for span in row.spans)
        if is_repeated and has_word and has_own_rows:
            break
        has_own_rows = has_own_rows or not is_repeated
        body.append(row)
        bottom = row.bottom
    return body


def _ends_table(lines: Sequence[TextLine], row: LineRow, ends: frozenset[str]) -> bool:
    """Tell whether a row is a label of a total and at most two values, or ends with such a label and its amount."""
    texts = [span.text(lines) for span in row.spans]
    if len(texts) > 1 and _NUMBER.fullmatch(texts[-1]) and _is_total_label(texts[-2], ends):
        return True
    if len(row.spans) > 3:
        return False
    if not any(map(str.isdigit, "".join(texts))):
        return False
    return _begins_with(texts[0], ends)


def begins_with_total(text: str, locale: str) -> bool:
    """Tell whether a text begins with the label of a total."""
    return _begins_with(text, _total_labels(locale))


def _begins_with(text: str, ends: frozenset[str]) -> bool:
    words = text.split()
    return any(label_key(" ".join(words[:count])) in ends for count in range(1, len(words) + 1))


def _is_total_label(text: str, ends: frozenset[str]) -> bool:
    """Tell whether a text is the label of a total and nothing else but a currency."""
    words = text.split()
    return any(
        label_key(" ".join(words[:count])) in ends and _CODE.fullmatch(" ".join(words[count:])) is not None
        for count in range(1, len(words) + 1)
    )


def _items(
    lines: Sequence[TextLine], body: Sequence[LineRow], columns: Sequence[TableColumn], names: str = ""
) -> list[Cells]:
    """Return the items of a table's rows; `names` is the field of names that have rows of their own."""
    divided = [
        {names: list(row.spans)} if names and _is_name(lines, row) else cells
        for row, cells in zip(body, divide_rows(lines, body, columns), strict=True)
    ]
    items: list[Cells] = []
    waiting: list[tuple[str, LineSpan]] = []  # texts above an item that may belong to it
    bottom = 0.0
    for index, (row, cells) in enumerate(zip(body, divided, strict=True)):
        if any(label_key(span.text(lines)) in carried_sum_labels() for span in row.spans):
            continue
        texts = {name: spans for name, spans in cells.items() if value_type_of(f"lines.{name}") is ValueType.TEXT}
        only_text = len(cells) == 1
        if only_text:
            name, spans = next(iter(cells.items()))
            near = row.top - bottom <= _WRAP_GAP * row.height
            continues = bool(items) and near and name in items[-1] and name != names
            following = divided[index + 1] if index + 1 < len(divided) else {}
            if not continues and name not in following and len(following) > 1:
                waiting += [(name, span) for span in spans]
            elif continues:
                items[-1][name] += spans
                bottom = row.bottom
            continue
        if not _is_item(lines, cells, columns):
            continue
        item = {name: list(spans) for name, spans in cells.items()}
        for name, span in waiting:
            if name not in texts:
                item.setdefault(name, []).append(span)
        waiting = []
        items.append(item)
        bottom = row.bottom
    return items


def _named(lines: Sequence[TextLine], items: list[Cells]) -> list[Cells]:
    """Return items whose numbers are names as such: a header may be the label of both, such as *Artikel*.

    What stands below as further text of the items then belongs to the names.
    """
    numbers = [joined_text(lines, cells["sku"]) for cells in items if "sku" in cells]
    are_names = [len(_WORDS.findall(text)) > 1 for text in numbers]
    if not numbers or sum(are_names) < _MIN_NAMES * len(numbers):
        return items
    return [
        {name: spans for name, spans in cells.items() if name not in ("sku", "item_name")}
        | {"item_name": [*cells.get("sku", ()), *cells.get("item_name", ())]}
        for cells in items
        if cells
    ]


def _is_name(lines: Sequence[TextLine], row: LineRow) -> bool:
    return len(row.spans) == 1 and any(map(str.isalpha, row.spans[0].text(lines)))


def _is_item(lines: Sequence[TextLine], cells: Cells, columns: Sequence[TableColumn]) -> bool:
    """Tell whether a row has a number in a column of numbers or, without such columns, digits anywhere."""
    numbers = {column.field for column in columns if column.field and _holds_numbers(column.field)}
    if not numbers:
        return any(any(map(str.isdigit, span.text(lines))) for spans in cells.values() for span in spans)
    return any(_BEGINS_WITH_NUMBER.match(cells[name][0].text(lines)) for name in numbers & cells.keys())


def _holds_numbers(name: str) -> bool:
    return any(name in TABLE_COLUMNS[of] and value_type_of(f"{of}.{name}") is ValueType.AMOUNT for of in TABLE_COLUMNS)
