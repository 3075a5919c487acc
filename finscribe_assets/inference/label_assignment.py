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

from finscribe_assets.documents.elements import IMPLIED_FIELDS, LIST_FIELDS, TERMS, ValueType, value_type_of
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.wordings import readable_labels
from finscribe_assets.errors import UserError
from finscribe_assets.inference.assignment_evidence import AssignmentEvidence, Source
from finscribe_assets.inference.label_book import (
    LABELLED_FIELDS,
    FoundLabel,
    LabelBook,
    fit_of_locales,
    label_book,
    number_labels,
)
from finscribe_assets.inference.line_neighbours import lower_neighbours, right_neighbours
from finscribe_assets.inference.text_spans import LineSpan, TextLine, trimmed, whole
from finscribe_assets.inference.value_forms import RATE_PATTERN, is_currency, is_iban, value_in
from finscribe_assets.rendering.pages import Box

# Reasons for fields that are not assigned. Users read them.
IN_TABLE = "is printed in a table; needs a layout that finds tables, or a page-level model"
NO_LABEL_OF_ITS_OWN = "can be identified only by its position; needs a page-level model"
IMPLIED = "is implied by the page as a whole"
NOT_FOUND = "no line with its label and a value of its type was found"
CONTRADICTED = "was read with different values"

_MAX_TEXT_GAP = 6  # line heights between a label and its value, for values that may be any text
_AFTER_LABEL = re.compile(r"[\s:.#=°º№*|_>)\]-]*")
# What may follow a label before its value.
_NOTE = re.compile(rf"{RATE_PATTERN.pattern}|\([^()]*\)|\[[^\[\]]*\]|[A-Z]{{3}}\b|[€$£¥:.\s]")
_NOTICE = re.compile(r"\s*\*{2}.*\*{2}\s*")  # "*** Payment received ***" on till receipts
_COUNTRY = re.compile(r"(?<!\w)[A-Z]{2}\Z")
_BEFORE_LABEL = re.compile(rf"{RATE_PATTERN.pattern}|[\W_]+|\d{{1,2}}[.)]")
# Words that begin the label of something of the customer's, folded: "Your VAT no." is not the seller's.
_OF_THE_CUSTOMER = re.compile(
    "your|customer|client|buyer|ihr|ihre|kunden|kunde|votre|acheteur|uw|klant|su|cliente|comprador|"
    "vostra|vostro|suo|sua|seu|twoj|nabywcy|klienta|er|ert|kundens"
)
_TITLE = AssignmentEvidence(Source.TITLE)
_USUAL_TITLES = 4  # of a type
_OTHERS_REFER_TO = (DocumentType.PURCHASE_ORDER, DocumentType.BANK_STATEMENT)  # "Order" may head a part of an invoice


@dataclass(frozen=True)
class AssignedField:
    """A field's value, and where it was read."""

    path: str
    text: str  # as printed; the document type is one of `DocumentType`
    span: LineSpan  # the characters of the value
    label: str  # as printed
    evidence: AssignmentEvidence

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
    source: Source = Source.SAME_LINE
    distance: float = 0.0  # from the label to the value, in line heights

    def evidence(self, options: Sequence[_Labelled]) -> AssignmentEvidence:
        """Return what speaks for this value among all that labels of its field have."""
        repeats = sum(fold_text(option.text) == fold_text(self.text) for option in options) - 1
        rivals = len(options) - 1 - repeats
        return AssignmentEvidence(
            self.source, meanings=len(self.paths), repeats=repeats, rivals=rivals, distance=self.distance
        )


