"""Can what is printed be read where its box says? A reader that knows nothing of this project looks into each box.

What belongs here: which fields are judged, how what was read is compared with what is printed, and the report. The
reader is given; `ocr.py` has one.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
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

FOUND = 0.9  # similarity from which a field counts as found
REQUIRED = 0.98  # share of the judged fields that must be found

LATIN, CJK, ARABIC, OTHER = "latin", "cjk", "arabic", "other"
READ = (LATIN, CJK)  # PP-OCRv6 has the letters of these; Latin alone is judged
# What a character's Unicode name has in it → its script.
_SCRIPTS = {
    "LATIN": LATIN,
    "CJK": CJK,
    "HIRAGANA": CJK,
    "KATAKANA": CJK,
    "IDEOGRAPHIC": CJK,
    "POSTAL MARK": CJK,
    "ARABIC": ARABIC,
}

# What no reading could tell apart, or say: in both texts the first is replaced by the second. The digits' and letters'
# look-alikes (0 and O, 1 and l) are not among them: a reader can tell those apart, and pages must let it.
FOLDINGS = {
    "’": "'",  # one mark of punctuation in two shapes; the engine writes the straight one for both, always
    "‘": "'",
    "₹": "",  # in the engine's alphabet, but hardly taught: it writes nothing, or another currency, for six in seven
}
_FOLDED = str.maketrans(FOLDINGS)


class FieldLocation(BaseModel):
    """Where a part of a field stands."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: int = Field(description="from 0")
    box: tuple[float, float, float, float] = Field(description="x0, y0, x1, y1 in pixels")


class Failure(BaseModel):
    """A field that was not read as it is printed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: str
    layout: str
    locale: str
    font: str
    engine: str
    field: str = Field(description="the field's path")
    places: tuple[FieldLocation, ...] = Field(
        description="its boxes, one for each line it stands on; empty where it has none"
    )
    printed: str
    read: str
    similarity: float


class ReadingGroup(BaseModel):
    """How fields that have something in common were read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fields: int
    found: int = Field(description=f"fields with a similarity of at least {FOUND}")
    share: float = Field(description="found, of all")
    similarity: float = Field(description="mean similarity")


class PageReport(BaseModel):
    """What was read on some documents' pages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pages: str = Field(description="clean: rendered anew without damage; stored: as the batch has them")
    documents: int
    judged: ReadingGroup = Field(description="fields in Latin script")
    required_share: float = REQUIRED
    passed: bool
    by_layout: dict[str, ReadingGroup]
    by_locale: dict[str, ReadingGroup]
    by_font: dict[str, ReadingGroup]
    by_engine: dict[str, ReadingGroup]
    apart: dict[str, ReadingGroup] = Field(description="fields in scripts that are read but not judged")
    unread: dict[str, int] = Field(description="number of fields in scripts that the reader does not know")
    invisible: int = Field(description="number of fields that damage has destroyed, left out")
    foldings: dict[str, str] = Field(description="characters that are compared as others")
    failures: tuple[Failure, ...]


@dataclass(frozen=True)
class FieldReading:
    """One field, as printed and as read."""

    path: str
    script: str
    places: tuple[Fragment, ...]
    printed: str
    read: str
    similarity: float


@dataclass(frozen=True)
class DocumentReading:
    """What was read on one document's pages."""

    drawn: DrawnDocument
    rendered: RenderedDocument
    fields: tuple[FieldReading, ...]  # those in scripts that are read
    unread: dict[str, int]  # other scripts → number of fields
    invisible: int

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
                field=one.path,
                printed=one.printed,
                read=one.read,
                similarity=round(one.similarity, 4),
                places=tuple(map(_place, one.places)),
            )
            for one in self.fields
            if one.script == LATIN and one.similarity < FOUND
        ]


def _place(part: Fragment) -> FieldLocation:
    box = part.box
    return FieldLocation(page=part.page, box=(round(box.x0, 2), round(box.y0, 2), round(box.x1, 2), round(box.y1, 2)))


@cache
def _script(character: str) -> str | None:
    """Return a character's script; None for what all scripts share."""
    name = unicodedata.name(character, "")
    known = next((script for word, script in _SCRIPTS.items() if word in name), None)
    is_foreign = character.isalnum() and not character.isascii()
    return known or (OTHER if is_foreign else None)


def script_of(text: str) -> str:
    """Return the script of a text: that of its letters if it has letters besides Latin ones, other if of several."""
    scripts = {_script(character) for character in unicodedata.normalize("NFKC", text)} - {None, LATIN}
    if not scripts:
        return LATIN
    return str(scripts.pop()) if len(scripts) == 1 else OTHER


