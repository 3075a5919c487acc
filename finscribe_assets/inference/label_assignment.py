"""Identify fields by their labels: a line that reads ``Rechnungs-Nr. 4711`` holds a document number.

What belongs here: fields whose label is beside the value or above it, by the labels of `label_book`, and the reason for
every other field. `party_blocks` finds names and addresses, `line_tables` and `line_items` read tables.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import dropwhile

from finscribe_assets.documents.currency_marks import currency_pattern
from finscribe_assets.documents.elements import IMPLIED_FIELDS, LIST_FIELDS, TERMS, ValueType, value_type_of
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.wordings import readable_labels
from finscribe_assets.errors import UserError
from finscribe_assets.inference.label_book import (
    LABELLED_FIELDS,
    FoundLabel,
    LabelBook,
    fit_of_locales,
    label_book,
    number_labels,
)
from finscribe_assets.inference.text_spans import LineSpan, TextLine, trimmed, whole
from finscribe_assets.rendering.pages import Box

# Reasons for fields that are not assigned. Users read them.
IN_TABLE = "is printed in a table; needs a layout that finds tables, or a page-level model"
NO_LABEL_OF_ITS_OWN = "can be identified only by its position; needs a page-level model"
IMPLIED = "is implied by the page as a whole"
NOT_FOUND = "no line with its label and a value of its type was found"
CONTRADICTED = "was read with different values"

AMOUNT_PATTERN = re.compile(r"[-+(]?\s*[^\W\d]{0,4}[^\w\d]{0,3}\d[\d\s.,'’]*\s*\D{0,5}")
_DATE = re.compile(
    r"\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,4}"  # in digits
    r"|\d{1,2}\.?[\s-](?:de\s)?[^\W\d]{3,10}\.?,?[\s-](?:de\s)?\d{2,4}"  # day, month in words, year
    r"|[^\W\d]{3,10}\.?\s\d{1,2},?\s\d{4}|\d{4}年\d{1,2}月\d{1,2}日"
)
_TIME = re.compile(r"\d{1,2}\s?[:.h時时]\s?\d{2}.{0,10}")
# Words with digits or short words in capitals; an e-mail address; or a BIC (ISO 9362).
_IDENTIFIER = re.compile(
    r"(?=.*\d)(?:(?:\S*\d\S*|[A-Z]{1,4}\.?)(?:\s|$))+|[^\s@]+@[^\s@]+|[A-Z]{6}[A-Z\d]{2}(?:[A-Z\d]{3})?"
)
_MAX_TEXT_GAP = 6  # line heights between a label and its value, for values that may be any text
_MAX_LINE_GAP = 1.0  # line heights between a label and the value below it
_AFTER_LABEL = re.compile(r"[\s:.#=°º№*|_>)\]-]*")
_RATE = re.compile(r"[([@+à]?\s*\d{1,2}(?:[.,]\d{1,3})?\s?%\s?[)\]]?[\s:=]*")
_NOTE = re.compile(rf"{_RATE.pattern}|\([^()]*\)|[A-Z]{{3}}\b|[€$£¥:.\s]")  # what may follow a label before its value
_BEFORE_LABEL = re.compile(rf"{_RATE.pattern}|[\W_]+|\d{{1,2}}[.)]")
_AFTER_DATE = re.compile(r"[\s,T/|-]+(?:\w{1,5}\s)?\d{1,2}\s?[:.h時时]\s?\d{2}.{0,12}")
_LETTERS = re.compile(r"[^\W\d_]+")
_AMOUNT_WORDS = ("CR", "DR", "Cr", "Dr", "H", "S")
# Words that begin the label of something of the customer's, folded: "Your VAT no." is not the seller's.
_OF_THE_CUSTOMER = re.compile(
    "your|customer|client|buyer|ihr|ihre|kunden|kunde|votre|acheteur|uw|klant|su|cliente|comprador|"
    "vostra|vostro|suo|sua|seu|twoj|nabywcy|klienta|er|ert|kundens"
)
_USUAL_TITLES = 4  # of a type
_OTHERS_REFER_TO = (DocumentType.PURCHASE_ORDER, DocumentType.BANK_STATEMENT)  # "Order" may head a part of an invoice


@dataclass(frozen=True)
class AssignedField:
    """A field's value, and where it was read."""

    path: str
    text: str  # as printed; the document type is one of `DocumentType`
    span: LineSpan  # the characters of the value
    label: str  # as printed

    @property
    def line(self) -> int:
        """Return the index of the value's line, from 0."""
        return self.span.line


@dataclass(frozen=True)
class LabelAssignment:
    """The fields that were identified by labels, and the reasons for the others."""

    locale: str  # of the labels
    fields: tuple[AssignedField, ...]
    not_assigned: dict[str, tuple[str, ...]]  # reason → paths; with `fields`, every field of the schema


