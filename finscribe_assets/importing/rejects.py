"""Why a document is not taken: what every reader of this room raises, and the bounds that all of them keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from finscribe_assets.documents.elements import TERMS, field_of
from finscribe_assets.errors import UserError

LONGEST_REASON = 300  # characters; a reason may quote what a stranger wrote


@dataclass(frozen=True)
class Limits:
    """What a document may take. Files of strangers are read up to these bounds and no further."""

    page_file_bytes: int = 64 << 20  # of its PDF, or of all its images
    truth_bytes: int = 20 << 20  # of JSON or XML, also where it is embedded
    pages: int = 50
    page_pixels: int = 40_000_000  # of one page, as it is stored
    document_pixels: int = 200_000_000  # of all its pages
    text_characters: int = 1_000_000  # of a PDF's text layer
    embedded_files: int = 20  # of a PDF; further ones are not looked at
    lines: int = 2_000  # of the document, or entries of a statement
    seconds: float = 120.0  # for reading one document's pages
    memory_bytes: int = 4 << 30  # address space of the process that does it


@dataclass(frozen=True)
class Problem:
    """One reason against a document: the field of the schema that it concerns, or an empty text, and what is wrong."""

    field: str
    reason: str


class Rejected(UserError):
    """A document that is not taken, with every reason that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{one.field}: {one.reason}" if one.field else one.reason for one in self.problems))


def reject(reason: str, field: str = "") -> Rejected:
    """Return the rejection for a single reason."""
    return Rejected((Problem(field, shown(reason)[:LONGEST_REASON]),))


def named(path: str) -> str:
    """Return a field's path with its code of EN 16931: ``seller.name (BT-27)``."""
    term = TERMS.get(field_of(path))
    return f"{path} ({term.code})" if term and term.code else path


def shown(text: str) -> str:
    """Return a stranger's text fit for a report or a terminal: what does not print is escaped."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
