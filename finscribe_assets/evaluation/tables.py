"""TEDS, tree edit distance based similarity, as PubTabNet defines it (Zhong et al., ECCV 2020, arXiv:1911.10683).

The score is 1 - distance / max(nodes) between the trees of two HTML tables; renaming a cell costs the normalised
Levenshtein distance of the texts, anything else that differs costs 1. The distance is `apted`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from apted import APTED, Config
from lxml import etree, html
from rapidfuzz.distance import Levenshtein

MAX_CHARACTERS = 400_000
MAX_NODES = 1500  # apted's memory grows with the square of the nodes


@dataclass
class _Node:
    tag: str
    colspan: int = 1
    rowspan: int = 1
    text: str = ""
    children: list[_Node] = field(default_factory=list)

    def size(self) -> int:
        return 1 + sum(child.size() for child in self.children)


class _Costs(Config):
    def rename(self, node1: _Node, node2: _Node) -> float:
        if (node1.tag, node1.colspan, node1.rowspan) != (node2.tag, node2.colspan, node2.rowspan):
            return 1.0
        if node1.tag == "td" and (node1.text or node2.text):
            return float(Levenshtein.normalized_distance(node1.text, node2.text))
        return 0.0

    def children(self, node: _Node) -> list[_Node]:
        return node.children


def teds(predicted_html: str, true_html: str, *, structure_only: bool = False) -> float:
    """Return the similarity of two tables in [0, 1]; what holds no table, or is beyond measure, scores 0.

    A prediction that still differs in more than ``MAX_NODES`` nodes scores 0: it is no reading of any document.
    """
    truth, prediction = (_tree(text, structure_only) for text in (true_html, predicted_html))
    if truth is None or prediction is None:
        return 0.0
    sizes = truth.size(), prediction.size()
    _drop_equal_ends(truth, prediction)
    if max(truth.size(), prediction.size()) > MAX_NODES:
        return 0.0
    distance = APTED(prediction, truth, _Costs()).compute_edit_distance()
    return float(min(1.0, max(0.0, 1.0 - distance / max(sizes))))


def _drop_equal_ends(one: _Node, other: _Node) -> None:
    """Drop the first and the last rows that two tables share: they cost nothing, and most of a long table is shared."""
    while one.children and other.children and one.children[0] == other.children[0]:
        del one.children[0], other.children[0]
    while one.children and other.children and one.children[-1] == other.children[-1]:
        del one.children[-1], other.children[-1]


def _tree(text: str, structure_only: bool) -> _Node | None:
    if not text.strip() or len(text) > MAX_CHARACTERS:
        return None
    try:
        # Control characters are not of HTML, and lxml refuses them.
        root = html.fromstring("".join(c for c in text if c.isprintable() or c.isspace()), parser=html.HTMLParser())
    except (etree.ParserError, ValueError):
        return None
    table = root if root.tag == "table" else root.find(".//table")
    return _node(table, structure_only) if table is not None else None


def _node(element: Any, structure_only: bool) -> _Node:
    if element.tag == "td":
        text = "" if structure_only else "".join(element.itertext())
        return _Node("td", _span(element, "colspan"), _span(element, "rowspan"), text)
    children = [_node(child, structure_only) for child in element if isinstance(child.tag, str)]
    return _Node(element.tag, children=children)


def _span(element: Any, name: str) -> int:
    value = element.get(name, "1")
    return int(value) if value.isdigit() and len(value) < 5 else 1


def to_html(rows: Sequence[Sequence[str]]) -> str:
    """Write rows of cell texts as an HTML table."""
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<html><body><table>{body}</table></body></html>"
