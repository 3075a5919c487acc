"""Verify that an independent reader can read each printed value in the box that the renderer gives it.

What belongs here: which fields are judged, how readings are compared with the printed text, and the report. The reader
is passed in; `rapidocr_engine` has one.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from math import ceil, floor

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from rapidfuzz.distance import Levenshtein

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.errors import UserError
from finscribe_assets.ocr.line_protocols import LineReader
from finscribe_assets.rendering.pages import Box, Fragment, MarkType, RenderedDocument

FOUND_SIMILARITY = 0.9  # a field counts as found from this similarity on
REQUIRED_SHARE = 0.98  # share of the judged fields that must be found to pass


class Script(StrEnum):
    """The writing system of a text, as far as the reader's alphabet distinguishes them."""

    LATIN = "latin"
    CJK = "cjk"
    ARABIC = "arabic"
    OTHER = "other"


READABLE_SCRIPTS = (Script.LATIN, Script.CJK)  # in the alphabet of PP-OCRv6; only Latin is judged
# Part of a character's Unicode name → script.
_SCRIPTS = {
    "LATIN": Script.LATIN,
    "CJK": Script.CJK,
    "HIRAGANA": Script.CJK,
    "KATAKANA": Script.CJK,
    "IDEOGRAPHIC": Script.CJK,
    "POSTAL MARK": Script.CJK,
    "ARABIC": Script.ARABIC,
}

# Characters that no reader can distinguish, or that this one does not write: in both texts the key is replaced by the
# value. Digits and letters that look alike (0 and O, 1 and l) are not folded: readers can distinguish them, and pages
# must let them.
FOLDINGS = {
    "’": "'",  # two shapes of one mark; the engine always writes the straight one
    "‘": "'",
    "₹": "",  # in the engine's alphabet, but it omits or confuses six in seven
}
_FOLDING_TABLE = str.maketrans(FOLDINGS)
# Any mask of a card number is as good as another: X and x differ in size alone, and a reader does not count asterisks.
_CARD_MASK = re.compile(r"[*xX#•·]{4,}")


class FieldLocation(BaseModel):
    """The position of one line of a field."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: int = Field(description="index of the page, from 0")
    box: tuple[float, float, float, float] = Field(description="x0, y0, x1, y1 in pixels")


class Failure(BaseModel):
    """A judged field whose reading differs too much from the printed text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: str
    layout: str
    locale: str
    font: str
    engine: str
    field: str = Field(description="the field's path")
    places: tuple[FieldLocation, ...] = Field(
        description="its boxes, one for each printed line; empty if it has no box"
    )
    printed: str
    read: str
    similarity: float


class ReadingGroup(BaseModel):
    """Results of a group of fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fields: int
    found: int = Field(description=f"number of fields with a similarity of at least {FOUND_SIMILARITY}")
    share: float = Field(description="found / fields")
    similarity: float = Field(description="mean similarity")


class PageReport(BaseModel):
    """Results of a verification."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pages: str = Field(
        description="clean: rendered anew without damage; stored: as the batch has them; as the model sees them: "
        "stored, then scaled as its processor does"
    )
    documents: int
    judged: ReadingGroup = Field(description="fields in Latin script")
    required_share: float = REQUIRED_SHARE
    passed: bool
    by_layout: dict[str, ReadingGroup]
    by_locale: dict[str, ReadingGroup]
    by_font: dict[str, ReadingGroup]
    by_engine: dict[str, ReadingGroup]
    apart: dict[str, ReadingGroup] = Field(description="fields in scripts that are read but not judged, by script")
    unread: dict[str, int] = Field(description="number of fields in scripts that the reader does not know, by script")
    invisible: int = Field(description="number of fields that damage has made unreadable; they are not read")
    foldings: dict[str, str] = Field(
        description="characters that are replaced before texts are compared; masks of card numbers are all alike"
    )
    failures: tuple[Failure, ...]