def assign_fields(
    lines: Sequence[TextLine], locale: str | None = None, in_tables: Collection[int] = ()
) -> LabelAssignment:
    """Identify fields by labels beside or above their values.

    A line identifies a field if it begins with one of the field's labels, and a value of the field's type follows, on
    the rest of the line, on the next line to the right or, below a label that stands alone, on the line below. A line
    may have several labels with their values. Of the meanings of a label such as "VAT", the value's type decides, then
    whether another label identifies one of them. A field that is found with different values is not assigned, unless
    one label is longer than the other one and contains it: "Invoice Date" precedes "Date".

    Args:
        lines: The lines of one document, in any order.
        locale: Locale of the labels, such as ``de_DE``. Unless given, it is the one that identifies the most fields;
            of equals, the one whose language has the most words of the page.
        in_tables: Indices of the lines of tables, which hold no values of labels.

    Raises:
        UserError: The labels of the locale are unknown.
    """
    if locale is not None and locale not in LOCALE_FACTS:
        raise UserError(f"locale: the labels of {locale!r} are not known; use one of {', '.join(LOCALE_FACTS)}")
    finder = _Finder(lines, in_tables)
    if locale is not None:
        chosen, (fields, contradicted) = locale, finder.find(locale)
    else:
        fits = fit_of_locales(line.text for line in lines)
        found = {name: finder.find(name) for name in LOCALE_FACTS}
        chosen = max(found, key=lambda name: len(found[name][0]) + fits[name])
        fields, contradicted = found[chosen]
    return LabelAssignment(chosen, tuple(fields), _not_assigned({field.path for field in fields}, contradicted))


@dataclass(frozen=True)
class _Labelled:
    """A value beside a label, and the fields that it may be, most likely first."""

    value: LineSpan
    text: str
    label: str  # as printed
    key: str  # the folded label
    paths: tuple[str, ...]


class _Finder:
    """Finds labelled values among the lines of a document."""

    def __init__(self, lines: Sequence[TextLine], in_tables: Collection[int]) -> None:
        self._lines = lines
        self._in_tables = in_tables
        self._right_of = right_neighbours(lines)
        self._below_of = _lower_neighbours(lines)

    def find(self, locale: str) -> tuple[list[AssignedField], set[str]]:
        """Return the fields that labels of a locale identify, and those with contradicting values."""
        title = _title(self._lines, locale)
        book = label_book(locale, DocumentType(title.text) if title else None)
        found = [
            labelled
            for index in range(len(self._lines))
            for labelled in self._labelled(book, index)
            if labelled.value.line not in self._in_tables
        ]
        values: dict[str, list[_Labelled]] = {}
        for labelled in found:
            if len(labelled.paths) == 1:
                values.setdefault(labelled.paths[0], []).append(labelled)
        for labelled in found:
            if len(labelled.paths) > 1:
                free = [path for path in labelled.paths if _agrees(labelled, values.get(path, ()))]
                if free:
                    values.setdefault(free[0], []).append(labelled)
        fields = [title] if title else []
        contradicted = set()
        for path, options in values.items():
            longest = [one for one in options if not any(_is_part(one.key, other.key) for other in options)]
            if len({fold_text(one.text) for one in longest}) == 1:
                first = longest[0]
                fields.append(AssignedField(path, first.text, first.value, first.label))
            else:
                contradicted.add(path)
        if title and "document_number" not in values and (number := self._number_after(title)):
            fields.append(number)
        return fields, contradicted

    def _number_after(self, title: AssignedField) -> AssignedField | None:
        """Return the document's number if it follows the title, as in ``Invoice FA-2017-0008``."""
        text = self._lines[title.line].text
        start = _AFTER_LABEL.match(text, title.span.end).end()  # type: ignore[union-attr]
        found = _value_in("document_number", text[start:])
        if found is None:
            return None
        span = LineSpan(title.line, start + found[0], start + found[1])
        return AssignedField("document_number", span.text(self._lines), span, title.label)

    def _labelled(self, book: LabelBook, index: int) -> Iterator[_Labelled]:
        """Yield the labelled values that begin on a line."""
        text = self._lines[index].text
        known = [_without_sellers_fields(text, label) for label in book.find_all(text)]
        labels = list(dropwhile(lambda label: not _is_prominent(text, label), known))
        ends = [*(label.start for label in labels[1:]), len(text)]
        for label, end in zip(labels, ends, strict=False):
            # The rest of the line, unless it is a value only as far as the next label.
            options = (self._value(index, label, cut) for cut in dict.fromkeys((len(text), end)))
            labelled = next((option for option in options if option), None) or self._beside(book, index, label)
            if labelled is not None:
                yield labelled
            if labelled is None or labelled.value.line != index or labelled.value.end > end:
                return

    def _value(self, index: int, label: FoundLabel, end: int) -> _Labelled | None:
        """Return the value of a label between it and another place on its line."""
        text = self._lines[index].text
        span = LineSpan(index, _AFTER_LABEL.match(text, label.end, end).end(), end)  # type: ignore[union-attr]
        return self._held(label, index, trimmed(self._lines, span), label.meanings)

    def _beside(self, book: LabelBook, index: int, label: FoundLabel) -> _Labelled | None:
        """Return the value of a label on the line to the right or, if nothing follows the label, below."""
        rest = self._lines[index].text[label.end :]
        note = _NOTE.sub("", rest).strip()
        right, below = self._right_of.get(index), self._below_of.get(index)
        for other in (right, below if not note else None):
            if other is None or _is_only_a_label(book, self._lines[other].text):
                continue
            # A number after the label of an amount, as in "VAT 20% on 100.00", makes it a line of a breakdown.
            paths = [
                path
                for path in label.meanings
                if _is_near(path, self._lines[index].box, self._lines[other].box)
                and not (value_type_of(path) is ValueType.AMOUNT and any(map(str.isdigit, note)))
            ]
            if labelled := self._held(label, index, whole(self._lines, other), paths):
                return labelled
        return None

    def _held(self, label: FoundLabel, index: int, span: LineSpan, paths: Sequence[str]) -> _Labelled | None:
        """Return a span as the value of a label; None if it is no value of a field that the label may mean."""
        text = span.text(self._lines)
        parts = {path: part for path in paths if (part := _value_in(path, text)) is not None}
        if not parts:
            return None
        start, end = next(iter(parts.values()))  # of the likeliest meaning; meanings with another part are out
        value = LineSpan(span.line, span.start + start, span.start + end)
        printed = self._lines[index].text[label.start : label.end]
        possible = tuple(path for path, part in parts.items() if part == (start, end))
        return _Labelled(value, value.text(self._lines), printed, label.key, possible)


