"""How much of what a document uses an adapter can have seen: its layout, locale and font in the training documents.

What belongs here: what of a document is held out, what training holds of it, and the classes that documents are
counted by. Which split a group is in is `assign`'s business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

from finscribe_assets.documents.captions import labels_needed
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.held_out import HELD_OUT_FONTS, HELD_OUT_LAYOUTS, HELD_OUT_LOCALES, is_held_out_wording
from finscribe_assets.documents.layout_families import LAYOUT_FACTS, PAGE_LABELS
from finscribe_assets.splitting.split_assignment import Split

FEW_SHOT_DOCUMENTS = 20  # in training, from which a thing counts as seen
FEW_SHOT_SHARE = 0.01  # of a small training set, that is enough too
LIGHT_DAMAGE, STRONG_DAMAGE = 0.05, 0.5  # strengths of damage between which it is light
MANY_PAGES = 3

HELD_OUT_VALUES: Mapping[str, tuple[str, ...]] = {
    "layout": HELD_OUT_LAYOUTS,
    "locale": HELD_OUT_LOCALES,
    "font": HELD_OUT_FONTS,
}
STRATUM_COLUMNS = ("document_type", "locale", "pages", "degradation", "exposure")


class Exposure(StrEnum):
    """How often training shows what the document uses, by the thing of it that training shows least."""

    SEEN = "seen"
    FEW_SHOT = "few_shot"
    ZERO_SHOT = "zero_shot"


class ExposedDocument(Protocol):
    """A document with its split and what it uses."""

    @property
    def split(self) -> Split:
        """Return the split."""
        ...

    @property
    def layout(self) -> str:
        """Return the template family."""
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
    """Return which of a document's layout, locale and font are held out, by the names of HELD_OUT."""
    used = {"layout": layout, "locale": locale, "font": font}
    return frozenset(name for name, held_out in HELD_OUT_VALUES.items() if used[name] in held_out)


def has_held_out_wording(drawn: DrawnDocument) -> bool:
    """Tell whether a label of the document's page has a wording that is held out."""
    look = drawn.presentation
    keys = labels_needed(drawn.document, drawn.printed, look.columns, merged_head=look.merged_head)
    keys |= {**LAYOUT_FACTS[look.layout].labels, **PAGE_LABELS}
    return any(is_held_out_wording(drawn.document.locale, keys[name], wording) for name, wording in look.labels.items())


def degradation_level(drawn: DrawnDocument) -> str:
    """Return how strongly the pages are damaged, by the strongest effect: none, light or strong."""
    strongest = max((drawn.presentation.degradation, *drawn.presentation.damage.values()))
    return "none" if strongest < LIGHT_DAMAGE else "light" if strongest < STRONG_DAMAGE else "strong"


def page_count_label(pages: int) -> str:
    """Return how many pages a document has, many being one label."""
    return f"{MANY_PAGES}+" if pages >= MANY_PAGES else str(pages)


def document_exposures(documents: Sequence[ExposedDocument]) -> list[Exposure]:
    """Return each document's exposure, from the layouts, locales and fonts of those that are in train.

    Few are fewer than FEW_SHOT_DOCUMENTS, and than FEW_SHOT_SHARE of all training documents.
    """
    training = [one for one in documents if one.split is Split.TRAIN]
    few = min(FEW_SHOT_DOCUMENTS, FEW_SHOT_SHARE * len(training))
    shown = {name: Counter(getattr(one, name) for one in training) for name in HELD_OUT_VALUES}
    least = [min(counts[getattr(one, name)] for name, counts in shown.items()) for one in documents]
    return [Exposure.ZERO_SHOT if not count else Exposure.FEW_SHOT if count < few else Exposure.SEEN for count in least]


def count_strata(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Count documents by type, locale, pages, damage and exposure: a row a stratum, with a column for each split."""
    counts: dict[tuple[str, ...], Counter[Split]] = {}
    for row in rows:
        key = (row.document_type, row.locale, page_count_label(row.pages), row.degradation, str(row.exposure))
        counts.setdefault(key, Counter())[row.split] += 1
    return [
        {**dict(zip(STRATUM_COLUMNS, key, strict=True)), **{str(split): found[split] for split in Split}}
        for key, found in sorted(counts.items())
    ]