@dataclass(frozen=True)
class FieldReading:
    """The printed text of a field and what was read in its boxes."""

    path: str
    script: Script
    fragments: tuple[Fragment, ...]  # the visible ones, which were read
    printed: str  # text of these fragments
    read: str
    similarity: float


@dataclass(frozen=True)
class DocumentReading:
    """The readings of one document's fields."""

    drawn: DrawnDocument
    rendered: RenderedDocument
    fields: tuple[FieldReading, ...]  # fields in readable scripts
    unread: dict[Script, int]  # number of fields in other scripts
    invisible: int  # number of fields that damage has made unreadable

    @property
    def failures(self) -> list[Failure]:
        """Return the judged fields that were not found."""
        look = self.drawn.presentation
        return [
            Failure(
                document=self.drawn.id,
                layout=look.layout,
                locale=self.drawn.document.locale,
                font=look.font,
                engine=look.engine,
                field=reading.path,
                printed=reading.printed,
                read=reading.read,
                similarity=round(reading.similarity, 4),
                places=tuple(map(_location, reading.fragments)),
            )
            for reading in self.fields
            if reading.script is Script.LATIN and reading.similarity < FOUND_SIMILARITY
        ]


def _location(fragment: Fragment) -> FieldLocation:
    x0, y0, x1, y1 = (round(side, 2) for side in fragment.box)
    return FieldLocation(page=fragment.page, box=(x0, y0, x1, y1))


@cache
def _script_of_character(character: str) -> Script | None:
    """Return a character's script; None for characters that all scripts share, such as digits and punctuation."""
    name = unicodedata.name(character, "")
    known = next((script for part, script in _SCRIPTS.items() if part in name), None)
    is_foreign = character.isalnum() and not character.isascii()
    return known or (Script.OTHER if is_foreign else None)


def script_of(text: str) -> Script:
    """Return the script of a text: that of its letters other than Latin ones, OTHER if these are of several."""
    scripts = {_script_of_character(character) for character in unicodedata.normalize("NFKC", text)}
    foreign = {script for script in scripts if script is not None} - {Script.LATIN}
    return next(iter(foreign), Script.LATIN) if len(foreign) <= 1 else Script.OTHER


def similarity(printed: str, read: str) -> float:
    """Return the similarity of two texts, from 0 to 1: 1 - Levenshtein distance / length of the longer text.

    Texts are compared after NFKC and FOLDINGS, with case and without spaces, and masks of card numbers count as one
    character. Spaces are what line readers recognise worst, and no value depends on them.
    """
    return Levenshtein.normalized_similarity(_normalised(printed), _normalised(read))


def _normalised(text: str) -> str:
    together = "".join(unicodedata.normalize("NFKC", text).split()).translate(_FOLDING_TABLE)
    return _CARD_MASK.sub("*", together)


def visual_order(text: str) -> str:
    """Return a number with a sign after it as a page in a right-to-left script shows it: ``5 %`` as ``% 5``.

    Line readers read from left to right. No other text is reordered: a telephone number whose groups change places is
    misprinted.
    """
    words = text.split()
    is_signed = len(words) == 2 and sum(any(map(str.isalnum, word)) for word in words) == 1
    return " ".join(reversed(words)) if is_signed else text


def crop(pixels: np.ndarray, box: Box) -> np.ndarray:
    """Return the pixels of a page (height × width) inside a box, rounded outwards; empty if the box is off the page.

    There is no margin: a bracket or a comma beside a value would be read as part of it.
    """
    return pixels[max(0, floor(box.y0)) : max(0, ceil(box.y1)), max(0, floor(box.x0)) : max(0, ceil(box.x1))]


