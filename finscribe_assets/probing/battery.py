"""The documents that every reader is probed with: drawn from sellers and seeds that no batch has.

A document is a function of the battery's seed, its number and its setting. Of several numbers the one is taken whose
plain document shows the most fields, so that a reading says as much as it can.
"""

from __future__ import annotations

import math
from collections import Counter
from functools import lru_cache

from finscribe_assets.documents.batch_keys import PROBE_KEY
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import element_of, field_of
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import Plan, PlanComponent
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.files import sha256_of
from finscribe_assets.probing.factors import (
    ACTING_FIELDS,
    GOODS_KNOBS,
    Factor,
    FactorSpace,
    Setting,
    present_factors,
)

CANDIDATES = 10  # numbers, of which the one with the richest document is taken
MAX_FIELDS_PER_ELEMENT = 12  # of a document, that are read: fields of one document fail together
MAX_ROWS_OF_A_PAGE = 14  # beside the header,
ROWS_PER_PAGE = 24  # and on further pages, about
FIRST_PAIR_NUMBER = 500_000  # of the documents that pairs are made of; screening documents have lower numbers
LAST_NUMBER = 1_000_000
DOCUMENTS_HELD = 2048  # in memory: a document is asked for when its wave is planned, when it is read and when it counts


class Battery:
    """Documents of a factor space, by setting and number."""

    def __init__(self, space: FactorSpace, seed: int) -> None:
        """Take the factors and the seed of every draw."""
        self.space, self.seed = space, seed
        self._plan_of = lru_cache(maxsize=4096)(self._plan)
        self._richest = lru_cache(maxsize=None)(self._find_richest)
        self._richest_showing = lru_cache(maxsize=None)(self._find_richest_showing)
        self.draw = lru_cache(maxsize=DOCUMENTS_HELD)(self._draw)

    def _plan(self, setting: Setting) -> Plan:
        component = PlanComponent(name="probe", documents=LAST_NUMBER, recipe=self.space.recipe_of(setting))
        return Plan(key=PROBE_KEY, seed=self.seed, components=(component,))

    def _draw(self, setting: Setting, number: int) -> DrawnDocument:
        """Return document ``number`` as a setting has it."""
        return draw_document(self._plan_of(setting), number)

    def screening_number(self, setting: Setting, index: int) -> int:
        """Return the number of screening document ``index`` of a setting's document type."""
        return self._number(setting, index * CANDIDATES)

    def pair_number(self, setting: Setting, index: int, *factors: Factor) -> int:
        """Return the number of the documents of pair ``index`` of a plain setting; no screening document has it.

        Args:
            setting: the plain setting.
            index: position among the pairs of the setting.
            factors: what is changed. Those that show on goods alone are tried on documents of sellers of goods.
        """
        start = FIRST_PAIR_NUMBER + index * CANDIDATES
        for factor in factors:
            if factor.value in GOODS_KNOBS:
                return self._richest_showing(setting, start, factor)
        return self._number(setting, start)

    def _find_richest_showing(self, setting: Setting, start: int, factor: Factor) -> int:
        """Return the one of CANDIDATES numbers whose document shows a factor, and most besides."""
        changed = self.space.with_factor(setting, factor)

        def worth(number: int) -> tuple[bool, tuple[int, float]]:
            drawn = self._draw(changed, number)
            return factor.name in present_factors(drawn), _richness(drawn)

        return max(range(start, start + CANDIDATES), key=worth)

    def _number(self, setting: Setting, start: int) -> int:
        """Return the one of CANDIDATES numbers whose plain document shows most; of long documents the shortest."""
        if not setting.is_long:
            return self._richest(self.space.plain(setting.type), start)
        return self._richest(setting, start)

    def _find_richest(self, setting: Setting, start: int) -> int:
        return max(range(start, start + CANDIDATES), key=lambda number: _richness(self._draw(setting, number)))


def _richness(drawn: DrawnDocument) -> tuple[int, float]:
    """Return how few pages a document takes, and how much it has of every element."""
    # A second field of an element says less than a first one of another.
    counts = Counter(str(element_of(path)) for path in drawn.printed)
    richness = sum(math.log1p(min(count, MAX_FIELDS_PER_ELEMENT)) for count in counts.values())
    return -estimated_pages(drawn), richness


def estimated_pages(drawn: DrawnDocument) -> int:
    """Return about how many pages a document takes, without laying it out."""
    if drawn.document.document_type is DocumentType.RECEIPT:  # a roll has one page
        return 1
    rows = max(len(drawn.document.lines), len(drawn.document.entries))
    return max(1 + math.ceil((rows - MAX_ROWS_OF_A_PAGE) / ROWS_PER_PAGE), 1 + len(drawn.presentation.page_breaks), 1)


def sample_fields(drawn: DrawnDocument, limit: int | None) -> tuple[str, ...]:
    """Return the paths of the fields of a document that are read, as many of each element as can be.

    Which fields of an element are taken depends on the document's number and their paths alone, so that both documents
    of a pair are read at the same fields.

    Args:
        drawn: The document.
        limit: Greatest number of fields; None for no limit but MAX_FIELDS_PER_ELEMENT.
    """
    paths = sorted(drawn.printed, key=lambda path: sha256_of(f"{drawn.index}:{path}"))
    # A field on which a knob acts that leaves others of its element alone is read in any case.
    acting = [next((path for path in paths if field_of(path) in fields), "") for fields in ACTING_FIELDS.values()]
    by_element: dict[str, list[str]] = {}
    for path in dict.fromkeys([*filter(None, acting), *paths]):
        by_element.setdefault(str(element_of(path)), []).append(path)
    in_turn = [
        paths[turn]
        for turn in range(MAX_FIELDS_PER_ELEMENT)
        for _, paths in sorted(by_element.items())
        if turn < len(paths)
    ]
    return tuple(sorted(in_turn[:limit]))
