"""Which field a line of text belongs to, told by its label: ``Rechnungs-Nr. 4711`` is a document number.

What belongs here: the few fields that a label on the same line settles, and for all others the reason why they stay
open. It knows the labels of `documents.languages`, and no place on the page: names, addresses and tables are beyond it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from finscribe_assets.documents.captions import HEADER_FIELDS, LABELLED_PARTY_FIELDS, PAYMENT_FIELDS, label_key
from finscribe_assets.documents.elements import IMPLIED_FIELDS, LIST_FIELDS, TERMS, ValueType, value_type_of
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.wordings import labels_of
from finscribe_assets.errors import UserError
from finscribe_assets.rendering.pages import Box

IN_TABLE = "stands in a table, whose rows and columns need a model that reads pages"
NO_LABEL_OF_ITS_OWN = "is told by its place on the page, which needs a model that reads pages"
IMPLIED = "is implied by the page as a whole"
NOT_FOUND = "no label of it was read with such a value on the same line"
CONTRADICTED = "was read with different values"

_LABELLED = (
    *HEADER_FIELDS,
    *PAYMENT_FIELDS,
    *(f"seller.{name}" for name in LABELLED_PARTY_FIELDS),
    "exchange_rate",
    *(path for path in TERMS if path.startswith(("totals.", "statement."))),
)
_AMOUNT = re.compile(r"[-+(]?\s*[^\W\d]{0,4}[^\w\d]{0,3}\d[\d\s.,'’]*\s*\D{0,5}")
_DATE = re.compile(
    r"\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,4}"  # in digits
    r"|\d{1,2}\.?[\s-](?:de\s)?[^\W\d]{3,10}\.?,?[\s-](?:de\s)?\d{2,4}"  # day, month in words, year
    r"|[^\W\d]{3,10}\.?\s\d{1,2},?\s\d{4}|\d{4}年\d{1,2}月\d{1,2}日"
)
# Words with digits, or short ones in capitals; an address of mail; or a BIC (ISO 9362).
_IDENTIFIER = re.compile(
    r"(?=.*\d)(?:(?:\S*\d\S*|[A-Z]{1,4}\.?)(?:\s|$))+|[^\s@]+@[^\s@]+|[A-Z]{6}[A-Z\d]{2}(?:[A-Z\d]{3})?"
)
_NEAR = 6  # heights of a line
_AFTER_LABEL = re.compile(r"[\s:.#=-]*")


@dataclass(frozen=True)
class TextLine:
    """A line as it was read."""

    page: int  # from 0
    box: Box
    text: str
    confidence: float
    truncated: bool


@dataclass(frozen=True)
class Assigned:
    """A field's value as it is printed, and the line that it was read in."""

    path: str
    text: str
    line: int  # place among the lines, from 0
    label: str  # as it is read


@dataclass(frozen=True)
class Assignment:
    """What a page's lines say by their labels."""

    locale: str  # whose labels were looked for
    fields: tuple[Assigned, ...]
    not_assigned: dict[str, tuple[str, ...]]  # reason → fields of the schema


def assign_fields(lines: Sequence[TextLine], locale: str | None = None) -> Assignment:
    """Return the fields that labels on the same line settle; without a locale, that whose labels settle most.

    Raises:
        UserError: no labels of the locale are known.
    """
    if locale is not None and locale not in LOCALE_FACTS:
        raise UserError(f"locale: the labels of {locale!r} are not known; there are {', '.join(LOCALE_FACTS)}")
    locales = [locale] if locale else list(LOCALE_FACTS)
    # Of equals the first one counts, whose labels differ in no way that matters here.
    chosen, found = max(((one, list(_found(lines, one))) for one in locales), key=lambda pair: len(pair[1]))
    fields: dict[str, Assigned] = {}
    contradicted = set()
    for one in found:
        before = fields.setdefault(one.path, one)
        if folded(before.text) != folded(one.text):
            contradicted.add(one.path)
    settled = tuple(one for path, one in fields.items() if path not in contradicted)
    return Assignment(chosen, settled, _not_assigned({one.path for one in settled}, contradicted))


def _found(lines: Sequence[TextLine], locale: str) -> Iterator[Assigned]:
    kind = _kind_of(lines, locale)
    if kind:
        yield kind[1]
    labels = _labels(locale, kind[0] if kind else None)
    beside = _right_neighbours(lines)
    pattern = _any_of(tuple(labels))
    for number, line in enumerate(lines):
        label = pattern.match(_plain(line.text))
        if label is None or not (path := labels[folded(label[0])]):
            continue
        rest = line.text[label.end() :]
        candidates = [(rest[_AFTER_LABEL.match(rest).end() :], number)]  # type: ignore[union-attr]
        next_one = beside.get(number)
        if next_one is not None and _is_near(path, line.box, lines[next_one].box):
            candidates.append((lines[next_one].text, next_one))
        for text, place in candidates:
            if _is_value(path, text):
                yield Assigned(path, text.strip(), place, line.text[: label.end()].strip())
                break