class _Finder:
    """Finds labelled values among the lines of a document."""

    def __init__(self, lines: Sequence[TextLine], in_tables: Collection[int]) -> None:
        self._lines = lines
        self._in_tables = in_tables
        self._right_of = right_neighbours(lines)
        self._below_of = lower_neighbours(lines)

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
        for path, of_path in values.items():
            ibans = [option for option in of_path if path == "payment_account" and is_iban(option.text)]
            options = ibans or of_path  # an account may be printed with its national number, too
            longest = [one for one in options if not any(_is_part(one.key, other.key) for other in options)]
            if len({fold_text(one.text) for one in longest}) == 1:
                first = longest[0]
                fields.append(AssignedField(path, first.text, first.value, first.label, first.evidence(options)))
            else:
                contradicted.add(path)
        if title and "document_number" not in values and (number := self._number_after(title)):
            fields.append(number)
        return fields, contradicted

    def _number_after(self, title: AssignedField) -> AssignedField | None:
        """Return the document's number if it follows the title, as in ``Invoice FA-2017-0008``."""
        text = self._lines[title.line].text
        start = _AFTER_LABEL.match(text, title.span.end).end()  # type: ignore[union-attr]
        found = value_in("document_number", text[start:])
        if found is None:
            return None
        span = LineSpan(title.line, start + found[0], start + found[1])
        evidence = AssignmentEvidence(Source.AFTER_TITLE)
        return AssignedField("document_number", span.text(self._lines), span, title.label, evidence)

    def _labelled(self, book: LabelBook, index: int) -> Iterator[_Labelled]:
        """Yield the labelled values that begin on a line."""
        text = self._lines[index].text
        if _NOTICE.fullmatch(text):
            return
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
        if right is not None and is_currency(self._lines[right].text):
            right = self._right_of.get(right)  # "SUMME | EUR | 152,00"
        for other in (right, below if not note else None):
            if other is None or _is_only_a_label(book, self._lines[other].text):
                continue
            has_own_value = any(map(str.isdigit, note)) or self._has_label_and_value(book, other)
            # A number after the label of an amount, as in "VAT 20% on 100.00", makes it a line of a breakdown.
            paths = [
                path
                for path in label.meanings
                if _is_near(path, self._lines[index].box, self._lines[other].box)
                and not (value_type_of(path) is ValueType.AMOUNT and any(map(str.isdigit, note)))
                # The label's own line has a number of another form, or the other line has a label of its own.
                and not (value_type_of(path) is ValueType.IDENTIFIER and has_own_value)
            ]
            if labelled := self._held(label, index, whole(self._lines, other), paths):
                source = Source.RIGHT if other == right else Source.BELOW
                return replace(labelled, source=source, distance=self._distance(index, other))
        return None

    def _has_label_and_value(self, book: LabelBook, index: int) -> bool:
        """Tell whether a line is a label with its value, such as ``IBAN DE68 …``."""
        label = book.at_start(self._lines[index].text)
        if label is None or not label.meanings:
            return False
        return self._value(index, label, len(self._lines[index].text)) is not None

    def _distance(self, index: int, other: int) -> float:
        """Return the gap between two lines, across or down, in heights of the first."""
        box, value = self._lines[index].box, self._lines[other].box
        return max(0.0, value.x0 - box.x1, value.y0 - box.y1) / max(box.height, 1.0)

    def _held(self, label: FoundLabel, index: int, span: LineSpan, paths: Sequence[str]) -> _Labelled | None:
        """Return a span as the value of a label; None if it is no value of a field that the label may mean."""
        text = span.text(self._lines)
        parts = {path: part for path in paths if (part := value_in(path, text)) is not None}
        if not parts:
            return None
        start, end = next(iter(parts.values()))  # of the likeliest meaning; meanings with another part are out
        value = LineSpan(span.line, span.start + start, span.start + end)
        if next(iter(parts)) == "seller.vat_identifier" and _COUNTRY.search(
            self._lines[span.line].text, 0, value.start
        ):
            value = value._replace(start=value.start - 2)  # "BTW NL" is a label, but NL is of the number
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
        return AssignedField("document_type", type_, whole(lines, index), lines[index].text, _TITLE)
    for index, line in enumerate(lines):
        for type_ in DocumentType:
            label = number_labels(locale, type_).at_start(line.text)
            if label is None or type_ is DocumentType.BANK_STATEMENT:
                continue
            word = next((word for word in titles if fold_text(line.text[label.start : label.end]).startswith(word)), "")
            start = _AFTER_LABEL.match(line.text, label.end).end()  # type: ignore[union-attr]
            if word and titles[word][0] == type_ and value_in("document_number", line.text[start:]):
                span = LineSpan(index, label.start, label.end)
                return AssignedField("document_type", type_, span, span.text(lines), _TITLE)
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


def _is_only_a_label(book: LabelBook, text: str) -> bool:
    """Tell whether a text is a label without a value, so that it cannot be the value of another label."""
    label = book.at_start(text)
    return label is not None and _AFTER_LABEL.match(text, label.end).end() == len(text)  # type: ignore[union-attr]


def _is_near(path: str, label: Box, value: Box) -> bool:
    """Tell whether a box may hold a label's value.

    A field of type text accepts any text, so its value must be close; otherwise it may belong to another column.
    """
    return value_type_of(path) is not ValueType.TEXT or value.x0 - label.x1 < _MAX_TEXT_GAP * label.height


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
