"""Find the issue date of a document that prints its only date without a label, as till receipts do.

What belongs here: a date with a time, or alone in its row but for numbers. Dates beside labels belong to
`label_assignment`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from finscribe_assets.inference.table_columns import page_rows
from finscribe_assets.inference.text_spans import LineSpan, TextLine
from finscribe_assets.inference.value_forms import date_alone, is_time_of_day

_MIN_LETTERS = 3  # of a word that may be the label of a date


def find_lone_date(lines: Sequence[TextLine], used: Collection[int]) -> LineSpan | None:
    """Return the only date that stands beside no word; None if there is none, or if dates differ.

    Args:
        lines: the lines of one document, in any order.
        used: indices of lines that are something else.
    """
    found: dict[str, LineSpan] = {}
    for page in sorted({line.page for line in lines}):
        for row in page_rows(lines, page):
            dates = [(span, place) for span in row.spans if (place := date_alone(span.text(lines)))]
            for span, (start, end) in dates:
                texts = [other.text(lines) for other in row.spans if other != span]
                others = "".join(text for text in texts if not is_time_of_day(text))
                if span.line not in used and sum(map(str.isalpha, others)) < _MIN_LETTERS:
                    date = LineSpan(span.line, span.start + start, span.start + end)
                    found.setdefault(date.text(lines), date)
    return next(iter(found.values())) if len(found) == 1 else None