def _kind_of(lines: Sequence[TextLine], locale: str) -> tuple[DocumentType, Assigned] | None:
    """Return the kind of document that the first title on the page tells."""
    words = labels_of(locale)
    titles = {folded(title): kind for kind in reversed(DocumentType) for title in words[f"title.{kind}"]}
    for number, line in enumerate(lines):
        if kind := titles.get(folded(line.text)):
            return kind, Assigned("document_type", str(kind), number, line.text)
    return None


@cache
def _labels(locale: str, kind: DocumentType | None) -> dict[str, str]:
    """Return folded label → path; an empty path where it means other fields too, or something that is no field."""
    words = labels_of(locale)
    meanings: dict[str, set[str]] = {}
    for one in [kind] if kind else DocumentType:
        for path in _LABELLED:
            if path.startswith("statement.") and kind is not DocumentType.BANK_STATEMENT:
                continue
            key = label_key(path, one)
            for label in words.get(key, ()):
                meanings.setdefault(folded(label), set()).add(path)
    decoys = {folded(label) for key, some in words.items() if key.startswith("decoy.") for label in some}
    if kind:  # its own number and date are meant where a decoy has the same name
        own = [label_key(path, kind) for path in ("document_number", "issue_date")]
        decoys -= {folded(label) for key in own for label in words[key]}
    return {
        label: next(iter(paths)) if len(paths) == 1 and label not in decoys else "" for label, paths in meanings.items()
    } | dict.fromkeys(decoys, "")


@cache
def _any_of(labels: tuple[str, ...]) -> re.Pattern[str]:
    """Return what matches a label at a text's beginning, whatever stands between its letters; the longest counts."""
    spelt = (r"[\W_]*".join(map(re.escape, label)) for label in sorted(labels, key=len, reverse=True))
    return re.compile(rf"[\W_]*(?:{'|'.join(spelt)})(?![^\W\d_]|-\w)", re.IGNORECASE)


def _plain(text: str) -> str:
    """Return text with letters without accents, as many as there were."""
    return "".join(unicodedata.normalize("NFKD", character)[0] for character in text)


def folded(text: str) -> str:
    """Return the letters and digits of a text, without case and accents."""
    return "".join(character for character in _plain(text).lower() if character.isalnum())


def _right_neighbours(lines: Sequence[TextLine]) -> dict[int, int]:
    """Return line → the nearest line to its right whose middle lies within its height."""
    neighbours = {}
    for number, line in enumerate(lines):
        right = [
            (other.box.x0, place)
            for place, other in enumerate(lines)
            if other.page == line.page
            and other.box.x0 >= line.box.x0 + line.box.width / 2
            and place != number
            and line.box.y0 < (other.box.y0 + other.box.y1) / 2 < line.box.y1
        ]
        if right:
            neighbours[number] = min(right)[1]
    return neighbours


def _is_near(path: str, label: Box, value: Box) -> bool:
    """Tell whether a box may hold a label's value; any text is one, so that it must not be another column's."""
    return value_type_of(path) is not ValueType.TEXT or value.x0 - label.x1 < _NEAR * label.height


def _is_value(path: str, text: str) -> bool:
    kind = value_type_of(path)
    body = text.strip()
    if kind is ValueType.AMOUNT:
        return _AMOUNT.fullmatch(body) is not None
    if kind is ValueType.DATE:
        return _DATE.fullmatch(body) is not None
    return bool(body) if kind is ValueType.TEXT else _IDENTIFIER.fullmatch(body) is not None


def _not_assigned(settled: set[str], contradicted: set[str]) -> dict[str, tuple[str, ...]]:
    reasons: dict[str, list[str]] = {}
    for path in TERMS:
        if path not in settled:
            reasons.setdefault(_reason(path, contradicted), []).append(path)
    return {reason: tuple(paths) for reason, paths in reasons.items()}


def _reason(path: str, contradicted: set[str]) -> str:
    if path in contradicted:
        return CONTRADICTED
    if path in _LABELLED:
        return NOT_FOUND
    if path.split(".", maxsplit=1)[0] in LIST_FIELDS:
        return IN_TABLE
    return IMPLIED if path in IMPLIED_FIELDS else NO_LABEL_OF_ITS_OWN