def _agrees(labelled: _Labelled, others: Sequence[_Labelled]) -> bool:
    return all(fold_text(other.text) == fold_text(labelled.text) for other in others)


def _is_part(key: str, other: str) -> bool:
    return key != other and key in other


def _without_sellers_fields(text: str, label: FoundLabel) -> FoundLabel:
    """Return a label that means no field of the seller if it, or the word before it, says that it is the customer's."""
    words = (*text[: label.start].split()[-1:], *text[label.start : label.end].split()[:1])
    if not any(_OF_THE_CUSTOMER.fullmatch(fold_text(word)) for word in words):
        return label
    return replace(label, meanings=tuple(path for path in label.meanings if not path.startswith("seller.")))


def _is_prominent(text: str, label: FoundLabel) -> bool:
    """Tell whether a label begins a line, apart from a rate, or is followed by a colon or a sign for "number"."""
    before = text[: label.start]
    return not _BEFORE_LABEL.sub("", before) or label.key.endswith("#") or text[label.end :].lstrip().startswith(":")


def _title(lines: Sequence[TextLine], locale: str) -> AssignedField | None:
    """Return the document type by the first line that is a title and nothing else, or a title and a number.

    Rarer titles, such as *Order*, count if there is no usual one.
    """
    titles = _titles(locale)
    found = []
    for index, line in enumerate(lines):
        known = titles.get(fold_text(line.text))
        if known is not None:
            found.append((known[1], known[0] in _OTHERS_REFER_TO, index, known[0]))
    if found:
        _, _, index, type_ = min(found)
        return AssignedField("document_type", type_, whole(lines, index), lines[index].text)
    for index, line in enumerate(lines):
        for type_ in DocumentType:
            label = number_labels(locale, type_).at_start(line.text)
            if label is None or type_ is DocumentType.BANK_STATEMENT:
                continue
            word = next((word for word in titles if fold_text(line.text[label.start : label.end]).startswith(word)), "")
            start = _AFTER_LABEL.match(line.text, label.end).end()  # type: ignore[union-attr]
            if word and titles[word][0] == type_ and _value_in("document_number", line.text[start:]):
                span = LineSpan(index, label.start, label.end)
                return AssignedField("document_type", type_, span, span.text(lines))
    return None


@cache
def _titles(locale: str) -> dict[str, tuple[str, bool]]:
    """Return the type of document of each folded title, and whether the title is a rare one."""
    words = readable_labels(locale)
    titles: dict[str, tuple[str, bool]] = {}
    for rank in range(max(len(words[f"title.{type_}"]) for type_ in DocumentType)):
        for type_ in DocumentType:  # if two types share a title, the one that uses it more often is kept
            for title in words[f"title.{type_}"][rank : rank + 1]:
                titles.setdefault(fold_text(title), (str(type_), rank >= _USUAL_TITLES))
    return titles