def similarity(printed: str, read: str) -> float:
    """Return 1 less the edit distance by the longer text's length: after NFKC and FOLDINGS, case kept, without spaces.

    Whether there is a space between two letters is what line readers know least, and what no value depends on.
    """
    return Levenshtein.normalized_similarity(_compared(printed), _compared(read))


def _compared(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).translate(_FOLDED)


def seen_from_the_left(text: str) -> str:
    """Return how a number with a sign after it stands on a page read from right to left: ``5 %`` as ``% 5``.

    Line readers read from the left. Nothing else is turned round: a telephone number whose groups are is misprinted.
    """
    words = text.split()
    is_signed = len(words) == 2 and sum(any(map(str.isalnum, word)) for word in words) == 1
    return " ".join(reversed(words)) if is_signed else text


def crop(pixels: np.ndarray, box: Box) -> np.ndarray:
    """Return what a page (height × width) shows in a box, to whole pixels outwards; empty where that is off the page.

    Without a margin: what stands next to a value, a bracket or a comma, would be read as part of it.
    """
    return pixels[max(0, floor(box.y0)) : max(0, ceil(box.y1)), max(0, floor(box.x0)) : max(0, ceil(box.x1))]


def read_document(drawn: DrawnDocument, rendered: RenderedDocument, reader: LineReader) -> DocumentReading:
    """Read the boxes of all printed fields of a document; what damage has made invisible is left out.

    A printed field without a box, or with one beside the page, is read as nothing.
    """
    marks = {mark.name: mark.fragments for mark in rendered.of_type(MarkType.FIELD)}
    unread: dict[str, int] = defaultdict(int)
    wanted: list[tuple[str, str, tuple[Fragment, ...], str]] = []
    invisible = 0
    for path, printed in drawn.printed.items():
        parts = marks.get(path, ())
        places = tuple(part for part in parts if part.visible)
        script = script_of(printed)
        if parts and not places:
            invisible += 1
        elif script not in READ:
            unread[script] += 1
        else:
            text = printed if len(places) == len(parts) else " ".join(part.text for part in places)
            wanted.append((path, script, places, text))
    pages = [np.asarray(page.open()) for page in rendered.pages]
    crops = [crop(pages[part.page], part.box) for _, _, places, _ in wanted for part in places]
    texts = iter(reader.read([pixels for pixels in crops if pixels.size]))
    lines = iter([next(texts) if pixels.size else "" for pixels in crops])
    fields = []
    for path, script, places, printed in wanted:
        read = " ".join(next(lines) for _ in places).strip()
        alike = similarity(printed, read)
        if LOCALE_FACTS[drawn.document.locale].right_to_left:
            alike = max(alike, similarity(seen_from_the_left(printed), read))
        fields.append(FieldReading(path, script, places, printed, read, alike))
    return DocumentReading(drawn, rendered, tuple(fields), dict(unread), invisible)


@dataclass
class VerificationTally:
    """Counts readings; holds a number for each field, but no page."""

    documents: int = 0
    invisible: int = 0
    judged: list[float] = field(default_factory=list)
    by: dict[str, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    unread: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    failures: list[Failure] = field(default_factory=list)

    def add(self, reading: DocumentReading) -> None:
        """Count one document."""
        look = reading.drawn.presentation
        keys = {
            "layout": look.layout,
            "locale": reading.drawn.document.locale,
            "font": look.font,
            "engine": str(look.engine),
        }
        for one in reading.fields:
            if one.script == LATIN:
                self.judged.append(one.similarity)
                for group, key in keys.items():
                    self.by[group][key].append(one.similarity)
            else:
                self.by["script"][one.script].append(one.similarity)
        for script, count in reading.unread.items():
            self.unread[script] += count
        self.documents += 1
        self.invisible += reading.invisible
        self.failures += reading.failures

    def report(self, pages: str) -> PageReport:
        """Return the report; ``pages`` says which pages were read, clean or stored.

        Raises:
            UserError: no field was judged.
        """
        if not self.judged:
            raise UserError(
                f"none of {self.documents} documents has a visible field in Latin script, so nothing "
                "was proven; take a larger sample, or a recipe with other locales"
            )
        judged = _group(self.judged)
        groups = {
            name: {key: _group(found) for key, found in sorted(self.by[name].items())}
            for name in ("layout", "locale", "font", "engine", "script")
        }
        return PageReport(
            pages=pages,
            documents=self.documents,
            judged=judged,
            passed=judged.found >= REQUIRED * judged.fields,
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
    fields, found = len(similarities), sum(one >= FOUND for one in similarities)
    mean = sum(similarities) / fields
    return ReadingGroup(fields=fields, found=found, share=round(found / fields, 4), similarity=round(mean, 4))
