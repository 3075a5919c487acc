"""What the pages of a document show: values that can be read, where they stand, and what damage has destroyed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import FIELDS, IMPLIED_FIELDS, LIST_FIELDS
from finscribe_assets.documents.schema import flatten
from finscribe_assets.instructions.pair import ILLEGIBLE
from finscribe_assets.rendering.pages import Box, Fragment, Mark, MarkType, RenderedDocument

_LISTED = tuple(f"{name}." for name in LIST_FIELDS)
_SINGLE = sorted(path for path in FIELDS if path not in IMPLIED_FIELDS and not path.startswith(_LISTED))


@dataclass(frozen=True)
class VisibleDocument:
    """A document and its pages, and what pairs ask about them."""

    drawn: DrawnDocument
    rendered: RenderedDocument

    @property
    def id(self) -> str:
        """Return the document's id."""
        return self.drawn.id

    @cached_property
    def pages(self) -> tuple[int, ...]:
        """Return the numbers of all pages."""
        return tuple(range(len(self.rendered.pages)))

    @cached_property
    def canonical_values(self) -> dict[str, Any]:
        """Return all canonical values, printed or not, by path in the schema's order."""
        return flatten(self.drawn.document.to_json())

    @cached_property
    def fields(self) -> dict[str, Mark]:
        """Return the marks of fields, by path in the order of the page."""
        return {mark.name: mark for mark in self.rendered.of_type(MarkType.FIELD)}

    @cached_property
    def values(self) -> dict[str, Any]:
        """Return the canonical values that can be read on the pages, by path in the schema's order."""
        return {
            path: value
            for path, value in self.canonical_values.items()
            if path in self.drawn.printed and (path not in self.fields or self.fields[path].visible)
        }

    @cached_property
    def illegible(self) -> frozenset[str]:
        """Return the printed fields that damage has left unreadable."""
        return frozenset(path for path, mark in self.fields.items() if not mark.visible)

    @cached_property
    def absent(self) -> list[str]:
        """Return the fields that the document does not have, sorted; members of lists are none."""
        known = {*self.canonical_values, *self.drawn.printed}
        return [path for path in _SINGLE if path not in known]

    @cached_property
    def _by_page(self) -> dict[int, dict[str, Any]]:
        pages: dict[int, dict[str, Any]] = {page: {} for page in self.pages}
        for path, value in self.values.items():
            standing = {part.page for part in self.fields[path].fragments} if path in self.fields else ()
            if len(standing) == 1:
                pages[next(iter(standing))][path] = value
        return pages

    def values_on(self, page: int) -> dict[str, Any]:
        """Return the readable values that stand on one page with all their lines."""
        return self._by_page[page]

    def values_in(self, page: int, box: Box) -> dict[str, Any]:
        """Return the readable values that stand in a box of a page with all their lines."""
        return {
            path: value
            for path, value in self._by_page[page].items()
            if all(box.holds(part.box) for part in self.fields[path].fragments)
        }

    def expected_value(self, path: str) -> Any:
        """Return what is answered for a field: its value, `ILLEGIBLE` where damage destroyed it, None for none."""
        return ILLEGIBLE if path in self.illegible else self.values.get(path)

    def single_fragments(self, page: int | None = None) -> dict[str, Fragment]:
        """Return the readable fields that stand in one piece, on a page or on any, with that piece."""
        return {
            path: mark.fragments[0]
            for path, mark in self.fields.items()
            if path in self.values and len(mark.fragments) == 1 and page in (None, mark.fragments[0].page)
        }


def bounding_box(boxes: Iterable[Box]) -> Box:
    """Return the smallest box around some."""
    first, *others = boxes
    for box in others:
        first = first.around(box)
    return first


def list_members(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the values of some lists' members, such as those of ``lines``."""
    starts = tuple(f"{name}[" for name in names)
    return {path: value for path, value in values.items() if path.startswith(starts)}
