"""The labels that a reader knows in a locale: their positions in a text, and the fields that each may mean.

What belongs here: recognising labels whatever their spaces, punctuation, accents and signs for "number" are
(``Facture n°``, ``FACTURE Nº:``, ``Facture no.``), and ordering the meanings of ambiguous ones. Which value belongs to
a label is decided in `label_assignment`.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from finscribe_assets.documents.captions import HEADER_FIELDS, LABELLED_PARTY_FIELDS, PAYMENT_FIELDS, label_key
from finscribe_assets.documents.elements import TERMS
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.wordings import phrases_of, readable_labels

LABELLED_FIELDS = (
    *HEADER_FIELDS,
    *PAYMENT_FIELDS,
    *(f"seller.{name}" for name in LABELLED_PARTY_FIELDS),
    "exchange_rate",
    *(path for path in TERMS if path.startswith(("totals.", "statement."))),
)
# Labels of a tax with its rate. Where a page has one tax, its amount is the total.
_TAX_LABELS = ("vat_breakdown", "vat_included")
_RANK_OF_TAX_LABELS = 40

# How often pages print each field, and documents have each type, relative to others. They order the meanings of a
# label such as "Total".
_FREQUENCIES = {
    "document_number": 8.0,
    "issue_date": 8.0,
    "totals.total_with_vat": 6.0,
    "due_date": 3.0,
    "totals.total_without_vat": 3.0,
    "totals.total_vat": 3.0,
    "totals.amount_due": 3.0,
    "payment_account": 2.0,
    "purchase_order_reference": 2.0,
    "totals.sum_of_line_net_amounts": 0.4,
    "totals.previous_balance": 0.4,
    "totals.account_balance": 0.4,
}
_TYPE_FREQUENCIES = {
    DocumentType.INVOICE: 1.0,
    DocumentType.RECEIPT: 0.3,
    DocumentType.CREDIT_NOTE: 0.2,
    DocumentType.PURCHASE_ORDER: 0.05,
    DocumentType.BANK_STATEMENT: 0.05,
}

_NUMBER_SIGNS = frozenset(("n", "no", "nr", "num", "nro"))
_ORDINALS = str.maketrans("º°ª˚", "    ")
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[#№]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_SHORTEST = 2  # letters and signs of a label


@dataclass(frozen=True)
class FoundLabel:
    """A label in a text."""

    start: int
    end: int
    key: str  # the folded label
    meanings: tuple[str, ...]  # fields, most likely first; empty if it marks a value that is not a field


class LabelBook:
    """The labels of a locale on documents of a type."""

    def __init__(self, meanings: Mapping[str, tuple[str, ...]]) -> None:
        """Take the meanings of each folded label."""
        self._meanings = meanings
        self._lengths = sorted({len(key) for key in meanings}, reverse=True)

    def at_start(self, text: str) -> FoundLabel | None:
        """Return the longest label that a text begins with, after any punctuation."""
        folded, ends = _fold_with_ends(text)
        return self._at(text, folded, ends, 0)

    def find_all(self, text: str) -> list[FoundLabel]:
        """Return the labels in a text that begin with a word, from left to right, without overlaps."""
        folded, ends = _fold_with_ends(text)
        found: list[FoundLabel] = []
        for at, (start, _) in enumerate(ends):
            if (found and start < found[-1].end) or (start and (text[start - 1].isalnum() or text[start - 1] == "-")):
                continue
            if label := self._at(text, folded, ends, at):
                found.append(label)
        return found

    def _at(self, text: str, folded: str, ends: Sequence[tuple[int, int]], at: int) -> FoundLabel | None:
        for length in self._lengths:
            key = folded[at : at + length]
            if len(key) == length and key in self._meanings:
                end = ends[at + length - 1][1]
                after = text[end : end + 2]
                if (after[:1].isalpha() and after[:1] not in "ºª") or after[:1] == "@":
                    continue  # the beginning of a longer word, or of an e-mail address
                if len(after) == 2 and after[0] == "-" and after[1].isalnum():
                    continue
                return FoundLabel(ends[at][0], end, key, self._meanings[key])
        return None


def fold_label(text: str) -> str:
    """Return a label's letters, digits and signs for "number", the latter as #, in lower case without accents."""
    return _fold_with_ends(text)[0]


