"""Classify documents by how often the training split contains their layout, locale and font.

What belongs here: which attributes of a document are held out, the exposure of each document, and the strata that
documents are counted in. What does not: the assignment of groups to splits, which is in `split_assignment`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Any, Protocol

from finscribe_assets.documents.captions import labels_needed
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.held_out import HELD_OUT_FONTS, HELD_OUT_LAYOUTS, HELD_OUT_LOCALES, is_held_out_wording
from finscribe_assets.documents.layout_families import LAYOUT_FACTS, PAGE_LABELS
from finscribe_assets.splitting.split_assignment import Split

FEW_SHOT_DOCUMENTS = 20  # from this number of training documents on, an attribute value counts as seen
FEW_SHOT_SHARE = 0.01  # in a small training set, this share of it is enough
LIGHT_DAMAGE, STRONG_DAMAGE = 0.05, 0.5  # the lowest strengths of light and of strong damage, from 0 to 1
MANY_PAGES = 3  # documents with this many pages or more are counted together

HELD_OUT_VALUES: Mapping[str, tuple[str, ...]] = {
    "layout": HELD_OUT_LAYOUTS,
    "locale": HELD_OUT_LOCALES,
    "font": HELD_OUT_FONTS,
}
STRATUM_COLUMNS = ("document_type", "locale", "pages", "degradation", "exposure")


class Exposure(StrEnum):
    """How often training documents use a document's layout, locale and font; the rarest of the three decides."""

    SEEN = "seen"
    FEW_SHOT = "few_shot"
    ZERO_SHOT = "zero_shot"  # no training document uses it


class ItemNames(StrEnum):
    """Whether the names of a document's items stand, word for word, in training documents."""

    KNOWN = "known"  # all of them
    MIXED = "mixed"  # some
    NEW = "new"  # none
    NONE = "none"  # the document has no items


class ExposedDocument(Protocol):
    """A document's split and the three attributes that its exposure depends on."""

    @property
    def split(self) -> Split:
        """Return the split."""
        ...

    @property
    def layout(self) -> str:
        """Return the layout, a template family."""
        ...

    @property
    def locale(self) -> str:
        """Return the locale."""
        ...

    @property
    def font(self) -> str:
        """Return the font family."""
        ...


def held_out_attributes(layout: str, locale: str, font: str) -> frozenset[str]:
    """Return which of ``layout``, ``locale`` and ``font`` have a held-out value, by name."""
    values = {"layout": layout, "locale": locale, "font": font}
    return frozenset(name for name, held_out in HELD_OUT_VALUES.items() if values[name] in held_out)


def has_held_out_wording(drawn: DrawnDocument) -> bool:
    """Return whether a label on the document's pages has a held-out wording."""
    presentation = drawn.presentation
    keys = labels_needed(drawn.document, drawn.printed, presentation.columns, merged_head=presentation.merged_head)
    keys |= {**LAYOUT_FACTS[presentation.layout].labels, **PAGE_LABELS}
    return any(
        is_held_out_wording(drawn.document.locale, keys[name], wording) for name, wording in presentation.labels.items()
    )


def degradation_level(drawn: DrawnDocument) -> str:
    """Return how strongly the pages are damaged, by the strongest effect: ``none``, ``light`` or ``strong``."""
    strongest = max((drawn.presentation.degradation, *drawn.presentation.damage.values()))
    return "none" if strongest < LIGHT_DAMAGE else "light" if strongest < STRONG_DAMAGE else "strong"


def page_count_label(pages: int) -> str:
    """Return the number of pages as a label: ``1``, ``2`` or ``3+``."""
    return f"{MANY_PAGES}+" if pages >= MANY_PAGES else str(pages)


def document_exposures(documents: Sequence[ExposedDocument]) -> list[Exposure]:
    """Return the exposure of each document, from the layouts, locales and fonts of the training documents.

    An attribute value is zero-shot if no training document has it. It is few-shot if fewer than `FEW_SHOT_DOCUMENTS`
    have it and fewer than `FEW_SHOT_SHARE` of all training documents.

    Args:
        documents: documents of all splits.
    """
    training = [document for document in documents if document.split is Split.TRAIN]
    seen_from = min(FEW_SHOT_DOCUMENTS, FEW_SHOT_SHARE * len(training))
    counts_by_attribute = {name: Counter(getattr(document, name) for document in training) for name in HELD_OUT_VALUES}
    rarest = [
        min(counts[getattr(document, name)] for name, counts in counts_by_attribute.items()) for document in documents
    ]
    return [
        Exposure.ZERO_SHOT if not count else Exposure.FEW_SHOT if count < seen_from else Exposure.SEEN
        for count in rarest
    ]


def compare_item_names(names: frozenset[str], known: AbstractSet[str]) -> ItemNames:
    """Return whether names of items are among those of training documents."""
    if not names:
        return ItemNames.NONE
    if names <= known:
        return ItemNames.KNOWN
    return ItemNames.NEW if names.isdisjoint(known) else ItemNames.MIXED


def count_strata(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Count documents by type, locale, number of pages, damage and exposure.

    Args:
        rows: `SplitRow` objects.

    Returns:
        One dictionary per stratum, sorted: `STRATUM_COLUMNS`, and the number of documents in each split.
    """
    counts: dict[tuple[str, ...], Counter[Split]] = {}
    for row in rows:
        key = (row.document_type, row.locale, page_count_label(row.pages), row.degradation, str(row.exposure))
        counts.setdefault(key, Counter())[row.split] += 1
    return [
        {**dict(zip(STRATUM_COLUMNS, key, strict=True)), **{str(split): by_split[split] for split in Split}}
        for key, by_split in sorted(counts.items())
    ]
