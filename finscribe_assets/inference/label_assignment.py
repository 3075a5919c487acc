"""Identify fields by their labels: a line that reads ``Rechnungs-Nr. 4711`` holds a document number.

What belongs here: fields whose label is beside the value or above it, by the labels of `documents.languages`, and the
reason for every other field. `party_blocks` finds names and addresses, `line_tables` and `line_items` read tables.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from finscribe_assets.documents.captions import HEADER_FIELDS, LABELLED_PARTY_FIELDS, PAYMENT_FIELDS, label_key
from finscribe_assets.documents.elements import IMPLIED_FIELDS, LIST_FIELDS, TERMS, ValueType, value_type_of
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.wordings import labels_of
from finscribe_assets.errors import UserError
from finscribe_assets.inference.text_spans import LineSpan, TextLine, trimmed, whole
from finscribe_assets.rendering.pages import Box

# Reasons for fields that are not assigned. Users read them.
IN_TABLE = "is printed in a table; needs a layout that finds tables, or a page-level model"
NO_LABEL_OF_ITS_OWN = "can be identified only by its position; needs a page-level model"
IMPLIED = "is implied by the page as a whole"
NOT_FOUND = "no line with its label and a value of its type was found"
CONTRADICTED = "was read with different values"

_LABELLED_FIELDS = (
    *HEADER_FIELDS,
    *PAYMENT_FIELDS,
    *(f"seller.{name}" for name in LABELLED_PARTY_FIELDS),
    "exchange_rate",
    *(path for path in TERMS if path.startswith(("totals.", "statement."))),
)
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
_MAX_LINE_GAP = 0.8  # line heights between a label and the value below it
_AFTER_LABEL = re.compile(r"[\s:.#=-]*")


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


def assign_fields(lines: Sequence[TextLine], locale: str | None = None) -> LabelAssignment:
    """Identify fields by labels beside or above their values.

    A line identifies a field if it begins with one of the field's labels, and a value of the field's type follows, on
    the rest of the line, on the next line to the right or, below a label that stands alone, on the line below. A field
    that is found with different values is not assigned.

    Args:
        lines: The lines of one document, in any order.
        locale: Locale of the labels, such as ``de_DE``; the one that identifies the most fields unless given.

    Raises:
        UserError: The labels of the locale are unknown.
    """
    if locale is not None and locale not in LOCALE_FACTS:
        raise UserError(f"locale: the labels of {locale!r} are not known; use one of {', '.join(LOCALE_FACTS)}")
    right_of, below_of = right_neighbours(lines), _lower_neighbours(lines)
    locales = [locale] if locale else LOCALE_FACTS
    candidates = [(name, list(_labelled_values(lines, name, right_of, below_of))) for name in locales]
    # Of equals, `max` takes the first; their labels do not differ on these lines.
    chosen, values = max(candidates, key=lambda candidate: len(candidate[1]))
    fields: dict[str, AssignedField] = {}
    contradicted = set()
    for value in values:
        first = fields.setdefault(value.path, value)
        if fold_text(first.text) != fold_text(value.text):
            contradicted.add(value.path)
    assigned = tuple(field for path, field in fields.items() if path not in contradicted)
    return LabelAssignment(chosen, assigned, _not_assigned({field.path for field in assigned}, contradicted))


def _labelled_values(
    lines: Sequence[TextLine], locale: str, right_of: Mapping[int, int], below_of: Mapping[int, int]
) -> Iterator[AssignedField]:
    """Yield the document type, then each value that follows a label of the locale."""
    title = _title(lines, locale)
    if title:
        yield title
    paths = _paths_by_label(locale, DocumentType(title.text) if title else None)
    labels = _label_pattern(tuple(paths))
    for index, line in enumerate(lines):
        label = labels.match(_strip_accents(line.text))
        if label is None or not (path := paths[fold_text(label[0])]):
            continue
        start = _AFTER_LABEL.match(line.text, label.end()).end()  # type: ignore[union-attr]
        candidates = [trimmed(lines, LineSpan(index, start, len(line.text)))]
        right, below = right_of.get(index), below_of.get(index)
        if right is not None and _is_near(path, line.box, lines[right].box):
            candidates.append(whole(lines, right))
        if below is not None and start == len(line.text):
            candidates.append(whole(lines, below))
        for span in candidates:
            text = span.text(lines)
            if _is_value(path, text) and not (span.line != index and _is_only_a_label(labels, text)):
                yield AssignedField(path, text, span, line.text[: label.end()].strip())
                break


def _title(lines: Sequence[TextLine], locale: str) -> AssignedField | None:
    """Return the document type by the first line that is a title and nothing else."""
    words = labels_of(locale)
    # If two types share a title, the one that `DocumentType` lists first is kept.
    titles = {fold_text(title): type_ for type_ in reversed(DocumentType) for title in words[f"title.{type_}"]}
    for index, line in enumerate(lines):
        if document_type := titles.get(fold_text(line.text)):
            return AssignedField("document_type", str(document_type), whole(lines, index), line.text)
    return None


@cache
def _paths_by_label(locale: str, document_type: DocumentType | None) -> dict[str, str]:
    """Return folded label → path; an empty path if the label is ambiguous or marks a value that is not a field."""
    words = labels_of(locale)
    meanings: dict[str, set[str]] = {}
    for type_ in [document_type] if document_type else DocumentType:
        for path in _LABELLED_FIELDS:
            if path.startswith("statement.") and document_type is not DocumentType.BANK_STATEMENT:
                continue
            for label in words.get(label_key(path, type_), ()):
                meanings.setdefault(fold_text(label), set()).add(path)
    decoys = {fold_text(label) for key, labels in words.items() if key.startswith("decoy.") for label in labels}
    if document_type:  # a decoy label that is also the label of the document's number or date means the latter
        keys = [label_key(path, document_type) for path in ("document_number", "issue_date")]
        decoys -= {fold_text(label) for key in keys for label in words[key]}
    unique = {label: next(iter(paths)) if len(paths) == 1 else "" for label, paths in meanings.items()}
    return unique | dict.fromkeys(decoys, "")


@cache
def _label_pattern(labels: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern for the longest label at the start of a text, with any punctuation between its letters."""
    spellings = (r"[\W_]*".join(map(re.escape, label)) for label in sorted(labels, key=len, reverse=True))
    return re.compile(rf"[\W_]*(?:{'|'.join(spellings)})(?![^\W\d_]|-\w)", re.IGNORECASE)


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
    """Return line → the nearest line below it that begins where it begins, or ends where it ends, as indices."""
    neighbours = {}
    for index, line in enumerate(lines):
        box = line.box
        below = [
            (other.box.y0, other_index)
            for other_index, other in enumerate(lines)
            if other.page == line.page
            and other_index != index
            and box.y0 + box.height / 2 < other.box.y0 < box.y1 + _MAX_LINE_GAP * box.height
            and (abs(other.box.x0 - box.x0) < box.height / 2 or abs(other.box.x1 - box.x1) < box.height / 2)
        ]
        if below:
            neighbours[index] = min(below)[1]
    return neighbours