@lru_cache(maxsize=20_000)
def _fold_with_ends(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return a folded text, and where each of its characters begins and ends in the text."""
    plain = "".join(unicodedata.normalize("NFKD", character)[0] for character in text.translate(_ORDINALS)).lower()
    plain = plain if len(plain) == len(text) else text.lower()[: len(text)]
    folded: list[str] = []
    ends: list[tuple[int, int]] = []
    for token in _TOKEN.finditer(plain):
        if token[0] in _NUMBER_SIGNS or token[0] in "#№":
            folded.append("#")
            ends.append(token.span())
        else:
            folded += token[0]
            ends += ((index, index + 1) for index in range(*token.span()))
    return "".join(folded), tuple(ends)


def _spellings(label: str) -> Iterable[str]:
    """Return the folded forms of a label: a sign for "number" may be written as one word with what precedes it."""
    folded = fold_label(label)
    yield folded
    if folded.endswith("#") and len(folded) > 1:
        yield f"{folded[:-1]}nr"
        yield f"{folded[:-1]}no"


@cache
def label_book(locale: str, document_type: DocumentType | None) -> LabelBook:
    """Return the labels of a locale, on documents of a type or, if it is unknown, of any type."""
    words = readable_labels(locale)
    weights: dict[str, dict[str, float]] = {}
    for type_ in [document_type] if document_type else DocumentType:
        for path in LABELLED_FIELDS:
            if path.startswith("statement.") and document_type is not DocumentType.BANK_STATEMENT:
                continue
            frequency = _FREQUENCIES.get(path, 1.0) * (1.0 if document_type else _TYPE_FREQUENCIES[type_])
            _add(weights, path, words.get(label_key(path, type_), ()), frequency)
    tax_labels = [label for key in _TAX_LABELS for label in words[key]]
    _add(weights, "totals.total_vat", tax_labels, 1.0, _RANK_OF_TAX_LABELS)
    # A label of a decoy that is also that of the document's number or date, where its type is known, means the latter.
    own = [label_key(path, document_type) for path in ("document_number", "issue_date")] if document_type else []
    kept = {key for name in own for label in words[name] for key in _spellings(label)}
    decoys = {
        key
        for name, labels in words.items()
        if name.startswith("decoy.")
        for label in labels
        for key in _spellings(label)
        if key not in kept
    }
    meanings = {
        key: tuple(sorted(paths, key=lambda path: (-paths[path], path)))
        for key, paths in weights.items()
        if len(key) >= _SHORTEST
    }
    return LabelBook(meanings | {key: () for key in decoys if len(key) >= _SHORTEST})


@cache
def number_labels(locale: str, document_type: DocumentType) -> LabelBook:
    """Return the labels of the number of documents of a type, and the titles, which may stand before the number."""
    words = readable_labels(locale)
    labels = (*words[f"document_number.{document_type}"], *words[f"title.{document_type}"])
    keys = {key for label in labels for key in _spellings(label) if len(key) >= _SHORTEST}
    return LabelBook(dict.fromkeys(keys, ("document_number",)))


def _add(
    weights: dict[str, dict[str, float]], path: str, labels: Sequence[str], frequency: float, rank: int = 0
) -> None:
    """Add a field to the meanings of its labels; the later a label stands in the list, the less likely it means it."""
    for number, label in enumerate(labels, rank + 1):
        for key in _spellings(label):
            paths = weights.setdefault(key, {})
            paths[path] = max(paths.get(path, 0.0), frequency / number)


def fit_of_locales(texts: Iterable[str]) -> dict[str, float]:
    """Return how well the words of a page fit each locale, from 0 to 1 for the best.

    Every word counts that labels or phrases of the locale have, more so one that few locales have.
    """
    words = Counter(word for text in texts for word in _words_in(text))
    scores = {
        locale: math.fsum(_rarity()[word] for word in words if word in vocabulary)
        for locale, vocabulary in _vocabularies().items()
    }
    best = max(scores.values()) or 1.0
    return {locale: score / best for locale, score in scores.items()}


def _words_in(text: str) -> Iterable[str]:
    return (word[0].casefold() for word in _WORD.finditer(text))


@cache
def _vocabularies() -> dict[str, frozenset[str]]:
    return {
        locale: frozenset(
            word
            for lists in (readable_labels(locale), phrases_of(locale))
            for texts in lists.values()
            for text in texts
            for word in _words_in(text)
        )
        for locale in LOCALE_FACTS
    }


@cache
def _rarity() -> dict[str, float]:
    """Return for each word one over the number of languages that have it."""
    languages: dict[str, set[str]] = {}
    for locale, vocabulary in _vocabularies().items():
        for word in vocabulary:
            languages.setdefault(word, set()).add(locale.split("_")[0])
    return {word: 1 / len(of) for word, of in languages.items()}
