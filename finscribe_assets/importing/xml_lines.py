"""Find the lines of an invoice that count, and the headings above them.

An invoice in CII may have lines that are none: the titles of groups, lines for information that a counted line already
includes (both in the profile EXTENDED of Factur-X), and mere comments (in ZUGFeRD 1.0). In UBL, XRechnung's sub-lines
are inside the line that includes them, so every line outside of another one counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from finscribe_assets.documents.ubl import XmlElement
from finscribe_assets.importing.xml_terms import LINE_NOTE_CII

# Codes of Factur-X for the role of a line; without one, or with DETAIL, a line counts.
_GROUP, _INFORMATION = "GROUP", "INFORMATION"
_STATUS = "AssociatedDocumentLineDocument/LineStatusReasonCode"
_NAME = "SpecifiedTradeProduct/Name"
# What a line has that is not a mere comment.
_CONTENT = (
    _NAME,
    "SpecifiedLineTradeDelivery/BilledQuantity",
    "SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount",
)


class LineGroups(NamedTuple):
    """The lines that count, and the elements with the texts of other lines."""

    lines: tuple[XmlElement, ...]
    headings: tuple[tuple[XmlElement, ...], ...]  # for each line the headings above it
    closing: tuple[XmlElement, ...]  # comments below the last line


def group_lines(elements: Sequence[XmlElement]) -> LineGroups:
    """Separate the lines that count from headings, comments and lines for information.

    Args:
        elements: The line elements of an invoice, in document order.
    """
    lines: list[XmlElement] = []
    headings: list[tuple[XmlElement, ...]] = []
    above: list[XmlElement] = []
    for element in elements:
        status = (element.findtext(_STATUS) or "").strip()
        if status == _INFORMATION:
            continue
        is_comment = (
            not status and element.find("AssociatedDocumentLineDocument") is not None and not _has_content(element)
        )
        if status == _GROUP or is_comment:
            above += _texts(element)
        else:
            lines.append(element)
            headings.append(tuple(above))
            above = []
    return LineGroups(tuple(lines), tuple(headings), tuple(above))


def _has_content(element: XmlElement) -> bool:
    return any((element.findtext(path) or "").strip() for path in _CONTENT)


def _texts(element: XmlElement) -> list[XmlElement]:
    """Return the elements with a heading's or a comment's text: its name, or its notes if it has none."""
    for path in (_NAME, LINE_NOTE_CII):
        if found := [text for text in element.findall(path) if (text.text or "").strip()]:
            return found
    return []