def read_fields(
    drawn: DrawnDocument, rendered: RenderedDocument, reader: LineReader, paths: Container[str] | None = None
) -> DocumentReading:
    """Read the boxes of all printed fields of a document, or of those in ``paths``.

    Fragments that damage has made unreadable are left out. A printed field without a box, or with a box off the page,
    counts as read with an empty text.
    """
    fragments_of = {mark.name: mark.fragments for mark in rendered.of_type(MarkType.FIELD)}
    unread: dict[Script, int] = defaultdict(int)
    to_read: list[tuple[str, Script, tuple[Fragment, ...], str]] = []
    invisible = 0
    for path, printed in drawn.printed.items():
        if paths is not None and path not in paths:
            continue
        fragments = fragments_of.get(path, ())
        visible = tuple(fragment for fragment in fragments if fragment.visible)
        script = script_of(printed)
        if fragments and not visible:
            invisible += 1
        elif script not in READABLE_SCRIPTS:
            unread[script] += 1
        else:
            text = printed if len(visible) == len(fragments) else " ".join(fragment.text for fragment in visible)
            to_read.append((path, script, visible, text))
    pages = [page.grey() for page in rendered.pages]
    crops = [crop(pages[fragment.page], fragment.box) for _, _, visible, _ in to_read for fragment in visible]
    texts = iter(reader.read([pixels for pixels in crops if pixels.size]))
    lines = iter([next(texts) if pixels.size else "" for pixels in crops])
    right_to_left = LOCALE_FACTS[drawn.document.locale].right_to_left
    fields = []
    for path, script, visible, printed in to_read:
        read = " ".join(next(lines) for _ in visible).strip()
        score = similarity(printed, read)
        if right_to_left:
            score = max(score, similarity(visual_order(printed), read))
        fields.append(FieldReading(path, script, visible, printed, read, score))
    return DocumentReading(drawn, rendered, tuple(fields), dict(unread), invisible)


@dataclass
class VerificationTally:
    """Collects readings; keeps one number for each field, but no page."""

    documents: int = 0
    invisible: int = 0
    judged: list[float] = field(default_factory=list)  # similarities
    by_group: dict[str, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    unread: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    failures: list[Failure] = field(default_factory=list)

    def add(self, reading: DocumentReading) -> None:
        """Add one document."""
        look = reading.drawn.presentation
        groups = {
            "layout": look.layout,
            "locale": reading.drawn.document.locale,
            "font": look.font,
            "engine": str(look.engine),
        }
        for of_field in reading.fields:
            if of_field.script is Script.LATIN:
                self.judged.append(of_field.similarity)
                for name, value in groups.items():
                    self.by_group[name][value].append(of_field.similarity)
            else:
                self.by_group["script"][str(of_field.script)].append(of_field.similarity)
        for script, count in reading.unread.items():
            self.unread[str(script)] += count
        self.documents += 1
        self.invisible += reading.invisible
        self.failures += reading.failures

    def report(self, pages: str) -> PageReport:
        """Return the report of all documents added.

        Args:
            pages: which pages were read, clean or stored.

        Raises:
            UserError: no field was judged.
        """
        if not self.judged:
            raise UserError(
                f"none of {self.documents} documents has a visible field in Latin script, so nothing was verified; "
                "take a larger sample, or a recipe with other locales"
            )
        judged = _group(self.judged)
        groups = {
            name: {value: _group(similarities) for value, similarities in sorted(self.by_group[name].items())}
            for name in ("layout", "locale", "font", "engine", "script")
        }
        return PageReport(
            pages=pages,
            documents=self.documents,
            judged=judged,
            passed=judged.found >= REQUIRED_SHARE * judged.fields,
            by_layout=groups["layout"],
            by_locale=groups["locale"],
            by_font=groups["font"],
            by_engine=groups["engine"],
            apart=groups["script"],
            unread=dict(sorted(self.unread.items())),
            invisible=self.invisible,
            foldings=FOLDINGS,
            failures=tuple(self.failures),
        )


def _group(similarities: Sequence[float]) -> ReadingGroup:
    fields, found = len(similarities), sum(score >= FOUND_SIMILARITY for score in similarities)
    mean = sum(similarities) / fields
    return ReadingGroup(fields=fields, found=found, share=round(found / fields, 4), similarity=round(mean, 4))
