"""The documents that every reader is probed with: drawn from sellers and seeds that no batch has.

A document is a function of the battery's seed, its number and its setting. Of several numbers the one is taken whose
document shows the most fields, so that a reading says as much as it can.
"""

from __future__ import annotations

import math
from collections import Counter
from functools import lru_cache

from finscribe_assets.documents.batch_keys import PROBE_KEY
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import element_of
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import Plan, PlanComponent
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.files import sha256_of
from finscribe_assets.probing.factors import FactorSpace, Setting

CANDIDATES = 6  # numbers, of which the one with the richest document is taken
MAX_ROWS = 14  # of a table that fits a page
FIRST_PAIR = 500_000  # number from which plain documents are drawn
MAX_FIELDS_PER_ELEMENT = 12  # of a document, that are read: fields of one document fail together
LAST_NUMBER = 10**6


class Battery:
    """Documents of a factor space, by setting and number."""

    def __init__(self, space: FactorSpace, seed: int) -> None:
        """Take the factors and the seed of every draw."""
        self.space, self.seed = space, seed
        self._plan_of = lru_cache(maxsize=4096)(self._plan)
        self._richest = lru_cache(maxsize=None)(self._find_richest)

    def _plan(self, setting: Setting) -> Plan:
        component = PlanComponent(name="probe", documents=LAST_NUMBER, recipe=self.space.recipe_of(setting))
        return Plan(key=PROBE_KEY, seed=self.seed, components=(component,))

    def draw(self, setting: Setting, number: int) -> DrawnDocument:
        """Return document ``number`` as a setting has it."""
        return draw_document(self._plan_of(setting), number)

    def screening_number(self, document_type: DocumentType, place: int) -> int:
        """Return the number of screening document ``place`` of a type."""
        return self._richest(document_type, place * CANDIDATES)

    def pair_number(self, document_type: DocumentType, place: int) -> int:
        """Return the number of plain document ``place`` of a type, which no screening document has."""
        return self._richest(document_type, FIRST_PAIR + place * CANDIDATES)

    def _find_richest(self, document_type: DocumentType, start: int) -> int:
        """Return the one of CANDIDATES numbers whose plain document shows the most fields."""
        plain = self.space.plain(document_type)
        return max(range(start, start + CANDIDATES), key=lambda number: _richness(self.draw(plain, number)))


def _richness(drawn: DrawnDocument) -> float:
    """Return how much a document has of every element: twice as many fields of one are worth less than two elements."""
    if max(len(drawn.document.lines), len(drawn.document.entries)) > MAX_ROWS:
        return 0.0  # it takes several pages
    return sum(math.log1p(count) for count in readable_fields(drawn).values())


def readable_fields(drawn: DrawnDocument) -> Counter[str]:
    """Return the number of printed fields of each element, each at most MAX_FIELDS_PER_ELEMENT."""
    counts = Counter(str(element_of(path)) for path in drawn.printed)
    return Counter({element: min(count, MAX_FIELDS_PER_ELEMENT) for element, count in counts.items()})


def sample_fields(drawn: DrawnDocument, limit: int | None) -> tuple[str, ...]:
    """Return the fields of a document to read: ``limit`` at most, as many of each element as can be.

    Which fields of an element are taken depends on the document's number and their paths alone, so that both documents
    of a pair are read at the same places.
    """
    by_element: dict[str, list[str]] = {}
    for path in sorted(drawn.printed, key=lambda path: sha256_of(f"{drawn.index}:{path}")):
        by_element.setdefault(str(element_of(path)), []).append(path)
    rounds = [
        fields[place]
        for place in range(MAX_FIELDS_PER_ELEMENT)
        for _, fields in sorted(by_element.items())
        if place < len(fields)
    ]
    return tuple(sorted(rounds[:limit]))
