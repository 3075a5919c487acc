"""Find the values that the pages of a document show: where they are printed, and which ones damage made illegible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import FIELDS, IMPLIED_FIELDS, LIST_FIELDS
from finscribe_assets.documents.page_evidence import Evidence, determined_values, unidentified_fields
from finscribe_assets.documents.schema import flatten
from finscribe_assets.instructions.crops import CROP_MARGIN
from finscribe_assets.instructions.pair import ILLEGIBLE, Pair
from finscribe_assets.rendering.model_resize import PADDLEOCR_VL_1_5, PixelBudget, x_height
from finscribe_assets.rendering.pages import Box, Fragment, Mark, MarkType, RenderedDocument
from finscribe_assets.schema_mapping.mapping import SchemaMapping

MIN_X_HEIGHT = 4.0  # pixels of the model's image; smaller print is not asked (calibrated: docs/instruction-pairs.md)
MAX_LEFT_OUT = 0.12  # share of the values of whole pages that an extraction of them may leave out for that
_LIST_PREFIXES = tuple(f"{name}." for name in LIST_FIELDS)
_SINGLE_FIELDS = sorted(path for path in FIELDS if path not in IMPLIED_FIELDS and not path.startswith(_LIST_PREFIXES))


@dataclass(frozen=True)
class VisibleDocument:
    """A document together with its pages: the view from which pairs are built."""

    drawn: DrawnDocument
    rendered: RenderedDocument
    budget: PixelBudget = PADDLEOCR_VL_1_5  # to which the model scales images
    mapping: SchemaMapping | None = None  # of a user's keys, in which responses are; None for those of the schema

    @property
    def id(self) -> str:
        """Return the document's id."""
        return self.drawn.id

    @cached_property
    def pages(self) -> tuple[int, ...]:
        """Return the numbers of all pages, from 0."""
        return tuple(range(len(self.rendered.pages)))

    @cached_property
    def canonical_values(self) -> dict[str, Any]:
        """Return the document's values in canonical form, printed or not, by field path in the schema's order."""
        return flatten(self.drawn.document.to_json())

    @cached_property
    def fields(self) -> dict[str, Mark]:
        """Return the marks of fields by field path, in the page's reading order."""
        return {mark.name: mark for mark in self.rendered.of_type(MarkType.FIELD)}

    @cached_property
    def _legible(self) -> frozenset[str]:
        """Return the paths of printed fields that can be read."""
        return frozenset(path for path in self.drawn.printed if path not in self.fields or self.fields[path].visible)

    @cached_property
    def _determined(self) -> dict[str, list[Evidence]]:
        return determined_values(self.drawn, self._legible)

    @cached_property
    def _unidentified(self) -> frozenset[str]:
        return unidentified_fields(self.drawn)

    @cached_property
    def values(self) -> dict[str, Any]:
        """Return the canonical values that a model reads on the whole pages, by field path in the schema's order."""
        return {path: value for path, value in self.shown_values.items() if path not in self.too_small}

    @cached_property
    def too_small(self) -> frozenset[str]:
        """Return the paths of shown values whose print is too small once the model has scaled the whole pages."""
        return frozenset(
            path
            for path, alternatives in self._fragments_by_value.items()
            if alternatives and all(self._smallest(parts) < MIN_X_HEIGHT for parts in alternatives)
        )

    def is_legible_whole(self, page: int | None = None) -> bool:
        """Return whether a model reads nearly all values of a page, or of all pages."""
        shown = self.shown_values if page is None else self._values_by_page[page]
        return len(self.too_small & shown.keys()) <= MAX_LEFT_OUT * len(shown)

    def _smallest(self, parts: Iterable[Fragment], scale: float | None = None) -> float:
        """Return the smallest x-height of lines in the model's pixels, of whole pages unless a scale is given."""
        font = self.drawn.presentation.font
        return min(x_height(part, font) * (scale or self._page_scales[part.page]) for part in parts)

    @cached_property
    def _page_scales(self) -> list[float]:
        return [self.budget.scale(page.width, page.height) for page in self.rendered.pages]

    @cached_property
    def shown_values(self) -> dict[str, Any]:
        """Return the canonical values that the pages show, by field path in the schema's order.

        They are printed, legible and identified, or determined by other print, such as the currency by a symbol.
        """
        shown = (self._legible - self._unidentified) | self._determined.keys()
        return {path: value for path, value in self.canonical_values.items() if path in shown}

    @cached_property
    def undetermined(self) -> frozenset[str]:
        """Return the currency if nothing legible says which one it is; responses have null for it."""
        return frozenset({"currency_code"} - self.shown_values.keys())

    @cached_property
    def illegible(self) -> frozenset[str]:
        """Return the paths of printed and identified fields that damage made illegible."""
        damaged = {path for path, mark in self.fields.items() if not mark.visible}
        return frozenset(damaged - self._unidentified)

    @cached_property
    def absent(self) -> list[str]:
        """Return the sorted paths of the schema's fields, outside lists, that the document does not have."""
        present = {*self.canonical_values, *self.drawn.printed}
        return [path for path in _SINGLE_FIELDS if path not in present]

    @cached_property
    def _fragments_by_value(self) -> dict[str, list[tuple[Fragment, ...]]]:
        """Return for each value the fragments that show it; for a determined value there may be alternatives."""
        return {
            path: [
                tuple(fragment for field in evidence for fragment in self.fields[field].fragments)
                for evidence in self._determined.get(path, [(path,)])
                if evidence and all(field in self.fields for field in evidence)
            ]
            for path in self.shown_values
        }

    @cached_property
    def _values_by_page(self) -> dict[int, dict[str, Any]]:
        return {
            page: {
                path: value
                for path, value in self.shown_values.items()
                if (path == "document_type" and page == 0)  # the title is on the first page
                or any({part.page for part in parts} == {page} for parts in self._fragments_by_value[path])
            }
            for page in self.pages
        }

    def values_on(self, page: int) -> dict[str, Any]:
        """Return the values that one page shows completely, and large enough for the model."""
        return {path: value for path, value in self._values_by_page[page].items() if path in self.values}

    def values_in(self, page: int, box: Box) -> dict[str, Any]:
        """Return the values that a box of a page shows completely, and its image large enough for the model."""
        scale = self.crop_scale(box)
        return {
            path: value
            for path, value in self._values_by_page[page].items()
            if any(
                all(part.page == page and box.holds(part.box) for part in parts)
                and self._smallest(parts, scale) >= MIN_X_HEIGHT
                for parts in self._fragments_by_value[path]
            )
        }

    def crop_scale(self, box: Box) -> float:
        """Return the factor by which the model changes the height of print in the image of a box."""
        image = box.padded(CROP_MARGIN)
        return self.budget.scale(image.width, image.height)

    def x_height_of(self, pair: Pair) -> float | None:
        """Return the smallest x-height that a pair's response needs, in the model's pixels; None without print.

        Responses about fields need the print of their values, verbatim ones all print in the image.
        """
        scale = None if pair.box is None else self.crop_scale(pair.box)
        marks = [self.fields[path] for path in self._paths_of(pair) if path in self.fields]
        if not marks and pair.box is not None:  # labels are as large as values; a cell may have several lines
            marks = list(self.fields.values())
        inside = [
            part
            for mark in marks
            for part in mark.fragments
            if part.text and part.visible and part.page in pair.pages and (pair.box is None or pair.box.holds(part.box))
        ]
        return self._smallest(inside, scale) if inside else None

    def _paths_of(self, pair: Pair) -> Iterable[str]:
        """Return the paths of the fields that a response gives; spans number the rows of lists anew."""
        if pair.target in self.fields:
            return [pair.target]
        if not any(span.path for span in pair.spans):
            return []
        if not any("[" in span.path for span in pair.spans):
            return [span.path for span in pair.spans]
        if pair.box is not None:
            return self.values_in(pair.pages[0], pair.box)
        return self.values_on(pair.pages[0]) if len(pair.pages) == 1 else self.values

    def expected_value(self, path: str) -> Any:
        """Return the value that a response should give for a field: `ILLEGIBLE` if damaged, None if absent."""
        return ILLEGIBLE if path in self.illegible else self.values.get(path)

    def single_fragments(self, page: int | None = None) -> dict[str, Fragment]:
        """Return the fragment of each legible field that has only one, on a page or, with None, on any page."""
        return {
            path: mark.fragments[0]
            for path, mark in self.fields.items()
            if path in self.values and len(mark.fragments) == 1 and page in (None, mark.fragments[0].page)
        }


def bounding_box(boxes: Iterable[Box]) -> Box:
    """Return the smallest box that contains all of the boxes, of which there must be at least one."""
    first, *others = boxes
    for box in others:
        first = first.around(box)
    return first


def list_members(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the values, by field path, that belong to members of the named lists, such as ``lines``."""
    prefixes = tuple(f"{name}[" for name in names)
    return {path: value for path, value in values.items() if path.startswith(prefixes)}
