"""Find the names and addresses of parties among the printed lines of a page.

What belongs here: blocks that end with a post code and a city, as the countries in Latin script print them. The line
above is the street, the one above that the name. A caption over the block, such as ``Bill to``, determines the party;
of blocks without one, the first is the issuer's, and the next the recipient's. A block with the address that goods
are sent to is the recipient's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from finscribe_assets.documents.captions import PARTY_ROLES
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.wordings import readable_labels
from finscribe_assets.inference.label_assignment import fold_text
from finscribe_assets.inference.text_spans import LineSpan, TextLine, whole
from finscribe_assets.rendering.pages import Box

_CITY = r"(?P<city>[^\W\d_][^\d,()]{1,40}?)"
_CITY_LINES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?P<post_code>\d{{5}}|\d{{4}} [A-Z]{{2}}|\d{{4}}|\d{{3}} \d{{2}}|\d{{2}}-\d{{3}}|\d{{4}}-\d{{3}}) {_CITY}"
        r"(?: ?\((?P<subdivision>[A-Z]{2})\))?",
        rf"{_CITY}, ?(?P<subdivision>[A-Z]{{2}}) (?P<post_code>\d{{5}}(?:-\d{{4}})?)",
        rf"{_CITY} (?P<subdivision>[A-Z]{{2,3}}) (?P<post_code>\d{{4}})",
        rf"{_CITY} (?P<post_code>\d{{6}})",
    )
)
_ADDRESS_LINE = re.compile(
    rf"(?P<street>[^\W\d_][^,|]{{2,50}}?\d[^,|]{{0,8}}), ?(?P<post_code>\d{{5}}|\d{{4}} [A-Z]{{2}}|\d{{4}}),? {_CITY}"
)  # a whole address in one line, with the number after the street's name
_BRANCH = re.compile(
    r"(?:filiale|markt|store|shop|branch|filiaal|magasin|tienda|negozio|sklep|butik|succursale)\b\W*(?:n\w?\W*)?\d+",
    re.I,
)
_BRITISH_POST_CODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}")
_MAX_GAP = 1.1  # line heights between the lines of a block, at most
_CAPTION_GAP = 2.5  # line heights between a caption and the name below it, at most
_ADDRESS_PARTS = ("address.street", "address.post_code", "address.city")
_ISSUERS = {DocumentType.PURCHASE_ORDER: ("buyer", "seller")}  # of most documents the seller is the issuer


@dataclass(frozen=True)
class FoundParties:
    """Names and addresses of parties.

    Attributes:
        spans: of each value by field path, such as ``seller.address.city``.
        captioned: the roles that a caption determines, such as ``buyer``; the others follow from the order.
    """

    spans: Mapping[str, LineSpan]
    captioned: frozenset[str]


@dataclass(frozen=True)
class _Block:
    """An address with the name above it: spans by the end of the field's path, such as ``address.city``."""

    spans: Mapping[str, LineSpan]
    first: int  # index of its first line


def find_parties(
    lines: Sequence[TextLine], locale: str, document_type: DocumentType | None, used: Collection[int] = ()
) -> FoundParties:
    """Find the names and addresses of parties.

    Args:
        lines: the lines of one document, in reading order.
        locale: of the captions.
        document_type: determines who the issuer is, if it is known.
        used: indices of lines that are something else, such as rows of tables.
    """
    above = _LinesAbove(lines, used)
    captions = _captions(locale, document_type)
    found: dict[str, LineSpan] = {}
    taken: set[str] = set()
    uncaptioned: list[_Block] = []
    for block in _blocks(lines, above):
        over = above(block.first, _CAPTION_GAP)
        role = captions.get(fold_text(lines[over].text)) if over is not None else None
        if role and role not in taken:
            taken.add(role)
            found |= {f"{role}.{name}": span for name, span in block.spans.items()}
        elif not role:
            uncaptioned.append(block)
    captioned = frozenset(taken)
    if "ship_to" in taken and "buyer" not in taken:
        to = _address_of({name: found.get(f"ship_to.{name}") for name in _ADDRESS_PARTS}, lines)
        buyer = next((block for block in uncaptioned if _address_of(block.spans, lines) == to), None)
        if buyer is not None:  # goods go to the buyer's own address
            taken.add("buyer")
            uncaptioned.remove(buyer)
            found |= {f"buyer.{name}": span for name, span in buyer.spans.items()}
    issuer = _ISSUERS.get(document_type, ("seller", "buyer")) if document_type else ("seller", "buyer")
    free = [role for role in issuer if role not in taken]
    for role, block in zip(free, uncaptioned, strict=False):
        found |= {f"{role}.{name}": span for name, span in block.spans.items()}
    return FoundParties(found, captioned)


