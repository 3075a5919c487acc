"""Name fields as people do, in English and with the labels that documents print in their own languages.

Names and whole questions are in ``field_names.yaml``, labels in ``documents/languages``. The last of each list is held
out: no training prompt has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

from finscribe_assets.documents.captions import PARTY_ROLES, label_key
from finscribe_assets.documents.elements import TERMS, field_of
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.wordings import labels_of

UNFINISHED_LABELS = frozenset({"totals.total_vat_accounting"})  # such as "VAT in", which a currency follows
SHORTEST_LABEL = 3  # characters: a label such as "#" says nothing outside its document
_DOCUMENT_TYPES = frozenset(map(str, DocumentType))


class FieldQuestion(NamedTuple):
    """A field that a prompt asks for, and the document that its names depend on."""

    path: str
    document_type: DocumentType
    locale: str


@dataclass(frozen=True)
class Alternatives:
    """Ways to say the same, for training prompts and for held-out prompts."""

    training: tuple[str, ...]
    held_out: tuple[str, ...]

    @staticmethod
    def of(options: tuple[str, ...]) -> Alternatives:
        """Return the options with the last one held out, if there are at least two."""
        return Alternatives(options[:-1] or options, options[-1:])

    def choose(self, number: int) -> tuple[str, str]:
        """Return a training option and a held-out option."""
        return self.training[number % len(self.training)], self.held_out[number % len(self.held_out)]


@cache
def _names_file() -> dict[str, Any]:
    return yaml.safe_load(files("finscribe_assets.instructions").joinpath("field_names.yaml").read_text("utf-8"))


def _of_type(names: dict[str, Any], key: str, document_type: DocumentType) -> tuple[str, ...]:
    return tuple(names.get(f"{key}.{document_type}") or names[key])


@cache
def english_names(path: str, document_type: DocumentType) -> Alternatives:
    """Return the English names of a field on a type of document, such as ``the invoice number``.

    Raises:
        KeyError: the schema has no such field.
    """
    field = TERMS[field_of(path)].path
    role, _, member = field.partition(".")
    if role not in PARTY_ROLES:
        return Alternatives.of(tuple(f"the {name}" for name in _of_type(_names_file(), field, document_type)))
    parties = Alternatives.of(_of_type(_names_file()["parties"], role, document_type))
    names = Alternatives.of(_of_type(_names_file(), f"party.{member}", document_type))
    return Alternatives(
        *(
            tuple(f"the {name.format(party=party)}" for name in options for party in words)
            for options, words in ((names.training, parties.training), (names.held_out, parties.held_out))
        )
    )


@cache
def label_names(path: str, document_type: DocumentType, locale: str) -> Alternatives | None:
    """Return the labels that documents of a locale print for a field, where a label can only mean this field.

    A label that is part of another field's label, such as "Date", is left out. Returns None if fewer than two remain,
    and for the fields of parties, whose labels do not say whose they are.
    """
    field, labels = field_of(path), labels_of(locale)
    key = label_key(field, document_type)
    if field.partition(".")[0] in PARTY_ROLES or key in UNFINISHED_LABELS or key not in labels:
        return None
    others = [label.casefold() for other, words in labels.items() if _stem(other) != _stem(key) for label in words]
    clear = tuple(
        label
        for label in labels[key]
        if len(label) >= SHORTEST_LABEL and not any(label.casefold() in other for other in others)
    )
    return Alternatives.of(clear) if len(clear) > 1 else None


def _stem(key: str) -> str:
    """Return a label's key without the document type: one field has one stem."""
    stem, _, suffix = key.rpartition(".")
    return "delivery_date" if key == "requested_delivery_date" else stem if suffix in _DOCUMENT_TYPES else key


def questions(locale: str) -> Alternatives | None:
    """Return questions for a field by its label, with {label} and {key}, in the language of a locale, or None."""
    options = _names_file()["questions"].get(locale.partition("_")[0])
    return Alternatives.of(tuple(options)) if options else None
