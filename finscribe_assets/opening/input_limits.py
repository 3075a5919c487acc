"""Define the limits that every reader of files of unknown origin keeps, and the reasons for which it rejects a file.

What belongs here: the limits, the exception with its reasons, and the escaping of foreign text. The checks themselves
are in the modules that read files.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from finscribe_assets.errors import UserError

DEFAULT_DPI = 144  # dots per inch at which PDF pages are rasterised, unless a caller asks for others
MAX_REASON_LENGTH = 300  # characters; a reason may quote foreign text


@dataclass(frozen=True)
class InputLimits:
    """Limits on one document. Whatever exceeds them is rejected unread."""

    page_file_bytes: int = 64 << 20  # of the PDF, or of all images together
    truth_bytes: int = 20 << 20  # of the ground truth, as a file or embedded in the PDF
    pages: int = 50
    page_pixels: int = 40_000_000  # of one page, as it is stored; an A4 page at 600 dpi has 35 million
    document_pixels: int = 450_000_000  # of all pages together: 50 A4 pages at 300 dpi
    text_characters: int = 1_000_000  # of the PDF's text layer
    embedded_files: int = 20  # of the PDF; further files are ignored
    lines: int = 2_000  # of each list of the ground truth, such as an invoice's lines
    seconds: float = 120.0  # for reading the pages
    memory_bytes: int = 4 << 30  # address space of the process that reads the pages


@dataclass(frozen=True)
class Problem:
    """A reason why a document is rejected."""

    field: str  # path and EN 16931 code of the field concerned, or empty
    reason: str


class RejectedDocumentError(UserError):
    """A document is rejected, for all the reasons in ``problems``."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        reasons = (f"{item.field}: {item.reason}" if item.field else item.reason for item in self.problems)
        super().__init__("; ".join(reasons))


def rejection(reason: str, field: str = "") -> RejectedDocumentError:
    """Return the exception for a single reason, which may quote foreign text."""
    return RejectedDocumentError((Problem(field, escape_unprintable(reason)[:MAX_REASON_LENGTH]),))


def escape_unprintable(text: str) -> str:
    """Escape the characters of a foreign text that a terminal or a report must not print."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
