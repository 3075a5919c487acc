"""TEDS, the tree edit distance based similarity of tables, as PubTabNet defines it (Zhong et al., ECCV 2020).

The score is 1 - distance / max(nodes). Nodes are the elements below ``<table>``, those inside cells among them, which
the trees do not have: there a cell is a leaf whose text is its characters and, each as one character, its tags. The
table itself is not counted. Renaming costs 1 where tags or spans differ; else, for ``td``, the Levenshtein distance of
the texts divided by the longer length; ``th`` and all other elements have no text, and what they hold are nodes.

Wherever the script that came with the paper gives a number this is that number, with one exception: the script looks
for ``body/table`` in what lxml makes of a text, and so gives 0 to any table that does not stand in a whole document.
Here such a text is read as the content of a body. Where the script fails:

- two tables with no nodes are as similar as they are equal: 1 or 0;
- a span that is no integer is 1;
- text that lxml refuses, or that is longer than ``MAX_CHARACTERS``, is no table: 0;
- tables with too many nodes that differ get a score that is never too high (``tree_distance.LIMIT``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import repeat
from typing import Any, NamedTuple

from lxml import etree

from finscribe_assets.evaluation.tree_distance import Node, distance

MAX_CHARACTERS = 1_000_000
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*>?")


class Similarity(NamedTuple):
    """How similar two tables are."""

    raw: float  # as the script has it: below 0 where the distance is greater than the nodes
    exact: bool  # False: the score is this or more

    @property
    def score(self) -> float:
        """The similarity, in [0, 1]."""
        return min(1.0, max(0.0, self.raw))


def teds(predicted_html: str, true_html: str, *, structure_only: bool = False, normalise: bool = False) -> float:
    """Return the similarity of two tables in [0, 1], as ``similarity`` has it."""
    return similarity(predicted_html, true_html, structure_only=structure_only, normalise=normalise).score


def similarity(
    predicted_html: str,
    true_html: str,
    *,
    structure_only: bool = False,
    normalise: bool = False,
    ignore_nodes: Sequence[str] = (),
) -> Similarity:
    """Return the similarity of the first table in each text; 0 where one has none.

    ``structure_only`` leaves the cells' texts out, ``ignore_nodes`` names tags that are unwrapped first.
    ``normalise`` leaves out what is a matter of style: ``th`` is ``td``; ``thead``, ``tbody`` and ``tfoot`` are
    unwrapped; texts are in Unicode's form NFKC, any white space in them is one space, and none at a cell's ends.
    """
    if predicted_html == true_html:
        return Similarity(float(first_table(true_html) is not None), exact=len(true_html) <= MAX_CHARACTERS)
    tables = [table for text in (predicted_html, true_html) if (table := first_table(text)) is not None]
    if len(tables) < 2:
        return Similarity(0.0, exact=max(len(predicted_html), len(true_html)) <= MAX_CHARACTERS)
    for table in tables:
        if ignore_nodes:
            etree.strip_tags(table, *ignore_nodes)
        if normalise:
            etree.strip_tags(table, "thead", "tbody", "tfoot")
            for header in table.iter("th"):
                header.tag = "td"
    content = _no_content if structure_only else _clean_content if normalise else _content
    predicted, true = (_tree(table, content) for table in tables)
    nodes = max(int(table.xpath("count(.//*)")) for table in tables)
    apart, exact = distance([predicted], [true])
    if not nodes:
        return Similarity(float(apart == 0), exact)
    return Similarity(1.0 - apart / nodes, exact)


def first_table(text: str) -> Any | None:
    """Return the first table that is a child of the body; None where there is none, or the text is too long."""
    if not text or len(text) > MAX_CHARACTERS:
        return None
    # Lxml refuses text that says how it is encoded, and half of a surrogate pair.
    text = _DECLARATION.sub("", text).encode("utf-8", "replace").decode()
    try:
        root = etree.fromstring(text, etree.HTMLParser(remove_comments=True, encoding="utf-8"))
    except etree.XMLSyntaxError:  # there is no element at all
        return None
    return None if root is None else root.find("body/table")


Content = Callable[[Any], str | tuple[str, ...]]


def _tree(element: Any, content: Content) -> Node:
    """Return an element as a tree; parsed HTML is never deeper than lxml allows, 256 levels."""
    tag = element.tag
    if tag == "td":
        attributes = element.items()
        return Node(_cell_label(dict(attributes)) if attributes else _PLAIN, content(element), ())
    return Node(tag, "", tuple(map(_tree, element, repeat(content))))


_PLAIN = ("td", 1, 1)


def _cell_label(attributes: dict[str, str]) -> tuple[str, int, int]:
    return "td", span(attributes.get("colspan", "1")), span(attributes.get("rowspan", "1"))


def span(value: str) -> int:
    """Return a span as Python reads a number, negative ones too; 1 for what is none."""
    try:
        return int(value)
    except ValueError:
        return 1


def _no_content(_: Any) -> str:
    return ""


def _content(cell: Any) -> str | tuple[str, ...]:
    if not len(cell):
        return cell.text or ""
    return tuple(token for piece, is_tag in pieces(cell) for token in ([piece] if is_tag else piece))


def _clean_content(cell: Any) -> str | tuple[str, ...]:
    if not len(cell):
        return " ".join(unicodedata.normalize("NFKC", cell.text or "").split())
    tokens: list[str] = []
    for piece, is_tag in pieces(cell):
        tokens += [piece] if is_tag else re.sub(r"\s+", " ", unicodedata.normalize("NFKC", piece))
    while tokens[0] == " ":
        del tokens[0]
    while tokens[-1] == " ":
        del tokens[-1]
    return tuple(tokens)


def pieces(element: Any) -> Iterator[tuple[str, bool]]:
    """Yield what stands in an element: texts and tags in their order, each with whether it is a tag.

    Tags have no attributes; ``unk`` is never closed, and what follows a ``td`` in a cell is left out: so the script.
    """
    yield element.text or "", False
    for child in element:
        yield f"<{child.tag}>", True
        yield from pieces(child)
        if child.tag != "unk":
            yield f"</{child.tag}>", True
        if child.tag != "td":
            yield child.tail or "", False


def rows_to_html(rows: Sequence[Sequence[str]]) -> str:
    """Write rows of cell texts as an HTML table."""
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<html><body><table>{body}</table></body></html>"
