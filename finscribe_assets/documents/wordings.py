"""The words of documents in each locale, from `languages/*.yaml`: labels, phrases and units.

A locale has the words of its language's file, such as ``de.yaml``. A file of the country, such as ``de_AT.yaml``,
replaces the keys in which it differs.

A list of wordings begins with the most usual one. Its first quarter are the usual wordings, which most pages have; the
others are rare ones. Readers know more: see `readable_labels`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Any

import yaml


class WordsError(ValueError):
    """A file of words is missing or not valid."""


@dataclass(frozen=True)
class Words:
    """The words of a locale."""

    labels: Mapping[str, tuple[str, ...]]  # wordings of each label, the usual one first
    phrases: Mapping[str, tuple[str, ...]]
    units: Mapping[str, str]  # what is printed for each code of UN/ECE Recommendation 20


@cache
def read_words(name: str) -> dict[str, Any]:
    """Read a file of words, such as ``de`` or ``de_AT``; empty if there is no such file."""
    return _parse_words(name, swiss=False)


@cache
def _parse_words(name: str, *, swiss: bool) -> dict[str, Any]:
    path = files("finscribe_assets.documents") / "languages" / f"{name}.yaml"
    text = path.read_text(encoding="utf-8") if path.is_file() else "{}"
    return dict(yaml.load(swiss_spelling(text) if swiss else text, Loader=yaml.CSafeLoader))


def swiss_spelling(text: str) -> str:
    """Return German text as Switzerland spells it, without ß."""
    return text.replace("ß", "ss")


def has_words(language: str) -> bool:
    """Tell whether there is a file of words for a language."""
    return (files("finscribe_assets.documents") / "languages" / f"{language}.yaml").is_file()


@cache
def words_of(locale: str) -> Words:
    """Return the words of a locale.

    Raises:
        WordsError: there is no file for the language.
    """
    language = locale.split("_", maxsplit=1)[0]
    base, overlay = _parse_words(language, swiss=locale == "de_CH"), read_words(locale)
    if not base:
        raise WordsError(f"languages/{language}.yaml: no such file; add one to use {locale}")
    return Words(
        labels=labels_of(locale),
        phrases={key: tuple(words) for key, words in (base["phrases"] | overlay.get("phrases", {})).items()},
        units=base["units"] | overlay.get("units", {}),
    )


def wordings(locale: str, key: str) -> tuple[str, ...]:
    """Return the wordings of a label in a locale, the usual one first."""
    return words_of(locale).labels[key]


@cache
def folded_wordings(locale: str, key: str) -> tuple[tuple[str, str], ...]:
    """Return the wordings of a label, each with its form for comparisons without regard to capitals."""
    return tuple((wording, wording.casefold()) for wording in wordings(locale, key))


@cache
def labels_of(locale: str) -> Mapping[str, tuple[str, ...]]:
    """Return the wordings of all labels of a locale; empty if there is no file for its language."""
    language = locale.split("_", maxsplit=1)[0]
    labels = _parse_words(language, swiss=locale == "de_CH").get("labels", {}) | read_words(locale).get("labels", {})
    return {key: tuple(words) for key, words in labels.items()}


@cache
def usual_wordings(locale: str, key: str) -> tuple[str, ...]:
    """Return the usual wordings of a label in a locale: the first quarter of all, at least one."""
    known = wordings(locale, key)
    return known[: -(-len(known) // 4)]


@cache
def readable_labels(locale: str) -> Mapping[str, tuple[str, ...]]:
    """Return the wordings of all labels that a reader knows, the usual one first.

    They are those that pages of the locale are drawn with, those of the language where the country's file replaces
    them, and those of ``labels_read``, which no page is drawn with.
    """
    language = locale.split("_", maxsplit=1)[0]
    base, overlay = _parse_words(language, swiss=locale == "de_CH"), read_words(locale)
    lists = (labels_of(locale), overlay.get("labels_read", {}), base.get("labels", {}), base.get("labels_read", {}))
    return {key: tuple(dict.fromkeys(chain.from_iterable(words.get(key, ()) for words in lists))) for key in lists[0]}


def label_keys() -> tuple[str, ...]:
    """Return the keys of all labels. Every locale has wordings for each of them."""
    return tuple(words_of("en_GB").labels)


def phrases_of(locale: str) -> Mapping[str, tuple[str, ...]]:
    """Return all phrases of a locale by purpose."""
    return words_of(locale).phrases


def phrases(locale: str, key: str) -> tuple[str, ...]:
    """Return the phrases of a locale for a purpose, such as ``thanks``. They may contain {placeholders}."""
    return words_of(locale).phrases[key]


def unit_words(locale: str) -> Mapping[str, str]:
    """Return what a locale prints for each code of a unit."""
    return words_of(locale).units
