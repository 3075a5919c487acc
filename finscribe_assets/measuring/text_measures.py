"""Measure the text of a page: language, country, currency, decimal marks and document type, from words alone.

What belongs here: functions of text. Where the text comes from (a text layer, OCR) is up to callers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.recipe import LOCALES
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.wordings import words_of

LEAST_WORDS = 2  # of a language on a page, so that the language counts as known

_WORD = re.compile(r"[^\W\d_]{2,}")
_KANA = re.compile(r"[\u3040-\u30ff]")
_SCRIPTS = (
    ("arabic", re.compile(r"[\u0600-\u06ff]")),
    ("japanese", _KANA),
    ("chinese", re.compile(r"[\u4e00-\u9fff]")),
    ("latin", re.compile(r"[A-Za-z\u00c0-\u024f]")),
)
_LANGUAGE_OF_SCRIPT = {"arabic": "ar", "japanese": "ja", "chinese": "zh"}
_LETTERS = {"de": "äöüß", "fr": "éèêçàùœ", "es": "ñ¿¡ó", "pt": "ãõç", "pl": "ąęłńśźż", "sv": "åäö", "it": "àèìòù"}
_AMOUNT = re.compile(r"(?<![\d.,])\d{1,3}(?:[.,' \u00a0\u202f]?\d{3})*([.,])\d{2}(?![\d.,%])")
_IDENTIFIER_COUNTRY = re.compile(r"\b([A-Z]{2})\s?(?:U\d{8}|\d{2}(?:\s?[0-9A-Z]{4}){3,7}|\d{8,12})\b")
_CURRENCIES = (
    ("EUR", re.compile(r"€|\bEUR\b|\bEuro\b", re.IGNORECASE)),
    ("GBP", re.compile(r"£|\bGBP\b")),
    ("USD", re.compile(r"(?<![A-Z])\$|\bUSD\b")),
    ("CHF", re.compile(r"\bCHF\b|\bSFr")),
    ("PLN", re.compile(r"\bPLN\b|\bzł")),
    ("SEK", re.compile(r"\bSEK\b")),
    ("INR", re.compile(r"₹|\bINR\b|\bRs\.?\s?\d")),
    ("JPY", re.compile(r"\bJPY\b|円")),
    ("CNY", re.compile(r"\bCNY\b|\bRMB\b|元")),
    ("AUD", re.compile(r"\bAUD\b|\bA\$")),
    ("CAD", re.compile(r"\bCAD\b|\bC\$")),
    ("AED", re.compile(r"\bAED\b|د\.إ")),
    ("SAR", re.compile(r"\bSAR\b")),
)
# What only tills print, in any of the languages; titles and labels come from `languages/`.
_TILL = re.compile(
    r"kassenbon|kundenbeleg|bargeld|zu zahlen|k-u-n-d-e-n|terminal|\bta-nr|\bbar\b|r[üu]ckgeld|zur[üu]ck|gegeben|"
    r"girocard|kartenzahlung|\bcash\b|\bchange\b|\bbon\b|ticket|caisse|kontant|zmiana|paragon|\bpin\b|efectivo|"
    r"contanti|resto",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class TextMeasures:
    """What the words of a document say; None where they say nothing.

    Attributes:
        script: latin, arabic, japanese or chinese.
        language: ISO 639-1 code, one of those that documents are drawn in.
        locale: the locale that language, tax and account numbers and currency speak for.
        currency: ISO 4217 code of the currency that is named most.
        decimal_mark: ``.`` or ``,``.
        document_type: by its title, or by what only tills print.
    """

    script: str | None = None
    language: str | None = None
    locale: str | None = None
    currency: str | None = None
    decimal_mark: str | None = None
    document_type: str | None = None


def measure_text(text: str) -> TextMeasures:
    """Measure the text of a document, in any order of its lines."""
    script = _script_of(text)
    language = _language_of(text, script)
    currency = _most_common(Counter({code: len(found.findall(text)) for code, found in _CURRENCIES}))
    marks = Counter(match[1] for match in _AMOUNT.finditer(text))
    return TextMeasures(
        script=script,
        language=language,
        locale=_locale_of(text, language, currency),
        currency=currency,
        decimal_mark=_most_common(marks),
        document_type=_type_of(text, language),
    )


def _most_common(counts: Counter[str]) -> str | None:
    """Return the most frequent name; None if there is none, or a tie."""
    found = [(name, count) for name, count in counts.most_common(2) if count]
    return found[0][0] if len(found) == 1 or (found and found[0][1] > found[1][1]) else None


def _script_of(text: str) -> str | None:
    counts = {name: len(letters.findall(text)) for name, letters in _SCRIPTS}
    counts["chinese"] = 0 if counts["japanese"] else counts["chinese"]
    if counts["japanese"]:  # its kana stand between Chinese characters
        counts["japanese"] += len(_SCRIPTS[2][1].findall(text))
    # Names, units and e-mail addresses are latin on all pages.
    weighted = Counter({name: count * (1 if name == "latin" else 3) for name, count in counts.items()})
    return _most_common(weighted)


@cache
def _words_by_language() -> Mapping[str, Mapping[str, float]]:
    """Return the words of each latin language, each weighted by how few languages have it."""
    words: dict[str, set[str]] = {}
    for locale in LOCALES:
        language = LOCALE_FACTS[locale].language
        found = words_of(locale)
        texts = [text for group in (found.labels, found.phrases) for some in group.values() for text in some]
        words.setdefault(language, set()).update(
            word.lower() for text in texts for word in _WORD.findall(re.sub(r"\{\w+\}", " ", str(text)))
        )
    shared = Counter(word for some in words.values() for word in some)
    return {
        language: {word: 1 / shared[word] ** 2 for word in some if len(word) > 2} for language, some in words.items()
    }


def _language_of(text: str, script: str | None) -> str | None:
    if script is None or script in _LANGUAGE_OF_SCRIPT:
        return _LANGUAGE_OF_SCRIPT.get(script or "")
    present = {word.lower() for word in _WORD.findall(text)}
    lower = text.lower()
    scores, hits = Counter[str](), Counter[str]()
    for language, words in _words_by_language().items():
        if language in _LANGUAGE_OF_SCRIPT.values():
            continue
        known = present & words.keys()
        hits[language] = len(known)
        scores[language] = sum(words[word] for word in known) + min(  # type: ignore[assignment]
            1.5, 0.5 * sum(lower.count(letter) for letter in _LETTERS.get(language, ""))
        )
    (best, score), *_ = scores.most_common(1)
    return best if hits[best] >= LEAST_WORDS and score > 0.5 else None


def _locale_of(text: str, language: str | None, currency: str | None) -> str | None:
    """Return the locale of a language whose country the page's identifiers and currency speak for most."""
    if language is None:
        return None
    candidates = [locale for locale in LOCALES if LOCALE_FACTS[locale].language == language]
    countries = Counter(match[1] for match in _IDENTIFIER_COUNTRY.finditer(text))
    scores = Counter(
        {
            locale: 2 * countries[locale[-2:]] + 1.5 * (LOCALE_FACTS[locale].currency_code == currency) + 0.1
            for locale in candidates
        }
    )
    # Of equals the first, which is the language's largest country, as `locales.py` lists them.
    return max(candidates, key=lambda locale: scores[locale]) if candidates else None


@cache
def _titles(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    found = []
    for document_type in DocumentType:
        titles: set[str] = set()
        for locale in LOCALES:
            if LOCALE_FACTS[locale].language in (language, "en"):
                titles.update(words_of(locale).labels.get(f"title.{document_type}", ()))
        ordered = sorted(map(re.escape, titles), key=len, reverse=True)
        found.append((str(document_type), re.compile(rf"(?<!\w)(?:{'|'.join(ordered)})", re.IGNORECASE)))
    return tuple(found)


def _type_of(text: str, language: str | None) -> str | None:
    till = len(_TILL.findall(text))
    counts = Counter({name: len(title.findall(text)) for name, title in _titles(language or "en")})
    # An invoice names itself in labels too; the other types are rarer, so their titles say more.
    for name in (DocumentType.CREDIT_NOTE, DocumentType.BANK_STATEMENT, DocumentType.PURCHASE_ORDER):
        if counts[name] >= 2 and counts[name] >= counts[DocumentType.INVOICE]:
            return str(name)
    if till >= 2 and till >= counts[DocumentType.INVOICE]:
        return str(DocumentType.RECEIPT)
    return _most_common(counts)