def _strip_accents(text: str) -> str:
    """Replace letters by those without accents; the length stays the same."""
    return "".join(unicodedata.normalize("NFKD", character)[0] for character in text)


def fold_text(text: str) -> str:
    """Return the letters and digits of a text, in lower case and without accents."""
    return "".join(character for character in _strip_accents(text).lower() if character.isalnum())


def right_neighbours(lines: Sequence[TextLine]) -> dict[int, int]:
    """Return line → the nearest line to its right whose middle lies within its height, as indices."""
    neighbours = {}
    for index, line in enumerate(lines):
        right = [
            (other.box.x0, other_index)
            for other_index, other in enumerate(lines)
            if other.page == line.page
            and other.box.x0 >= line.box.x0 + line.box.width / 2
            and other_index != index
            and line.box.y0 < (other.box.y0 + other.box.y1) / 2 < line.box.y1
        ]
        if right:
            neighbours[index] = min(right)[1]
    return neighbours


def _lower_neighbours(lines: Sequence[TextLine]) -> dict[int, int]:
    """Return line → the nearest line below it that begins or ends where it does, or is centred below it, as indices."""
    neighbours = {}
    for index, line in enumerate(lines):
        box = line.box
        below = [
            (other.box.y0, other_index)
            for other_index, other in enumerate(lines)
            if other.page == line.page
            and other_index != index
            and box.y0 + box.height / 2 < other.box.y0 < box.y1 + _MAX_LINE_GAP * box.height
            and _are_aligned(box, other.box)
        ]
        if below:
            neighbours[index] = min(below)[1]
    return neighbours


def _are_aligned(box: Box, below: Box) -> bool:
    """Tell whether two boxes begin, end or have their middle at the same place."""
    left, right = below.x0 - box.x0, below.x1 - box.x1
    return min(abs(left), abs(right), abs(left + right) / 2) < box.height / 2


def _is_only_a_label(book: LabelBook, text: str) -> bool:
    """Tell whether a text is a label without a value, so that it cannot be the value of another label."""
    label = book.at_start(text)
    return label is not None and _AFTER_LABEL.match(text, label.end).end() == len(text)  # type: ignore[union-attr]


def _is_near(path: str, label: Box, value: Box) -> bool:
    """Tell whether a box may hold a label's value.

    A field of type text accepts any text, so its value must be close; otherwise it may belong to another column.
    """
    return value_type_of(path) is not ValueType.TEXT or value.x0 - label.x1 < _MAX_TEXT_GAP * label.height


def _value_in(path: str, text: str) -> tuple[int, int] | None:
    """Return where in a text the value of a field is; None if it is not a value of the field's type."""
    value_type = value_type_of(path)
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if value_type is ValueType.AMOUNT:
        if rate := _RATE.match(text, start):
            start = rate.end()  # of the tax: "VAT 20 %: 4.00"
        return (start, end) if _is_amount(text[start:end]) else None
    if value_type is ValueType.DATE:
        date = _DATE.match(text, start, end)
        if date is None or not (date.end() == end or _AFTER_DATE.fullmatch(text, date.end(), end)):
            return None
        return date.span()
    if value_type is ValueType.TIME:
        return (start, end) if _TIME.fullmatch(text, start, end) else None
    if value_type is ValueType.TEXT:
        return (start, end) if start < end else None
    return (start, end) if _IDENTIFIER.fullmatch(text, start, end) else None


def _is_amount(text: str) -> bool:
    """Tell whether a text is an amount, with nothing but a currency, a sign or a tax code beside its digits."""
    if "%" in text or AMOUNT_PATTERN.fullmatch(text) is None:
        return False
    words = _LETTERS.findall(currency_pattern().sub(" ", unicodedata.normalize("NFKC", text)))
    return all(word in _AMOUNT_WORDS or (len(word) == 1 and word.isupper()) for word in words)


def _not_assigned(assigned: set[str], contradicted: set[str]) -> dict[str, tuple[str, ...]]:
    """Group the remaining fields of the schema by the reason why they are not assigned."""
    reasons: dict[str, list[str]] = {}
    for path in TERMS:
        if path not in assigned:
            reasons.setdefault(_reason(path, contradicted), []).append(path)
    return {reason: tuple(paths) for reason, paths in reasons.items()}


def _reason(path: str, contradicted: set[str]) -> str:
    if path in contradicted:
        return CONTRADICTED
    if path in LABELLED_FIELDS:
        return NOT_FOUND
    if path.split(".", maxsplit=1)[0] in LIST_FIELDS:
        return IN_TABLE
    return IMPLIED if path in IMPLIED_FIELDS else NO_LABEL_OF_ITS_OWN
