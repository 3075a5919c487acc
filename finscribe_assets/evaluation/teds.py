"""TEDS, the similarity of tables by tree edit distance, as PubTabNet defines it (Zhong et al., ECCV 2020).

The score is 1 - distance / number of nodes of the larger table. The nodes are the elements below ``<table>``. Elements
within cells count as nodes too, although the trees do not have them: a cell is a leaf, and its text is its characters
and its tags, each tag as one character. Renaming costs 1 if tags or spans differ. Otherwise it costs, for ``td``, the
Levenshtein distance of the texts divided by the longer length. All other elements, ``th`` included, have no text, and
their content is nodes.

The result is exactly that of the script published with the paper, wherever the script returns a number, with one
exception. The script looks for ``body/table`` in what lxml makes of a text, so that a table outside a whole document
scores 0. Here such a text is read as the content of a body. Where the script fails:

- two tables without nodes score 1 if they are equal, otherwise 0;
- a span that is not an integer is 1;
- a text that lxml rejects, or that is longer than ``MAX_TABLE_CHARACTERS``, is not a table and scores 0;
- different tables with too many nodes get a score that is never too high (``tree_distance.WORK_LIMIT``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import repeat
from typing import Any, NamedTuple

from lxml import etree

from finscribe_assets.evaluation.tree_distance import TreeNode, tree_distance

MAX_TABLE_CHARACTERS = 1_000_000
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*>?")


class Similarity(NamedTuple):
    """The similarity of two tables.

    Attributes:
        raw: as the script computes it; negative if the distance is larger than the number of nodes.
        exact: whether ``raw`` is exact; otherwise the true value is at least that.
    """

    raw: float
    exact: bool

    @property
    def score(self) -> float:
        """Return the similarity in [0, 1]."""
        return min(1.0, max(0.0, self.raw))


def teds(predicted_html: str, true_html: str, *, structure_only: bool = False, normalise: bool = False) -> float:
    """Return the TEDS of two tables in [0, 1]; for the arguments see ``similarity``."""
    return similarity(predicted_html, true_html, structure_only=structure_only, normalise=normalise).score


def similarity(
    predicted_html: str,
    true_html: str,
    *,
    structure_only: bool = False,
    normalise: bool = False,
    ignore_nodes: Sequence[str] = (),
) -> Similarity:
    """Compare the first table of two HTML texts.

    Args:
        predicted_html: any text.
        true_html: any text.
        structure_only: ignore the texts of cells.
        normalise: ignore differences of style. ``th`` becomes ``td``; ``thead``, ``tbody`` and ``tfoot`` are unwrapped;
            texts are in Unicode's form NFKC with single spaces, and without space at the ends of a cell.
        ignore_nodes: tags that are unwrapped before.

    Returns:
        The similarity; 0 if a text has no table.
    """
    if predicted_html == true_html:
        return Similarity(float(first_table(true_html) is not None), exact=len(true_html) <= MAX_TABLE_CHARACTERS)
    tables = [table for text in (predicted_html, true_html) if (table := first_table(text)) is not None]
    if len(tables) < 2:
        return Similarity(0.0, exact=max(len(predicted_html), len(true_html)) <= MAX_TABLE_CHARACTERS)
    for table in tables:
        if ignore_nodes:
            etree.strip_tags(table, *ignore_nodes)
        if normalise:
            etree.strip_tags(table, "thead", "tbody", "tfoot")
            for header in table.iter("th"):
                header.tag = "td"
    content = _no_content if structure_only else _normalised_content if normalise else _content
    predicted, true = (_tree(table, content) for table in tables)
    nodes = max(int(table.xpath("count(.//*)")) for table in tables)
    distance, exact = tree_distance([predicted], [true])
    if not nodes:
        return Similarity(float(distance == 0), exact)
    return Similarity(1.0 - distance / nodes, exact)


def first_table(text: str) -> Any | None:
    """Return the first table that is a child of the body; None if there is none, or the text is too long."""
    if not text or len(text) > MAX_TABLE_CHARACTERS:
        return None
    # Lxml rejects text that declares an encoding, and lone surrogates.
    text = _DECLARATION.sub("", text).encode("utf-8", "replace").decode()
    try:
        root = etree.fromstring(text, etree.HTMLParser(remove_comments=True, encoding="utf-8"))
    except etree.XMLSyntaxError:  # there is no element at all
        return None
    return None if root is None else root.find("body/table")


CellReader = Callable[[Any], str | tuple[str, ...]]
"""Returns the text of a cell element: characters, or characters and tags."""


def _tree(element: Any, content: CellReader) -> TreeNode:
    """Return an element as a tree; the recursion is limited, since lxml parses at most 256 levels."""
    tag = element.tag
    if tag == "td":
        attributes = element.items()
        return TreeNode(_cell_label(dict(attributes)) if attributes else _PLAIN_CELL, content(element), ())
    return TreeNode(tag, "", tuple(map(_tree, element, repeat(content))))


_PLAIN_CELL = ("td", 1, 1)


def _cell_label(attributes: dict[str, str]) -> tuple[str, int, int]:
    return "td", _span(attributes.get("colspan", "1")), _span(attributes.get("rowspan", "1"))


def _span(value: str) -> int:
    """Return a span as Python reads an integer, negative ones included; 1 if it is not an integer."""
    try:
        return int(value)
    except ValueError:
        return 1


def _no_content(_: Any) -> str:
    return ""


def _content(cell: Any) -> str | tuple[str, ...]:
    if not len(cell):
        return cell.text or ""
    return tuple(token for piece, is_tag in content_pieces(cell) for token in ([piece] if is_tag else piece))


def _normalised_content(cell: Any) -> str | tuple[str, ...]:
    if not len(cell):
        return " ".join(unicodedata.normalize("NFKC", cell.text or "").split())
    tokens: list[str] = []
    for piece, is_tag in content_pieces(cell):
        tokens += [piece] if is_tag else re.sub(r"\s+", " ", unicodedata.normalize("NFKC", piece))
    while tokens[0] == " ":
        del tokens[0]
    while tokens[-1] == " ":
        del tokens[-1]
    return tuple(tokens)


def content_pieces(element: Any) -> Iterator[tuple[str, bool]]:
    """Yield the texts and tags within an element in order, each with whether it is a tag.

    As in the script, tags are without attributes, ``unk`` is never closed, and text after a ``td`` within a cell is
    left out.
    """
    yield element.text or "", False
    for child in element:
        yield f"<{child.tag}>", True
        yield from content_pieces(child)
        if child.tag != "unk":
            yield f"</{child.tag}>", True
        if child.tag != "td":
            yield child.tail or "", False


def rows_to_html(rows: Sequence[Sequence[str]]) -> str:
    """Write rows of cell texts as an HTML table."""
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<html><body><table>{body}</table></body></html>"