def _address_of(spans: Mapping[str, LineSpan | None], lines: Sequence[TextLine]) -> tuple[str, ...]:
    """Return the folded texts of an address, for comparison."""
    return tuple(fold_text(span.text(lines)) for name in _ADDRESS_PARTS if (span := spans.get(name)) is not None)


class _LinesAbove:
    """Finds the nearest line above another one that begins at the same place or is centred or flush right with it."""

    def __init__(self, lines: Sequence[TextLine], used: Collection[int]) -> None:
        self._lines = lines
        self._free = [index for index, line in enumerate(lines) if index not in used and line.text.strip()]

    def __call__(self, index: int, gap: float) -> int | None:
        line = self._lines[index]
        height = line.box.height
        near = [
            (other.box.y1, at)
            for at in self._free
            if at != index
            and (other := self._lines[at]).page == line.page
            and other.box.y1 < line.box.y1 - height / 2
            and line.box.y0 - other.box.y1 <= gap * height
            and _is_aligned(line.box, other.box)
        ]
        return max(near)[1] if near else None


def _is_aligned(box: Box, above: Box) -> bool:
    """Tell whether two boxes begin, end or have their middle at the same place."""
    left, right = above.x0 - box.x0, above.x1 - box.x1
    return min(abs(left), abs(right), abs(left + right)) < box.height


def _blocks(lines: Sequence[TextLine], above: _LinesAbove) -> Iterator[_Block]:
    for index in range(len(lines)):
        place = _place_of(lines, index, above)
        if place is None:
            continue
        parts, top = place
        if "address.street" in parts:
            name = above(top, _MAX_GAP)
            if name is not None and not any(map(str.isdigit, lines[name].text)):
                yield _Block(parts | {"name": whole(lines, name)}, name)
            continue
        street = above(top, _MAX_GAP)
        name = None if street is None else above(street, _MAX_GAP)
        if street is None or name is None:
            continue
        if _BRANCH.match(lines[name].text):  # of a chain, between its name and its street
            name = above(name, _MAX_GAP)
            if name is None:
                continue
        further = above(name, _MAX_GAP)
        if further is not None and any(map(str.isdigit, lines[name].text)):  # the street has a second line
            parts["address.additional_line"], street, name = whole(lines, street), name, further
        parts["address.street"], parts["name"] = whole(lines, street), whole(lines, name)
        yield _Block(parts, name)


def _place_of(lines: Sequence[TextLine], index: int, above: _LinesAbove) -> tuple[dict[str, LineSpan], int] | None:
    """Return the spans of post code and city if a line has them, and the first of their lines."""
    line = whole(lines, index)
    text = line.text(lines)
    if _BRITISH_POST_CODE.fullmatch(text):
        city = above(index, _MAX_GAP)
        if city is None or any(map(str.isdigit, lines[city].text)):
            return None
        return {"address.post_code": line, "address.city": whole(lines, city)}, city
    for pattern in (*_CITY_LINES, _ADDRESS_LINE):
        if match := pattern.fullmatch(text):
            return {
                f"address.{name}": LineSpan(index, line.start + match.start(name), line.start + match.end(name))
                for name, part in match.groupdict().items()
                if part
            }, index
    return None


def _captions(locale: str, document_type: DocumentType | None) -> dict[str, str]:
    """Return the role of each folded caption."""
    words = readable_labels(locale)
    captions: dict[str, str] = {}
    for role in PARTY_ROLES:
        by_type = f"{role}.{document_type}"
        for label in words[by_type] if by_type in words else words[role]:
            captions.setdefault(fold_text(label), role)
    for label in words["account_holder"]:
        captions.setdefault(fold_text(label), "buyer")
    return captions