def _is_only_a_label(labels: re.Pattern[str], text: str) -> bool:
    """Tell whether a text is a label without a value, so that it cannot be the value of another label."""
    label = labels.match(_strip_accents(text))
    return label is not None and _AFTER_LABEL.match(text, label.end()).end() == len(text)  # type: ignore[union-attr]


def _is_near(path: str, label: Box, value: Box) -> bool:
    """Tell whether a box may hold a label's value.

    A field of type text accepts any text, so its value must be close; otherwise it may belong to another column.
    """
    return value_type_of(path) is not ValueType.TEXT or value.x0 - label.x1 < _MAX_TEXT_GAP * label.height


def _is_value(path: str, text: str) -> bool:
    value_type = value_type_of(path)
    body = text.strip()
    if value_type is ValueType.AMOUNT:
        return AMOUNT_PATTERN.fullmatch(body) is not None
    if value_type is ValueType.DATE:
        return _DATE.fullmatch(body) is not None
    if value_type is ValueType.TIME:
        return _TIME.fullmatch(body) is not None
    return bool(body) if value_type is ValueType.TEXT else _IDENTIFIER.fullmatch(body) is not None


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
    if path in _LABELLED_FIELDS:
        return NOT_FOUND
    if path.split(".", maxsplit=1)[0] in LIST_FIELDS:
        return IN_TABLE
    return IMPLIED if path in IMPLIED_FIELDS else NO_LABEL_OF_ITS_OWN
